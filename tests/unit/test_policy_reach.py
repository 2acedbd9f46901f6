"""What lint calls unreachable, held against the rule language written down once more (rule_reference.py)."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigfw.policy.model import Link, Policy, Rule
from sigfw.policy.reach import covering, never
from tests.unit import rule_reference as reference
from tests.unit.rule_random import DATA, WORDS, WORLD, random_message, random_policy, random_rule
from tests.unit.rule_reference import make_policy, make_rule

FEW = ("perimeter", "link", "operation", "application", "component", "component_count", "called.gti", "calling.gt",
       "imsi", "opcode", "calling.absent", "tcap.type")  # fmt: skip


def messages(seed: int, policy: Policy, count: int) -> list[reference.Message]:
    r = random.Random(seed)
    return [
        reference.Message(
            policy, random_message(r), DATA, perimeter=r.choice([0, 0, 1, 2, 3]), topic=r.choice(["", "t1"])
        )
        for _ in range(count)
    ]


def matches(message: reference.Message, rule: Rule) -> bool:
    for component in message.m.get("components", ()) or [None]:
        readings = range(len(component["readings"])) if component and component.get("readings") else [-1]
        if any(reference.rule_matches(message, rule, component, reading)[0] for reading in readings):
            return True
    return False


def little_policy(r: random.Random) -> Policy:
    """A few rules over a few fields, so that they meet."""
    words = {field: WORDS[field][:3] for field in FEW}
    words["operation"] = ["updateLocation", "anyTimeInterrogation", "initialDP"]  # of the applications that they are of
    base = random_policy(r)
    rules = [random_rule(r, i, FEW, words=words, checks_of=("imsi_is_home", "imsi_missing")) for i in range(12)]
    return make_policy(rules, exceptions=base.exceptions, links=base.links[: r.choice([0, 1, 2])], **WORLD)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 32))
def test_rule_that_never_matches_matches_no_random_message(seed: int) -> None:
    policy = little_policy(random.Random(seed))
    told = [rule for rule in policy.rules if next(never(policy, rule), None)]
    for message in messages(seed, policy, 40) if told else ():
        assert not [rule.id for rule in told if matches(message, rule)]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 32))
def test_rule_that_another_covers_changes_no_verdict_when_it_is_gone(seed: int) -> None:
    policy = little_policy(random.Random(seed))
    enabled = [rule for rule in policy.rules if rule.mode != "off"]
    told = {rule.id for i, rule in enumerate(enabled) if covering(policy, rule, enabled[:i])}
    if not told:
        return
    kept = [rule for rule in policy.rules if rule.id not in told]
    without = make_policy(kept, exceptions=policy.exceptions, links=policy.links, **WORLD)
    for message, same in zip(messages(seed, policy, 40), messages(seed, without, 40), strict=True):
        assert outcome(message) == outcome(same)


def outcome(message: reference.Message) -> list[Any]:
    """Actions, reasons and rules by id."""
    judged = reference.judge(message)
    ids = ["", *(rule.id for rule in message.policy.rules)]
    return [one and (*one[:2], ids[one[2]]) for one in (judged["verdict"], judged["shadow"])]


def test_random_policies_have_rules_that_are_told() -> None:
    """Else the two above would say nothing."""
    contradictions = covered = 0
    for seed in range(200):
        policy = little_policy(random.Random(seed))
        enabled = [rule for rule in policy.rules if rule.mode != "off"]
        contradictions += sum(bool(next(never(policy, rule), None)) for rule in enabled)
        covered += sum(covering(policy, rule, enabled[:i]) is not None for i, rule in enumerate(enabled))
    assert contradictions > 20
    assert covered > 20


LINKS = (
    Link(name="a", perimeter="national", opc=(100,)),
    Link(name="b", perimeter="internal"),
    Link(name="c", perimeter="national"),
)


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ({"operation": "initialDP", "application": "map"}, "`operation` names none of the application map"),
        ({"operation": "initialDP", "application": ["map", "cap"]}, ""),
        ({"operation": {"in": ["initialDP"], "not_in": ["initialDP", "connect"]}}, "in initialDP and not in"),
        ({"calling.gt": {"in": ["4477"], "not_in": ["44"]}}, "in 4477 and not in 44"),
        ({"calling.gt": {"in": ["44"], "not_in": ["4477"]}}, ""),
        ({"calling.gt": {"in": "gts", "not_in": "gts"}}, "in the list gts and not in the list gts"),
        ({"calling.gt": {"in": "gts", "not_in": ["4"]}}, "in the list gts and not in 4"),
        ({"calling.gt": {"in": "none"}}, "in the list none, which holds nothing"),
        ({"calling.gt": {"not_in": "none"}}, ""),
        ({"component_count": 0, "operation": "initialDP"}, "`operation` is a component's"),
        ({"component_count": 0, "opcode": {"not_in": [1]}}, ""),
        ({"calling.absent": True, "calling.ssn": 6}, "`calling.absent` is asked to be true"),
        ({"calling.absent": True, "calling.ssn": {"not_in": [6]}}, ""),
        ({"calling.gti": 0, "calling.np": 1}, "`calling.gti` is asked to be 0"),
        ({"encapsulation": "pcap"}, "never pcap"),
        ({"link": "c"}, "behind a link that matches everything"),
        ({"perimeter": "national"}, ""),
        ({"link": "b", "perimeter": "national"}, "gives the perimeter national"),
        ({"link": "b", "perimeter": "international"}, ""),
        ({"link": "a", "opc": 200}, "`link` a has another `opc` than 200"),
        ({"link": ["a", "b"], "opc": 200}, ""),
    ],
)
def test_contradiction_is_told_with_what_contradicts(when: dict[str, Any], why: str) -> None:
    lists = WORLD["lists"] | {"none": WORLD["lists"]["gts"].__class__(kind="gt", entries=())}
    policy = make_policy(links=LINKS, **WORLD | {"lists": lists})
    found = list(never(policy, make_rule(when=when)))
    assert len(found) == bool(why)
    assert why in "".join(found)


def rule(action: str, when: dict[str, Any], **rest: Any) -> Rule:
    return make_rule("r", action=action, when=when, **rest)


UPDATE = {"operation": "updateLocation"}


@pytest.mark.parametrize(
    ("first", "later", "covered"),
    [
        (rule("drop", {}), rule("allow", UPDATE), True),
        (rule("drop", {}), rule("allow", UPDATE, category="other"), False),
        (rule("drop", {}, mode="shadow"), rule("allow", UPDATE), False),
        (rule("drop", {}, mode="shadow"), rule("allow", UPDATE, mode="shadow"), True),
        (rule("allow", {}), rule("drop", UPDATE, mode="shadow"), True),
        (rule("drop", {"operation": ["updateLocation", "initialDP"]}), rule("allow", UPDATE), True),
        (rule("drop", UPDATE), rule("drop", {"operation": ["updateLocation", "initialDP"]}), False),
        (rule("drop", UPDATE), rule("drop", UPDATE | {"component": "returnResultLast"}), False),
        (rule("drop", {"component": "invoke"}), rule("drop", UPDATE), True),
        (rule("drop", {"imsi": ["23415"]}), rule("drop", {"imsi": ["234151"]}), True),
        (rule("redirect", {"imsi": ["23415"]}), rule("drop", {"imsi": ["234151"]}), False),  # of two IMSIs
        (rule("allow", {"imsi": ["23415"]}), rule("drop", {"imsi": ["234151"]}), False),
        (rule("drop", {"imsi": ["23415"]}), rule("drop", {"imsi": ["234151"]}, alert=True), False),
        (rule("drop", {"imsi": {"not_in": "home"}}), rule("drop", {"imsi": {"not_in": "home"}} | UPDATE), True),
        (rule("drop", {"opcode": [71]}), rule("drop", {"opcode": [71]} | UPDATE), True),
        (rule("drop", UPDATE), rule("allow", UPDATE | {"opcode": [71]}), False),
        (rule("drop", UPDATE, checks=("imsi_is_home",)), rule("drop", UPDATE), False),
        (rule("drop", UPDATE, checks=("imsi_is_home",)), rule("drop", UPDATE, checks=("imsi_is_home",)), True),
        (rule("drop", UPDATE, checks=("rate_exceeded",)), rule("drop", UPDATE, checks=("rate_exceeded",)), False),
        (
            rule("drop", UPDATE, checks=("imsi_is_home",)),
            rule("drop", UPDATE, checks=("imsi_is_home", "imsi_missing"), checks_all=True),
            True,
        ),
        (
            rule("drop", UPDATE, checks=("imsi_is_home",)),
            rule("drop", UPDATE, checks=("imsi_is_home", "imsi_missing")),
            False,
        ),
    ],
)
def test_rule_is_covered_only_where_nothing_is_left_for_it(first: Rule, later: Rule, covered: bool) -> None:
    assert (covering(make_policy(**WORLD), later, [first]) is first) == covered
