"""TCAP of T1.114.3 as trees of tcapbytes."""

from tests.unit.tcapbytes import Node, encode, oid

PACKAGES = {  # tag -> (name, octets of transaction ids)
    0xE1: ("unidirectional", 0),
    0xE2: ("queryWithPerm", 4),
    0xE3: ("queryWithoutPerm", 4),
    0xE4: ("response", 4),
    0xE5: ("conversationWithPerm", 8),
    0xE6: ("conversationWithoutPerm", 8),
    0xF6: ("abort", 4),
}
IDS = bytes(range(1, 9))
NATIONAL, PRIVATE = 0xD0, 0xD1
SET, SEQUENCE = 0xF2, 0xF0
NOTHING: Node = (SET, b"")


def invoke(
    code: int, *, form: int = PRIVATE, last: bool = True, ids: bytes = b"\x01", argument: Node | None = NOTHING
) -> Node:
    parts: list[Node] = [(0xCF, ids), (form, code.to_bytes(2, "big"))]
    return (0xE9 if last else 0xED, parts + ([argument] if argument else []))


def result(*, last: bool = True, id_: int = 1, parameter: Node = NOTHING) -> Node:
    return (0xEA if last else 0xEE, [(0xCF, bytes((id_,))), parameter])


def error(code: int, *, form: int = 0xD4, id_: int = 1) -> Node:
    return (0xEB, [(0xCF, bytes((id_,))), (form, bytes((code,))), NOTHING])


def reject(problem: int, *, ids: bytes = b"\x01") -> Node:
    return (0xEC, [(0xCF, ids), (0xD5, problem.to_bytes(2, "big")), (SET, b"")])


def dialogue(context: str | int | None) -> Node:
    """context: an OID with dots, an integer, or none."""
    parts: list[Node] = [(0xDA, b"\x03")]
    if isinstance(context, str):
        parts.append((0xDC, oid(context)))
    elif context is not None:
        parts.append((0xDB, bytes((context,))))
    return (0xF9, parts)


def package(tag: int, *components: Node, parts: tuple[Node, ...] = ()) -> Node:
    """parts: what stands between the transaction ids and the components."""
    portion: list[Node] = [(0xE8, list(components))] if components else []
    return (tag, [(0xC7, IDS[: PACKAGES[tag][1]]), *parts, *portion])


def octets(tag: int, *components: Node, parts: tuple[Node, ...] = ()) -> bytes:
    return encode(package(tag, *components, parts=parts))


MIN = "2025550100"
# registrationNotification of ANSI-41 (N.S0005 6.5): private family 9, specifier 13; MIN [8], ESN [9], MSCID [21].
REGNOT: Node = (SET, [(0x88, bytes.fromhex("2052551000")), (0x89, b"\x82\0\0\1"), (0x95, b"\x10\x01\x02")])
REGISTRATION_NOTIFICATION = invoke(0x090D, argument=REGNOT)
