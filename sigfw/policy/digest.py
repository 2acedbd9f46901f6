"""Digest of a policy: equal digests, equal verdicts.

What decides nothing (comments, order of keys, notes, paths) is not in it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from sigfw._core.prefixes import Prefixes
from sigfw.policy.model import Checks, Condition, Home, Link, Listed, NumberList, Operand, Operator, Rule

AT_ONCE: Final = 65536  # prefixes written out


def digest(
    home: Home,
    links: Iterable[Link],
    operators: Iterable[Operator],
    lists: Mapping[str, NumberList],
    exceptions: Mapping[str, object],
    rules: Iterable[Rule],
    checks: Checks,
) -> str:
    """16 hex digits of SHA-256 over a canonical form. Where order decides (links, rules) it counts."""
    h = hashlib.sha256(b"sigfw policy 1\n")

    def take(part: str, value: object) -> None:
        h.update(part.encode() + b" " + msgspec.json.encode(value, order="deterministic") + b"\n")

    take("home", {k: sorted(v) if isinstance(v, tuple) else v for k, v in msgspec.structs.asdict(home).items()})
    for link in links:
        take("link", link)
    for o in sorted(operators, key=lambda o: o.tadig):
        shared = sorted([s.key, s.prefix, *sorted(s.also)] for s in o.shared if s.also)
        more = [sorted(o.e214), sorted(o.msisdn), shared]
        take("operator", [o.tadig, o.country, sorted(o.global_titles), sorted(o.imsi), *(more if any(more) else ())])
    for name, numbers in sorted(lists.items()):
        take("list", [name, numbers.kind])
        for lines in _lines(numbers.listed):
            h.update(lines)
    take("exceptions", exceptions)
    for rule in rules:
        take("rule", _rule(rule))
    take("checks", checks)
    return h.hexdigest()[:16]


def _lines(listed: Listed) -> Iterator[bytes]:
    """The prefixes with their marks, each once, in order; a list of nothing is an empty line."""
    more = [marked for marked in {row.marked for row in listed.rows} if marked not in listed.plain]
    plain = [marked for marked in more if marked[0] != "!"]
    every = Prefixes(plain, [marked[1:] for marked in more if marked[0] == "!"], listed.plain) if more else listed.plain
    if not len(every):
        yield b"\n"
    for start in range(0, len(every), AT_ONCE):
        yield every.lines(start, start + AT_ONCE)


def _rule(rule: Rule) -> list[object]:
    return [
        rule.id,
        rule.category,
        sorted((_condition(c) for c in rule.when), key=str),
        sorted(rule.checks),
        rule.checks_all,
        rule.action,
        rule.return_cause,
        rule.redirect,
        rule.alert,
        rule.mode,
        rule.final,
    ]


def _condition(c: Condition) -> list[object]:
    return [c.field, _operand(c.within), _operand(c.without)]


def _operand(o: Operand | None) -> object:
    return None if o is None else [o.list, sorted(o.values, key=str)]
