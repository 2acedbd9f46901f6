"""What segments come to as verdicts: action, reason, error, counter and the parts that a verdict decides for."""

import json
from pathlib import Path
from typing import Any

import pytest

from sigfw import names, records
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.tables import Tables
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from tests.unit.segments import segment
from tests.unit.tcapbytes import ATI, ATI_ACN, begin, encode, invoke

SECOND = 10**9
WHOLE = encode(begin(invoke(71, ATI), acn=ATI_ACN))
PIECES = [WHOLE[:20], WHOLE[20:40], WHOLE[40:]]
ONE, TWO, THREE = (segment(piece, 2 - n, first=n == 0) for n, piece in enumerate(PIECES))
ELSEWHERE = b"\x42\x07"
Told = tuple[str, str, str | None, list[int]]
LOST: Told = ("drop", "reassembly_orphan", "no_first", [])

RULES = """
  - {id: no-gmlc, category: cat0, when: {calling.ssn: 9}, action: drop}
  - {id: no-msc, category: cat0, when: {calling.ssn: 10}, action: {reject: {return_cause: unqualified}}}
  - {id: no-link, category: cat0, when: {dpc: 7}, action: drop}
  - {id: locate, category: cat1, when: {operation: anyTimeInterrogation, called.ssn: 7}, action: drop}
"""


def policy(folder: Path, exceptions: str = "default: allow", rules: str = RULES) -> Tables:
    path = folder / "p.yaml"
    path.write_text(f"schema: 1\nname: p\nexceptions: {{{exceptions}}}\nrules:{rules}")
    return compile_policy(load(path))


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return policy(tmp_path)


def judge(
    tables: Tables, *octets: bytes, worker: Worker | None = None, stream: Stream | None = None, **given: Any
) -> list[dict[str, Any]]:
    context = {key: given.pop(key) for key in ("modes", "now_ns", "deadline_ns") if key in given}
    numbers = {"times_ns": [SECOND] * len(octets), "frames": list(range(1, len(octets) + 1))}
    batch = Batch(list(octets), "sccp", **(numbers | given))
    verdicts = (worker or Worker()).judge(tables, stream or Stream("s", offsets=False), batch, **context)
    return [json.loads(value) for value in verdicts.values()]


def told(verdict: dict[str, Any]) -> Told:
    """Action, reason, code, and the numbers of the parts listed."""
    error, reassembly = verdict["error"], verdict["reassembly"]
    parts = [int(one.split("/")[1]) for one in reassembly["parts"]] if reassembly else []
    return verdict["action"], verdict["reason"], error and error["code"], parts


def hold(verdict: dict[str, Any]) -> bool:
    return told(verdict) == ("hold", "segment_held", None, [])


SITUATIONS = {
    "whole": ([ONE, TWO, THREE], ("allow", "default", None, [1, 2, 3])),
    "its first lost": ([TWO], LOST),
    "its second lost": ([ONE, THREE], ("drop", "reassembly_failed", "out_of_sequence", [1])),
    "reordered": ([ONE, THREE, TWO], LOST),
    "repeated": ([ONE, TWO, TWO], ("drop", "reassembly_failed", "repeated", [1, 2])),
    "its first repeated": ([ONE, TWO, ONE], ("drop", "reassembly_failed", "repeated", [1, 2])),
    "overlapping": ([ONE, TWO, segment(b"x", 1)], ("drop", "reassembly_failed", "overlapping", [1, 2])),
    "interleaved with another of its reference": (
        [ONE, segment(b"x", 1, first=True)],
        ("drop", "reassembly_failed", "overlapping", [1]),
    ),
    "called elsewhere at first": (
        [segment(PIECES[0], 2, first=True, called=ELSEWHERE), TWO],
        ("drop", "reassembly_failed", "mismatch", [1]),
    ),
    "called elsewhere at last": (
        [ONE, TWO, segment(PIECES[2], 0, called=ELSEWHERE)],
        ("drop", "reassembly_failed", "mismatch", [1, 2]),
    ),
    "of another class": (
        [ONE, segment(PIECES[1], 1, protocol_class=1)],
        ("drop", "reassembly_failed", "mismatch", [1]),
    ),
    "of another type": ([ONE, segment(PIECES[1], 1, kind=0x12)], LOST),
    "by another caller": ([ONE, segment(PIECES[1], 1, calling=b"\x42\x0c")], LOST),
    "malformed within": (
        [ONE, segment(PIECES[1], 1, hops=0)],
        ("drop", "malformed", "bad_hop_counter", [1]),
    ),
}


@pytest.mark.parametrize(("octets", "expected"), SITUATIONS.values(), ids=SITUATIONS)
def test_situation_has_its_reason_code_counter_and_parts(tables: Tables, octets: list[bytes], expected: Told) -> None:
    worker = Worker()
    verdicts = judge(tables, *octets, worker=worker)
    assert told(verdicts[-1]) == expected
    if octets[:1] == [ONE]:
        assert hold(verdicts[0])
    errors = worker.counters()["decode_errors"]
    codes = [verdict["error"]["code"] for verdict in verdicts if verdict["error"]]
    assert errors == {("sccp", code): codes.count(code) for code in codes}
    states = worker.counters()["segments"]
    assert sum(states.values()) == len(octets)


def test_reassembly_code_alone_is_not_malformed(tmp_path: Path) -> None:
    """Who lets failed reassemblies pass does so by `reassembly_timeout`, whatever `malformed` says."""
    tables = policy(tmp_path, "default: allow, reassembly_timeout: allow, malformed: drop")
    assert told(judge(tables, TWO)[0]) == ("allow", "reassembly_orphan", "no_first", [])
    assert told(judge(tables, ONE, ONE)[1]) == ("allow", "reassembly_failed", "repeated", [1])


def test_rule_on_the_called_party_sees_no_other_than_the_parts_bear(tables: Tables) -> None:
    """The whole is an interrogation: dropped where SSN 7 is called, and no mix of called parties is let through."""
    there = [segment(piece, 2 - n, first=n == 0, called=ELSEWHERE) for n, piece in enumerate(PIECES)]
    assert told(judge(tables, *there)[2])[:2] == ("drop", "rule")
    for n in range(3):
        mixed = [THREE if i == 2 and n != 2 else one for i, one in enumerate(there)]
        mixed[n] = (ONE, TWO, THREE)[n]
        assert all(verdict["action"] != "allow" for verdict in judge(tables, *mixed))


def test_rule_that_needs_sccp_alone_drops_every_segment_and_the_whole(tables: Tables) -> None:
    """DESIGN's early rule: each by the rule, and the last names them all."""
    octets = [segment(piece, 2 - n, first=n == 0, calling=b"\x42\x09") for n, piece in enumerate(PIECES)]
    verdicts = judge(tables, *octets)
    assert [(v["action"], v["rule"], v["error"]) for v in verdicts] == [("drop", "no-gmlc", None)] * 3
    assert told(verdicts[2])[3] == [1, 2, 3]


@pytest.mark.parametrize("dropped", [0, 1, 2])
def test_one_part_dropped_takes_the_rest_along(tables: Tables, dropped: int) -> None:
    """A rule on the DPC drops one part alone; what comes after may not be let through without it."""
    dpcs = [7 if n == dropped else 8 for n in range(3)]
    verdicts = judge(tables, ONE, TWO, THREE, meta=[(None, None, 1, dpc) for dpc in dpcs])
    assert all(map(hold, verdicts[:dropped]))
    assert (verdicts[dropped]["action"], verdicts[dropped]["rule"]) == ("drop", "no-link")
    for verdict in verdicts[dropped + 1 :]:
        assert told(verdict)[:3] == ("drop", "reassembly_failed", "part_denied")
    assert told(verdicts[2])[3] == [1, 2, 3]


def test_one_part_expired_takes_the_rest_along(tables: Tables) -> None:
    times = [SECOND, 5 * SECOND, 5 * SECOND]
    verdicts = judge(tables, ONE, TWO, THREE, times_ns=times, now_ns=5 * SECOND + 1, deadline_ns=SECOND)
    assert [told(v)[:2] for v in verdicts] == [("drop", "expired")] + [("drop", "reassembly_failed")] * 2


def test_part_dropped_before_denies_what_fails_or_ends_later(tmp_path: Path) -> None:
    """Where failed reassemblies are let through, those of which a part is gone are not."""
    tables = policy(tmp_path, "default: allow, reassembly_timeout: allow")
    meta = [(None, None, 1, 7), (None, None, 1, 8)]
    assert told(judge(tables, ONE, THREE, meta=meta)[1]) == ("drop", "reassembly_failed", "out_of_sequence", [1])
    stream = Stream("s", offsets=False)
    judge(tables, ONE, stream=stream, meta=meta[:1])
    judge(tables, segment(b"x", 1, first=True, reference=b"\0\0\0"), stream=stream, meta=meta[1:])
    assert [one["action"] for one in stream.expire(tables, 12 * SECOND)] == ["drop", "allow"]


def test_policy_taken_up_amid_a_message_does_not_release_what_was_dropped(tables: Tables, tmp_path: Path) -> None:
    stream, worker = Stream("s", offsets=False), Worker()
    octets = [segment(piece, 2 - n, first=n == 0, calling=b"\x42\x09") for n, piece in enumerate(PIECES)]
    assert told(judge(tables, octets[0], worker=worker, stream=stream)[0])[:2] == ("drop", "rule")
    later = policy(tmp_path, "default: allow", " []")
    verdicts = judge(later, *octets[1:], worker=worker, stream=stream)
    assert [told(verdict)[:3] for verdict in verdicts] == [("drop", "reassembly_failed", "part_denied")] * 2


def test_one_message_is_answered_once(tables: Tables) -> None:
    """An early reject answers the first segment; the whole matches the same rule, and is dropped without a reply."""
    where: dict[str, Any] = {"calling": b"\x42\x0a", "protocol_class": 0x81}
    octets = [segment(piece, 2 - n, first=n == 0, **where) for n, piece in enumerate(PIECES)]
    verdicts = judge(tables, *octets)
    assert [told(verdict)[:2] for verdict in verdicts] == [
        ("reject", "rule"),
        ("drop", "reject_not_permitted"),
        ("drop", "reject_not_permitted"),
    ]
    assert [bool(verdict.get("reply")) for verdict in verdicts] == [True, False, False]


def test_monitor_shows_what_enforcing_would_have_given(tables: Tables) -> None:
    meta = [(None, None, 1, dpc) for dpc in (7, 8, 8)]
    verdicts = judge(tables, ONE, TWO, THREE, meta=meta, modes={"international": "monitor"})
    assert {(v["action"], v["reason"]) for v in verdicts} == {("allow", "monitor")}
    assert [v["shadow"]["reason"] for v in verdicts] == ["rule", "reassembly_failed", "reassembly_failed"]


def test_first_that_finds_no_room_may_still_be_answered(tmp_path: Path) -> None:
    tables = policy(tmp_path, "default: allow, reassembly_timeout: allow")
    stream = Stream("s", offsets=False, max_reassemblies=1)
    where: dict[str, Any] = {"calling": b"\x42\x0a", "protocol_class": 0x81}
    verdicts = judge(tables, ONE, segment(PIECES[0], 2, first=True, **where), stream=stream)
    assert told(verdicts[1])[:3] == ("reject", "rule", "no_room")
    assert verdicts[1]["reply"]


def test_every_reassembly_code_stands_in_a_packed_record(tables: Tables) -> None:
    batch = Batch([TWO], "sccp")
    record = Worker(verdicts="packed").judge(tables, Stream("s"), batch).values()[0]
    (entry,) = records.unpack(record)["verdicts"]
    assert entry["error"] == {"layer": "sccp", "code": "no_first", "offset": TWO.index(b"\x10\x04") + 2}
    assert names.ERROR_CODES[-9:] == (
        "no_first", "too_late", "out_of_sequence", "repeated", "overlapping", "mismatch", "too_long", "no_room",
        "part_denied",
    )  # fmt: skip


def test_memory_is_flat_for_a_million_reassemblies_that_never_finish(tables: Tables) -> None:
    """Those that are held take what room there is; each that times out gives its own back."""
    stream, worker = Stream("s", offsets=False, max_reassemblies=64), Worker(verdicts="none")
    firsts = [segment(WHOLE[:40], 1, first=True, reference=n.to_bytes(3, "big")) for n in range(10_000)]
    ended, resident = 0, 0
    for round_ in range(100):
        now = (1 + 20 * round_) * SECOND
        worker.judge(tables, stream, Batch(firsts, "sccp", times_ns=[now] * len(firsts)))
        assert stream.in_flight == 64
        ended += len(stream.expire(tables, now + 11 * SECOND))
        if round_ == 4:
            resident = _resident_octets()
    assert ended == 6400
    assert worker.counters()["decode_errors"] == {("sccp", "no_room"): 1_000_000 - 6400}
    assert _resident_octets() - resident < 2**20


def _resident_octets() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
