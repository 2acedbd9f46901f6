"""sigfw policy test: run the cases of policies, say what failed and why, and which rules no case shows."""

from collections.abc import Iterator
from pathlib import Path

import click
import orjson

from sigfw.cli import output
from sigfw.errors import ConfigError, SigfwError
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from sigfw.policy.model import Policy
from sigfw.trial.cases import Case, beside, load_cases
from sigfw.trial.run import Outcome, Report, came, run


@click.command("test")
@click.argument("policies", metavar="POLICY…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--cases", "named", multiple=True, type=click.Path(path_type=Path), help="Cases, in place of the file beside."
)
@click.option("--require-coverage", "require", is_flag=True, help="Fail where cases do not show both sides of a rule.")
@click.option("--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True)
@click.pass_context
def test(ctx: click.Context, policies: tuple[Path, ...], named: tuple[Path, ...], require: bool, form: str) -> None:
    """Run the cases beside each POLICY: those of p.yaml stand in p.tests.yaml.

    Every case that failed is told with what was expected, what came and why; then the rules that no case is decided by,
    and the deny rules that no passing message comes near. Rules in mode off are not asked about.

    Exit status: 0 all came as expected, 1 some did not (or rules are not shown, with --require-coverage), 2 mistakes.
    """
    status = 0
    for path in policies:
        try:
            policy = load(path)
            tables = compile_policy(policy)
            cases = load_files(named or (beside(path),), policy)
            report = run(policy, tables, cases)
        except SigfwError as e:
            for line in str(e).splitlines():
                click.echo(line, err=True)
            status = 2
            continue
        if form == "jsonl":
            for outcome in report.outcomes:
                click.echo(orjson.dumps(record(outcome)))
        else:
            for line in told(path, policy, report):
                click.echo(line)
        bare = require and any(one.lacks() for one in report.coverage if one.rule.mode != "off")
        status = max(status, 1 if report.failed or bare else 0)
    ctx.exit(status)


def load_files(paths: tuple[Path, ...], policy: Policy) -> list[Case]:
    """All of them; the mistakes of all at once."""
    cases: list[Case] = []
    mistakes: list[str] = []
    for path in paths:
        try:
            cases += load_cases(path, policy)
        except ConfigError as e:
            mistakes += e.mistakes
    if mistakes:
        raise ConfigError(mistakes)
    return cases


def told(path: Path, policy: Policy, report: Report) -> Iterator[str]:
    for outcome in report.failed:
        yield from failure(path, outcome)
    asked = [one for one in report.coverage if one.rule.mode != "off"]
    for one in asked:
        if lack := one.lacks():
            yield f"{one.rule.where}: rule {one.rule.id}: {lack}"
    cases = {outcome.case.where: outcome.case for outcome in report.outcomes}
    failed = {outcome.case.where for outcome in report.failed}
    shown = sum(1 for one in asked if not one.lacks())
    verdict = f"{len(failed)} of {len(cases)} cases failed" if failed else f"ok: {len(cases)} cases"
    yield f"{path}: {verdict}, {len(report.outcomes)} messages; {shown} of {len(asked)} rules shown both ways"


def failure(path: Path, outcome: Outcome) -> Iterator[str]:
    step = outcome.step
    place = f", step {outcome.number}" if len(outcome.case.steps) > 1 else ""
    yield f"{step.where}: failed: {outcome.case.name}{place}"
    wanted = ", ".join(f"{key} {step.wish[key] or 'none'}" for key in outcome.wrong)
    got = ", ".join(f"{key} {came(key, outcome.verdict) or 'none'}" for key in outcome.wrong)
    yield f"    expected {wanted}; came {got}"
    yield f"    {why(outcome)}"
    if outcome.verdict["sccp"]:
        yield f"    {message(outcome)}"
    yield f"    {explain(path, outcome)}"


def why(outcome: Outcome) -> str:
    """The verdict in words."""
    verdict = outcome.verdict
    by = f"rule {verdict['rule']} ({verdict['category']})" if verdict["rule"] else f"reason {verdict['reason']}"
    said = f"{verdict['action']} by {by}, perimeter {verdict['perimeter']}"
    if verdict["shadow"]:
        shadow = verdict["shadow"]
        said += f"; shadow: {shadow['action']} by {shadow['rule'] or shadow['reason']}"
    return said + (f"; {output.error(verdict)}" if verdict["error"] else "")


def message(outcome: Outcome) -> str:
    sccp = outcome.verdict["sccp"]
    parties = f"{output.party(sccp.get('calling'))} → {output.party(sccp.get('called'))}"
    return f"{sccp['type'] or '-'} {parties} {output.operations(outcome.verdict)}".rstrip()


def explain(path: Path, outcome: Outcome) -> str:
    """The command that shows how it came about."""
    step, perimeter = outcome.step, outcome.verdict["perimeter"]
    if step.capture:
        file, frame, index = step.capture
        what = f"{file}#{frame}.{index}"
    elif outcome.octets:
        what = outcome.octets.hex()
    else:
        return "nothing to explain: the octets hold no SCCP message"
    options = f" --perimeter {perimeter}" if perimeter != "international" else ""
    options += f" --variant {step.variant}" if step.variant != "itu" else ""
    alone = outcome.number > 1 or (outcome.verdict["reassembly"] and not step.capture)
    return f"see: sigfw explain {what} --policy {path}{options}" + (" (without what came before it)" if alone else "")


def record(outcome: Outcome) -> dict[str, object]:
    file, _, line = outcome.step.where.rpartition(":")
    verdict = outcome.verdict
    return {
        "file": file,
        "line": int(line),
        "case": outcome.case.name,
        "step": outcome.number,
        "ok": outcome.ok,
        "expected": outcome.step.wish,
        **{key: verdict[key] for key in ("action", "reason", "rule", "category", "shadow", "perimeter", "error")},
        "octets": outcome.octets.hex(),
    }
