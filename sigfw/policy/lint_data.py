"""What is stale, repeated or without effect in the data of a policy: its lists and operators."""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from sigfw.policy.countries import ALPHA_2
from sigfw.policy.entries import covers
from sigfw.policy.model import Entry, Listed, NumberList, Operator, Policy, Row
from sigfw.policy.travel import load_default

__all__ = ["lint_data"]

OLD_DAYS: Final = 365  # of a file that bears its date: numbers are assigned and handed back in such a time


def lint_data(policy: Policy) -> list[str]:
    """Findings as lint's: one a list or operator and kind, with the count and the first."""
    lists = [finding for name, numbers in policy.lists.items() for finding in _of_list(name, numbers, policy.day)]
    return [*_old(policy), *lists, *_inside_another(policy), *_of_operators(policy.operators)]


def _old(policy: Policy) -> Iterator[str]:
    if policy.day:
        bound = (datetime.date.fromisoformat(policy.day) - datetime.timedelta(days=OLD_DAYS)).isoformat()
        for where, date in policy.as_of.items():
            if date < bound:
                yield f"{where}: the file is as of {date}, more than {OLD_DAYS} days old; get a newer one"


def _of_list(name: str, numbers: NumberList, day: str) -> Iterator[str]:
    ended = [row for row in numbers.others if row.valid_until and row.valid_until < day]
    if ended:
        yield (
            f"{ended[0].where}: {counted(len(ended), 'entry', 'entries')} of list `{name}` over, "
            f"the last day of this one was {ended[0].valid_until}; remove, or prolong"
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
    idle = list(_without_effect(numbers.listed))
    if idle:
        entry, around = idle[0]
        sign = "!" if entry.exclude else ""
        why = f"{sign}{entry.prefix} lies in {sign}{around}" if around else f"!{entry.prefix} lies in no entry"
        yield (
            f"{numbers.where}: {counted(len(idle), 'entry', 'entries')} of list `{name}` without effect: {why}; remove"
        )


def counted(n: int, one: str, more: str) -> str:
    return f"1 {one}" if n == 1 else f"{n} {more}"


def _without_effect(entries: Listed) -> Iterator[tuple[Entry, str | None]]:
    """Entries, and the shorter prefix that says the same on all their days; None: an exception to nothing.

    A lease within a lease is told by who looks the number up, and so stays.
    """
    around: list[Entry] = []
    for entry in entries.by_prefix():
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


# operators ------------------------------------------------------------------------------------------------------------


def _of_operators(operators: Iterable[Operator]) -> Iterator[str]:
    travel = load_default()
    countries = {prefix: travel.countries[i] for prefix, i in travel.prefixes if i >= 0}
    numbered = set(countries.values())
    for one in operators:
        named = ALPHA_2.get(one.tadig[:3].upper())
        if one.country and named and named != one.country:
            yield f"{one.where}: operator {one.tadig} is of {one.country}, its code begins as in {named}; see which"
        if one.country in numbered:
            yield from _abroad(one, countries)


def _abroad(operator: Operator, countries: Mapping[str, str]) -> Iterator[str]:
    """Global titles under another country's code."""
    found = [(gt, country) for gt in operator.global_titles if (country := _country(gt, countries)) != operator.country]
    known = [(gt, country) for gt, country in found if country]
    if known:
        gt, country = known[0]
        told = counted(len(known), "global title", "global titles")
        yield (
            f"{operator.where}: operator {operator.tadig} of {operator.country} has {told} under another "
            f"country's code, first {gt} ({country}); see that it is meant"
        )


def _country(gt: str, countries: Mapping[str, str]) -> str | None:
    return next((countries[gt[:n]] for n in range(len(gt), 0, -1) if gt[:n] in countries), None)


def _inside_another(policy: Policy) -> Iterator[str]:
    """Prefixes inside another operator's or home's, where nobody said that they are meant to be."""
    home = policy.home
    us = Operator(tadig=policy.home_tadig, country="", global_titles=home.global_titles, imsi=home.imsi)
    said = {(one.key, one.prefix) for operator in policy.operators for one in operator.shared}
    found = [
        pair
        for key in ("global_titles", "imsi")
        for pair in _inside((us, *policy.operators), key)
        if (key, pair[0][0]) not in said and pair[0][1] is not us
    ]
    if found:
        (prefix, inner), (around, outer) = found[0]
        told = counted(len(found), "prefix lies", "prefixes lie")
        yield (
            f"{inner.where}: {told} inside another operator's, first {prefix} of {inner.tadig} in {around} of "
            f"{outer.tadig}; the longer owns; if it is meant, write `also: [{outer.tadig}]` where its subscribers use "
            f"nodes of {outer.tadig}, else `also: []`"
        )


def _inside(operators: Iterable[Operator], key: str) -> Iterator[tuple[tuple[str, Operator], tuple[str, Operator]]]:
    around: list[tuple[str, Operator]] = []
    owned = ((prefix, one) for one in operators for prefix in getattr(one, key))
    for prefix, one in sorted(owned, key=lambda owner: owner[0]):
        while around and not prefix.startswith(around[-1][0]):
            around.pop()
        if around and around[-1][1].tadig != one.tadig:
            yield (prefix, one), around[-1]
        around.append((prefix, one))
