"""SCCP messages of every variant octet by octet, and what carries them."""

import struct

ITU, ANSI, CHINA = "itu", "ansi", "china"
GT = tuple[int, bytes, str]  # global title indicator, octets before the digits, digits


def point_code(variant: str, pc: int) -> bytes:
    return pc.to_bytes(2 if variant == ITU else 3, "little")


def gt_digits(text: str) -> bytes:
    text += "0" * (len(text) % 2)
    return bytes(int(text[i + 1] + text[i], 16) for i in range(0, len(text), 2))


def ansi_gt(digits: str, *, tt: int = 10, np: int | None = 1) -> GT:
    """GTI 1 with a numbering plan, GTI 2 without."""
    if np is None:
        return 2, bytes((tt,)), digits
    return 1, bytes((tt, np << 4 | (1 if len(digits) % 2 else 2))), digits


def itu_gt(digits: str, *, tt: int = 0, np: int = 1, nai: int = 4) -> GT:
    return 4, bytes((tt, np << 4 | (1 if len(digits) % 2 else 2), nai)), digits


def address(
    variant: str, *, pc: int | None = None, ssn: int | None = None, gt: GT | None = None, international: bool = False
) -> bytes:
    """international: an ANSI address that is coded as ITU's. Routed on the GT where there is one."""
    order = ITU if international else variant
    has_pc, has_ssn = pc is not None, ssn is not None
    indicator = has_ssn | has_pc << 1 if order == ANSI else has_pc | has_ssn << 1
    indicator |= (0 if gt is None else gt[0] << 2) | (gt is None) << 6 | (order == ANSI) << 7
    parts = [b"" if pc is None else point_code(order, pc), b"" if ssn is None else bytes((ssn,))]
    if order == ANSI:
        parts.reverse()
    title = b"" if gt is None else gt[1] + gt_digits(gt[2])
    return bytes((indicator,)) + b"".join(parts) + title


def unitdata(called: bytes, calling: bytes, data: bytes, *, kind: int = 0x09, second: int = 0) -> bytes:
    """UDT, or UDTS with `second` its return cause."""
    pointers = bytes((3, 3 + len(called), 3 + len(called) + len(calling)))
    return bytes((kind, second)) + pointers + b"".join(bytes((len(part),)) + part for part in (called, calling, data))


def extended(
    called: bytes, calling: bytes, data: bytes, options: bytes = b"", *, kind: int = 0x11, second: int = 0
) -> bytes:
    """XUDT or XUDTS; options without their end."""
    parts = b"".join(bytes((len(part),)) + part for part in (called, calling, data))
    pointers = bytes((4, 4 + len(called), 4 + len(called) + len(calling), len(parts) + 1 if options else 0))
    return bytes((kind, second, 15)) + pointers + parts + (options + b"\0" if options else b"")


def long(called: bytes, calling: bytes, data: bytes, *, kind: int = 0x13, second: int = 0) -> bytes:
    """LUDT or LUDTS."""
    pointers = (7, 6 + len(called), 5 + len(called) + len(calling), 0)
    parts = bytes((len(called),)) + called + bytes((len(calling),)) + calling + len(data).to_bytes(2, "little") + data
    return bytes((kind, second, 15)) + b"".join(p.to_bytes(2, "little") for p in pointers) + parts


def segments(called: bytes, calling: bytes, data: bytes, size: int) -> list[bytes]:
    """XUDTs of at most `size` octets of data each."""
    parts = [data[i : i + size] for i in range(0, len(data), size)]
    return [
        extended(
            called, calling, part, bytes((0x10, 4, (i == 0) << 7 | len(parts) - 1 - i)) + b"\xaa\xbb\xcc", second=1
        )
        for i, part in enumerate(parts)
    ]


def mtp3(variant: str, sccp: bytes, *, opc: int = 1, dpc: int = 2, sls: int = 3, ni: int = 2) -> bytes:
    if variant == ITU:
        label = (dpc | opc << 14 | sls << 28).to_bytes(4, "little")
    else:
        label = dpc.to_bytes(3, "little") + opc.to_bytes(3, "little") + bytes((sls,))
    return bytes((ni << 6 | 3,)) + label + sccp


def m3ua(sccp: bytes, *, opc: int = 1, dpc: int = 2, sls: int = 3, ni: int = 2) -> bytes:
    body = struct.pack(">IIBBBB", opc, dpc, 3, ni, 0, sls) + sccp
    padded = body + bytes(-len(body) % 4)
    return struct.pack(">BBBBIHH", 1, 0, 1, 1, 12 + len(padded), 0x0210, 4 + len(body)) + padded


def pcap(link: int, packets: list[bytes]) -> bytes:
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    return head + b"".join(struct.pack("<IIII", i, 0, len(p), len(p)) + p for i, p in enumerate(packets, 1))


def sctp(payload: bytes, tsn: int) -> bytes:
    """A packet of link type 248 with one DATA chunk of M3UA."""
    chunk = struct.pack(">BBHIHHI", 0, 3, 16 + len(payload), tsn, 1, tsn & 0xFFFF, 3) + payload
    return struct.pack(">HHII", 2905, 2905, 1, 0) + chunk + bytes(-len(chunk) % 4)
