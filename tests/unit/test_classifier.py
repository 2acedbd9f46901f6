"""The classifier against the plain evaluator of rule_reference, and against each sentence of the order of decision."""

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sigfw import names
from sigfw._core import probe
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.tables import Tables
from sigfw.policy.compiler import compile_policy
from sigfw.policy.model import Policy
from tests.unit import rule_reference as reference
from tests.unit.rule_random import DATA, WORLD, random_message, random_policy, random_rule
from tests.unit.rule_reference import VOCABULARY, make_policy
from tests.unit.tcapbytes import ATI_ACN, Node, address, begin, digits, encode, invoke
from tests.unit.test_engine import party, unitdata

SEGMENT_HELD, SEGMENT_FINAL = 1, 2
SEEDS = st.integers(0, 2**32)
OF_THE_WHOLE = {"tcap", "components", "numbers", "requested_info", "sms_pid", "sms_dcs", "acn_offset", "acn_octets",
                "acn_application", "acn_version"}  # fmt: skip
WHEN_OF_OCTETS = (
    "perimeter", "direction", "encapsulation", "sccp.type", "called.gt", "called.ssn", "calling.operator",
    "calling.country", "tcap.type", "operation", "opcode", "application", "map_version", "component_count", "imsi",
    "requested_info",
)  # fmt: skip


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
        "direction": names.DIRECTIONS.index(message.directions()[0]),
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


@given(SEEDS)
def test_segment_denied_at_once_is_denied_as_a_whole(seed: int) -> None:
    """A verdict given before the rest is there holds whatever the rest is."""
    r = random.Random(seed)
    policy = random_policy(r)
    tables = compile_policy(policy, VOCABULARY)
    for _ in range(12):
        part = random_message(r) | {"type": 0x11, "segmented": 1, "segment_first": 1, "exceptions": 0}
        early = probe.judge(tables, part | {"segment_state": SEGMENT_HELD}, data=DATA)
        if early["action"] == names.ACTIONS.index("hold"):
            continue
        assert early["action"] >= names.ACTIONS.index("reject")
        rest = {one: value for one, value in random_message(r).items() if one in OF_THE_WHOLE}
        sccp = {one: value for one, value in part.items() if one not in OF_THE_WHOLE}
        for whole in (part, sccp, sccp | rest):
            judged = probe.judge(tables, whole | {"segment_state": SEGMENT_FINAL}, data=DATA)
            assert judged["action"] >= early["action"], (policy, whole)


@given(SEEDS)
def test_real_octets_are_judged_as_the_message_they_spell(seed: int) -> None:
    """From octets through Worker.judge: no stage between them and the rules says something else."""
    r = random.Random(seed)
    called, calling = (r.choice(("447700900001", "491711234567", "336399800000")) for _ in range(2))
    ssn, imsi = r.choice((6, 147)), r.choice(("234150123456789", "262011234567890"))
    rules = [random_rule(r, i, WHEN_OF_OCTETS) for i in range(r.choice([1, 4, 12]))]
    policy = make_policy(rules, exceptions={"default": r.choice(["allow", "drop"])}, **WORLD)
    argument: Node = (
        0x30,
        [(0xA0, [(0x80, digits(imsi))]), (0xA1, [(0x80, b""), (0x81, b"")]), (0x83, address("491710"))],
    )
    data = encode(begin(invoke(71, argument), acn=ATI_ACN))
    octets = unitdata(party(called, ssn), party(calling, 147), data)
    verdict = json.loads(Worker().judge(compile_policy(policy), Stream("t/0"), Batch([octets], "sccp")).lines())
    message = reference.Message(
        policy,
        {
            "called": {"gt": called, "np": 1, "nai": 4, "tt": 0, "gti": 4, "ssn": ssn},
            "calling": {"gt": calling, "np": 1, "nai": 4, "tt": 0, "gti": 4, "ssn": 147},
            "return_on_error": 1,
            "tcap": 1,
            "components": [{"readings": [2], "opcode": 71}],
            "acn_octets": 7,
            "acn_application": 1,
            "acn_version": 3,
            "numbers": [
                {"kind": names.NUMBER_KINDS.index("imsi"), "digits": imsi},
                {"kind": names.NUMBER_KINDS.index("address"), "digits": "491710", "role": reference.NODE_BIT},
            ],
            "requested_info": 3,
        },
    )
    action, reason, number, _ = reference.judge(message)["verdict"]
    assert (verdict["action"], verdict["reason"]) == (action, reason)
    assert verdict["rule"] == (policy.rules[number - 1].id if number else None)
