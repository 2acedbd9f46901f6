"""Octets of the layers below MAP, for messages that we make: BER and TCAP (Q.773), SCCP (Q.713), M3UA (RFC 4666)."""

import struct
from dataclasses import dataclass, replace

DIALOGUE_AS = bytes.fromhex("060700118605010101")  # the OID of Q.773 dialogue PDUs
UNIDIALOGUE_AS = bytes.fromhex("060700118605010201")
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
    """User information with MAP-OpenInfo: AddressStrings, the IMSI's of plan 6; an empty one is left out."""
    references = tlv(0xA0, *(tlv(tag, part) for tag, part in ((0x80, destination), (0x81, origination)) if part))
    return tlv(0xBE, tlv(0x28, MAP_DIALOGUE_AS, tlv(0xA0, references)))


def unidirectional(acn: bytes, *components: bytes) -> bytes:
    """With an AUDT, unless `acn` is empty."""
    pdu = tlv(0x60, bytes.fromhex("80020780"), tlv(0xA1, tlv(6, acn)))
    dialogue = tlv(0x6B, tlv(0x28, UNIDIALOGUE_AS, tlv(0xA0, pdu))) if acn else b""
    return tlv(0x61, dialogue, tlv(0x6C, *components))


def oid(arcs: tuple[int, ...]) -> bytes:
    """Content octets of an OBJECT IDENTIFIER (X.690 8.19)."""
    out = b""
    for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        octets = bytes((arc & 0x7F,))
        while arc := arc >> 7:
            octets = bytes((0x80 | arc & 0x7F,)) + octets
        out += octets
    return out


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


SIMPLE, EXTENDED, LONG = 0x09, 0x11, 0x13  # UDT, XUDT, LUDT; the next number is the service message's


def udt(called: Party | bytes, calling: Party | bytes, data: bytes, protocol: int = 0x80) -> bytes:
    return unitdata(SIMPLE, bytes((protocol,)), _octets(called), _octets(calling), data)


def udts(called: Party, calling: Party, data: bytes, cause: int) -> bytes:
    return unitdata(SIMPLE + 1, bytes((cause,)), called.octets(), calling.octets(), data)


def xudt(
    called: Party, calling: Party, data: bytes, hops: int = 12, segment: bytes = b"", kind: int = EXTENDED
) -> bytes:
    optional = b"\x10\x04" + segment if segment else b""
    return unitdata(kind, bytes((0x81, hops)), called.octets(), calling.octets(), data, optional)


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


def unitdata(kind: int, head: bytes, called: bytes, calling: bytes, data: bytes, optional: bytes = b"") -> bytes:
    """UDT(S), XUDT(S), LUDT(S) (Q.713 4.10 to 4.21). A pointer counts from its last octet (2.3)."""
    wide = 2 if kind >= LONG else 1
    count = 3 if kind in (SIMPLE, SIMPLE + 1) else 4
    body, at = b"", count * wide  # of the next parameter, from the first pointer
    pointers = b""
    for number, part in enumerate((called, calling, data)):
        last = (number + 1) * wide - 1
        pointers += (at - last).to_bytes(wide, "little")
        long = wide == 2 and part is data
        piece = len(part).to_bytes(2 if long else 1, "little") + part
        body += piece
        at += len(piece)
    if count == 4:
        pointers += (at - (count * wide - 1) if optional else 0).to_bytes(wide, "little")
        body += optional + b"\0" if optional else b""
    return bytes((kind,)) + head + pointers + body


def m3ua_data(opc: int, dpc: int, sls: int, sccp: bytes, ni: int = 0) -> bytes:
    data = struct.pack(">HHIIBBBB", 0x0210, 16 + len(sccp), opc, dpc, 3, ni, 0, sls) + sccp
    data += bytes(-len(data) % 4)
    return struct.pack(">BBBBIHHI", 1, 0, 1, 1, 16 + len(data), 6, 8, 1) + data
