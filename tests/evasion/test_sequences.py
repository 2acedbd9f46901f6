"""What one message does not show: floods of keys, segments that come late, replies that would go to a third party."""

import json
import re
from pathlib import Path

import pytest

from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.tables import Tables
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from tests.evasion.table import START_NS, cases, tables

CASES = {case.id: case for case in cases()}
SECOND_NS = 1_000_000_000
DIGITS = re.compile(rb"999420000\d{3}")  # of the stranger's GTs, as text


def flood(octets: bytes, at: int, count: int) -> list[bytes]:
    """The message again and again, three octets of it counting up."""
    return [octets[:at] + number.to_bytes(3, "big") + octets[at + 3 :] for number in range(count)]


def test_flood_of_senders_and_subscribers_grows_no_label() -> None:
    (message,) = CASES["senders-never-seen"].octets[:1]
    sender, subscriber = message.index(bytes.fromhex("99490200")) + 3, message.rindex(bytes.fromhex("000101")) + 4
    worker, stream, series = Worker(verdicts="none"), Stream("flood"), []
    for count in (500, 5000):
        values = flood(message, sender, count) + flood(message, subscriber, count)
        worker.judge(tables(), stream, Batch(values, "sccp"), perimeter="international")
        series.append({(metric, *key) for metric, counts in worker.counters().items() for key in counts})
    assert series[0] == series[1]
    assert not [labels for labels in series[1] if re.search(r"\d{4}", " ".join(labels))]
    assert stream.in_flight == 0


def test_flood_of_first_segments_is_held_within_its_bound() -> None:
    (first,) = CASES["first-segments-only"].octets[:1]
    reference = first.rindex(bytes.fromhex("0909"))
    worker, stream = Worker(verdicts="none"), Stream("flood", max_reassemblies=64)
    batch = Batch(flood(first, reference, 5000), "sccp", times_ns=[START_NS] * 5000)
    verdicts = worker.judge(tables(), stream, batch, perimeter="international")
    assert stream.in_flight == 64
    assert verdicts.counts == {("hold", "segment_held", ""): 64, ("drop", "reassembly_failed", ""): 4936}
    assert worker.counters()["segments"]["failed",] == 4936


def test_held_segments_whose_last_is_late_are_told_and_never_let_go() -> None:
    case = CASES["last-segment-late"]
    worker, stream = Worker(), Stream("late")
    first = Batch([case.octets[0]], "sccp", times_ns=[START_NS], offsets=[7])
    held = json.loads(worker.judge(tables(), stream, first, perimeter="international").lines())
    assert (held["action"], stream.in_flight) == ("hold", 1)
    assert stream.expire(tables(), START_NS + 9 * SECOND_NS) == []
    (ended,) = stream.expire(tables(), START_NS + 11 * SECOND_NS)
    assert (ended["action"], ended["reason"], ended["parts"]) == ("drop", "reassembly_timeout", [held["id"]])
    assert stream.in_flight == 0
    last = Batch([case.octets[1]], "sccp", times_ns=[START_NS + 11 * SECOND_NS], offsets=[8])
    late = json.loads(worker.judge(tables(), stream, last, perimeter="international").lines())
    assert (late["action"], late["reason"]) == ("drop", "reassembly_orphan")


def test_final_verdict_names_every_part_that_is_held() -> None:
    case = CASES["segments-16"]
    batch = Batch(list(case.octets), "sccp", offsets=list(range(16)))
    lines = Worker().judge(tables(), Stream("whole"), batch, perimeter="international").lines().splitlines()
    verdicts = [json.loads(line) for line in lines]
    assert {verdict["action"] for verdict in verdicts[:-1]} == {"hold"}
    assert verdicts[-1]["reassembly"]["parts"] == [verdict["id"] for verdict in verdicts]


@pytest.fixture(scope="module")
def rejecting(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    path: Path = tmp_path_factory.mktemp("policy") / "reject.yaml"
    path.write_text("""
schema: 1
name: reject
rules:
  - {id: locate, when: {operation: anyTimeInterrogation}, action: reject}
""")
    return compile_policy(load(path))


@pytest.mark.parametrize(
    ("name", "action", "reason"),
    [
        ("return-asked-for-victim", "reject", "rule"),
        ("return-asked-from-service-message", "drop", "reject_not_permitted"),
        ("invoke-in-xudts", "drop", "reject_not_permitted"),
        ("invoke-in-ludts", "drop", "reject_not_permitted"),
        ("no-return-asked", "drop", "reject_not_permitted"),
    ],
)
def test_reply_goes_only_where_it_was_asked_for(rejecting: Tables, name: str, action: str, reason: str) -> None:
    asked = CASES["return-asked-for-victim"].octets[0]
    octets = asked[:1] + b"\0" + asked[2:] if name == "no-return-asked" else CASES[name].octets[0]
    verdict = json.loads(Worker().judge(rejecting, Stream("reply"), Batch([octets], "sccp")).lines())
    assert (verdict["action"], verdict["reason"]) == (action, reason)
    assert ("reply" in verdict) == (action == "reject")


def test_reply_is_no_longer_than_what_asked_for_it(rejecting: Tables) -> None:
    octets = CASES["return-asked-for-victim"].octets[0]
    verdict = json.loads(Worker().judge(rejecting, Stream("reply"), Batch([octets], "sccp")).lines())
    assert len(bytes.fromhex(verdict["reply"])) <= len(octets)


def test_interconnect_policy_replies_to_nobody() -> None:
    octets = [octets for case in cases() if case.encapsulation == "sccp" for octets in case.octets]
    lines = Worker().judge(tables(), Stream("replies"), Batch(octets, "sccp"), perimeter="international").lines()
    assert b'"reply"' not in lines
    assert DIGITS.search(lines)  # they do name the sender, who would get them
