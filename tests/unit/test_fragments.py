"""IP fragments and SCTP user messages in parts: whatever way they come, the message is the plain one, or an error."""

from collections import Counter
from itertools import permutations
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigfw._core import framing
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw.names import ERROR_CODES
from tests.unit.framebytes import (
    UDT,
    chunk,
    data_chunks,
    ethernet,
    i_chunk,
    ipv4,
    ipv4_fragments,
    ipv6,
    ipv6_fragments,
    m3ua,
    pcap,
    protocol_data,
    sctp,
    udp,
)

MESSAGE = m3ua()
PACKET = sctp(chunk(MESSAGE))
WAYS = {
    "IPv4 fragments": [ethernet(part) for part in ipv4_fragments(PACKET, 16, 40)],
    "IPv6 fragments": [ethernet(part) for part in ipv6_fragments(PACKET, 16, 40)],
    "IPv6 fragments, an extension header in the first": [
        ethernet(part) for part in ipv6_fragments(bytes([132, 0]) + bytes(6) + PACKET, 16, 40, protocol=60)
    ],
    "DATA chunks": [ethernet(ipv4(sctp(part))) for part in data_chunks(MESSAGE, 16)],
    "unordered DATA chunks": [ethernet(ipv4(sctp(part))) for part in data_chunks(MESSAGE, 16, unordered=True)],
    "DATA chunks, TSN passing 0": [ethernet(ipv4(sctp(part))) for part in data_chunks(MESSAGE, 16, tsn=2**32 - 1)],
    "I-DATA chunks": [
        ethernet(ipv4(sctp(i_chunk(octets, 5, fsn, flags, tsn=fsn))))
        for fsn, (octets, flags) in enumerate([(MESSAGE[:20], 2), (MESSAGE[20:40], 0), (MESSAGE[40:], 1)])
    ],
    "DATA chunks by two paths of a multi-homed sender": [
        ethernet(ipv4(sctp(part), last=n)) for n, part in enumerate(data_chunks(MESSAGE, 16))
    ],
}


def found(*packets: bytes, link: int = 1) -> list[tuple[int, int, str]]:
    """Frame, index and, for each thing found, `sccp` or the error's name."""
    frames = framing.frames(pcap(*packets, link=link), "pcap")
    assert all(one["octets"] == UDT for one in frames if one["kind"] == "sccp")
    return [(one["frame"], one["index"], ERROR_CODES[one["code"]] or one["kind"]) for one in frames]


@pytest.mark.parametrize("parts", WAYS.values(), ids=WAYS.keys())
def test_message_in_parts_belongs_to_the_frame_that_completes_it(parts: list[bytes]) -> None:
    assert len(parts) == 3
    for order in permutations(parts):
        assert found(*order) == [(3, 0, "sccp")]


@pytest.mark.parametrize("parts", WAYS.values(), ids=WAYS.keys())
def test_repeated_parts_change_nothing_and_a_repeated_message_is_given_again(parts: list[bytes]) -> None:
    first, second, third = parts
    assert found(first, first, third, second, third, second) == [(4, 0, "sccp")]
    assert found(*parts, *parts, third) == [(3, 0, "sccp"), (6, 0, "sccp")]


@pytest.mark.parametrize("parts", WAYS.values(), ids=WAYS.keys())
def test_parts_that_differ_refuse_the_whole(parts: list[bytes]) -> None:
    first, second, third = parts
    other = second[:-1] + bytes([second[-1] ^ 1])
    assert found(first, second, other, third, first, second) == [(n, 0, "duplicate") for n in (3, 4, 5, 6)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_message_that_never_becomes_whole_is_told_at_the_end(way: str, lost: int) -> None:
    parts = WAYS[way]
    came = [part for n, part in enumerate(parts) if n != lost]
    apart = lost == 1 and "chunks" in way  # of a user message: two sequences, neither whole
    told = [(1, 0, "missing"), (2, 0, "missing")] if apart else [(2, 0, "missing")]
    assert found(*came, ethernet(ipv4(PACKET))) == [(3, 0, "sccp"), *told]


def test_message_that_never_becomes_whole_takes_the_index_behind_those_of_its_frame() -> None:
    part, other = data_chunks(MESSAGE, 40)[0], data_chunks(MESSAGE, 40, tsn=50, ssn=9)[1]
    packets = [sctp(part, chunk(MESSAGE, tsn=90), other, chunk(MESSAGE, tsn=91)), sctp(chunk(MESSAGE, tsn=92))]
    assert sorted(found(*packets, link=248)) == [
        (1, 0, "sccp"), (1, 1, "sccp"), (1, 2, "missing"), (1, 3, "missing"), (2, 0, "sccp"),
    ]  # fmt: skip


def test_capture_cut_short_tells_what_is_not_whole_before_it_breaks() -> None:
    frames = framing.frames(pcap(*WAYS["IPv4 fragments"])[:-1], "pcap")
    assert [(one["kind"], one["frame"], one["index"], ERROR_CODES[one["code"]]) for one in frames] == [
        ("error", 2, 0, "missing"),
        ("broken", 2, 1, "truncated"),
    ]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        # RFC 791 3.1: all but the last are of whole units of eight octets, and a datagram ends at 65,535
        ([ipv4(PACKET[:17], fragment=0x2000)], [(1, 0, "bad_length")]),
        ([ipv4(b"", fragment=0x2000)], [(1, 0, "bad_length")]),
        ([ipv4(bytes(24), fragment=0x1FFE)], [(1, 0, "length_overrun")]),
        # octets behind the last one, two last ones, a last one before what came already
        ([ipv4(bytes(9), fragment=1), ipv4(bytes(8), fragment=0x2003)], [(2, 0, "duplicate")]),
        ([ipv4(bytes(9), fragment=1), ipv4(bytes(10), fragment=1)], [(2, 0, "duplicate")]),
        ([ipv4(bytes(8), fragment=0x2004), ipv4(bytes(8), fragment=1)], [(2, 0, "duplicate")]),
        # SCTP in UDP is refused by its first fragment; what else UDP carries is no SCCP
        ([ipv4(udp(PACKET)[:40], 17, 0x2000), ipv4(bytes(8), 17, 5)], [(1, 0, "unsupported"), (2, 0, "other")]),
        ([ipv4(udp(PACKET, (53, 53))[:40], 17, 0x2000)], [(1, 0, "other")]),
        ([ipv4(bytes(40), 6, 0x2000)], [(1, 0, "other")]),
    ],
)
def test_fragment_that_is_none(parts: list[bytes], expected: list[tuple[int, int, str]]) -> None:
    assert [one for one in found(*map(ethernet, parts)) if one[2] != "missing"] == expected


def test_fragments_may_overlap_where_they_agree() -> None:
    pieces = [
        ipv4(PACKET[:32], fragment=0x2000),
        ipv4(PACKET[16:48], fragment=0x2002),
        ipv4(PACKET[24:], fragment=3),
    ]
    assert found(*map(ethernet, pieces)) == [(3, 0, "sccp")]


def test_fragments_within_a_fragmented_datagram_are_refused() -> None:
    inner = b"".join([bytes([132, 0, 0, 1]), bytes(4), PACKET[:32]])
    extended = bytes([44, 0]) + bytes(6) + inner
    for packet, protocol in (inner, 44), (extended, 60):
        assert found(*map(ethernet, ipv6_fragments(packet, 16, protocol=protocol))) == [(2, 0, "too_deep")]


@pytest.mark.parametrize("protocol", [0, 43, 60])
def test_extension_header_in_a_fragmented_packet_hides_nothing(protocol: int) -> None:
    parts = ipv6_fragments(bytes([132, 0]) + bytes(6) + PACKET, 16, protocol=protocol)
    assert found(*map(ethernet, parts)) == [(2, 0, "sccp")]


def test_fragment_that_the_capture_cut_is_told() -> None:
    first, second = map(ethernet, ipv4_fragments(PACKET, 40))
    frames = framing.frames(pcap(first) + pcap(second[:-3], cut=3)[24:], "pcap")
    assert [(one["frame"], ERROR_CODES[one["code"]]) for one in frames] == [(2, "truncated"), (1, "missing")]


def test_numbers_used_again_stand_for_something_new() -> None:
    """An identification, or TSNs after a restart: also where the first part is the old one, octet by octet."""
    long = m3ua(protocol_data(UDT[:-1] + b"\2"))
    for first, second in [
        (ipv4_fragments(PACKET, 40), ipv4_fragments(sctp(chunk(long)), 40)),
        *(
            ([ipv4(sctp(c)) for c in data_chunks(MESSAGE, size)], [ipv4(sctp(c)) for c in data_chunks(long, size)])
            for size in (16, 30)
        ),
    ]:
        frames = framing.frames(pcap(*map(ethernet, [*first, *second, *second[::-1]])), "pcap")
        assert [one["octets"] for one in frames] == [UDT, UDT[:-1] + b"\2", UDT[:-1] + b"\2"]
        assert [one["frame"] for one in frames] == [len(first) * n for n in (1, 2, 3)]


@pytest.mark.parametrize("parts", WAYS.values(), ids=WAYS.keys())
def test_parts_that_differ_amid_a_repetition_refuse_the_whole(parts: list[bytes]) -> None:
    first, second, third = parts
    other = second[:-1] + bytes([second[-1] ^ 1])
    assert found(*parts, first, second, other, third) == [(3, 0, "sccp"), (6, 0, "duplicate"), (7, 0, "duplicate")]


def test_messages_of_two_associations_or_streams_do_not_mix() -> None:
    ways = [{"tag": 2}, {"ports": (2905, 2906)}]
    for way in ways:
        a, b = data_chunks(MESSAGE, 40)
        packets = [ethernet(ipv4(sctp(a))), ethernet(ipv4(sctp(b, **way)))]  # type: ignore[arg-type]
        assert Counter(found(*packets)) == Counter([(1, 0, "missing"), (2, 0, "missing")])
    a, b = data_chunks(MESSAGE, 40)[0], data_chunks(MESSAGE, 40, ssn=2)[1]
    assert Counter(found(ethernet(ipv4(sctp(a, b))))) == Counter([(1, 0, "missing"), (1, 1, "missing")])


def test_messages_that_follow_each_other_do_not_join() -> None:
    """Unordered ones have no number of their own: B and E part them (RFC 9260 6.9)."""
    parts = [*data_chunks(MESSAGE, 16, unordered=True), *data_chunks(MESSAGE, 16, tsn=10, unordered=True)]
    for order in (parts, parts[::-1], parts[::2] + parts[1::2]):
        assert [code for _, _, code in found(*[ethernet(ipv4(sctp(part))) for part in order])] == ["sccp", "sccp"]


def test_message_of_too_many_parts_or_octets_is_refused() -> None:
    single = [sctp(part) for part in data_chunks(MESSAGE * 24, 1)]
    assert len(single) > 1024
    codes = Counter(code for _, _, code in found(*single, link=248))
    assert set(codes) == {"too_many"}
    large = [sctp(part) for part in data_chunks(bytes(70_000), 10_000)]
    assert {code for _, _, code in found(*large, link=248)} == {"too_many"}


@pytest.mark.parametrize("octets", [8, 60_000])
def test_fragments_beyond_the_bounds_are_all_told(octets: int) -> None:
    """4,096 datagrams or 16 MiB: what is oldest goes first, and none in silence."""
    count = 6000 if octets == 8 else 600
    packets = [ethernet(ipv4(bytes(octets), fragment=0x2000, identification=n)) for n in range(count)]
    told = found(*packets)
    assert sorted(frame for frame, _, _ in told) == list(range(1, count + 1))
    codes = Counter(code for _, _, code in told)
    assert set(codes) == {"too_many", "missing"}
    assert codes["missing"] == (4096 if octets == 8 else pytest.approx(16 * 2**20 / 2**16, abs=8))


def test_fragment_is_given_up_after_65536_frames() -> None:
    first, second = map(ethernet, ipv4_fragments(PACKET, 40))
    quiet = [bytes(12) + b"\x08\x06"]
    codes = [code for _, _, code in found(first, *quiet * 65_534, second)]
    assert codes.count("sccp") == 1
    told = [one for one in found(first, *quiet * 65_535, second) if one[2] != "other"]
    assert told == [(1, 0, "missing"), (65_537, 0, "missing")]


@settings(max_examples=150)
@given(st.data())
def test_any_cutting_order_and_repetition_gives_the_messages_of_the_plain_capture(data: st.DataObject) -> None:
    packets: list[bytes] = []
    count = data.draw(st.integers(1, 4))
    for n in range(count):
        size = data.draw(st.integers(8, 60))
        chunks = data_chunks(MESSAGE, size, tsn=100 * n, ssn=n, unordered=data.draw(st.booleans()))
        at = data.draw(st.integers(0, len(chunks)))
        for part in (chunks[:at], chunks[at:]):
            if part:
                payload = sctp(*data.draw(st.permutations(part)))
                cuts = sorted({8 * c for c in data.draw(st.lists(st.integers(1, len(payload) // 8 - 1), max_size=3))})
                six = data.draw(st.booleans())
                identification = len(packets)
                packets += (
                    [ipv6(payload)] if six and not cuts
                    else ipv4_fragments(payload, *cuts, identification=identification)
                )  # fmt: skip
    order = data.draw(st.permutations([*packets, *data.draw(st.lists(st.sampled_from(packets), max_size=3))]))
    codes = Counter(code for _, _, code in found(*map(ethernet, order)))
    assert set(codes) == {"sccp"}
    assert count <= codes["sccp"] <= 4 * count


PARTS = st.tuples(st.integers(0, 5), st.sampled_from([0, 0, 1, 2, 4]), st.sampled_from([b"a", b"a", b"b", b"cd"]))


@settings(max_examples=300)
@given(st.lists(PARTS, max_size=40), st.booleans())
def test_any_sequence_of_parts_is_told_once(parts: list[tuple[int, int, bytes]], interleaved: bool) -> None:
    """A message at once, what differs at once, what is not whole at the end: each under an index of its own."""
    made = [i_chunk(octets, 1, n, flags) if interleaved else chunk(octets, 3, flags, n) for n, flags, octets in parts]
    frames = framing.frames(pcap(*map(sctp, made), link=248), "pcap")
    assert {ERROR_CODES[one["code"]] for one in frames} <= {"missing", "duplicate", "truncated"}
    assert len({(one["frame"], one["index"]) for one in frames}) == len(frames) <= len(parts)
    assert bool(frames) == bool(parts)


def decoded(batch: Batch, limit: int) -> list[Any]:
    worker, stream, lines = Worker(), Stream("x", offsets=False), b""
    while not batch.done:
        lines += worker.judge(None, stream, batch, limit=limit).lines()
    return [orjson.loads(line) for line in lines.splitlines()]


@pytest.mark.parametrize("limit", [0, 1, 7])
def test_octets_of_a_datagram_outlive_the_group_they_are_judged_in(limit: int) -> None:
    """A datagram of many messages, each in parts as well, spreads over Groups of 32 and over calls."""
    messages = [m3ua(protocol_data(UDT[:-1] + bytes([n]))) for n in range(200)]
    plain = pcap(*[ethernet(ipv4(sctp(chunk(message)))) for message in messages])
    chunks = [part for n, message in enumerate(messages) for part in data_chunks(message, 30, tsn=9 * n, ssn=n)]
    packet = sctp(*chunks)
    cut = pcap(*map(ethernet, ipv4_fragments(packet, *range(800, len(packet), 800))))
    ways = [decoded(Batch([octets, plain], "pcap"), limit) for octets in (plain, cut)]
    assert len(ways[0]) == 400
    keys = ("opc", "dpc", "sccp", "tcap", "error")
    assert [[one[key] for key in keys] for one in ways[0]] == [[one[key] for key in keys] for one in ways[1]]


def test_parts_of_two_records_do_not_join() -> None:
    a, b = WAYS["IPv4 fragments"][0], WAYS["IPv4 fragments"][1:]
    found = decoded(Batch([pcap(a), pcap(*b)], "pcap"), 0)
    assert [(one["frame"], one["error"]["code"]) for one in found] == [(1, "missing"), (2, "missing")]
