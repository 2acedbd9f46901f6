"""Segments of XUDT messages built here, put together, and kept apart."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigfw import names
from sigfw._core.reassembly import Harness
from tests.unit.segments import segment

SECOND = 10**9
EVERYTHING = 2**63 - 1


def feed(harness: Harness, *segments: bytes, time_ns: int = SECOND) -> list[dict[str, Any]]:
    return harness.feed([(octets, time_ns) for octets in segments])


def states(harness: Harness, *segments: bytes, time_ns: int = SECOND) -> list[str]:
    return [found["state"] for found in feed(harness, *segments, time_ns=time_ns)]


@pytest.fixture
def harness() -> Harness:
    return Harness(8, 10 * SECOND)


FIRST = segment(b"one", 2, first=True)
SECOND_PART = segment(b"two", 1)
LAST = segment(b"three", 0)


def test_final_segment_carries_the_whole_and_names_its_parts(harness: Harness) -> None:
    found = feed(harness, FIRST, SECOND_PART, LAST)
    assert [(f["state"], f["part"], f["parts"], f["frames"]) for f in found] == [
        ("held", 1, 3, []),
        ("held", 2, 3, []),
        ("final", 3, 3, [1, 2, 3]),
    ]
    assert found[2]["data"] == b"onetwothree"
    assert len({f["reassembly"] for f in found}) == 1
    assert harness.in_flight == 0


def test_first_with_none_remaining_is_final_at_once(harness: Harness) -> None:
    (found,) = feed(harness, segment(b"all", 0, first=True))
    assert (found["state"], found["part"], found["parts"], found["frames"], found["data"]) == (
        "final",
        1,
        1,
        [1],
        b"all",
    )


def test_sixteen_segments_of_greatest_size_are_put_together(harness: Harness) -> None:
    pieces = [bytes([n]) * 240 for n in range(16)]
    found = feed(harness, *(segment(piece, 15 - n, first=n == 0) for n, piece in enumerate(pieces)))
    assert (found[-1]["state"], found[-1]["data"]) == ("final", b"".join(pieces))


def code(found: dict[str, Any]) -> str | None:
    """Why a segment was not taken; the error stands at the segmentation parameter, the last five octets but one."""
    return names.ERROR_CODES[found["error"][0]] if found["error"] else None


LOST = "no_first"


@pytest.mark.parametrize(
    ("segments", "expected", "codes"),
    [
        ([SECOND_PART, LAST], ["orphan", "orphan"], [LOST, LOST]),
        ([FIRST, LAST, SECOND_PART], ["held", "failed", "orphan"], [None, "out_of_sequence", LOST]),
        ([FIRST, segment(b"x", 7)], ["held", "failed"], [None, "out_of_sequence"]),  # more to come than there can be
        ([FIRST, FIRST, SECOND_PART], ["held", "failed", "orphan"], [None, "repeated", LOST]),
        ([FIRST, SECOND_PART, SECOND_PART, LAST], ["held", "held", "failed", "orphan"], [None, None, "repeated", LOST]),
        ([FIRST, SECOND_PART, FIRST], ["held", "held", "failed"], [None, None, "repeated"]),
        ([FIRST, SECOND_PART, segment(b"TWO", 1)], ["held", "held", "failed"], [None, None, "overlapping"]),
        ([FIRST, SECOND_PART, segment(b"tw", 1)], ["held", "held", "failed"], [None, None, "overlapping"]),
        ([FIRST, segment(b"ONE", 2, first=True)], ["held", "failed"], [None, "overlapping"]),
        ([FIRST, segment(b"one", 2)], ["held", "failed"], [None, "overlapping"]),  # its place, but no first
        ([FIRST, segment(b"new", 1, first=True)], ["held", "failed"], [None, "overlapping"]),
        ([FIRST, segment(b"all", 0, first=True)], ["held", "failed"], [None, "overlapping"]),
        ([FIRST, segment(b"two", 1, called=b"\x42\x07"), LAST], ["held", "failed", "orphan"], [None, "mismatch", LOST]),
        ([FIRST, segment(b"two", 1, called=b"\x43\0\0\x06")], ["held", "failed"], [None, "mismatch"]),
        ([FIRST, segment(b"two", 1, protocol_class=1)], ["held", "failed"], [None, "mismatch"]),
        ([FIRST, segment(b"two", 1, in_sequence=True)], ["held", "failed"], [None, "mismatch"]),
        ([FIRST, segment(b"two", 1, hops=0), LAST], ["held", "failed", "orphan"], [None, "bad_hop_counter", LOST]),
    ],
)
def test_what_is_not_the_next_segment_ends_the_reassembly_and_says_why(
    harness: Harness, segments: list[bytes], expected: list[str], codes: list[str | None]
) -> None:
    found = feed(harness, *segments)
    assert [f["state"] for f in found] == expected
    assert [code(f) for f in found] == codes
    assert harness.in_flight == 0


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ([FIRST, segment(b"two", 1, kind=0x12), SECOND_PART, LAST], ["held", "orphan", "held", "final"]),
        ([FIRST, segment(b"two", 1, reference=b"\1\2\4"), SECOND_PART, LAST], ["held", "orphan", "held", "final"]),
        ([FIRST, segment(b"two", 1, calling=b"\x42\x09"), SECOND_PART, LAST], ["held", "orphan", "held", "final"]),
    ],
)
def test_segments_of_another_key_disturb_none(harness: Harness, segments: list[bytes], expected: list[str]) -> None:
    assert states(harness, *segments) == expected
    assert harness.in_flight == 0


def test_return_option_may_stand_in_the_first_alone(harness: Harness) -> None:
    """Q.714 4.1.1.2.2; the hop counter may have fallen, too."""
    first = segment(b"one", 1, first=True, protocol_class=0x81)
    assert states(harness, first, segment(b"two", 0, protocol_class=0x01, hops=14)) == ["held", "final"]


def test_error_of_a_segment_stands_at_its_parameter(harness: Harness) -> None:
    (found,) = feed(harness, LAST)
    assert found["error"] == (names.ERROR_CODES.index("no_first"), LAST.index(b"\x10\x04") + 2)


def test_same_reference_of_two_callers_makes_two_messages(harness: Harness) -> None:
    other = b"\x43\x01\x00\x08"
    found = feed(
        harness,
        segment(b"a", 1, first=True),
        segment(b"b", 1, first=True, calling=other),
        segment(b"c", 0, calling=other),
        segment(b"d", 0),
    )
    assert [f["data"] for f in found[2:]] == [b"bc", b"ad"]


def test_failure_names_the_parts_that_were_held(harness: Harness) -> None:
    found = feed(harness, FIRST, SECOND_PART, FIRST)
    assert (found[2]["state"], found[2]["frames"], found[2]["reassembly"]) == ("failed", [1, 2], found[0]["reassembly"])


def test_room_is_bounded_and_comes_back(harness: Harness) -> None:
    begun = [segment(b"x", 1, first=True, reference=bytes([n, 0, 0])) for n in range(9)]
    found = feed(harness, *begun)
    assert [(f["state"], code(f)) for f in found] == [("held", None)] * 8 + [("failed", "no_room")]
    assert states(harness, segment(b"y", 0, reference=b"\0\0\0"), begun[8]) == ["final", "held"]


def test_octets_together_are_bounded(harness: Harness) -> None:
    long = [_long(2000, 2, first=True), _long(2000, 1), _long(97, 0)]
    assert [code(f) for f in feed(harness, *long)] == [None, None, "too_long"]
    assert states(harness, *long[:2], _long(96, 0)) == ["held", "held", "final"]


def _long(octets: int, remaining: int, *, first: bool = False) -> bytes:
    parts = b"\x02\x42\x06\x02\x42\x08" + octets.to_bytes(2, "little") + bytes(octets)
    pointers = b"".join(n.to_bytes(2, "little") for n in (7, 8, 9, 1 + len(parts)))
    return b"\x13\x01\x0f" + pointers + parts + b"\x10\x04" + bytes([first << 7 | remaining]) + b"\1\2\3\0"


def test_late_segment_is_an_orphan_and_what_waited_is_told_once(harness: Harness) -> None:
    assert states(harness, FIRST, SECOND_PART) == ["held", "held"]
    (late,) = feed(harness, LAST, time_ns=11 * SECOND + 1)
    assert (late["state"], code(late)) == ("orphan", "too_late")
    assert harness.in_flight == 0
    (ended,) = harness.expire(0)
    assert (ended["frames"], ended["first_time_ns"], ended["called_ssn"]) == ([1, 2], SECOND, 6)
    assert harness.expire(EVERYTHING) == []


def test_segment_at_the_age_bound_still_completes(harness: Harness) -> None:
    assert states(harness, FIRST, SECOND_PART) == ["held", "held"]
    assert states(harness, LAST, time_ns=11 * SECOND) == ["final"]


def test_first_after_a_timeout_begins_anew(harness: Harness) -> None:
    assert states(harness, FIRST) == ["held"]
    assert states(harness, FIRST, SECOND_PART, LAST, time_ns=20 * SECOND) == ["held", "held", "final"]
    assert [ended["frames"] for ended in harness.expire(0)] == [[1]]


def test_timed_out_ones_not_yet_told_take_room(harness: Harness) -> None:
    for n in range(1, 9):
        assert states(harness, FIRST, time_ns=11 * n * SECOND) == ["held"]
    assert states(harness, FIRST, time_ns=200 * SECOND) == ["failed"]
    assert len(harness.expire(EVERYTHING)) == 8
    assert states(harness, FIRST, time_ns=201 * SECOND) == ["held"]


def test_expire_ends_the_old_whatever_the_order_of_times(harness: Harness) -> None:
    times = [50, 10, 60, 20]
    for n, time in enumerate(times):
        harness.feed([(segment(b"x", 1, first=True, reference=bytes([n, 0, 0])), time * SECOND)])
    assert [ended["first_time_ns"] // SECOND for ended in harness.expire(31 * SECOND)] == [10, 20]
    assert harness.in_flight == 2
    assert [ended["first_time_ns"] // SECOND for ended in harness.expire(EVERYTHING)] == [50, 60]


def test_message_without_a_time_takes_that_of_the_one_before(harness: Harness) -> None:
    harness.feed([(FIRST, -1), (segment(b"x", 1, first=True, reference=b"\0\0\0"), 5 * SECOND)])
    assert states(harness, SECOND_PART, LAST, time_ns=-1) == ["held", "final"]
    assert [ended["first_time_ns"] for ended in harness.expire(EVERYTHING)] == [5 * SECOND]


def test_clock_that_runs_backwards_ages_nothing(harness: Harness) -> None:
    assert states(harness, FIRST, time_ns=100 * SECOND) == ["held"]
    assert states(harness, SECOND_PART, time_ns=5 * SECOND) == ["held"]
    assert harness.expire(50 * SECOND) == []
    assert states(harness, LAST, time_ns=0) == ["final"]


def test_nothing_ages_before_a_time_is_known(harness: Harness) -> None:
    assert states(harness, FIRST, time_ns=-1) == ["held"]
    assert states(harness, SECOND_PART, time_ns=1_800_000_000 * SECOND) == ["held"]  # its age counts from here
    assert states(harness, LAST, time_ns=1_800_000_010 * SECOND) == ["final"]
    assert states(harness, FIRST, time_ns=1_800_000_011 * SECOND) == ["held"]
    assert states(harness, LAST, time_ns=1_800_000_022 * SECOND) == ["orphan"]


def test_wall_clock_ends_what_never_had_a_time(harness: Harness) -> None:
    assert states(harness, FIRST, time_ns=-1) == ["held"]
    assert harness.expire(1_800_000_000 * SECOND) == []
    assert [ended["first_time_ns"] for ended in harness.expire(1_800_000_011 * SECOND)] == [1_800_000_000 * SECOND]


def test_keys_that_differ_in_little_find_room_each() -> None:
    """A bucket holds a bounded number; the hash is seeded, so that no sender can aim at one."""
    harness = Harness(4096, 10 * SECOND)
    begun = [segment(b"x", 1, first=True, reference=n.to_bytes(3, "little")) for n in range(0, 4096 * 256, 256)]
    assert set(states(harness, *begun)) == {"held"}
    ended = [segment(b"y", 0, reference=n.to_bytes(3, "little")) for n in range(0, 4096 * 256, 256)]
    assert set(states(harness, *ended)) == {"final"}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans(), st.integers(0, 40)), max_size=200))
def test_any_sequence_ends_each_reassembly_once(sequence: list[tuple[int, int, bool, int]]) -> None:
    harness = Harness(3, 10 * SECOND)
    begun: set[int] = set()
    ended: list[int] = []
    for reference, remaining, first, time in sequence:
        octets = segment(b"x", remaining, first=first, reference=bytes([reference, 0, 0]))
        (found,) = harness.feed([(octets, time * SECOND)])
        if found["state"] in ("held", "final"):
            begun.add(found["reassembly"])
        if found["state"] == "final" or (found["state"] == "failed" and found["reassembly"]):
            ended.append(found["reassembly"])
        if time % 7 == 0:
            ended += [e["reassembly"] for e in harness.expire(time * SECOND)]
        assert harness.in_flight <= 3
    ended += [e["reassembly"] for e in harness.expire(EVERYTHING)]
    assert sorted(ended) == sorted(begun)
    assert harness.in_flight == 0
