"""sigfw policy: policies are code; check them, and see what they come to."""

from collections.abc import Iterable
from pathlib import Path

import click

from sigfw.cli import policy_compile, policy_diff, policy_import, policy_learn
from sigfw.cli.policy_test import test
from sigfw.errors import ConfigError
from sigfw.policy.compiler import compile_policy
from sigfw.policy.lint import lint
from sigfw.policy.loader import load
from sigfw.policy.model import Policy, Rule
from sigfw.policy.words import action_of, checks_of, condition_of, some


@click.group("policy")
def command() -> None:
    """Check, test and show policies."""


command.add_command(test)
command.add_command(policy_diff.command)
command.add_command(policy_learn.command)
command.add_command(policy_import.command)
command.add_command(policy_compile.command)


@command.command("check")
@click.argument("policies", metavar="POLICY…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_context
def check(ctx: click.Context, policies: tuple[Path, ...]) -> None:
    """Load and compile each POLICY; tell every mistake with file and line.

    Exit status: 0 good, 1 lint found something, 2 mistakes.
    """
    status = 0
    for path in policies:
        try:
            policy = load(path)
            tables = compile_policy(policy)
        except ConfigError as e:
            for mistake in e.mistakes:
                click.echo(mistake, err=True)
            status = 2
            continue
        for finding in lint(policy):
            click.echo(finding, err=True)
            status = max(status, 1)
        sizes = ", ".join(f"{space} {count}" for space, count in tables.list_sizes().items())
        click.echo(
            f"{path}: ok: {policy.name} {policy.digest}, {len(policy.rules)} rules, {len(policy.lists)} lists, "
            f"{len(policy.operators)} operators; prefixes: {sizes}"
        )
    ctx.exit(status)


@command.command("show")
@click.argument("path", metavar="POLICY", type=click.Path(path_type=Path))
def show(path: Path) -> None:
    """Print POLICY as it stands with its includes, files and defaults."""
    policy = load(path)
    for line in describe(policy):
        click.echo(line)


def describe(policy: Policy) -> Iterable[str]:
    """Lines of a resolved policy."""
    yield f"policy    {policy.name} {policy.digest}"
    for file in policy.files:
        yield f"file      {file}"
    home = policy.home
    yield f"home      country code {home.country_code or '-'}, GT {some(home.global_titles)}, IMSI {some(home.imsi)}"
    yield f"          E.214 {some(home.e214)}, MSISDN {some(home.msisdn or home.global_titles)}"
    yield f"          hosted abroad {some(home.hosted_abroad)}"
    for link in policy.links:
        asked = {"topic": link.topics, "ni": link.ni, "opc": link.opc, "dpc": link.dpc}
        match = ", ".join(f"{name} {some(values)}" for name, values in asked.items() if values)
        yield f"link      {link.name}: {match or 'everything'}: {link.perimeter}"
    for o in policy.operators:
        also = [f"{one.prefix} also {' '.join(one.also)}" for one in o.shared if one.also]
        more = {"E.214": o.e214, "MSISDN": o.msisdn, "of which": also}
        told = "".join(f", {what} {some(values)}" for what, values in more.items() if values)
        yield f"operator  {o.tadig} {o.country or '-'}: GT {some(o.global_titles)}, IMSI {some(o.imsi)}{told}"
    for name, numbers in policy.lists.items():
        entries = [entry.marked for entry in numbers.entries[:5]]
        count = len(numbers.entries)
        others = f" and {len(numbers.others)} not in force" if numbers.others else ""
        yield f"list      {name}, {numbers.kind}, {count} prefixes{others}: {some(entries, count)}"
    for name, actions in policy.exceptions.items():
        same = len(set(actions.values())) == 1
        said = actions["international"] if same else ", ".join(f"{p} {a}" for p, a in actions.items())
        yield f"exception {name}: {said}"
    yield from _rules(policy.rules)


def _rules(rules: tuple[Rule, ...]) -> Iterable[str]:
    for number, rule in enumerate(rules, 1):
        mode = "" if rule.mode == "enforce" else rule.mode
        marks = [m for m in (mode, "final" if rule.final else "", "alert" if rule.alert else "", rule.motif) if m]
        told = f" ({', '.join(marks)})" if marks else ""
        yield f"rule {number:<4} {rule.category}: {rule.id}: {action_of(rule)}{told}"
        for condition in rule.when:
            yield f"          {condition_of(condition)}"
        if rule.labels:
            yield f"          {labelled(rule)}"
        if rule.checks:
            yield f"          check {checks_of(rule)}"


def labelled(rule: Rule) -> str:
    return ", ".join(f"{name} {text}" for name, text in rule.labels.items())
