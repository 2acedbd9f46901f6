"""What is stale, repeated or without effect in the data of a policy: its lists and operators."""

from collections.abc import Iterable, Iterator

from sigfw.policy.entries import covers
from sigfw.policy.model import Entry, NumberList, Policy, Row

__all__ = ["lint_data"]


def lint_data(policy: Policy) -> list[str]:
    """Findings as lint's: one a list and kind, with the count and the first."""
    return [finding for name, numbers in policy.lists.items() for finding in _of_list(name, numbers, policy.day)]


def _of_list(name: str, numbers: NumberList, day: str) -> Iterator[str]:
    ended = [row for row in numbers.others if row.valid_until and row.valid_until < day]
    if ended:
        yield (
            f"{ended[0].where}: {counted(len(ended), 'entry', 'entries')} of list `{name}` no longer in force, "
            f"this one since {ended[0].valid_until}; remove, or prolong"
        )
    to_come = [row for row in numbers.others if row.valid_from > day]
    if to_come:
        yield (
            f"{to_come[0].where}: {counted(len(to_come), 'entry', 'entries')} of list `{name}` not yet in force, "
            f"this one from {to_come[0].valid_from} on; nothing to do if that is meant"
        )
    if numbers.repeats:
        yield (
            f"{numbers.repeated}: {counted(numbers.repeats, 'entry', 'entries')} of list `{name}` left out, "
            "this one first: one before says the same; remove"
        )
    idle = list(_without_effect(numbers.entries))
    if idle:
        entry, around = idle[0]
        sign = "!" if entry.exclude else ""
        why = f"{sign}{entry.prefix} lies in {sign}{around}" if around else f"!{entry.prefix} lies in no entry"
        yield (
            f"{numbers.where}: {counted(len(idle), 'entry', 'entries')} of list `{name}` without effect: {why}; remove"
        )


def counted(n: int, one: str, more: str) -> str:
    return f"1 {one}" if n == 1 else f"{n} {more}"


def _without_effect(entries: Iterable[Entry]) -> Iterator[tuple[Entry, str | None]]:
    """Entries, and the shorter prefix that says the same on all their days; None: an exception to nothing.

    A lease within a lease is told by who looks the number up, and so stays.
    """
    around: list[Entry] = []
    for entry in sorted(entries, key=lambda one: one.prefix):
        while around and not entry.prefix.startswith(around[-1].prefix):
            around.pop()
        if not around:
            if entry.exclude:
                yield entry, None
        elif around[-1].exclude == entry.exclude and covers(around[-1], entry) and not _is_lease(entry):
            yield entry, around[-1].prefix
        around.append(entry)


def _is_lease(entry: Entry) -> bool:
    return isinstance(entry, Row) and bool(entry.lessor or entry.lessee)
