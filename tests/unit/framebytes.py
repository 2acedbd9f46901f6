"""Layers below SCCP, put together by hand for the tests of framing."""

import struct

UDT = bytes.fromhex("0900030507024208024208") + b"\x08\x62\x06\x48\x04\x00\x00\x00\x01"
LABEL = {"opc": 300, "dpc": 200, "sls": 5, "ni": 2}
M2UA, M3UA, SUA, M2PA = 2, 3, 4, 5  # payload protocol identifiers


def padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)


def parameter(tag: int, value: bytes) -> bytes:
    return padded(struct.pack(">HH", tag, 4 + len(value)) + value)


def protocol_data(user: bytes = UDT, si: int = 3) -> bytes:
    return parameter(0x0210, struct.pack(">IIBBBB", 300, 200, si, 2, 0, 5) + user)


def m3ua(parameters: bytes | None = None, kind: int = 1) -> bytes:
    body = protocol_data() if parameters is None else parameters
    return struct.pack(">BBBBI", 1, 0, 1, kind, 8 + len(body)) + body


def mtp3(user: bytes = UDT, si: int = 3) -> bytes:
    return struct.pack("<BI", 2 << 6 | si, 200 | 300 << 14 | 5 << 28) + user


def m2pa(message: bytes) -> bytes:
    """User Data (RFC 4165 2.3.1): unused octet, BSN, unused octet, FSN, priority, then MTP3."""
    return adaptation(11, 1, struct.pack(">II", 1, 2) + b"\0" + message)


def m2ua(message: bytes, kind: int = 1, tag: int = 0x0300) -> bytes:
    """Data (RFC 3331 3.3.1.1) with an interface identifier before, a correlation identifier behind."""
    parameters = parameter(1, b"\0\0\0\1") + parameter(tag, message) + parameter(0x13, b"\0\0\0\2")
    return adaptation(6, kind, parameters)


def adaptation(message_class: int, kind: int, body: bytes) -> bytes:
    return struct.pack(">BBBBI", 1, 0, message_class, kind, 8 + len(body)) + body


def mtp2(message: bytes, li: int | None = None, extended: bool = False) -> bytes:
    """Q.703 2.2: BSN 1, FSN 2, their bits set; annex A: twelve bits each, a length indicator of nine."""
    if extended:
        return struct.pack("<HHH", 0x8001, 0x8002, len(message) if li is None else li) + message
    return struct.pack("BBB", 0x81, 0x82, min(len(message), 63) if li is None else li) + message


def chunk(payload: bytes, ppid: int = M3UA, flags: int = 3, tsn: int = 7, stream: int = 1, ssn: int = 1) -> bytes:
    return padded(struct.pack(">BBHIHHI", 0, flags, 16 + len(payload), tsn, stream, ssn, ppid) + payload)


def i_chunk(payload: bytes, mid: int, fsn: int, flags: int, tsn: int = 7) -> bytes:
    """I-DATA (RFC 8260 2.1): the first fragment has the PPID where the others have the FSN."""
    last = M3UA if flags & 2 else fsn
    return padded(struct.pack(">BBHIHHII", 64, flags, 20 + len(payload), tsn, 1, 0, mid, last) + payload)


def data_chunks(
    payload: bytes, size: int, tsn: int = 7, ssn: int = 1, ppid: int = M3UA, unordered: bool = False
) -> list[bytes]:
    """A user message cut into DATA chunks of so many octets each."""
    cuts = range(0, len(payload), size)
    flags = [(2 if at == 0 else 0) | (1 if at + size >= len(payload) else 0) | (4 if unordered else 0) for at in cuts]
    return [
        chunk(payload[at : at + size], M3UA, flag, (tsn + n) % 2**32, ssn=ssn)
        for n, (at, flag) in enumerate(zip(cuts, flags, strict=True))
    ]


SACK = struct.pack(">BBHIIHH", 3, 0, 16, 1, 2, 0, 0)


def sctp(*chunks: bytes, ports: tuple[int, int] = (2905, 2905), tag: int = 1) -> bytes:
    return struct.pack(">HHII", *ports, tag, 0) + b"".join(chunks)


def udp(payload: bytes, ports: tuple[int, int] = (9899, 9899)) -> bytes:
    return struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload


def ipv4(payload: bytes, protocol: int = 132, fragment: int = 0, identification: int = 1, last: int = 2) -> bytes:
    addresses = b"\x0a\0\0\x01\x0a\0\0" + bytes([last])
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), identification, fragment, 64, protocol, 0)
    return head + addresses + payload


def ipv4_fragments(payload: bytes, *cuts: int, identification: int = 1) -> list[bytes]:
    """An IPv4 packet cut at these octets of its payload, each a multiple of eight (RFC 791 3.1)."""
    ends = [*cuts, len(payload)]
    return [
        ipv4(payload[at:end], fragment=at // 8 | (0x2000 if end < len(payload) else 0), identification=identification)
        for at, end in zip([0, *cuts], ends, strict=True)
    ]


def ipv6_fragments(payload: bytes, *cuts: int, protocol: int = 132) -> list[bytes]:
    """The same by fragment headers (RFC 8200 4.5)."""
    ends = [*cuts, len(payload)]
    return [
        ipv6(payload[at:end], struct.pack(">BBHI", protocol, 0, at | (end < len(payload)), 9), first=44)
        for at, end in zip([0, *cuts], ends, strict=True)
    ]


def exported(pdu: bytes, *tags: tuple[int, bytes]) -> bytes:
    """A PDU as Wireshark exports it: tags of number, length, value, then an end tag."""
    return b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in (*tags, (0, b""))) + pdu


def ipv6(payload: bytes, extensions: bytes = b"", first: int = 132) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(extensions + payload), first, 64) + bytes(32) + extensions + payload


def ethernet(packet: bytes, tags: bytes = b"") -> bytes:
    return bytes(12) + tags + (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00") + packet


PLAIN = ethernet(ipv4(sctp(chunk(m3ua()))))


def pcap(*packets: bytes, link: int = 1, order: str = "<", nanoseconds: bool = False, cut: int = 0) -> bytes:
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    records = [struct.pack(order + "IIII", 1700000000, 5, len(p), len(p) + cut) + p for p in packets]
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link) + b"".join(records)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    octets = struct.pack(order + "I", 12 + len(padded(body)))
    return struct.pack(order + "I", kind) + octets + padded(body) + octets


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int, order: str = "<", options: bytes = b"") -> bytes:
    return block(1, struct.pack(order + "HHI", link, 0, 0) + options, order)


def enhanced(packet: bytes, number: int = 0, ticks: int = 0, order: str = "<") -> bytes:
    times = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet))
    return block(6, times + packet, order)
