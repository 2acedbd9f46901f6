"""sigfw screen: what a policy would do with a capture."""

import datetime
import sys
from collections import Counter
from pathlib import Path

import click
import orjson

from sigfw import names
from sigfw._core.engine import Stream, Worker
from sigfw._core.kbatch import keep_memory
from sigfw._core.memory import State
from sigfw.cli import output
from sigfw.pipeline.capture import open_capture
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from sigfw.records import judge_capture

KEPT_OCTETS = 16 * 1024 * 1024  # what a portion takes: 5 MB in JSON
WIDTHS = (9, 8, 18, 30, 24, 24, 36, 0)
TITLES = ("frame", "action", "reason", "rule", "calling", "called", "tcap", "error")


@click.command("screen")
@click.argument("capture", type=click.Path(path_type=Path))
@click.option("--policy", type=click.Path(path_type=Path), required=True, help="The policy, a YAML file.")
@click.option("--format", "form", type=click.Choice(["table", "jsonl", "tsv"]), default="table", show_default=True)
@click.option("--perimeter", type=click.Choice(names.PERIMETERS[1:]), default="international", show_default=True)
@output.variant_option
@output.date_option
@output.pseudonymise_options
def command(
    capture: Path,
    policy: Path,
    form: str,
    perimeter: str,
    variant: str,
    day: datetime.date | None,
    pseudonymise: bool,
    key_file: Path | None,
) -> None:
    """Judge the messages of CAPTURE by a policy, as if enforcing. Nothing expires."""
    tables = compile_policy(load(policy, today=day))
    opened = open_capture(capture)
    fields = form == "tsv"
    key = output.pseudonym_key(pseudonymise, key_file)
    worker = Worker(verdicts="fields" if fields else "json", state=State(), key=key)
    progress = output.Progress("messages")
    totals: Counter[tuple[str, str, str]] = Counter()
    if form == "table":
        click.echo(output.columns(WIDTHS, TITLES))
    elif fields:
        click.echo("\t".join(names.FIELDS))
    stream = Stream(opened.name, offsets=False)
    sys.stdout.flush()
    keep_memory(KEPT_OCTETS)
    for chunk in judge_capture(opened, worker, stream, tables, perimeter=perimeter, variant=variant, fields=fields):
        if form != "table":
            sys.stdout.buffer.write(chunk)
        else:
            for line in chunk.splitlines():
                verdict = orjson.loads(line)
                totals[verdict["action"], verdict["reason"], verdict["rule"] or ""] += 1
                click.echo(row(verdict))
        progress.show(opened.batch.messages)
    sys.stdout.flush()
    progress.end()
    if form == "table":
        click.echo()
        for (action, reason, rule), count in totals.most_common():
            click.echo(f"{count:>9}  {action:<8}  {reason:<18}  {rule}".rstrip())
    click.echo(
        f"{opened.batch.messages} SCCP messages judged by {tables.name} {tables.digest}, "
        f"{opened.never_completed} reassemblies that never completed, "
        f"{opened.batch.not_sccp} frames or messages that hold no SCCP",
        err=True,
    )
    for problem in opened.problems():
        click.echo(problem, err=True)


def row(verdict: output.Object) -> str:
    sccp = verdict["sccp"] or {}
    return output.columns(
        WIDTHS,
        (
            f"{verdict['frame']}.{verdict['index']}",
            verdict["action"],
            verdict["reason"],
            verdict["rule"] or "-",
            output.party(sccp.get("calling")),
            output.party(sccp.get("called")),
            output.operations(verdict),
            output.error(verdict),
        ),
    )
