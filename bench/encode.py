"""Octets of the layers below MAP, for test traffic: BER and TCAP (Q.773), SCCP (Q.713), M3UA, SCTP, IP, pcap."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

DIALOGUE_AS = bytes.fromhex("060700118605010101")  # the OID of Q.773 dialogue PDUs
MAP_DIALOGUE_AS = bytes.fromhex("060704000001010101")  # TS 29.002: map-DialogueAS
CAP_2, CAP_4 = bytes.fromhex("04000001003201"), bytes.fromhex("04000001170304")
INVOKE, RESULT, ERROR, REJECT = 0xA1, 0xA2, 0xA3, 0xA4


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    n = len(content)
    length = bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else b"\x82" + n.to_bytes(2, "big")
    return bytes([tag]) + length + content


def map_context(number: int, version: int) -> bytes:
    return bytes((4, 0, 0, 1, 0, number, version))


def request(acn: bytes, user: bytes = b"") -> bytes:
    """A dialogue portion with an AARQ."""
    pdu = tlv(0x60, bytes.fromhex("80020780"), tlv(0xA1, tlv(6, acn)), user)
    return tlv(0x6B, tlv(0x28, DIALOGUE_AS, tlv(0xA0, pdu)))


def response(acn: bytes) -> bytes:
    """A dialogue portion with an AARE that accepts."""
    pdu = tlv(0x61, bytes.fromhex("80020780"), tlv(0xA1, tlv(6, acn)), bytes.fromhex("a203020100a305a103020100"))
    return tlv(0x6B, tlv(0x28, DIALOGUE_AS, tlv(0xA0, pdu)))


def map_open(destination: bytes, origination: bytes) -> bytes:
    """User information with MAP-OpenInfo: IMSI as an AddressString of plan 6, and the node's number."""
    references = tlv(0xA0, tlv(0x80, destination), tlv(0x81, origination))
    return tlv(0xBE, tlv(0x28, MAP_DIALOGUE_AS, tlv(0xA0, references)))


def invoke(opcode: int, argument: bytes = b"", invoke_id: int = 1) -> bytes:
    return tlv(INVOKE, bytes((2, 1, invoke_id, 2, 1, opcode)), argument)


def result(opcode: int | None, value: bytes = b"", invoke_id: int = 1) -> bytes:
    inner = tlv(0x30, bytes((2, 1, opcode)), value) if opcode is not None else b""
    return tlv(RESULT, bytes((2, 1, invoke_id)), inner)


def error(code: int, invoke_id: int = 1) -> bytes:
    return tlv(ERROR, bytes((2, 1, invoke_id, 2, 1, code)))


def begin(otid: bytes, dialogue: bytes, *components: bytes) -> bytes:
    return tlv(0x62, tlv(0x48, otid), dialogue, tlv(0x6C, *components) if components else b"")


def continue_(otid: bytes, dtid: bytes, dialogue: bytes, *components: bytes) -> bytes:
    return tlv(0x65, tlv(0x48, otid), tlv(0x49, dtid), dialogue, tlv(0x6C, *components) if components else b"")


def end(dtid: bytes, dialogue: bytes, *components: bytes) -> bytes:
    return tlv(0x64, tlv(0x49, dtid), dialogue, tlv(0x6C, *components) if components else b"")


def abort(dtid: bytes, cause: int) -> bytes:
    return tlv(0x67, tlv(0x49, dtid), bytes((0x4A, 1, cause)))


def bcd(digits: str, filler: str = "f") -> bytes:
    digits += filler * (len(digits) % 2)
    return bytes.fromhex("".join(digits[i + 1] + digits[i] for i in range(0, len(digits), 2)))


def address(digits: str) -> bytes:
    """An international ISDN-AddressString (TS 29.002 17.7.8)."""
    return b"\x91" + bcd(digits)


@dataclass(frozen=True)
class Party:
    """A party address with a GT of GTI 4, unless said otherwise (Q.713 3.4)."""

    digits: str
    ssn: int | None
    np: int = 1
    nai: int = 4
    tt: int = 0
    gti: int = 4
    on_ssn: bool = False
    pc: int | None = None
    odd: bool | None = None  # None: the truth

    def octets(self) -> bytes:
        odd = len(self.digits) % 2 == 1 if self.odd is None else self.odd
        plan = bytes((self.np << 4 | (1 if odd else 2),))
        head = {
            0: b"",
            1: bytes((odd << 7 | self.nai,)),
            2: bytes((self.tt,)),
            3: bytes((self.tt,)) + plan,
            4: bytes((self.tt,)) + plan + bytes((self.nai,)),
        }[self.gti]
        indicator = self.gti << 2 | (self.ssn is not None) << 1 | (self.pc is not None) | self.on_ssn << 6
        out = bytes((indicator,)) + (self.pc.to_bytes(2, "little") if self.pc is not None else b"")
        out += bytes((self.ssn,)) if self.ssn is not None else b""
        return out + head + (bcd(self.digits, "0") if self.gti else b"")

    def on(self, **changes: object) -> "Party":
        return replace(self, **changes)  # type: ignore[arg-type]


def udt(called: Party | bytes, calling: Party | bytes, data: bytes, protocol: int = 0x80) -> bytes:
    return _unitdata(bytes((0x09, protocol)), called, calling, data)


def udts(called: Party, calling: Party, data: bytes, cause: int) -> bytes:
    return _unitdata(bytes((0x0A, cause)), called, calling, data)


def _unitdata(head: bytes, called: Party | bytes, calling: Party | bytes, data: bytes) -> bytes:
    a, b = _octets(called), _octets(calling)
    pointers = bytes((3, 3 + len(a), 3 + len(a) + len(b)))
    return head + pointers + _variable(a, b, data)


def xudt(called: Party, calling: Party, data: bytes, hops: int = 12, segment: bytes = b"", kind: int = 0x11) -> bytes:
    a, b = _octets(called), _octets(calling)
    optional = 4 + len(a) + len(b) + len(data) if segment else 0
    pointers = bytes((4, 4 + len(a), 4 + len(a) + len(b), optional))
    return (
        bytes((kind, 0x81, hops))
        + pointers
        + _variable(a, b, data)
        + (b"\x10\x04" + segment + b"\0" if segment else b"")
    )


def segmented(called: Party, calling: Party, data: bytes, reference: bytes, count: int) -> list[bytes]:
    """`data` in `count` XUDT (Q.713 3.17), cut evenly."""
    size = -(-len(data) // count)
    parts = [data[i : i + size] for i in range(0, len(data), size)]
    first = [0xC0] + [0x40] * (len(parts) - 1)
    return [
        xudt(called, calling, part, segment=bytes((first[i] | len(parts) - 1 - i,)) + reference)
        for i, part in enumerate(parts)
    ]


def _octets(party: Party | bytes) -> bytes:
    return party if isinstance(party, bytes) else party.octets()


def _variable(*parts: bytes) -> bytes:
    return b"".join(bytes((len(part),)) + part for part in parts)


def m3ua_data(opc: int, dpc: int, sls: int, sccp: bytes) -> bytes:
    data = struct.pack(">HHIIBBBB", 0x0210, 16 + len(sccp), opc, dpc, 3, 0, 0, sls) + sccp
    data += bytes(-len(data) % 4)
    return struct.pack(">BBBBIHHI", 1, 0, 1, 1, 16 + len(data), 6, 8, 1) + data


CRC32C = [0] * 256
for _octet in range(256):
    _crc = _octet
    for _ in range(8):
        _crc = _crc >> 1 ^ (0x82F63B78 if _crc & 1 else 0)
    CRC32C[_octet] = _crc


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for octet in data:
        crc = CRC32C[(crc ^ octet) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


@dataclass
class Association:
    """One direction of an SCTP association over IPv4 and Ethernet."""

    source: bytes
    destination: bytes
    tag: int
    tsn: int = 1
    sequence: int = 0
    identification: int = 0

    def frame(self, payloads: Sequence[bytes]) -> bytes:
        """One packet with a DATA chunk a payload (RFC 9260 3.3.1; protocol identifier 3: M3UA)."""
        chunks = b""
        for payload in payloads:
            head = struct.pack(">BBHIHHI", 0, 3, 16 + len(payload), self.tsn, 0, self.sequence & 0xFFFF, 3)
            chunks += head + payload + bytes(-len(payload) % 4)
            self.tsn, self.sequence = self.tsn + 1, self.sequence + 1
        ports = struct.pack(">HHI", 2905, 2905, self.tag)
        sctp = ports + struct.pack("<I", crc32c(ports + bytes(4) + chunks)) + chunks
        self.identification = self.identification + 1 & 0xFFFF
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(sctp), self.identification, 0x4000, 64, 132, 0)
        ip += self.source + self.destination
        total = sum(struct.unpack(">10H", ip))
        ip = ip[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + ip[12:]
        return bytes.fromhex("020000000001020000000002") + b"\x08\x00" + ip + sctp


def pcap(frames: Iterable[tuple[int, bytes]]) -> bytes:
    """Classic pcap, Ethernet; each frame with its time in microseconds since the epoch."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    for time, frame in frames:
        out.append(struct.pack("<IIII", time // 1_000_000, time % 1_000_000, len(frame), len(frame)) + frame)
    return b"".join(out)
