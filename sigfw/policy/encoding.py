"""Where a rule's safety rests on what the sender is free to choose: how a message is written, not what it means.

A deny rule that asks for a meaning and an encoding is passed by the same meaning in another encoding; an allow rule
that asks for an encoding lets in whoever writes it so. A deny rule that asks for an encoding alone bans that encoding,
and what is sent again without it meets the other rules: nothing is wrong with that.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from sigfw import names
from sigfw.policy import schema
from sigfw.policy.model import Condition, Operand, Policy, Rule

__all__ = ["lax_exceptions", "rests_on_encoding"]

# Chosen by the sender, and one receiver or another takes them all the same: evasions seen in the wild go by these.
ENCODING: Final = frozenset(
    (
        *("sccp.type", "return_cause", "tcap.type", "acn", "map_version", "opcode_form", "component_count"),
        *("encapsulation",),  # not the sender's: whoever publishes the records may change it, and the rules with it
        *(f"{side}.{one}" for side in ("called", "calling") for one in ("ssn", "np", "nai", "tt", "gti", "pc")),
    )
)
ENCODING_CHECKS: Final = frozenset(("acn_does_not_fit_operation", "ssn_does_not_fit_application"))
# Whence a message comes, and what kind of component it is: neither a meaning of its own, nor an encoding.
CONTEXT: Final = frozenset(("perimeter", "link", "direction", "ni", "opc", "dpc", "sls", "component"))
# What belongs to a dialogue that the receiver does not have its TCAP refuses (Q.773: unrecognized transaction id).
OPENS: Final = frozenset(("begin", "unidirectional"))
OF_A_DIALOGUE: Final = frozenset(names.TCAP_TYPES[1:]) - OPENS
# Exceptions that breaking or inflating a message leads to.
BROKEN: Final = ("malformed", "unusable_gt", "reassembly_timeout", "limit_exceeded")


def lax_exceptions(policy: Policy) -> Iterator[str]:
    """Findings about `exceptions`: breaking a message must not be a way in."""
    for name in BROKEN:
        by = policy.exceptions["default"]
        lax = [one for one, action in policy.exceptions[name].items() if action == "allow" != by[one]]
        if lax:
            yield (
                f"{policy.exceptions_where.get(name, policy.name)}: `{name}` allows what `default` denies "
                f"({', '.join(lax)}): whoever breaks a message gets in; make it as strict as `default`"
            )


def rests_on_encoding(policy: Policy, rule: Rule) -> Iterator[str]:
    """The finding about an enforced rule, if there is one."""
    chosen = chosen_by_sender(rule) if rule.mode == "enforce" else []
    told = " and ".join(f"`{one}`" for one in chosen)
    if chosen and rule.action == "allow" and has_effect(policy, rule):
        yield (
            f"{rule.where}: the allow {rule.id} rests on {told}, which the sender chooses: it keeps out nobody who "
            "writes so; decide by operation, addresses, identities or a check, and ban an encoding by a deny rule"
        )
    elif chosen and rule.action != "allow" and has_meaning(rule) and not covered(policy, rule):
        yield (
            f"{rule.where}: the deny {rule.id} asks for {told}, which the sender chooses: the same in another encoding "
            "passes it; leave that out, or add a deny rule without it"
        )


def chosen_by_sender(rule: Rule) -> list[str]:
    """Conditions and checks that hold or not as the sender likes."""
    found = [one.field for one in rule.when if asks_for_encoding(rule, one)]
    checks = [check for check in rule.checks if check in ENCODING_CHECKS]
    if checks and (rule.checks_all or len(checks) == len(rule.checks)):  # else another of them holds without
        found += checks
    return found


def asks_for_encoding(rule: Rule, condition: Condition) -> bool:
    if condition.field == "opcode":  # a number is asked of either form, dots of one OID alone
        operands = [one for one in (condition.within, condition.without) if one is not None]
        return any("." in str(value) for operand in operands for value in operand.values)
    if condition.field not in ENCODING:
        return False
    if condition.field == "tcap.type":
        asked = words(condition, names.TCAP_TYPES[1:])
        return not (asked <= OF_A_DIALOGUE if rule.action == "allow" else asked >= OPENS)
    # No component is no operation, however it is written.
    nothing = (
        condition.field == "component_count" and condition.within is not None and set(condition.within.values) == {0}
    )
    return not nothing


def words(condition: Condition, every: Iterable[str]) -> set[str]:
    """The values with which the condition holds."""
    held = set(every)
    if condition.within is not None:
        held &= {str(value) for value in condition.within.values}
    if condition.without is not None:
        held -= {str(value) for value in condition.without.values}
    return held


def has_meaning(rule: Rule) -> bool:
    """Whether it denies a meaning; else it bans the encoding itself."""
    fields = {one.field for one in rule.when if not asks_for_encoding(rule, one)}
    return bool(fields - CONTEXT - ENCODING or set(rule.checks) - ENCODING_CHECKS)


def perimeters(rule: Rule) -> set[str]:
    held = set(names.PERIMETERS[1:])
    for one in rule.when:
        if one.field == "perimeter":
            held &= words(one, held)
    return held


def denied_by_default(policy: Policy, rule: Rule) -> bool:
    return all(policy.exceptions["default"][one] != "allow" for one in perimeters(rule))  # type: ignore[index]


def has_effect(policy: Policy, rule: Rule) -> bool:
    """Whether an allow rule lets anything through that would be denied without it."""
    if any(policy.exceptions["default"][one] != "allow" for one in perimeters(rule)):  # type: ignore[index]
        return True
    later = policy.rules[policy.rules.index(rule) + 1 :]
    return any(
        one.mode == "enforce" and one.action != "allow" and (rule.final or one.category == rule.category)
        and may_meet(rule, one)
        for one in later
    )  # fmt: skip


def covered(policy: Policy, rule: Rule) -> bool:
    """Whether what passes a deny rule in another encoding is denied all the same: by a wider rule, or by default."""
    for one in policy.rules:
        strict = names.ACTIONS.index(one.action) >= names.ACTIONS.index(rule.action)
        if one is not rule and one.mode == "enforce" and strict and not chosen_by_sender(one) and implies(rule, one):
            return True
    allows = [one for one in policy.rules if one.mode == "enforce" and one.action == "allow"]
    return denied_by_default(policy, rule) and not any(may_meet(one, rule) for one in allows)


def implies(narrow: Rule, wide: Rule) -> bool:
    """Whether `wide` holds wherever `narrow` does, whatever the encoding."""
    checks = set(wide.checks)
    same_checks = not checks or (checks == set(narrow.checks) and wide.checks_all == narrow.checks_all)
    by_field = {one.field: one for one in narrow.when if not asks_for_encoding(narrow, one)}
    return same_checks and all(
        one == by_field.get(one.field) or is_within(by_field.get(one.field), one) for one in wide.when
    )


def is_within(narrow: Condition | None, wide: Condition) -> bool:
    """Whether every value of the one is a value of the other; not_in and lists are not looked into."""
    if narrow is None or wide.without is not None or narrow.within is None or wide.within is None:
        return False
    if narrow.within.list or wide.within.list:
        return narrow.within == wide.within
    return all(any(covers(wide.field)(have, value) for have in wide.within.values) for value in narrow.within.values)


def covers(field: str) -> Callable[[object, object], bool]:
    known = schema.field(field)
    if known is not None and known.kind == "digits":
        return lambda wide, narrow: str(narrow).startswith(str(wide))
    if field == "operation":
        return lambda wide, narrow: str(wide).rpartition(":")[2] == str(narrow).rpartition(":")[2]
    return lambda wide, narrow: wide == narrow


def may_meet(a: Rule, b: Rule) -> bool:
    """Whether one message may match both; what cannot be told is taken for yes."""
    others = {one.field: one.within for one in b.when}
    return all(overlap(one.field, one.within, others[one.field]) for one in a.when if one.field in others)


def overlap(field: str, a: Operand | None, b: Operand | None) -> bool:
    if field in ENCODING or a is None or b is None or a.list or b.list:
        return True
    one_in_other = covers(field)
    return any(one_in_other(x, y) or one_in_other(y, x) for x in a.values for y in b.values)
