"""The made-up rules and messages of bench/growth.py are what it says they are."""

import json

import pytest

from bench import growth
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker


@pytest.mark.parametrize("count", [1, 10, 1024])
def test_half_of_the_messages_match_a_rule_each_and_half_none(count: int) -> None:
    worker, numbers = Worker(verdicts="json"), range(count)
    values = [growth.message(n, matching=matching) for n in numbers for matching in (True, False)]
    verdicts = worker.judge(
        growth.policy(count), Stream("t", offsets=False), Batch(values, "sccp"), perimeter="international"
    )
    found = [json.loads(line) for line in verdicts.lines().splitlines()]
    assert all(one["error"] is None for one in found)
    assert [one["rule"] for one in found] == [rule for n in numbers for rule in (f"made-{n}", None)]


@pytest.mark.parametrize("octets", growth.OCTETS)
def test_message_is_as_long_as_asked(octets: int) -> None:
    assert len(growth.long(octets, growth.string_of)) == octets
    assert octets - 2 <= len(growth.long(octets, growth.members_of)) <= octets


@pytest.mark.parametrize("count", growth.COMPONENTS)
def test_message_has_its_components_and_no_fault(count: int) -> None:
    worker, batch = Worker(verdicts="json"), Batch([growth.components_of(count)], "sccp")
    decoded = json.loads(worker.judge(None, Stream("t", offsets=False), batch, perimeter="international").lines())
    assert len(decoded["tcap"]["components"]) == count
    assert decoded["error"] is None
