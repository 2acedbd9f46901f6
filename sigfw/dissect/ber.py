"""TLVs of the Basic Encoding Rules (X.690 8.1) as the core bounds them, with what is odd about each."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sigfw.dissect.node import Node, octets

MAX_DEPTH = 24  # of the core
CONSTRUCTED = 0x20
UNIVERSAL = {
    1: "BOOLEAN",
    2: "INTEGER",
    3: "BIT STRING",
    4: "OCTET STRING",
    5: "NULL",
    6: "OBJECT IDENTIFIER",
    7: "ObjectDescriptor",
    8: "EXTERNAL",
    10: "ENUMERATED",
    12: "UTF8String",
    16: "SEQUENCE",
    17: "SET",
    18: "NumericString",
    19: "PrintableString",
    22: "IA5String",
}


@dataclass(slots=True)
class Tlv:
    """id: the identifier, numbers to 30 as one octet whatever their form. body to stop: the content."""

    start: int
    id: int
    body: int
    stop: int
    end: int
    odd: list[str] = field(default_factory=list)

    def node(self, name: str, value: str = "") -> Node:
        return Node(self.start, self.end, name, value, self.body, list(self.odd))


@dataclass(slots=True)
class Header:
    id: int
    body: int
    length: int  # -1: indefinite
    odd: list[str]
    over: str = ""  # it claims more than there is


def header(data: bytes, at: int, end: int) -> Header | str:
    """Identifier and length, or why there are none (X.690 8.1.2, 8.1.3)."""
    if end - at < 2:
        return f"a tag and a length need 2 octets, {octets(end - at)} left"
    first, at = data[at], at + 1
    id_, odd = first, []
    if first & 0x1F == 0x1F:
        number = 0
        while True:
            if at == end:
                return "the tag goes on beyond the end"
            octet, at = data[at], at + 1
            if number > 0x3FFF or (number == 0 and octet == 0x80):
                return "a tag number that nothing here can have"
            number = number << 7 | octet & 0x7F
            if not octet & 0x80:
                break
        if number > 30:
            id_ = number << 8 | first
        else:
            id_ = first & 0xE0 | number
            odd.append(f"tag {number} in the long form")
        if at == end:
            return "no length behind the tag"
    octet, at = data[at], at + 1
    if octet < 0x80:
        length = octet
    elif octet == 0x80:
        if not first & CONSTRUCTED:
            return "an indefinite length on a primitive"
        return Header(id_, at, -1, [*odd, "indefinite length"])
    else:
        n = octet & 0x7F
        if n == 0x7F:
            return "the length begins with ff, which is reserved"
        if end - at < n:
            return f"the length says it has {octets(n)}, {end - at} left"
        length = int.from_bytes(data[at : at + n], "big")
        if n > 1 + (length > 0xFF) or length < 0x80:
            odd.append(f"length {length} in {octets(n + 1)}")
        at += n
    over = f"the length says {length}, {octets(end - at)} left" if length > end - at else ""
    return Header(id_, at, length, odd, over)


def find_end(data: bytes, at: int, end: int) -> int | str:
    """Where the end-of-contents octets stand, or why there are none."""
    open_ = 1
    while True:
        if end - at >= 2 and data[at] == 0 and data[at + 1] == 0:
            open_ -= 1
            if open_ == 0:
                return at
            at += 2
            continue
        found = header(data, at, end)
        if isinstance(found, str) or found.over:
            why = found if isinstance(found, str) else found.over
            return f"no end of the indefinite length; at octet {at}: {why}"
        if found.length < 0:
            open_ += 1
            if open_ > MAX_DEPTH:
                return f"more than {MAX_DEPTH} indefinite lengths, one in another"
        at = found.body + max(found.length, 0)


def read(data: bytes, at: int, end: int) -> Tlv | str:
    """The next TLV, or why there is none."""
    found = header(data, at, end)
    if isinstance(found, str):
        return found
    if found.over:
        return found.over
    if found.id == 0:
        return "end-of-contents octets where nothing is to be ended"
    if found.length >= 0:
        stop = found.body + found.length
        return Tlv(at, found.id, found.body, stop, stop, found.odd)
    ended = find_end(data, found.body, end)
    if isinstance(ended, str):
        return ended
    return Tlv(at, found.id, found.body, ended, ended + 2, found.odd)


def each(data: bytes, parent: Node, start: int, end: int, *, lax: bool = False) -> Iterator[Tlv]:
    """TLVs one after the other; what cannot be read ends them and is noted under `parent`.

    lax: as the core reads packages and components: what claims more than there is, or never ends, as far as it goes.
    """
    while start < end:
        found = read(data, start, end)
        if isinstance(found, str) and lax:
            at = start
            while data[at : at + 2] == b"\0\0" and at + 2 <= end:
                at += 2
            if at > start:
                parent.add(start, at, "end-of-contents octets").odd.append("nothing is to be ended here")
            if at == end:
                return
            start, found = at, salvage(data, at, end)
        if isinstance(found, str):
            parent.stop(start, end, found)
            return
        yield found
        start = found.end


def salvage(data: bytes, at: int, end: int) -> Tlv | str:
    """The next TLV, or what there is of it."""
    found = read(data, at, end)
    if not isinstance(found, str):
        return found
    claimed = header(data, at, end)
    if isinstance(claimed, str) or claimed.id == 0:
        return found
    return Tlv(at, claimed.id, claimed.body, end, end, [*claimed.odd, f"{found}: read as far as it goes"])


def tag_name(id_: int) -> str:
    number = id_ >> 8 if id_ > 0xFF else id_ & 0x1F
    class_ = id_ >> 6 & 3
    if class_ == 0:
        return UNIVERSAL.get(number, f"[UNIVERSAL {number}]")
    return f"[{('', 'APPLICATION ', '', 'PRIVATE ')[class_]}{number}]"


def generic(data: bytes, tlv: Tlv, depth: int = 0, name: str = "") -> Node:
    """A TLV that nothing here names, with all that it holds."""
    node = tlv.node(name or tag_name(tlv.id))
    if not tlv.id & CONSTRUCTED:
        content = data[tlv.body : tlv.stop]
        if tlv.id == 2 and content:
            node.value = str(int.from_bytes(content, "big", signed=True))
        elif tlv.id == 6:
            node.value = oid(content)
        return node
    if depth + 1 >= MAX_DEPTH:
        if tlv.body < tlv.stop:
            node.stop(tlv.body, tlv.stop, f"nested deeper than {MAX_DEPTH}")
        return node
    for part in each(data, node, tlv.body, tlv.stop):
        node.children.append(generic(data, part, depth + 1))
    return node


def integer(content: bytes) -> tuple[int | None, list[str]]:
    """An INTEGER of 32 bits as the core reads it, and what is odd about it (X.690 8.3)."""
    value = int.from_bytes(content, "big", signed=True)
    if not content or not -(1 << 31) <= value < 1 << 31:
        return None, [f"an integer of {octets(len(content))}"]
    padded = len(content) > 1 and (content[0], content[1] >> 7) in ((0, 0), (0xFF, 1))
    return value, [f"padded to {octets(len(content))}"] if padded else []


def oid(content: bytes) -> str:
    """Dotted (X.690 8.19); hex where the last arc is cut."""
    arcs, value = [], 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    if not arcs or content[-1] & 0x80:
        return content.hex()
    head = min(arcs[0] // 40, 2)
    return ".".join(map(str, [head, arcs[0] - 40 * head, *arcs[1:]]))
