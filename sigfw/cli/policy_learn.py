"""sigfw policy learn: operators, lists and rates that a capture speaks for, to be reviewed."""

from pathlib import Path

import click
import orjson

from sigfw import names
from sigfw._core.engine import Stream, Worker
from sigfw._core.memory import State
from sigfw.cli import output
from sigfw.pipeline.capture import open_capture
from sigfw.policy.compiler import compile_policy
from sigfw.policy.learn import MAX_SEEN, Learner
from sigfw.policy.loader import load
from sigfw.policy.proposal import Thresholds, proposal
from sigfw.records import judge_capture


@click.command("learn")
@click.option("--capture", type=click.Path(path_type=Path), required=True, help="Traffic of normal days.")
@click.option("--policy", "path", type=click.Path(path_type=Path), help="What it denies teaches nothing.")
@click.option(
    "--minimum", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="Messages a source must have."
)
@click.option(
    "--subscribers",
    type=click.IntRange(1, MAX_SEEN),
    default=5,
    show_default=True,
    help="Distinct subscribers they must be about.",
)
@click.option(
    "--headroom", type=click.IntRange(1, 100), default=3, show_default=True, help="Factor on the highest rate seen."
)
@click.option("--perimeter", type=click.Choice(names.PERIMETERS[1:]), default="international", show_default=True)
@output.variant_option
def command(
    capture: Path,
    path: Path | None,
    minimum: int,
    subscribers: int,
    headroom: int,
    perimeter: str,
    variant: str,
) -> None:
    """Propose operators, lists and rates from a capture.

    What is printed is a policy with its evidence in comments, for a person to read: attackers are in every capture.
    Nothing is applied. Whole GTs may stand in it, never an IMSI.
    """
    policy = load(path) if path else None
    tables = compile_policy(policy) if policy else None
    opened = open_capture(capture)
    learner = Learner(tables, policy.home.country_code if policy else "", ansi=variant == "ansi")
    progress = output.Progress("messages")
    worker, stream = Worker(state=State() if tables else None), Stream(opened.name, offsets=False)
    for chunk in judge_capture(opened, worker, stream, tables, perimeter=perimeter, variant=variant):
        for line in chunk.splitlines():
            learner.take(orjson.loads(line))
        progress.show(learner.messages)
    progress.end()
    thresholds = Thresholds(minimum=minimum, subscribers=subscribers, headroom=headroom)
    click.echo(proposal(learner, policy, thresholds, capture.name), nl=False)
    for problem in opened.problems():
        click.echo(problem, err=True)
