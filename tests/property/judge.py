"""The property itself: no message of a batch gets a weaker verdict than the plain one that it comes from."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from sigfw import names, records
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.tables import Tables
from sigfw.policy.loader import load
from sigfw.policy.model import Operand, Policy, Rule
from tests.property.message import Message
from tests.property.mutations import Mutation, World, choose, mutate
from tests.property.policies import compiled, fields_of, random_policy
from tests.property.seeds import Seed, donors, seeds

ALLOW, HOLD, REDIRECT, REJECT, DROP = range(1, 6)
NOT_PERMITTED = names.REASONS.index("reject_not_permitted")


class Judge:
    """Verdicts of many messages in one call."""

    def __init__(self) -> None:
        self.worker = Worker(verdicts="packed")

    def severities(self, tables: Tables, messages: Sequence[Sequence[bytes]], perimeter: str) -> list[int]:
        """Of messages in one or more parts each: the worst of the parts, `hold` being no verdict yet.

        A drop because nobody may be answered counts as the reject that it stands for.
        """
        octets = [part for parts in messages for part in parts]
        verdicts = self.worker.judge(tables, Stream("p", offsets=False), Batch(octets, "sccp"), perimeter=perimeter)
        each = iter(verdicts.values())
        return [max(severity(next(each)) for _ in parts) for parts in messages]


def severity(record: bytes) -> int:
    _, _, action, reason, *_ = records.ENTRY.unpack_from(record, records.HEADER.size)
    if reason == NOT_PERMITTED:
        return REJECT
    return 0 if action == HOLD else int(action)


@dataclass(frozen=True)
class Finding:
    """A message whose encoding got it through."""

    policy: Policy
    perimeter: str
    plain: bytes
    mutant: list[bytes]
    mutations: list[str]
    severities: tuple[int, int]

    def __str__(self) -> str:
        policy = "\n".join(shown(rule) for rule in self.policy.rules)
        default = {name: by["international"] for name, by in self.policy.exceptions.items()}
        verdicts = " > ".join(names.ACTIONS[one] for one in self.severities)
        octets = "\n".join(f"  {part.hex()}" for part in self.mutant)
        return (
            f"{verdicts} by {', '.join(self.mutations)} ({self.perimeter})\n{policy}\n  {default}\n"
            f"plain\n  {self.plain.hex()}\nmutant\n{octets}"
        )


def shown(rule: Rule) -> str:
    asked = [f"{one.field} in {said(one.within)} not in {said(one.without)}" for one in rule.when]
    checks = (" and " if rule.checks_all else " or ").join(rule.checks)
    return f"  {rule.category} {rule.action}{' final' * rule.final} {rule.mode}: {', '.join([*asked, checks])}"


def said(operand: Operand | None) -> str:
    return "-" if operand is None else str(operand.list or [*operand.values])


@dataclass
class Trial:
    """One policy, one plain message, many mutants of it."""

    policy: Policy
    perimeter: str
    seed: Seed
    usable: list[Mutation]

    def mutant(self, number: int) -> tuple[Message, list[str]]:
        return mutate(random.Random(number), self.seed.message, self.usable, World(donors()))


def make_trial(r: random.Random, family: str) -> Trial:
    """A random policy, and a random plain message, with the mutations that keep all that the policy asks for."""
    policy = random_policy(r, family)
    wanted = fields_of(policy) | {family}
    seed = r.choice(seeds())
    return Trial(policy, r.choice(("international", "international", "national")), seed, choose(wanted))


@cache
def shipped(path: Path) -> Policy:
    return load(path)


def make_shipped_trial(r: random.Random, path: Path) -> Trial:
    """The same of a policy in the repository."""
    policy = shipped(path)
    return Trial(policy, "international", r.choice(seeds()), choose(fields_of(policy) | {"drop"}))


def findings(judge: Judge, trial: Trial, numbers: Sequence[int]) -> list[Finding]:
    """Mutants by number, the same number the same mutant, that got less than the plain message."""
    tables = compiled(trial.policy)
    mutants, parts = [], []
    for number in numbers:
        message, made = trial.mutant(number)
        message.reference = (number & 0xFFFFFF).to_bytes(3, "big")
        mutants.append(made)
        parts.append(message.encode())
    # Each judged in a stream of its own references: a number twice would be one message's segment in the other's.
    plain, *rest = judge.severities(tables, [[trial.seed.octets], *parts], trial.perimeter)
    return [
        Finding(trial.policy, trial.perimeter, trial.seed.octets, parts[i], mutants[i], (plain, got))
        for i, got in enumerate(rest)
        if got < plain
    ]


def smallest(judge: Judge, found: Finding) -> Finding:
    """With as few rules as show it."""
    at = 0
    while at < len(found.policy.rules):
        rules = found.policy.rules[:at] + found.policy.rules[at + 1 :]
        policy = msgspec.structs.replace(found.policy, rules=rules)
        plain, got = judge.severities(compiled(policy), [[found.plain], found.mutant], found.perimeter)
        if got < plain:
            found = Finding(policy, found.perimeter, found.plain, found.mutant, found.mutations, (plain, got))
        else:
            at += 1
    return found
