"""Which entries of the lists are in force: a policy on a day, and the day on which it is another one."""

import datetime
from collections.abc import Mapping, Sequence

import msgspec

from sigfw.policy.digest import digest
from sigfw.policy.model import Entry, Listed, NumberList, Policy, Row

__all__ = ["in_force", "on", "utc_today"]


def utc_today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def on(policy: Policy, day: datetime.date) -> Policy:
    """The policy as it is on a day: entries in force, their digest, and when the next of them begins or ends.

    Cost: as many steps as the lists with dates have entries; no file is read.
    """
    text = day.isoformat()
    lists = {name: _list_on(numbers, text) for name, numbers in policy.lists.items()}
    return msgspec.structs.replace(
        policy,
        lists=lists,
        day=text,
        changes=_next_change(lists, text),
        digest=digest(
            policy.home, policy.links, policy.operators, lists, policy.exceptions, policy.rules, policy.checks
        ),
    )


def in_force(entry: Entry, day: str) -> bool:
    return not isinstance(entry, Row) or (
        entry.valid_from <= day and (not entry.valid_until or day <= entry.valid_until)
    )


def _list_on(numbers: NumberList, day: str) -> NumberList:
    if not numbers.dated:
        return numbers
    rows = (*numbers.listed.rows, *numbers.others)
    return msgspec.structs.replace(
        numbers,
        entries=Listed(numbers.listed.plain, (row for row in rows if in_force(row, day))),
        others=tuple(row for row in rows if not in_force(row, day)),
    )


def _next_change(lists: Mapping[str, NumberList], day: str) -> str:
    days = {
        d for numbers in lists.values() if numbers.dated for d in _changes((*numbers.listed.rows, *numbers.others), day)
    }
    return min(days, default="")


def _changes(rows: Sequence[Row], day: str) -> set[str]:
    """The days to come on which an entry begins, or is no longer."""
    begin = {row.valid_from for row in rows if row.valid_from > day}
    last = {row.valid_until for row in rows if row.valid_until >= day}
    return begin | {following for one in last if (following := _following(one))}


def _following(day: str) -> str:
    date = datetime.date.fromisoformat(day)
    return "" if date == datetime.date.max else (date + datetime.timedelta(days=1)).isoformat()
