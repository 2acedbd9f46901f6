"""Every known way round an SS7 firewall, by its octets: what is read, which verdict falls, which counter moves.

The cases stand in cases/, a file a row; docs/evasions.md is made of them. The property that all serve: no encoding of a
message gets a weaker verdict than its plainest one.
"""

from pathlib import Path

import pytest

from sigfw.names import ACTIONS
from tests.evasion import page
from tests.evasion.table import INTERCONNECT, POLICIES, Case, Judged, Message, cases, judge, plains, rows

ROWS = range(1, 44)
ALL = [pytest.param(case, id=case.name) for case in cases()]
SEVERITY = {action: number for number, action in enumerate(ACTIONS)} | {"hold": ACTIONS.index("drop")}  # never released
COUNTED = {  # what a case's answer says must be among its counters
    "malformed": {"exceptions malformed drop"},
    "unframed": {"exceptions malformed drop"},
    "bounded": {"exceptions limit_exceeded drop"},
    "unusable": {"exceptions unusable_gt drop"},
    "unknown": {"exceptions unknown_operation drop"},
    "reassembled": {"segments final"},
    "refused": {"segments failed", "segments orphan"},
    "held": {"segments held"},
}


def severity(judged: Judged) -> int:
    return SEVERITY[judged.lines[-1]["action"]]


def test_every_row_has_its_cases() -> None:
    assert set(rows()) == set(ROWS)
    assert {case.row for case in cases()} == set(ROWS)
    names = [case.name for case in cases()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("message", [pytest.param(message, id=name) for name, message in plains().items()])
def test_plain_message_is_read_and_judged_as_recorded(message: Message) -> None:
    judged = judge(message)
    assert {key: value for key, value in judged.reads.items() if value not in (None, [])} == message.reads
    assert tuple(judged.verdicts) == message.verdict


@pytest.mark.parametrize("case", ALL)
def test_technique_is_read_judged_and_counted_as_recorded(case: Case) -> None:
    judged = judge(case)
    plain = judge(case.plain).reads
    assert {key: value for key, value in judged.reads.items() if value != plain[key]} == case.reads
    assert tuple(judged.verdicts) == case.verdict
    assert set(case.counters) <= set(judged.moved())


@pytest.mark.parametrize("case", ALL)
def test_answer_to_a_technique_is_what_it_is_called(case: Case) -> None:
    judged, plain = judge(case), judge(case.plain)
    moved, last = set(judged.moved()), judged.lines[-1]
    assert (case.sigfw == "passes") == (case.limit is not None)
    if case.limit:
        assert last["action"] == "allow"
    elif last["action"] == "allow":
        assert judged.verdicts[-1] == plain.verdicts[-1]  # a legal form of what is let in
    assert COUNTED.get(case.sigfw, moved) & moved
    if case.sigfw not in ("refused", "held"):
        assert bool(judged.reads["error"]) == (case.sigfw in ("malformed", "bounded", "unframed"))
    if case.sigfw in ("plain", "same"):
        assert judged.verdicts[-1] == plain.verdicts[-1]
    if case.sigfw == "plain":
        assert case.reads == {}
    if case.sigfw == "unread":
        assert judged.reads["tcap"] is None
    if case.sigfw == "held":
        assert last["action"] == "hold"


@pytest.mark.parametrize("policy", [INTERCONNECT, *sorted(POLICIES.iterdir())], ids=lambda path: path.stem)
def test_no_encoding_gets_a_weaker_verdict_than_the_plain_one(policy: Path) -> None:
    plain = {name: severity(judge(message, policy)) for name, message in plains().items()}
    weaker = [
        (case.name, judged.verdicts, judge(case.plain, policy).verdicts)
        for case in cases()
        if not case.limit and severity(judged := judge(case, policy)) < plain[case.plain.id]
    ]
    assert weaker == []


def test_page_of_techniques_says_what_the_cases_say() -> None:
    assert page.PATH.read_text() == page.text(), "make it again: python -m tests.evasion.page"
