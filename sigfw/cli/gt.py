"""sigfw gt: what a policy says of a global title."""

from pathlib import Path

import click

from sigfw import names
from sigfw.errors import UsageError
from sigfw.policy import schema
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
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
    problem = schema.digits_problem(digits[: schema.MAX_PREFIX_DIGITS], zero=space == "e212")
    if problem is not None:
        raise UsageError(f"{shown(digits)} {problem}")
    found = compile_policy(load(path)).lookup(digits[: schema.MAX_PREFIX_DIGITS], space)
    if found is None:
        click.echo(f"{digits}: no prefix of {path} matches", err=True)
        ctx.exit(1)
    for name, value in (
        ("digits", digits),
        ("prefix", found["prefix"]),
        ("lists", ", ".join(found["lists"]) or "-"),
        ("operator", found["operator"] or "-"),
        ("country", found["country"] or "-"),
    ):
        click.echo(f"{name:<9} {value}")
