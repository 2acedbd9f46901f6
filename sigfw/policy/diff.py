"""What differs between two policies, part by part."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from sigfw.policy.model import Entry, NumberList, Policy, Row, Rule
from sigfw.policy.words import action_of, checks_of, condition_of, some

__all__ = ["Change", "differences"]

SHOWN = 5  # prefixes of a list told by name; the others are counted


class Change(msgspec.Struct, frozen=True):
    """One part that differs. `said` is in words: what is new, or `old → new`."""

    part: Literal["home", "link", "operator", "list", "exception", "check", "rule"]
    name: str
    change: Literal["added", "removed", "changed", "moved"]
    said: str


def differences(a: Policy, b: Policy) -> Iterator[Change]:
    """Changes from `a` to `b`; none where the two say the same, whatever their names, files and comments."""
    if said := _fields(a.home, b.home):
        yield Change("home", "", "changed", said)
    yield from _named("link", {one.name: one for one in a.links}, {one.name: one for one in b.links})
    yield from _moved("link", [one.name for one in a.links], [one.name for one in b.links])
    yield from _named("operator", {one.tadig: one for one in a.operators}, {one.tadig: one for one in b.operators})
    yield from _lists(a.lists, b.lists)
    for name, actions in a.exceptions.items():
        said = _joined(
            f"{perimeter}: {was} → {b.exceptions[name][perimeter]}"
            for perimeter, was in actions.items()
            if was != b.exceptions[name][perimeter]
        )
        if said:
            yield Change("exception", name, "changed", said)
    if said := _fields(a.checks, b.checks):
        yield Change("check", "", "changed", said)
    yield from _rules(a.rules, b.rules)


def _named(part: Any, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    for name in (*a, *(name for name in b if name not in a)):
        if name not in b:
            yield Change(part, name, "removed", _fields(a[name], None))
        elif name not in a:
            yield Change(part, name, "added", _fields(None, b[name]))
        elif said := _fields(a[name], b[name]):
            yield Change(part, name, "changed", said)


def _fields(a: msgspec.Struct | None, b: msgspec.Struct | None) -> str:
    """The fields of a struct that differ; of one alone those that say something."""
    said = []
    only = a if b is None else b
    assert only is not None
    for field in only.__struct_fields__:
        old, new = getattr(a, field, ()), getattr(b, field, ())
        if field in ("name", "tadig", "where") or old == new or not (old or new):
            continue
        name = field.replace("_", " ")
        if a is None or b is None:
            said.append(f"{name} {_value(only, field)}")
        elif isinstance(old, tuple):
            if change := _entries(old, new):  # in none of these does order decide
                said.append(f"{name} {change}")
        else:
            said.append(f"{name} {old or '-'} → {new or '-'}")
    return _joined(said)


def _value(struct: msgspec.Struct, field: str) -> str:
    value = getattr(struct, field)
    return some(value) if isinstance(value, tuple) else str(value)


def _entries(old: Sequence[Any], new: Sequence[Any]) -> str:
    """`+2 -1: +44, +49, -33`."""
    before, after = {_entry(one) for one in old}, {_entry(one) for one in new}
    added, removed = sorted(after - before), sorted(before - after)
    if not added and not removed:
        return ""
    count = " ".join(f"{sign}{len(of)}" for sign, of in (("+", added), ("-", removed)) if of)
    shown = [f"+{one}" for one in added[:SHOWN]] + [f"-{one}" for one in removed[:SHOWN]]
    return f"{count}: {some(shown, len(added) + len(removed))}"


def _entry(one: Any) -> str:
    if isinstance(one, msgspec.Struct):
        return " ".join(_spoken(getattr(one, field)) for field in one.__struct_fields__ if getattr(one, field))
    return str(one)


def _spoken(value: object) -> str:
    return "+".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _lists(a: Mapping[str, NumberList], b: Mapping[str, NumberList]) -> Iterator[Change]:
    for name in (*a, *(name for name in b if name not in a)):
        old, new = a.get(name), b.get(name)
        if old is None or new is None:
            one = old or new
            assert one is not None
            said = f"kind {one.kind}, {len(one.entries)} prefixes: {some(_prefixes(one)[:SHOWN], len(one.entries))}"
            yield Change("list", name, "removed" if new is None else "added", said)
            continue
        kind = f"kind {old.kind} → {new.kind}" if old.kind != new.kind else ""
        same = old.entries == new.entries and old.others == new.others
        if said := _joined(filter(None, (kind, "" if same else _entries(_prefixes(old), _prefixes(new))))):
            yield Change("list", name, "changed", said)


def _prefixes(numbers: NumberList) -> list[str]:
    """With their days, those that are not in force too: what they say of owners and reasons decides nothing."""
    return [entry.marked + _days(entry) for entry in (*numbers.entries, *numbers.others)]


def _days(entry: Entry) -> str:
    if not isinstance(entry, Row) or not (entry.valid_from or entry.valid_until):
        return ""
    return f" ({entry.valid_from or '…'} to {entry.valid_until or '…'})"


# -- rules -------------------------------------------------------------------------------------------------------------


def _rules(a: Sequence[Rule], b: Sequence[Rule]) -> Iterator[Change]:
    old, new = {rule.id: rule for rule in a}, {rule.id: rule for rule in b}
    for rule in a:
        if rule.id not in new:
            yield Change("rule", rule.id, "removed", f"{rule.category}: {action_of(rule)} ({rule.mode})")
        elif said := _joined(_rule(rule, new[rule.id])):
            yield Change("rule", rule.id, "changed", said)
    for rule in b:
        if rule.id not in old:
            conditions = _joined(_conditions(rule).values()) or "every message"
            yield Change("rule", rule.id, "added", f"{rule.category}: {action_of(rule)} ({rule.mode}): {conditions}")
    yield from _moved("rule", [rule.id for rule in a], [rule.id for rule in b])


def _rule(old: Rule, new: Rule) -> Iterator[str]:
    for field in ("category", "mode", "alert", "final", "motif", "labels"):
        was, is_ = getattr(old, field), getattr(new, field)
        if was != is_:
            yield f"{field} {_word(was)} → {_word(is_)}"
    if action_of(old) != action_of(new):
        yield f"action {action_of(old)} → {action_of(new)}"
    elif old.return_cause != new.return_cause:
        yield f"return cause {old.return_cause} → {new.return_cause}"
    before, after = _conditions(old), _conditions(new)
    for field in (*before, *(field for field in after if field not in before)):
        if before.get(field) != after.get(field):
            yield f"{before.get(field, f'no {field}')} → {after.get(field, f'no {field}')}"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value or "-")


def _conditions(rule: Rule) -> dict[str, str]:
    """By field; the order of values means nothing."""
    said = {
        one.field: condition_of(
            msgspec.structs.replace(
                one,
                **{
                    key: msgspec.structs.replace(operand, values=tuple(sorted(operand.values, key=str)))
                    for key in ("within", "without")
                    if (operand := getattr(one, key)) is not None
                },
            )
        )
        for one in rule.when
    }
    return said | ({"check": f"check {checks_of(rule)}"} if rule.checks else {})


def _moved(part: Any, a: Sequence[str], b: Sequence[str]) -> Iterator[Change]:
    """The fewest that would have to move for the common ones to stand in the same order."""
    at = {name: i for i, name in enumerate(b)}
    common = [name for name in a if name in at]
    kept = _longest_rise([at[name] for name in common])
    for name in common:
        if at[name] not in kept:
            before = b[at[name] - 1] if at[name] else ""
            yield Change(part, name, "moved", f"behind {before}" if before else "to the first place")


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """A longest increasing subsequence."""
    tails: list[int] = []  # by length: the smallest last number
    came_from: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(tails, number)
        came_from[number] = tails[at - 1] if at else None
        tails[at : at + 1] = [number]
    kept: set[int] = set()
    last = tails[-1] if tails else None
    while last is not None:
        kept.add(last)
        last = came_from[last]
    return kept


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(parts)
