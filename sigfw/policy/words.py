"""How parts of a policy are said in a line."""

from collections.abc import Iterable

from sigfw.policy.model import Condition, Operand, Rule

__all__ = ["action_of", "checks_of", "condition_of", "operand_of", "some"]


def condition_of(condition: Condition) -> str:
    said = []
    if condition.within is not None:
        said.append(f"in {operand_of(condition.within)}")
    if condition.without is not None:
        said.append(f"not in {operand_of(condition.without)}")
    return f"{condition.field} {', '.join(said)}"


def operand_of(operand: Operand) -> str:
    return f"the list {operand.list}" if operand.list is not None else ", ".join(str(v) for v in operand.values)


def checks_of(rule: Rule) -> str:
    return (" and " if rule.checks_all else " or ").join(rule.checks)


def action_of(rule: Rule) -> str:
    return f"{rule.action} to {rule.redirect}" if rule.redirect else rule.action


def some(values: Iterable[object], count: int = 0) -> str:
    """The first five; count: how many there are, where `values` has the first alone."""
    shown = [str(v) for v in values]
    told = ", ".join(shown[:5]) or "-"
    more = max(count, len(shown)) - min(len(shown), 5)
    return f"{told} and {more} more" if more > 0 else told
