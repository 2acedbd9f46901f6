"""The classifier against the plain evaluator of rule_reference, and against each sentence of the order of decision."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sigfw import names
from sigfw._core import probe
from sigfw._core.tables import Tables
from sigfw.policy.compiler import compile_policy
from sigfw.policy.model import Policy
from tests.unit import rule_reference as reference
from tests.unit.rule_random import DATA, random_message, random_policy
from tests.unit.rule_reference import VOCABULARY

SEGMENT_HELD, SEGMENT_FINAL, SEGMENT_FAILED, SEGMENT_ORPHAN = 1, 2, 3, 4
SEVERITY = names.ACTIONS.index
SEEDS = st.integers(0, 2**32)


def verdict_of(found: dict[str, Any]) -> dict[str, Any]:
    """In words, as the reference has it."""
    action, reason, rule = found["shadow"]
    return {
        "verdict": (names.ACTIONS[found["action"]], names.REASONS[found["reason"]], found["rule"], found["component"]),
        "shadow": (names.ACTIONS[action], names.REASONS[reason], rule) if action else None,
    }


def expected_of(policy: Policy, tables: Tables, message: reference.Message, mode: str) -> dict[str, Any]:
    judged = reference.judge(message, mode)
    action, _, number, _ = judged["verdict"]
    rule = policy.rules[number - 1] if number else None
    rejected = 7 if rule is None else rule.return_cause
    counts: dict[int, int] = {}
    for _, one in judged["first"]:
        counts[one] = counts.get(one, 0) + 1
    return {
        "verdict": judged["verdict"],
        "shadow": judged["shadow"],
        "category": tables.categories.index(rule.category) if rule else 0,
        "redirect": tables.redirects.index(rule.redirect) if rule and action == "redirect" else 0,
        "return_cause": rejected if action == "reject" else 0,
        "perimeter": message.perimeter,
        "link": message.link,
        "direction": names.DIRECTIONS.index(message.direction()),
        "rules": counts,
    }


@settings(max_examples=300)
@given(SEEDS)
def test_verdict_is_that_of_the_plain_evaluator(seed: int) -> None:
    r = random.Random(seed)
    policy = random_policy(r)
    tables = compile_policy(policy, VOCABULARY)
    for _ in range(12):
        message = random_message(r)
        perimeter, topic = r.choice([0, 1, 2, 3]), r.choice(["", "t1"])
        mode = r.choice(["enforce"] * 6 + ["monitor", "bypass"])
        modes = (0, *[names.MODES.index(mode)] * 3)
        found = probe.judge(tables, message, data=DATA, perimeter=perimeter, topic=topic, modes=modes)  # type: ignore[arg-type]
        plain = reference.Message(policy, message, DATA, perimeter=perimeter, topic=topic)
        expected = expected_of(policy, tables, plain, mode)
        assert found | verdict_of(found) | expected == found | verdict_of(found), (policy, message, expected)
