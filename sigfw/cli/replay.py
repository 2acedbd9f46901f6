"""sigfw replay: produce a capture to an input topic of the service."""

import asyncio
import signal
import sys
from pathlib import Path

import click

from sigfw.cli import output
from sigfw.config import KafkaSource, load
from sigfw.errors import UsageError
from sigfw.pipeline.replay import Message, Replay, read_messages


@click.command("replay")
@click.argument("capture", type=click.Path(path_type=Path))
@click.option(
    "--config", type=click.Path(path_type=Path), required=True, help="The service's configuration: brokers and topics."
)
@click.option("--topic", help="The input topic; may be left out where the configuration has one.")
@click.option(
    "--pack",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="Messages a record; above 1 as pcap. With JSON verdicts some 500 are the limit: what is too large for a "
    "verdict record goes unframed to the dead letters.",
)
@click.option("--rate", type=click.FloatRange(0), default=0.0, help="Messages a second; 0: as fast as it goes.")
@click.option("--loop", is_flag=True, help="Begin again at the end, until Ctrl-C.")
@click.option(
    "--wait", is_flag=True, help="Wait for the verdict of every record; status 1 if one does not come, or is unframed."
)
@click.option("--timeout", type=click.FloatRange(0), default=30.0, help="Of --wait: seconds without any verdict [30].")
@click.pass_context
def command(
    context: click.Context,
    capture: Path,
    config: Path,
    topic: str | None,
    pack: int,
    rate: float,
    loop: bool,
    wait: bool,
    timeout: float,
) -> None:
    """Produce the SCCP messages of CAPTURE to an input topic, in the topic's encapsulation."""
    if loop and wait:
        raise UsageError("--loop never ends, so --wait cannot; leave one of them out")
    source = load(config).source.kafka
    if source is None:
        raise UsageError(f"{config}: no source.kafka, so no topic to produce to; give a configuration that has one")
    name = _topic(source, topic)
    messages, left_out = read_messages(capture, source.topics[name].variant)
    if not messages:
        raise UsageError(f"{capture}: holds no SCCP message; `sigfw decode {capture}` says what it holds")
    replay = Replay(source, name, pack=pack, rate=rate, timeout=timeout)
    progress = output.Progress("messages")
    progress.shown = sys.stderr.isatty()  # nothing else is written meanwhile, on stdout neither
    replay.progress = progress.show
    try:
        whole = asyncio.run(_run(replay, messages, loop=loop, wait=wait))
    finally:
        progress.end()
    done = replay.done
    click.echo(f"{done.messages} messages in {done.records} records to {name}, {done.seconds:.2f} s", err=True)
    for line in left_out:
        click.echo(line, err=True)
    if not whole:
        if wait and done.messages == len(messages):
            click.echo(f"interrupted after {done.records - done.missing} of {done.records} verdicts", err=True)
        else:
            click.echo(f"interrupted after {done.messages} of {len(messages)} messages", err=True)
        context.exit(128 + signal.SIGINT)
    if wait:
        click.echo(f"{done.records - done.missing} of {done.records} records have their verdict", err=True)
    if done.unframed:
        click.echo(f"{done.unframed} records went whole to the dead letters: their verdict is unframed", err=True)
    context.exit(1 if done.missing or done.unframed else 0)


async def _run(replay: Replay, messages: list[Message], *, loop: bool, wait: bool) -> bool:
    """Ctrl-C and SIGTERM end a replay with what was produced so far. Return whether that is all that was asked for."""
    task = asyncio.create_task(replay.run(messages, loop=loop, wait=wait))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return loop
    return True


def _topic(source: KafkaSource, topic: str | None) -> str:
    names = ", ".join(source.topics)
    if topic is None:
        if len(source.topics) > 1:
            raise UsageError(f"the configuration has several input topics; name one with --topic: {names}")
        return next(iter(source.topics))
    if topic not in source.topics:
        raise UsageError(f"topic {topic} is no input topic of the configuration; it has {names}")
    return topic
