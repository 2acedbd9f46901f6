"""sigfw decode: what is in a capture."""

import sys
from pathlib import Path

import click
import orjson

from sigfw._core.engine import Stream, Worker
from sigfw.cli import output
from sigfw.pipeline.capture import open_capture
from sigfw.records import judge_capture

WIDTHS = (9, 15, 10, 7, 24, 24, 36, 24, 0)
TITLES = ("frame", "time", "opc>dpc", "sccp", "calling", "called", "tcap", "identity", "error")


@click.command("decode")
@click.argument("capture", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
@output.variant_option
@output.pseudonymise_options
def command(capture: Path, form: str, variant: str, pseudonymise: bool, key_file: Path | None) -> None:
    """Print the SCCP messages of CAPTURE: .pcap, .pcapng, .gz of them, or .hex with one message a line.

    What is no SCCP is counted on stderr at the end.
    """
    opened = open_capture(capture)
    worker = Worker(key=output.pseudonym_key(pseudonymise, key_file))
    progress = output.Progress("messages")
    if form == "table":
        click.echo(output.columns(WIDTHS, TITLES))
    count = 0
    for chunk in judge_capture(opened, worker, Stream(opened.name, offsets=False), None, variant=variant):
        if form == "jsonl":
            sys.stdout.buffer.write(chunk)
        else:
            for line in chunk.splitlines():
                click.echo(row(orjson.loads(line)))
        count += chunk.count(b"\n")
        progress.show(count)
    sys.stdout.flush()
    progress.end()
    click.echo(f"{count} SCCP messages, {opened.batch.not_sccp} frames or messages that hold no SCCP", err=True)
    for problem in opened.problems():
        click.echo(problem, err=True)


def row(message: output.Object) -> str:
    route = "-" if message["opc"] is None else f"{message['opc']}>{message['dpc']}"
    sccp = message["sccp"] or {}
    return output.columns(
        WIDTHS,
        (
            f"{message['frame']}.{message['index']}",
            message["time"][11:26] if message["time"] else "-",
            route,
            output.sccp_type(message),
            output.party(sccp.get("calling")),
            output.party(sccp.get("called")),
            output.operations(message),
            output.identity(message),
            output.error(message),
        ),
    )
