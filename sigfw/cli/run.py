"""sigfw run: the service."""

import asyncio
import os
import signal
import sys
import traceback
from pathlib import Path

import click

from sigfw.cli import output
from sigfw.config import Config, load
from sigfw.errors import RunError, SigfwError
from sigfw.pipeline.build import Outcome, Progress, serve
from sigfw.pipeline.report import read_labels, report
from sigfw.telemetry import logs


@click.command("run")
@click.option(
    "--config", type=click.Path(path_type=Path), required=True, help="The service's configuration, a YAML file."
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="Default: info; warning for a capture.",
)
@click.pass_context
def command(context: click.Context, config: Path, log_level: str | None) -> None:
    """Judge what comes from Kafka, until SIGTERM; or a capture, to its end.

    Over a capture it ends with a table of what was judged. SIGHUP reads policy and modes again.
    """
    settings = load(config)
    logs.configure(level=log_level or ("warning" if settings.source.kafka is None else "info"))
    capture, files = settings.source.capture, settings.sink.files
    # Refused before the run begins, not after it.
    labels = list(read_labels(Path(capture.labels))) if capture is not None and capture.labels else None
    progress = output.Progress("messages")
    progress.shown = sys.stderr.isatty()  # nothing else is written meanwhile, on stdout neither
    outcome = asyncio.run(_serve(config, settings, progress.show))
    progress.end()
    if capture is not None and files is not None:
        report(Path(files.verdicts), Path(files.events), labels, outcome.seconds, interrupted=outcome.interrupted)
        click.echo(f"{outcome.not_sccp} frames or messages that hold no SCCP", err=True)
        for problem in outcome.problems:
            click.echo(problem, err=True)
    if outcome.interrupted:
        context.exit(128 + signal.SIGINT)


async def _serve(path: Path, settings: Config, progress: Progress) -> Outcome:
    try:
        return await serve(path, settings, progress)
    except Exception as error:
        if settings.source.kafka is None or (isinstance(error, SigfwError) and not isinstance(error, RunError)):
            raise
        # Not a step further: aiokafka would still send what it holds, perhaps for partitions that are another's by now.
        if os.environ.get("SIGFW_TRACE") == "1":
            traceback.print_exception(error)
        said = str(error) if isinstance(error, RunError) else f"a fault of sigfw itself ({error!r}); please report it"
        click.echo(f"sigfw: {said}", err=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(RunError.exit_status)
