"""No encoding of a message gets a weaker verdict than its plainest encoding: searched for.

A random policy asks only for what a message means; a plain message is re-encoded by random compositions of mutations
that keep what the policy asks for; the worst of the mutant's parts is at least the plain message's verdict. Where the
default drops, malformed messages do, too: a policy that is laxer with them than with plain ones says so itself.
`make search` goes on for longer.
"""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.judge import Judge, findings, make_trial, smallest
from tests.property.mutations import MUTATIONS, World
from tests.property.policies import FAMILIES
from tests.property.seeds import donors, seeds

BATCH = 100
JUDGE = Judge()


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=1200, derandomize=True, deadline=None)
@given(st.integers(0, 2**32))
def test_no_encoding_gets_a_weaker_verdict(family: str, seed: int) -> None:
    r = random.Random(seed)
    found = findings(JUDGE, make_trial(r, family), [r.getrandbits(32) for _ in range(BATCH)])
    assert not found, f"\n{smallest(JUDGE, found[0])}"


def test_plain_messages_are_many_and_written_back_as_they_were() -> None:
    same = [seed.message.encode() == [seed.octets] for seed in seeds()]
    assert len(same) > 500
    assert sum(same) / len(same) > 0.95  # the others have lengths that are not the shortest


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_mutation_changes_octets(mutation: object) -> None:
    r, changed = random.Random(1), 0
    for seed in seeds():
        message = seed.message.copy()
        if mutation.change(r, message, World(donors())):  # type: ignore[attr-defined]
            changed += message.encode() != seed.message.encode()
    assert changed
