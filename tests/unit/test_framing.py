"""Captures and messages built here layer by layer, and framed again."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigfw._core import framing
from sigfw.names import ERROR_CODES
from tests.unit.framebytes import (
    LABEL,
    M2PA,
    M2UA,
    M3UA,
    PLAIN,
    SACK,
    SUA,
    UDT,
    adaptation,
    block,
    chunk,
    data_chunks,
    enhanced,
    ethernet,
    exported,
    interface,
    ipv4,
    ipv4_fragments,
    ipv6,
    m2pa,
    m2ua,
    m3ua,
    mtp2,
    mtp3,
    parameter,
    pcap,
    protocol_data,
    sctp,
    section,
    udp,
)  # fmt: skip


def frames(octets: bytes, encapsulation: str = "pcap") -> list[dict[str, Any]]:
    return framing.frames(octets, encapsulation)


def kinds(octets: bytes, encapsulation: str = "pcap") -> list[tuple[str, str]]:
    return [(found["kind"], ERROR_CODES[found["code"]]) for found in frames(octets, encapsulation)]


def only(octets: bytes, encapsulation: str = "pcap") -> dict[str, Any]:
    (found,) = frames(octets, encapsulation)
    assert (found["kind"], found["code"], found["octets"]) == ("sccp", 0, UDT)
    return found


@pytest.mark.parametrize(
    ("octets", "encapsulation", "number", "label"),
    [(UDT, "sccp", 1, dict.fromkeys(LABEL)), (mtp3(), "mtp3", 2, LABEL), (m3ua(), "m3ua", 3, LABEL)],
)
def test_single_message_is_frame_1(octets: bytes, encapsulation: str, number: int, label: dict[str, Any]) -> None:
    found = only(octets, encapsulation)
    assert (found["frame"], found["index"], found["time_ns"], found["encapsulation"]) == (1, 0, -1, number)
    assert {key: found[key] for key in LABEL} == label


@pytest.mark.parametrize(
    ("link", "packet"),
    [
        (142, UDT),
        (141, mtp3()),
        (248, sctp(chunk(m3ua()))),
        (101, ipv4(sctp(chunk(m3ua())))),
        (101, ipv6(sctp(chunk(m3ua())))),
        (228, ipv4(sctp(chunk(m3ua())))),
        (229, ipv6(sctp(chunk(m3ua())), bytes([132, 0]) + bytes(6), first=60)),
        (229, ipv6(sctp(chunk(m3ua())), bytes([132]) + bytes(7), first=44)),  # a fragment header of a whole packet
        (229, ipv6(sctp(chunk(m3ua())), bytes([132, 1]) + bytes(10), first=51)),  # behind an authentication header
        (228, ipv4(bytes([132, 1]) + bytes(10) + sctp(chunk(m3ua())), protocol=51)),
        (113, bytes(14) + b"\x08\x00" + ipv4(sctp(chunk(m3ua())))),
        (276, b"\x08\x00" + bytes(18) + ipv4(sctp(chunk(m3ua())))),
        (1, PLAIN),
        (1, PLAIN + bytes(9)),  # padded to the least size of an Ethernet frame
        (1, ethernet(ipv4(sctp(chunk(m3ua()))), tags=b"\x88\xa8\0\x01\x81\0\0\x02")),
        (1, ethernet(ipv4(sctp(SACK, chunk(m3ua()))))),
        (1, ethernet(ipv4(sctp(chunk(m2pa(mtp3()), ppid=M2PA))))),
        (1, ethernet(ipv4(sctp(chunk(m3ua(), ppid=M3UA << 24))))),
        (1, ethernet(ipv4(sctp(chunk(m3ua(), ppid=0))))),
        (1, ethernet(ipv4(sctp(chunk(m3ua(parameter(0x0200, bytes(4)) + protocol_data())))))),
        (1, ethernet(ipv4(sctp(chunk(m3ua(parameter(2, mtp3()))))))),
        (1, ethernet(ipv4(sctp(chunk(m3ua())), fragment=0x4000))),  # "do not fragment" is no fragment
        (1, ethernet(ipv4(sctp(chunk(m3ua()))), tags=b"\x91\0\0\x01\x81\0\0\x02")),
        (1, ethernet(ipv4(udp(sctp(chunk(m3ua()))), protocol=17))),
        (1, ethernet(ipv4(udp(sctp(chunk(m3ua())), ports=(40000, 9899)), protocol=17))),
        (1, ethernet(ipv4(sctp(chunk(m2ua(mtp3()), ppid=M2UA), ports=(2904, 2904))))),
        (1, ethernet(ipv4(sctp(chunk(m2ua(mtp3(), kind=12), ppid=M2UA))))),  # retrieved from a link that failed
        (1, ethernet(ipv4(sctp(chunk(m2ua(mtp3()), ppid=M2UA << 24))))),
        (140, mtp2(mtp3())),
        (140, mtp2(mtp3()) + b"\x12\x34"),  # with its check sequence
        (139, b"\0\0\0\x01" + mtp2(mtp3())),
        (139, b"\x01\x02\0\x01" + mtp2(mtp3())),  # annex A: not known
        (139, b"\0\x01\0\x01" + mtp2(mtp3(), extended=True)),
        (252, exported(mtp3(), (12, b"mtp3"))),
        (252, exported(mtp2(mtp3()), (12, b"mtp2"))),
        (252, exported(m3ua(), (12, b"m3ua\0\0\0\0"), (30, b"\0\0\0\x07"))),
        (252, exported(m2ua(mtp3()), (12, b"m2ua"))),
        (252, exported(m2pa(mtp3()), (20, bytes(4)), (12, b"m2pa"))),
        (252, exported(sctp(chunk(m3ua())), (12, b"sctp"))),
        (252, exported(ipv4(sctp(chunk(m3ua()))), (12, b"ip"))),
        (252, exported(ipv6(sctp(chunk(m3ua()))), (12, b"ipv6"))),
        (252, exported(PLAIN, (12, b"eth_withoutfcs"))),
        (252, exported(m3ua(), (14, b"sctp.ppi"), (32, b"\0\0\0\x03"))),
        (252, exported(sctp(chunk(m3ua())), (14, b"ip.proto"), (32, b"\0\0\0\x84"))),
        (252, exported(ipv4(sctp(chunk(m3ua()))), (14, b"ethertype"), (32, b"\0\0\x08\0"))),
    ],
)
def test_message_is_found_under_every_link_type(link: int, packet: bytes) -> None:
    found = only(pcap(packet, link=link))
    assert (found["frame"], found["index"]) == (1, 0)
    if link != 142:
        assert {key: found[key] for key in LABEL} == LABEL


@pytest.mark.parametrize("ppid", [0, 2, 3, 4, 5, 99, 3 << 24])
@pytest.mark.parametrize("message", [m3ua(), m2ua(mtp3()), m2pa(mtp3())], ids=["M3UA", "M2UA", "M2PA"])
def test_payload_protocol_identifier_cannot_hide_a_message(ppid: int, message: bytes) -> None:
    only(pcap(sctp(chunk(message, ppid)), link=248))
    if ppid:
        only(pcap(sctp(chunk(message, ppid), ports=(1024, 1025)), link=248))


def test_exported_pdu_brings_point_codes_alone() -> None:
    pc = [(28, struct.pack(">IHBx", 300, 1, 2)), (29, struct.pack(">IHBx", 200, 1, 2))]
    for name in [(12, b"sccp")], [(14, b"mtp3.service_indicator"), (32, b"\0\0\0\x03")]:
        both, one, none = (only(pcap(exported(UDT, *name, *tags), link=252)) for tags in (pc, pc[:1], []))
        assert {key: both[key] for key in LABEL} == LABEL | {"sls": None, "ni": None}
        assert {key: one[key] for key in LABEL} == dict.fromkeys(LABEL) | {"opc": 300}
        assert {key: none[key] for key in LABEL} == dict.fromkeys(LABEL)


@pytest.mark.parametrize(
    ("packet", "link", "expected"),
    [
        (mtp2(b""), 140, ("other", "")),
        (mtp2(b"") + b"\x12\x34", 140, ("other", "")),
        (mtp2(b"\x03\0"), 140, ("other", "")),
        (mtp2(mtp3(), li=0), 140, ("error", "bad_length")),  # a fill-in unit that carries a message
        (mtp2(mtp3(), li=2), 140, ("error", "bad_length")),
        (mtp2(mtp3(), li=20), 140, ("sccp", "trailing")),
        (mtp2(mtp3(UDT + bytes(60)), li=63), 140, ("sccp", "")),  # 63 or more
        (mtp2(mtp3(), li=63), 140, ("sccp", "length_overrun")),
        (mtp2(mtp3(), li=60), 140, ("sccp", "length_overrun")),
        (mtp2(mtp3(), li=300, extended=True), 140, ("error", "bad_length")),
        (mtp2(mtp3(si=5)), 140, ("other", "")),
        (mtp2(b"\x83\0\0"), 140, ("error", "truncated")),
        (b"\x81\x82", 140, ("error", "truncated")),
        (b"\0\0", 139, ("error", "truncated")),
        (b"\0\x01\0\0\x01\0\x02", 139, ("error", "truncated")),
        (exported(b"x", (12, b"tcap")), 252, ("error", "unsupported")),
        (exported(b"x", (12, b"sua")), 252, ("error", "unsupported")),
        (exported(b"x", (13, b"sctp_heur")), 252, ("error", "unsupported")),
        (exported(b"x", (14, b"sccp.ssn"), (32, b"\0\0\0\x06")), 252, ("error", "unsupported")),
        (exported(b"x", (14, b"sctp.ppi"), (32, b"\0\0\0\x04")), 252, ("error", "unsupported")),
        (exported(b"x", (12, b"isup")), 252, ("other", "")),
        (exported(b"x", (14, b"mtp3.service_indicator"), (32, b"\0\0\0\x05")), 252, ("other", "")),
        (exported(UDT, (12, b"isup"), (12, b"sccp")), 252, ("error", "duplicate")),
        (exported(UDT), 252, ("error", "missing")),
        (exported(UDT, (28, b"\0"), (12, b"sccp")), 252, ("error", "bad_length")),
        (exported(UDT, (28, b"\x7f\xff\xff\xff"), (12, b"sccp")), 252, ("error", "bad_value")),
        (exported(b"", (12, b"sccp"))[:-4], 252, ("error", "truncated")),
        (exported(b"", (12, b"sccp")), 252, ("error", "truncated")),
        (b"\0\x0c\xff\xff", 252, ("error", "truncated")),
        (sctp(chunk(m2ua(mtp3(), tag=0x0301), M2UA)), 248, ("error", "unsupported")),  # of TTC
        (sctp(chunk(m2ua(mtp3(), kind=15), M2UA)), 248, ("other", "")),  # an acknowledgement
        (sctp(chunk(m2ua(mtp3(), tag=0x0302), M2UA)), 248, ("error", "missing")),
        (sctp(chunk(m2pa(mtp3())[:20], M2PA)), 248, ("error", "length_overrun")),
        (sctp(chunk(adaptation(11, 1, bytes(8)), M2PA)), 248, ("other", "")),
        (sctp(chunk(adaptation(7, 1, bytes(8)), SUA)), 248, ("error", "unsupported")),
        (sctp(chunk(adaptation(3, 3, bytes(8)), SUA)), 248, ("other", "")),
        # behind a message, or protocol data, that is no SCCP another one may stand
        (sctp(chunk(adaptation(3, 3, b"") + m3ua())), 248, ("error", "trailing")),
        (sctp(chunk(m3ua(protocol_data(si=5)) + m3ua())), 248, ("error", "trailing")),
        (sctp(chunk(m3ua(protocol_data(si=5) + protocol_data()))), 248, ("error", "duplicate")),
        # what the fields of M3UA have room for, and those of MTP have not
        (sctp(chunk(m3ua(parameter(0x210, struct.pack(">IIBBBB", 1 << 24, 2, 3, 2, 0, 5) + UDT)))), 248,
         ("sccp", "bad_value")),
        (sctp(chunk(m3ua(parameter(0x210, struct.pack(">IIBBBB", 1, 0x7FFFFFFF, 3, 2, 0, 5) + UDT)))), 248,
         ("sccp", "bad_value")),
        (sctp(chunk(m3ua(parameter(0x210, struct.pack(">IIBBBB", 1, 2, 3, 4, 0, 5) + UDT)))), 248,
         ("sccp", "bad_value")),
        (sctp(chunk(b"x", ppid=46)), 248, ("other", "")),
        (ipv4(udp(sctp(chunk(m3ua())))[:30], 17), 228, ("error", "length_overrun")),
        (ipv4(struct.pack(">HHHH", 9899, 9899, 7, 0), 17), 228, ("error", "bad_length")),
        (ipv4(struct.pack(">HH", 9899, 9899), 17), 228, ("error", "truncated")),
        (ipv4(udp(PLAIN, ports=(2152, 2152)), 17), 228, ("other", "")),  # a tunnel: not looked into
    ],
)  # fmt: skip
def test_frame_of_a_layer_is_read_told_or_counted(packet: bytes, link: int, expected: tuple[str, str]) -> None:
    assert kinds(pcap(packet, link=link)) == [expected]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("nanoseconds", "fraction"), [(False, 5000), (True, 5)])
def test_pcap_magic_tells_order_and_resolution(order: str, nanoseconds: bool, fraction: int) -> None:
    found = only(pcap(PLAIN, order=order, nanoseconds=nanoseconds))
    assert found["time_ns"] == 1700000000 * 10**9 + fraction


def test_pcapng_sections_have_their_own_order_and_interfaces() -> None:
    nanoseconds = struct.pack("<HHB3xHHqHH", 9, 1, 9, 14, 8, 10, 0, 0)
    binary = struct.pack(">HHB3xHH", 9, 1, 0x80 | 10, 0, 0)
    octets = (
        section() + interface(1) + interface(142, options=nanoseconds) + block(0xBAD, b"skipped")
        + enhanced(PLAIN, 0, 1_700_000_000_000_005) + enhanced(UDT, 1, 7)
        + section(">") + interface(141, ">", binary) + enhanced(mtp3(), 0, 1536, ">")
        + block(3, struct.pack(">I", len(mtp3())) + mtp3(), ">")
        + block(2, struct.pack(">HHIIII", 0, 0, 0, 2048, len(mtp3()), len(mtp3())) + mtp3(), ">")
    )  # fmt: skip
    found = frames(octets)
    assert [(f["frame"], f["time_ns"]) for f in found] == [
        (1, 1_700_000_000_000_005_000),
        (2, 10_000_000_007),
        (3, 1_500_000_000),
        (4, -1),
        (5, 2_000_000_000),
    ]
    assert all(f["octets"] == UDT and f["code"] == 0 for f in found)


def test_index_counts_messages_of_a_frame_and_what_is_no_sccp_takes_none() -> None:
    isup = m3ua(protocol_data(b"\x01\x02", si=5))
    packet = sctp(chunk(m3ua()), chunk(isup), chunk(m3ua(b"", kind=2)), chunk(b"x", ppid=46), chunk(m3ua()))
    found = frames(pcap(packet, sctp(SACK), sctp(chunk(m3ua())), link=248))
    assert [(f["kind"], f["frame"], f["index"]) for f in found] == [
        ("sccp", 1, 0),
        ("other", 1, 1),
        ("other", 1, 1),
        ("other", 1, 1),
        ("sccp", 1, 1),
        ("other", 2, 0),
        ("sccp", 3, 0),
    ]


NO_LABELS = (  # point codes beyond 24 bits, a network indicator beyond two, a service indicator beyond four
    struct.pack(">IIBBBB", 1 << 24, 200, 3, 2, 0, 5) + UDT,
    struct.pack(">IIBBBB", 300, 0x7FFFFFFF, 3, 2, 0, 5) + UDT,
    struct.pack(">IIBBBB", 300, 200, 3, 4, 0, 5) + UDT,
    struct.pack(">IIBBBB", 300, 200, 0x13, 2, 0, 5) + UDT,
)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (ethernet(ipv4(b"", protocol=17)), [("other", "")]),
        (bytes(12) + b"\x08\x06" + bytes(28), [("other", "")]),
        (ethernet(ipv6(b"", (b"\x3c\0" + bytes(6)) * 9, first=60)), [("error", "too_many")]),
        (ethernet(ipv4(b""), tags=b"\x81\0\0\x01" * 9), [("error", "too_many")]),
        (ethernet(ipv4(sctp(b"\0\3\0\3"))), [("error", "bad_length")]),
        (ethernet(ipv4(sctp(b"\0\3\xff\xff" + bytes(40)))), [("error", "length_overrun")]),
        (ethernet(ipv4(sctp(chunk(b"\2" + m3ua()[1:])))), [("error", "unsupported")]),
        (ethernet(ipv4(sctp(chunk(m3ua() + m3ua())))), [("sccp", "trailing")]),
        (ethernet(ipv4(sctp(chunk(m3ua(protocol_data() + protocol_data()))))), [("sccp", "duplicate")]),
        (ethernet(ipv4(sctp(chunk(m3ua(b""))))), [("error", "missing")]),
        (ethernet(ipv4(sctp(chunk(m3ua(b"\x02\x10\x00\x03"))))), [("error", "bad_length")]),
        (ethernet(ipv4(sctp(chunk(m3ua(b"\x02\x10\xff\xff"))))), [("error", "length_overrun")]),
        (ethernet(ipv4(sctp(chunk(m3ua(protocol_data(b"")))))), [("error", "truncated")]),
        *(
            (ethernet(ipv4(sctp(chunk(m3ua(parameter(0x0210, label)))))), [("sccp", "bad_value")])
            for label in NO_LABELS
        ),
        (b"", [("error", "truncated")]),
    ],
)
def test_trouble_stays_within_its_frame(packet: bytes, expected: list[tuple[str, str]]) -> None:
    assert kinds(pcap(packet, PLAIN)) == [*expected, ("sccp", "")]


def test_message_cut_by_the_snapshot_length_is_given_as_far_as_it_goes() -> None:
    (found,) = frames(pcap(PLAIN[:-6], cut=6))
    assert (found["kind"], ERROR_CODES[found["code"]], found["octets"]) == ("sccp", "truncated", UDT[:-6])
    assert kinds(pcap(PLAIN[:70], cut=50)) == [("error", "truncated")]
    assert kinds(pcap(mtp3()[:9], link=141, cut=1)) == [("sccp", "truncated")]


def test_chunks_lost_to_the_snapshot_length_are_told() -> None:
    packet = ethernet(ipv4(sctp(chunk(m3ua()), chunk(m3ua()))))
    one = len(PLAIN)
    assert kinds(pcap(packet[:one], cut=len(packet) - one)) == [("sccp", ""), ("error", "truncated")]


def test_capture_cut_anywhere_gives_what_was_whole() -> None:
    capture = pcap(PLAIN, PLAIN)
    ends = (24, 24 + 16 + len(PLAIN), len(capture))
    for n in range(len(capture)):
        whole = sum(1 for end in ends[1:] if end <= n)
        expected = [("sccp", "")] * whole + ([] if n in ends else [("broken", "truncated")])
        assert kinds(capture[:n]) == expected
    assert frames(capture[:-1])[-1]["offset"] == ends[1]


@pytest.mark.parametrize(
    ("octets", "code", "offset"),
    [
        (b"", "truncated", 0),
        (b"GIF89a" + bytes(40), "bad_value", 0),
        (pcap(link=147), "unsupported", 20),
        (pcap() + struct.pack("<IIII", 0, 0, 0x7FFFFFFF, 0x7FFFFFFF), "bad_length", 32),
        (section() + struct.pack("<II", 1, 0xFFFFFFF0) + bytes(40), "bad_length", 32),
        (section() + struct.pack("<II", 1, 0) + bytes(40), "bad_length", 32),
        (section() + interface(1)[:-1] + b"\xff", "bad_length", 44),
        (section()[:-3], "truncated", 0),
    ],
)
def test_broken_capture_says_where(octets: bytes, code: str, offset: int) -> None:
    found = frames(octets)[-1]
    assert (found["kind"], ERROR_CODES[found["code"]], found["offset"]) == ("broken", code, offset)


def test_packet_of_an_unknown_interface_is_an_error_of_its_frame() -> None:
    octets = section() + interface(142) + enhanced(UDT, 1) + enhanced(UDT, 0)
    assert kinds(octets) == [("error", "missing"), ("sccp", "")]


@given(st.data())
def test_any_change_of_a_capture_gives_frames_and_an_end(data: st.DataObject) -> None:
    capture = data.draw(
        st.sampled_from(
            [
                pcap(PLAIN, ethernet(ipv6(sctp(SACK, chunk(m3ua()))))),
                section() + interface(1) + enhanced(PLAIN) + enhanced(PLAIN),
                pcap(*map(ethernet, ipv4_fragments(sctp(*data_chunks(m3ua(), 16)), 24, 48)), PLAIN),
                pcap(b"\0\x01\0\x01" + mtp2(mtp3(), extended=True), b"\0\0\0\x01" + mtp2(mtp3()), link=139),
                pcap(exported(sctp(*data_chunks(m2ua(mtp3()), 16)), (28, bytes(8)), (12, b"sctp")), link=252),
            ]
        )
    )
    octets = bytearray(capture)
    for _ in range(data.draw(st.integers(1, 6))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    found = frames(bytes(octets))
    assert all(f["octets"] is None or set(f["octets"]) <= set(octets) for f in found)
    assert all(f["offset"] <= len(octets) for f in found)
