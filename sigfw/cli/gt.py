"""sigfw gt: what a policy says of a global title."""

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from sigfw import names
from sigfw.cli import output
from sigfw.errors import UsageError
from sigfw.policy import schema
from sigfw.policy.compiler import compile_policy
from sigfw.policy.dates import in_force
from sigfw.policy.loader import load
from sigfw.policy.model import Policy
from sigfw.yamlfile import shown

KINDS: Final = {"e212": "imsi", "msisdn": "msisdn"}  # of lists, by space; else gt
SAID: Final = ("lessor", "lessee", "owner", "note", "source", "valid_from", "valid_until")


@click.group("gt")
def command() -> None:
    """Look up global titles."""


@command.command("lookup")
@click.argument("digits")
@click.option("--policy", "path", type=click.Path(path_type=Path), required=True, help="The policy, a YAML file.")
@click.option(
    "--space", type=click.Choice(names.SPACES[1:]), default="e164", show_default=True, help="What the digits are."
)
@output.date_option
@click.pass_context
def lookup(ctx: click.Context, digits: str, path: Path, space: str, day: datetime.date | None) -> None:
    """Print the lists, operator and country of DIGITS, the prefix that decided, and what lists say of it.

    Exit status 1: no prefix of the policy matches.
    """
    problem = schema.digits_problem(digits, zero=space == "e212")
    if problem is not None:
        raise UsageError(f"{shown(digits)} {problem}")
    policy = load(path, today=day)
    found = compile_policy(policy).lookup(digits, space)
    prefix = longest(digits, policy, space)
    if found is None or prefix is None:
        click.echo(f"{digits}: no prefix of {path} matches", err=True)
        ctx.exit(1)
    for name, value in (
        ("digits", digits),
        ("prefix", prefix),
        ("lists", ", ".join(found["lists"]) or "-"),
        ("operator", found["operator"] or "-"),
        ("country", found["country"] or "-"),
    ):
        click.echo(f"{name:<9} {value}")
    for line in told(policy, digits, space):
        click.echo(f"{'entry':<9} {line}")


def told(policy: Policy, digits: str, space: str) -> Iterable[str]:
    """What lists say of the prefixes of a number beside that they hold them; what is not in force, too."""
    for name, numbers in policy.lists.items():
        if numbers.kind != KINDS.get(space, "gt"):
            continue
        rows = [row for row in (*numbers.listed.rows, *numbers.others) if digits.startswith(row.prefix)]
        for row in sorted(rows, key=lambda row: -len(row.prefix)):
            said = ", ".join(f"{key} {value}" for key in SAID if (value := getattr(row, key)))
            idle = "" if in_force(row, policy.day) else " (not in force)"
            yield f"{name} {'!' if row.exclude else ''}{row.prefix}: {said}{idle}"


def longest(digits: str, policy: Policy, space: str) -> str | None:
    """The longest prefix of home, operators or lists; those that a rule writes out say nothing of whose a number is."""
    home = policy.home
    own = {
        "e164": home.global_titles + home.hosted_abroad,
        "e214": home.e214 + home.hosted_abroad,
        "e212": home.imsi,
        "msisdn": home.msisdn or home.global_titles,
    }
    kind = KINDS.get(space, "gt")
    found = set(own[space])
    for operator in policy.operators:
        found.update(operator.imsi if space == "e212" else operator.global_titles)
    lists = [numbers.listed for numbers in policy.lists.values() if numbers.kind == kind]
    found.update(row.prefix for one in lists for row in one.rows)
    for prefix in (digits[:n] for n in range(len(digits), 0, -1)):
        if prefix in found or any(marked in one.plain for one in lists for marked in (prefix, f"!{prefix}")):
            return prefix
    return None
