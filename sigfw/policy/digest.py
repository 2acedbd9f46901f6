"""Digest of a policy: equal digests, equal verdicts.

What decides nothing (comments, order of keys, notes, paths) is not in it.
"""

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from sigfw.policy.model import Checks, Condition, Home, Link, NumberList, Operand, Operator, Rule


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
        # Line by line: a list may have a million entries.
        entries = (("!" if e.exclude else "") + e.prefix for e in numbers.entries)
        h.update("\n".join(sorted(set(entries) if numbers.dated else entries)).encode())
        h.update(b"\n")
    take("exceptions", exceptions)
    for rule in rules:
        take("rule", _rule(rule))
    take("checks", checks)
    return h.hexdigest()[:16]


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
