"""What a policy may say but hardly means: found on top of what the loader refuses."""

from collections.abc import Iterator
from typing import Final

from sigfw.policy.encoding import lax_exceptions, may_meet, perimeters, rests_on_encoding
from sigfw.policy.lint_data import lint_data
from sigfw.policy.model import Policy, Rule
from sigfw.policy.reach import covering, never
from sigfw.policy.words import some

__all__ = ["lint"]

TRUSTED: Final = "internal"  # what comes from ourselves may all go on


def lint(policy: Policy) -> list[str]:
    """Return findings, `file:line: what; what to do`: those of lists and operators,
    of `exceptions`, of the rules in their order, and what nothing uses.
    """
    findings = [*lint_data(policy), *lax_exceptions(policy), *_open_perimeters(policy)]
    enabled = [rule for rule in policy.rules if rule.mode != "off"]
    for i, rule in enumerate(enabled):
        findings += rests_on_encoding(policy, rule)
        if rule.final:
            findings.append(_final(rule, enabled[i + 1 :]))
        findings += _unreachable(policy, rule, enabled[:i])
        findings += _state(policy, rule)
    return [*findings, *_idle_categories(policy), *_unused_lists(policy)]


def _unreachable(policy: Policy, rule: Rule, earlier: list[Rule]) -> Iterator[str]:
    contradiction = next(never(policy, rule), None)
    if contradiction:
        yield f"{rule.where}: rule {rule.id} never matches: {contradiction}; mend the condition, or remove the rule"
        return
    first = covering(policy, rule, earlier)
    if first is not None:
        what = "has its conditions" if _conditions(rule) == _conditions(first) else "matches all that it matches"
        what = what if first.when or first.checks else "matches every message"
        yield (
            f"{rule.where}: rule {rule.id} is never reached: {first.id} of the category {rule.category} {what} "
            f"({first.where}); put it before, or into another category, or remove it"
        )


def _conditions(rule: Rule) -> tuple[object, ...]:
    return frozenset(map(str, rule.when)), frozenset(rule.checks), rule.checks_all


def _final(rule: Rule, later: list[Rule]) -> str:
    hidden = [one.id for one in later if one.mode == "enforce" and one.action != "allow" and may_meet(rule, one)]
    if hidden:
        which, what = some(hidden), "narrow those rules by not_in instead"
    else:
        which, what = "none of which stands there today", "remove it, before one is added that it hides"
    return f"{rule.where}: `final` on the allow {rule.id} hides the later deny rules of every category, {which}; {what}"


def _state(policy: Policy, rule: Rule) -> Iterator[str]:
    """Checks on state that lack what they go by."""
    checks = policy.checks
    if "rate_exceeded" in rule.checks and not checks.limits:
        yield (
            f"{rule.where}: rule {rule.id} asks for `rate_exceeded`, and no limit is written: it is never true; "
            "add `checks: {rate_exceeded: {limits: […]}}`"
        )
    if "target_scanned" in rule.checks and not (checks.subscribers_per_caller or checks.callers_per_subscriber):
        yield (
            f"{rule.where}: rule {rule.id} asks for `target_scanned`, and both its numbers are 0, so that it is never "
            "true; give one of them"
        )
    enforced = rule.mode == "enforce" and rule.action != "allow"
    if "dialogue_unknown" in rule.checks and enforced and not any(one.perimeter == TRUSTED for one in policy.links):
        yield (
            f"{rule.where}: rule {rule.id} enforces `dialogue_unknown`, and no link brings in what we send ourselves: "
            "without it every answer to us is unknown; add a link of the perimeter internal, or write `mode: shadow`"
        )
    if "location_implausible" in rule.checks and enforced and perimeters(rule) >= {TRUSTED, "international"}:
        yield (
            f"{rule.where}: rule {rule.id} enforces `location_implausible` on our own network as well, whose "
            "registrations are what it goes by; add `perimeter: international`"
        )


# -- what stands open --------------------------------------------------------------------------------------------------


def _open_perimeters(policy: Policy) -> Iterator[str]:
    """A side that is not ours, where nothing denies, now or in shadow."""
    denies = {one for rule in policy.rules if rule.action != "allow" and rule.mode != "off" for one in perimeters(rule)}
    used = {"international", *(link.perimeter for link in policy.links)} - {TRUSTED}
    for perimeter in sorted(used - denies):
        if policy.exceptions["default"][perimeter] == "allow":
            where = policy.exceptions_where.get("default", policy.files[0] + ":1" if policy.files else policy.name)
            yield (
                f"{where}: `default` allows on the perimeter {perimeter}, and no rule denies there: all goes on; "
                "write deny rules, or deny by default and allow what is needed"
            )


def _idle_categories(policy: Policy) -> Iterator[str]:
    """Categories that only allow what the default allows: they look like protection and decide nothing."""
    by_category: dict[str, list[Rule]] = {}
    for rule in policy.rules:
        if rule.mode != "off":
            by_category.setdefault(rule.category, []).append(rule)
    for category, rules in by_category.items():
        idle = all(
            rule.action == "allow"
            and not (rule.final or rule.alert)
            and not any(one.field == "opcode" for one in rule.when)  # named, an unknown operation is no exception
            and not any(policy.exceptions["default"][one] != "allow" for one in perimeters(rule))  # type: ignore[index]
            for rule in rules
        )
        if idle:
            yield (
                f"{rules[0].where}: the category {category} only allows, and so does `default`: it decides nothing; "
                "deny by default, or put the allow before the deny rule of its category that it is an exception to"
            )


def _unused_lists(policy: Policy) -> Iterator[str]:
    """Nothing of a policy without rules, which is there to be included."""
    named = {policy.checks.hubs}
    for rule in policy.rules:
        for condition in rule.when:
            named |= {one.list for one in (condition.within, condition.without) if one is not None and one.list}
    for name in policy.lists if policy.rules else ():
        if name not in named:
            where = policy.lists_where.get(name, policy.name)
            yield f"{where}: the list {name} is named by no rule; name it, or remove it"
