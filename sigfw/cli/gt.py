"""sigfw gt: what a policy says of a global title."""

from pathlib import Path

import click

from sigfw import names
from sigfw.errors import UsageError
from sigfw.policy import schema
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from sigfw.policy.model import Policy
from sigfw.yamlfile import shown


@click.group("gt")
def command() -> None:
    """Look up global titles."""


@command.command("lookup")
@click.argument("digits")
@click.option("--policy", "path", type=click.Path(path_type=Path), required=True, help="The policy, a YAML file.")
@click.option(
    "--space", type=click.Choice(names.SPACES[1:]), default="e164", show_default=True, help="What the digits are."
)
@click.pass_context
def lookup(ctx: click.Context, digits: str, path: Path, space: str) -> None:
    """Print the lists, operator and country of DIGITS, and the prefix that decided.

    Exit status 1: no prefix of the policy matches.
    """
    problem = schema.digits_problem(digits, zero=space == "e212")
    if problem is not None:
        raise UsageError(f"{shown(digits)} {problem}")
    policy = load(path)
    found = compile_policy(policy).lookup(digits, space)
    prefix = longest(digits, written(policy, space))
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


def written(policy: Policy, space: str) -> set[str]:
    """Prefixes of home, operators and lists; those that a rule writes out say nothing of whose a number is."""
    home = policy.home
    own = {
        "e164": home.global_titles + home.hosted_abroad,
        "e214": home.e214 + home.hosted_abroad,
        "e212": home.imsi,
        "msisdn": home.msisdn or home.global_titles,
    }
    kind = {"e212": "imsi", "msisdn": "msisdn"}.get(space, "gt")
    found = set(own[space])
    for operator in policy.operators:
        found.update(operator.imsi if space == "e212" else operator.global_titles)
    for numbers in policy.lists.values():
        if numbers.kind == kind:
            found.update(entry.prefix for entry in numbers.entries)
    return found


def longest(digits: str, prefixes: set[str]) -> str | None:
    return next((digits[:n] for n in range(len(digits), 0, -1) if digits[:n] in prefixes), None)
