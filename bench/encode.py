"""Octets of what lies under SCCP in test traffic: SCTP, IP, pcap. Those from M3UA up are sigfw.messages.octets."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sigfw.messages.octets import (  # noqa: F401  (who makes traffic takes all from here)
    CAP_2,
    CAP_4,
    DIALOGUE_AS,
    Party,
    abort,
    address,
    bcd,
    begin,
    continue_,
    end,
    error,
    invoke,
    m3ua_data,
    map_context,
    map_open,
    request,
    response,
    result,
    segmented,
    tlv,
    udt,
    udts,
    xudt,
)

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
