"""No encoding of a message gets a weaker verdict than its plainest encoding: searched for.

A random policy asks only for what a message means; a plain message is re-encoded by random compositions of mutations
that keep what the policy asks for; the worst of the mutant's parts is at least the plain message's verdict. Where the
default drops, malformed messages do, too: a policy that is laxer with them than with plain ones says so itself.
`make search` goes on for longer.
"""

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from tests.property.judge import Judge, findings, make_shipped_trial, make_trial, smallest
from tests.property.mutations import MUTATIONS, Mutation, World
from tests.property.policies import FAMILIES, SHIPPED
from tests.property.seeds import donors, seeds

BATCH = 100
JUDGE = Judge()
SEEDS = st.integers(0, 2**32)

# After these the message reads as before, without an error: by the recommendations, or by what receivers do.
READ_AS_PLAIN = (
    *("long_lengths", "indefinite_lengths", "high_tag_numbers", "high_tag_number_of_the_package", "padded_integers"),
    *("global_opcode", "linked_id", "protocol_version", "message_type", "service_message", "protocol_class", "layout"),
    *("options", "segmentation", "translation_type", "nature_of_address", "global_title_indicator", "numbering_plan"),
    *("encoding_scheme", "filler", "point_code_and_routing"),
)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=1000, derandomize=True)
@given(SEEDS)
def test_no_encoding_gets_a_weaker_verdict(family: str, seed: int) -> None:
    r = random.Random(seed)
    found = findings(JUDGE, make_trial(r, family), [r.getrandbits(32) for _ in range(BATCH)])
    assert not found, f"\n{smallest(JUDGE, found[0])}"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
@settings(max_examples=150, derandomize=True)
@given(SEEDS)
def test_no_encoding_gets_a_weaker_verdict_by_a_shipped_policy(path: Any, seed: int) -> None:
    r = random.Random(seed)
    found = findings(JUDGE, make_shipped_trial(r, path), [r.getrandbits(32) for _ in range(BATCH)])
    assert not found, f"\n{found[0]}"


def test_plain_messages_are_many_and_written_back_as_they_were() -> None:
    same = [seed.message.encode() == [seed.octets] for seed in seeds()]
    assert len(same) > 500
    assert sum(same) / len(same) > 0.95  # the others have lengths that are not the shortest


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_mutation_changes_octets(mutation: Mutation) -> None:
    r, changed = random.Random(1), 0
    for seed in seeds():
        message = seed.message.copy()
        if mutation.change(r, message, World(donors())):
            changed += message.encode() != seed.message.encode()
    assert changed > 9


def meaning(line: bytes) -> Any:
    """Whose operation on whom; None: a segment, which has none yet."""
    one = msgspec.json.decode(line)
    if one["tcap"] is None and one["reassembly"]:
        return None
    components = [(c["type"], c["application"], c["operation"]) for c in (one["tcap"] or {}).get("components", ())]
    return one["error"], components, (one["map"] or {}).get("identities")


@pytest.mark.parametrize("name", READ_AS_PLAIN)
def test_encoding_is_read_as_its_plain_one(name: str) -> None:
    """So that the property does not hold for the reason alone that every mutant is malformed."""
    change = next(one.change for one in MUTATIONS if one.name == name)
    r, parts, expected = random.Random(name), [], []
    for number, seed in enumerate(seeds()):
        message = seed.message.copy()
        if not change(r, message, World(donors())):
            continue
        message.hops, message.gaps = min(message.hops, 15), (0, 0, 0, 0)
        message.reference = number.to_bytes(3, "big")
        parts += message.encode()
        expected.append(seed.octets)
    plain, mutants = (
        [meaning(line) for line in Worker().judge(None, Stream(name), Batch(octets, "sccp")).lines().splitlines()]
        for octets in (expected, parts)
    )
    assert plain
    assert [one for one in mutants if one] == plain
