"""TCAP messages octet by octet: a tree of (tag, content), encoded with any form of length."""

from collections.abc import Callable

Node = tuple[int, "bytes | list[Node]"]
Form = Callable[[bytes, bytes], bytes]


def short(tag: bytes, content: bytes) -> bytes:
    if len(content) < 128:
        return tag + bytes([len(content)]) + content
    return long(2)(tag, content)


def long(octets: int) -> Form:
    return lambda tag, content: tag + bytes([0x80 | octets]) + len(content).to_bytes(octets, "big") + content


def indefinite(tag: bytes, content: bytes) -> bytes:
    return tag + b"\x80" + content + b"\0\0" if tag[0] & 0x20 else short(tag, content)


def encode(node: Node, form: Form = short) -> bytes:
    tag, content = node
    octets = tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big")
    return form(octets, content if isinstance(content, bytes) else b"".join(encode(part, form) for part in content))


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    out = b""
    for arc in (40 * first + second, *rest):
        part = bytes([arc & 0x7F])
        while arc := arc >> 7:
            part = bytes([0x80 | arc & 0x7F]) + part
        out += part
    return out


def digits(text: str) -> bytes:
    """TBCD."""
    text += "f" * (len(text) % 2)
    return bytes(int(text[i + 1] + text[i], 16) for i in range(0, len(text), 2))


def address(text: str, nature_and_plan: int = 0x91) -> bytes:
    return bytes([nature_and_plan]) + digits(text)


def dialogue(acn: str, *, pdu: int = 0x60, user_information: list[Node] | None = None, version: bool = True) -> Node:
    parts: list[Node] = [(0x80, b"\x07\x80")] if version else []
    parts.append((0xA1, [(0x06, oid(acn))]))
    if pdu == 0x61:
        parts += [(0xA2, [(0x02, b"\0")]), (0xA3, [(0xA1, [(0x02, b"\0")])])]
    if user_information is not None:
        parts.append((0xBE, user_information))
    return (0x6B, [(0x28, [(0x06, oid("0.0.17.773.1.1.1")), (0xA0, [(pdu, parts)])])])


def open_info(destination: bytes, origination: bytes) -> list[Node]:
    references: list[Node] = [(0x80, destination), (0x81, origination)]
    return [(0x28, [(0x06, oid("0.4.0.0.1.1.1.1")), (0xA0, [(0xA0, references)])])]


def invoke(opcode: int | bytes, argument: Node | None = None, *, number: int = 1) -> Node:
    code: Node = (0x02, bytes([opcode])) if isinstance(opcode, int) else (opcode[0], opcode[1:])
    return (0xA1, [(0x02, bytes([number])), code, *([argument] if argument else [])])


def result(opcode: int, argument: Node, *, tag: int = 0xA2) -> Node:
    return (tag, [(0x02, b"\x01"), (0x30, [(0x02, bytes([opcode])), argument])])


def begin(*components: Node, acn: str = "", parts: list[Node] | None = None) -> Node:
    portion = [dialogue(acn)] if acn else []
    return (0x62, [(0x48, b"\0\0\x01\x2b"), *(parts or portion), (0x6C, list(components))])


IMSI = "234150123456789"
ATI: Node = (0x30, [(0xA0, [(0x80, digits(IMSI))]), (0xA1, [(0x80, b""), (0x81, b"")]), (0x83, address("49171000001"))])
ATI_ACN = "0.4.0.0.1.0.29.3"
