"""sigfw explain: one message as a tree, every rule tried on it, the one that decided."""

from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from sigfw import names
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.tables import Tables
from sigfw.cli import output
from sigfw.errors import UsageError
from sigfw.pipeline.capture import Capture, open_capture
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load

Trace = list[tuple[int, int, list[tuple[int, bool, list[str], bool]]]]

VERDICT_KEYS = ("id", "action", "reason", "rule", "category", "perimeter", "shadow", "policy", "reply", "redirect")


@click.command("explain")
@click.argument("message", metavar="HEX | CAPTURE#FRAME[.INDEX]")
@click.option("--policy", type=click.Path(path_type=Path), required=True, help="The policy, a YAML file.")
@click.option("--perimeter", type=click.Choice(names.PERIMETERS[1:]), default="international", show_default=True)
def command(message: str, policy: Path, perimeter: str) -> None:
    """Show why a message gets its verdict.

    HEX is one SCCP message; CAPTURE#FRAME.INDEX one of a capture: frames count from 1, the messages of a frame from 0.
    """
    tables = compile_policy(load(policy))
    verdict, trace = find(message, tables, perimeter)
    console = Console(soft_wrap=True, highlight=False)
    console.print(message_tree(verdict))
    for component, reading, rules in trace:
        console.print()
        console.print(rule_table(verdict, tables, component, reading, rules))
    console.print()
    console.print(conclusion(verdict))


def find(message: str, tables: Tables, perimeter: str) -> tuple[output.Object, Trace]:
    """The verdict of the message and the rules tried on it; those before it are judged too, for their segments."""
    capture, frame, index = locate(message)
    stream, worker = Stream(capture.name, offsets=False), Worker()
    while not capture.batch.done:
        line = worker.judge(tables, stream, capture.batch, perimeter=perimeter, limit=1).lines()
        if line:
            verdict = orjson.loads(line)
            if (verdict["frame"], verdict["index"]) == (frame, index):
                return verdict, worker.trace(tables, perimeter=perimeter)
    path = message.rpartition("#")[0]
    raise UsageError(f"{message}: no SCCP message there; `sigfw decode {path}` lists frames and indices")


def locate(message: str) -> tuple[Capture, int, int]:
    path, hash_, where = message.rpartition("#")
    if not hash_:
        try:
            octets = bytes.fromhex(message)
        except ValueError:
            raise UsageError(f"{message[:60]!r}: neither hex digits in pairs nor CAPTURE#FRAME") from None
        if not octets:
            raise UsageError("no octets; give one SCCP message in hex")
        return Capture("hex", Batch([octets], "sccp", capture=True)), 1, 0
    frame, _, index = where.partition(".")
    if not frame.isdecimal() or not (index or "0").isdecimal():
        raise UsageError(f"{message}: `{where}` is no frame; write CAPTURE#12 or CAPTURE#12.1")
    return open_capture(Path(path)), int(frame), int(index or 0)


def message_tree(verdict: output.Object) -> Tree:
    tree = Tree(f"message {verdict['id']}")
    for key, value in verdict.items():
        if key not in VERDICT_KEYS:
            grow(tree, key, value)
    return tree


def grow(tree: Tree, key: str, value: Any) -> None:
    """A branch for what has parts, `key: value` for what has none, nothing for what is absent."""
    if value is None or value in ({}, []):
        return
    if isinstance(value, dict):
        if all(part is None for part in value.values()):
            return
        branch = tree.add(key)
        for name, part in value.items():
            grow(branch, name, part)
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        for i, part in enumerate(value):
            grow(tree, f"{key} {i}", part)
    else:
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        tree.add(f"{key}: {shown}")


def rule_table(
    verdict: output.Object, tables: Tables, component: int, reading: int, rules: list[tuple[int, bool, list[str], bool]]
) -> Table:
    components = (verdict["tcap"] or {}).get("components", [])
    title = "rules tried on the message"
    if 0 <= component < len(components):
        readings = components[component]["readings"]
        title = f"rules tried on component {component}"
        if 0 <= reading < len(readings):
            title += f" as {readings[reading]}"
    table = Table("rule", "mode", "result", title=title, title_justify="left", box=None, pad_edge=False)
    for index, matched, failed, decided in rules:
        result = "matches" if matched else f"no: {', '.join(failed)}"
        table.add_row(tables.rule_ids[index], tables.rule_modes[index], f"decides: {result}" if decided else result)
    return table


def conclusion(verdict: output.Object) -> str:
    because = f"rule {verdict['rule']} ({verdict['category']})" if verdict["rule"] else verdict["reason"]
    text = f"{verdict['action']}: {because}, perimeter {verdict['perimeter']}, policy {verdict['policy']['name']}"
    if verdict["shadow"]:
        shadow = verdict["shadow"]
        text += f"; shadow rules would give {shadow['action']}: {shadow['rule'] or shadow['reason']}"
    return text
