"""Messages of dialogues about one subscriber of ours, one by one: registrations, short messages, and their answers."""

from bench.encode import (
    Party,
    abort,
    address,
    bcd,
    begin,
    continue_,
    end,
    invoke,
    map_context,
    request,
    result,
    tlv,
    udt,
)

IMSI, OTHER_IMSI = "001010000000001", "001010000000002"
MSISDN = "447700900501"
HLR, SMSC = Party("447700900001", 6), Party("447700900002", 8)
GERMAN_VLR, GERMAN_SMSC = Party("491713920001", 7), Party("491713920009", 8)
FRENCH_VLR, AUSTRALIAN_VLR = Party("33639980001", 7), Party("61491570156", 7)
AUSTRALIAN_SGSN = Party("61491570157", 149)
STRANGER = Party("999420000001", 8)

LOCATION_UP, GPRS_UP, SHORT_GATEWAY, SHORT_MT, SHORT_MO = (1, 3), (32, 3), (20, 3), (25, 3), (21, 3)


def update(vlr: Party, tid: bytes, imsi: str = IMSI, *, to: Party = HLR) -> bytes:
    """updateLocation, or updateGprsLocation of an SGSN."""
    if vlr.ssn == 149:
        argument = tlv(0x30, tlv(4, bcd(imsi)), tlv(4, address(vlr.digits)), tlv(4, b"\x04\x7f\0\0\1"))
        return udt(to, vlr, begin(tid, request(map_context(*GPRS_UP)), invoke(23, argument)))
    argument = tlv(0x30, tlv(4, bcd(imsi)), tlv(0x81, address(vlr.digits)), tlv(4, address(vlr.digits)))
    return udt(to, vlr, begin(tid, request(map_context(*LOCATION_UP)), invoke(2, argument)))


def updated(vlr: Party, tid: bytes, *, by: Party = HLR) -> bytes:
    """The End that says it succeeded."""
    opcode = 23 if vlr.ssn == 149 else 2
    return udt(vlr, by, end(tid, b"", result(opcode, tlv(0x30, tlv(4, address(by.digits))))))


def profile(vlr: Party, tid: bytes, own: bytes, msisdn: str = MSISDN) -> bytes:
    """insertSubscriberData in the dialogue of an update: the IMSI is the dialogue's."""
    return udt(vlr, HLR, continue_(own, tid, b"", invoke(7, tlv(0x30, tlv(0x81, address(msisdn))))))


def refused(vlr: Party, tid: bytes) -> bytes:
    return udt(vlr, HLR, abort(tid, 0))


def ask_for_routing(smsc: Party, tid: bytes, msisdn: str = MSISDN) -> bytes:
    argument = tlv(0x30, tlv(0x80, address(msisdn)), tlv(0x81, b"\xff"), tlv(0x82, address(smsc.digits)))
    return udt(HLR, smsc, begin(tid, request(map_context(*SHORT_GATEWAY)), invoke(45, argument)))


def tell_routing(smsc: Party, tid: bytes, imsi: str = IMSI, node: str = "491713920001") -> bytes:
    argument = tlv(0x30, tlv(4, bcd(imsi)), tlv(0xA0, tlv(0x81, address(node))))
    return udt(smsc, HLR, end(tid, b"", result(45, argument)))


DELIVER = bytes.fromhex("040b919471000000f00000421132518594000441e19008")
SUBMIT = bytes.fromhex("01000b919471000000f0000004d4f29c0e")


def deliver(smsc: Party, tid: bytes, imsi: str = IMSI, *, to: Party = GERMAN_VLR) -> bytes:
    argument = tlv(0x30, tlv(0x80, bcd(imsi)), tlv(0x84, address(smsc.digits)), tlv(4, DELIVER))
    return udt(to, smsc, begin(tid, request(map_context(*SHORT_MT)), invoke(44, argument)))


def delivered(smsc: Party, tid: bytes, *, by: Party = GERMAN_VLR) -> bytes:
    return udt(smsc, by, end(tid, b"", result(44, b"")))


def submit(msc: Party, tid: bytes, *, msisdn: str = MSISDN, imsi: str = "") -> bytes:
    parts = [tlv(0x84, address(SMSC.digits)), tlv(0x82, address(msisdn)), tlv(4, SUBMIT)]
    argument = tlv(0x30, *parts, *([tlv(4, bcd(imsi))] if imsi else []))
    return udt(SMSC, msc, begin(tid, request(map_context(*SHORT_MO)), invoke(46, argument)))
