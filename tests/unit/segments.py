"""Segments of SCCP messages, written octet by octet (Q.713 3.17, 4.18)."""


def segment(
    data: bytes,
    remaining: int,
    *,
    first: bool = False,
    reference: bytes = b"\1\2\3",
    calling: bytes = b"\x42\x08",
    called: bytes = b"\x42\x06",
    kind: int = 0x11,
    hops: int = 15,
    protocol_class: int = 0,
    in_sequence: bool = False,
) -> bytes:
    option = b"\x10\x04" + bytes([first << 7 | in_sequence << 6 | remaining]) + reference + b"\0"
    parts = b"".join(bytes([len(part)]) + part for part in (called, calling, data))
    pointers = bytes([4, 4 + len(called), 4 + len(called) + len(calling), 1 + len(parts)])
    return bytes([kind, protocol_class, hops]) + pointers + parts + option


def segments(pieces: list[bytes], *, reference: bytes = b"\1\2\3", calling: bytes = b"\x42\x08") -> list[bytes]:
    """One message's, in order."""
    last = len(pieces) - 1
    return [segment(p, last - n, first=n == 0, reference=reference, calling=calling) for n, p in enumerate(pieces)]
