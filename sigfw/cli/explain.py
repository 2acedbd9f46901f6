"""sigfw explain: one message octet by octet, every rule tried on it, the one that decided."""

import datetime
import os
import re
import sys
from pathlib import Path

import click
import orjson

from sigfw import names
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.memory import State
from sigfw._core.tables import Tables
from sigfw.cli import layout, output
from sigfw.cli.account import Account
from sigfw.cli.ruling import Trace
from sigfw.errors import UsageError
from sigfw.pipeline.capture import Capture, open_capture
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from sigfw.records import CHUNK

Found = tuple[output.Object, Trace, output.Object]  # verdict, rules tried, facts


@click.command("explain")
@click.argument("message", metavar="HEX | CAPTURE#FRAME[.INDEX] | -")
@click.option("--policy", "path", type=click.Path(path_type=Path), required=True, help="The policy, a YAML file.")
@click.option("--perimeter", type=click.Choice(names.PERIMETERS[1:]), default="international", show_default=True)
@output.variant_option
@output.date_option
@click.option("--all", "every", is_flag=True, help="One line for every rule, with all that kept it from matching.")
def command(message: str, path: Path, perimeter: str, variant: str, day: datetime.date | None, every: bool) -> None:
    """Show why a message gets its verdict, as if enforcing.

    HEX is one SCCP message, as pasted: spaces, colons, line ends, 0x and the offsets of a hexdump are taken away; `-`
    reads it from stdin. CAPTURE#FRAME.INDEX is one of a capture: frames count from 1, the messages of a frame from 0.
    """
    policy = load(path, today=day)
    tables = compile_policy(policy)
    (verdict, trace, facts), indices = find(message, tables, perimeter, variant)
    account = Account(verdict, trace, facts, tables, policy, layout.columns(), every)
    click.echo(layout.paint(account.lines(), layout.coloured()), nl=False)
    if len(indices) > 1:
        click.echo(f"frame {verdict['frame']} holds {len(indices)} messages: {listed(indices)}", err=True)


def find(message: str, tables: Tables, perimeter: str, variant: str = "itu") -> tuple[Found, list[int]]:
    """What became of the message, and the indices of its frame; those before it are judged too, for their segments."""
    capture, frame, index = locate(message)
    stream, worker = Stream(capture.name, offsets=False), Worker(state=State())
    found: Found | None = None
    indices: list[int] = []
    judged = 0
    while not capture.batch.done:
        if judged and judged % CHUNK == 0:  # as screen does, so that it is the same verdict
            stream.expire(tables, stream.last_time_ns)
        judged += 1
        line = worker.judge(tables, stream, capture.batch, perimeter=perimeter, variant=variant, limit=1).lines()
        verdict = orjson.loads(line) if line else None
        if verdict and verdict["frame"] == frame:
            indices.append(verdict["index"])
            if verdict["index"] == index:
                facts = worker.facts(tables)
                assert facts is not None
                found = verdict, worker.trace(tables), facts
        elif indices:
            break
    if found:
        return found, indices
    path = message.rpartition("#")[0]
    if not path:
        raise UsageError("no SCCP message in these octets; give one from its message type on, without MTP3 or M3UA")
    if indices:
        raise UsageError(f"{message}: frame {frame} holds the messages {listed(indices)}; write {path}#{frame}.0")
    raise UsageError(f"{message}: no SCCP message there; `sigfw decode {path}` lists frames and indices")


def listed(indices: list[int]) -> str:
    return ", ".join(f".{index}" for index in indices)


def locate(message: str) -> tuple[Capture, int, int]:
    path, hash_, where = message.rpartition("#")
    if not hash_:
        text = sys.stdin.read(MAX_TEXT) if message == "-" else message
        return Capture("hex", Batch([pasted(text)], "sccp", capture=True)), 1, 0
    frame, _, index = where.partition(".")
    if not frame.isdecimal() or not (index or "0").isdecimal():
        raise UsageError(f"{message}: `{where}` is no frame; write CAPTURE#12 or CAPTURE#12.1")
    return open_capture(Path(path)), int(frame), int(index or 0)


MAX_TEXT = 1 << 20
DUMP = re.compile(r"\s*(?:0x)?0{4,8}:?\s", re.I)  # an offset of nothing: no SCCP message begins so
DUMP_LINE = re.compile(r"(?:0x)?([0-9a-f]{4,8})(:?)(?:\s+((?:[0-9a-f]{2}\s?|[0-9a-f]{4}\s){1,16}?)(?:\s.*|))?\s*", re.I)


def pasted(text: str) -> bytes:
    """Octets as people paste them: plain hex, `09:80:03`, `0x09, 0x80`, or lines of a hexdump with their offsets."""
    digits = hexdump(text) or re.sub(r"0x|[\s:,;.\-]", "", text, flags=re.I)
    try:
        octets = bytes.fromhex(digits)
    except ValueError:
        if os.path.exists(text):
            raise UsageError(f"{text}: which message? write {text}#12, or {text}#12.1") from None
        raise UsageError(f"{text[:60]!r}: neither hex digits in pairs nor CAPTURE#FRAME") from None
    if not octets:
        raise UsageError("no octets; give one SCCP message in hex")
    return octets


def hexdump(text: str) -> str:
    """The digits of a hexdump (Wireshark, `xxd`, `hexdump -C`, `od -tx1`), its offsets in any base; "": it is none."""
    if not DUMP.match(text):
        return ""
    rows = []
    for line in filter(None, map(str.strip, text.splitlines())):
        octets, bar, _ = line.partition("  |")  # hexdump -C: two halves, then what prints
        found = DUMP_LINE.fullmatch((" ".join(octets.split()) if bar else line) + " ")
        if line == "*":
            raise UsageError("`*` stands for lines left out of this hexdump; dump all of them (hexdump -vC, od -v)")
        if not found:
            raise UsageError(f"{line[:60]!r}: no line of a hexdump; give plain hex digits, or what xxd prints")
        if not found[2] and any(len(word) == 4 for word in (found[3] or "").split()):
            raise UsageError("this hexdump has words of two octets, in whichever order; use xxd or hexdump -C")
        rows.append((found[1], re.sub(r"\s", "", found[3] or "")))
    for base in (16, 8, 10):
        if adds_up(rows, base):
            return "".join(digits for _, digits in rows)
    raise UsageError("the offsets of this hexdump do not add up; give plain hex digits, or what xxd prints")


def adds_up(rows: list[tuple[str, str]], base: int) -> bool:
    """Whether each offset counts the octets before it; only the last line may have none of its own."""
    at = 0
    for offset, digits in rows:
        try:
            if int(offset, base) != at:
                return False
        except ValueError:
            return False
        at += len(digits) // 2
    return all(digits for _, digits in rows[:-1])
