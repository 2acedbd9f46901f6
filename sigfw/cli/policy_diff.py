"""sigfw policy diff: what another policy would change, in itself and on a capture."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import orjson

from sigfw import names
from sigfw._core.engine import Stream, Worker
from sigfw._core.memory import State
from sigfw._core.pseudonym import hmac64
from sigfw._core.tables import Tables
from sigfw.cli import output
from sigfw.errors import UsageError
from sigfw.pipeline.capture import Capture, open_capture
from sigfw.policy.compiler import compile_policy
from sigfw.policy.diff import Change, differences
from sigfw.policy.loader import load
from sigfw.policy.model import Policy
from sigfw.policy.whois import readings
from sigfw.records import CHUNK, END_OF_TIME_NS, timeouts

MAX_GROUPS = 10_000  # told apart by who calls; beyond, callers are one
PREFIX_DIGITS = 5  # shown of the GT of nobody known: country code and a little more
REST = "(other callers)"
WIDTHS = (9, 40, 40, 30, 16, 0)
TITLES = ("messages", "by A", "by B", "operation", "calling", "see for one: sigfw explain")


class Group(msgspec.Struct, frozen=True):
    """Messages that change alike. a, b: action, rule (or the exception that decided)."""

    what: str  # verdict, shadow
    a: tuple[str, str]
    b: tuple[str, str]
    operation: str
    calling: str


@click.command("diff")
@click.argument("a", metavar="A", type=click.Path(path_type=Path))
@click.argument("b", metavar="B", type=click.Path(path_type=Path))
@click.option("--capture", type=click.Path(path_type=Path), help="Judge this by both, tell which messages change.")
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
@click.option("--perimeter", type=click.Choice(names.PERIMETERS[1:]), default="international", show_default=True)
@output.variant_option
@output.pseudonymise_options
@click.pass_context
def command(
    ctx: click.Context,
    a: Path,
    b: Path,
    capture: Path | None,
    form: str,
    perimeter: str,
    variant: str,
    pseudonymise: bool,
    key_file: Path | None,
) -> None:
    """Tell what policy B changes against policy A.

    Without --capture: which rules, lists, operators, exceptions and checks differ. With it: which of its messages get
    another verdict, counted by rule, operation and who calls.

    Exit status: 0 nothing changes, 1 something does, 2 mistakes.
    """
    before, after = load(a), load(b)
    if capture is None:
        if pseudonymise or key_file:
            raise UsageError("--pseudonymise is about messages; give --capture, or leave it out")
        changes = list(differences(before, after))
        for change in changes:
            click.echo(orjson.dumps(change).decode() if form == "jsonl" else line(change))
        click.echo(
            f"A {before.name} {before.digest}, B {after.name} {after.digest}: differences: {len(changes)}", err=True
        )
        ctx.exit(1 if changes else 0)
    comparison = Comparison(before, after, perimeter, variant, output.pseudonym_key(pseudonymise, key_file))
    progress = output.Progress("messages")
    for judged in comparison.run(capture):
        progress.show(judged)
    progress.end()
    comparison.tell(capture, form)
    ctx.exit(1 if comparison.groups else 0)


def line(change: Change) -> str:
    return f"{change.part:<9} {change.change:<8} {f'{change.name}: ' if change.name else ''}{change.said}"


class Comparison:
    """A capture judged by two policies in lock step; only counts and one example of each group are kept."""

    def __init__(self, a: Policy, b: Policy, perimeter: str, variant: str, key: bytes | None) -> None:
        self.tables = (compile_policy(a), compile_policy(b))
        self.country_code = b.home.country_code
        self.perimeter = perimeter
        self.variant = variant
        self.key = key
        self.groups: Counter[Group] = Counter()
        self.examples: dict[Group, str] = {}
        self.problems: list[str] = []
        self.judged = 0
        self.action_changes = 0

    def run(self, path: Path) -> Iterator[int]:
        """Messages judged so far, a chunk at a time."""
        sides = [Side(open_capture(path), tables) for tables in self.tables]
        while not sides[0].capture.batch.done:
            chunks = [side.judge(self.perimeter, self.variant) for side in sides]
            self.judged += len(chunks[0])
            for one, other in zip(*chunks, strict=True):  # framing knows no policy: the same messages
                self.compare(orjson.loads(one), orjson.loads(other))
            self.compare_ended(*(side.timeouts(side.stream.last_time_ns) for side in sides))
            yield self.judged
        self.compare_ended(*(side.timeouts(END_OF_TIME_NS) for side in sides))
        self.problems = sides[0].capture.problems()

    def compare_ended(self, a: dict[str, output.Object], b: dict[str, output.Object]) -> None:
        """Reassemblies that never completed: a policy that drops a segment at once has none of its message."""
        for reassembly in {**a, **b}:
            found = a.get(reassembly) or b[reassembly]
            nothing = found | {"action": "-", "reason": "not held", "rule": None, "shadow": None}
            self.compare(a.get(reassembly, nothing), b.get(reassembly, nothing))

    def compare(self, a: output.Object, b: output.Object) -> None:
        verdicts = decided(a), decided(b)
        shadows = decided(a["shadow"]), decided(b["shadow"])
        if verdicts[0] != verdicts[1]:
            self.action_changes += verdicts[0][0] != verdicts[1][0]
            self.count("verdict", *verdicts, b)
        elif shadows[0] != shadows[1]:
            self.count("shadow", *shadows, b)

    def count(self, what: str, a: tuple[str, str], b: tuple[str, str], verdict: output.Object) -> None:
        group = Group(what, a, b, operation(verdict), self.caller(verdict))
        if group not in self.groups and len(self.groups) >= MAX_GROUPS:
            group = Group(what, a, b, "(any)", REST)
        self.groups[group] += 1
        self.examples.setdefault(group, f"{verdict['frame']}.{verdict['index']}")

    def caller(self, verdict: output.Object) -> str:
        """The operator, else the beginning of the GT."""
        party = (verdict["sccp"] or {}).get("calling") or {}
        if not party.get("digits"):
            return "no GT"
        found_as = readings(party, self.country_code, ansi=self.variant == "ansi")
        for space, digits in found_as:
            for tables in reversed(self.tables):
                found = tables.lookup(digits[:16], names.SPACES[space])
                if found and found["operator"]:
                    return str(found["operator"])
        if not found_as:
            return "unusable GT"
        prefix = found_as[0][1][:PREFIX_DIGITS]
        return f"{prefix}…" if self.key is None else f"hmac:{hmac64(self.key[:64], prefix.encode()).hex()}"

    def tell(self, path: Path, form: str) -> None:
        told = sorted(self.groups.items(), key=rank)
        if form == "table":
            for what in ("verdict", "shadow"):
                some = [(group, count) for group, count in told if group.what == what]
                if some:
                    click.echo("What shadow rules would do:" if what == "shadow" else output.columns(WIDTHS, TITLES))
                for group, count in some:
                    click.echo(self.row(path, group, count))
        else:
            for group, count in told:
                click.echo(self.record(path, group, count))
        shadow = sum(count for group, count in told if group.what == "shadow")
        verdict = sum(count for group, count in told if group.what == "verdict")
        a, b = self.tables
        click.echo(
            f"{self.judged} SCCP messages judged by A {a.name} {a.digest} and B {b.name} {b.digest}: {verdict} change "
            f"verdict ({self.action_changes} of them action), {shadow} what shadow rules would do",
            err=True,
        )
        for problem in self.problems:
            click.echo(problem, err=True)

    def row(self, path: Path, group: Group, count: int) -> str:
        sides = (" ".join(one) for one in (group.a, group.b))
        return output.columns(
            WIDTHS, (f"{count:>9}", *sides, group.operation, group.calling, f"{path}#{self.examples[group]}")
        )

    def record(self, path: Path, group: Group, count: int) -> str:
        told = {"what": group.what, "count": count}
        for name, (action, by) in (("a", group.a), ("b", group.b)):
            told[name] = {"action": action, "by": by}
        told |= {"operation": group.operation, "calling": group.calling, "example": f"{path}#{self.examples[group]}"}
        return orjson.dumps(told).decode()


class Side:
    """The capture under one policy."""

    def __init__(self, capture: Capture, tables: Tables) -> None:
        self.capture = capture
        self.tables = tables
        self.stream = Stream(capture.name, offsets=False)
        self.worker = Worker(state=State())

    def judge(self, perimeter: str, variant: str) -> list[bytes]:
        batch = self.capture.batch
        verdicts = self.worker.judge(self.tables, self.stream, batch, perimeter=perimeter, variant=variant, limit=CHUNK)
        lines = verdicts.lines().splitlines()
        self.capture.release()
        return lines

    def timeouts(self, now_ns: int) -> dict[str, output.Object]:
        """By the id of the first part."""
        ended = map(orjson.loads, timeouts(self.stream, self.tables, now_ns))
        return {one["reassembly"]["parts"][0]: one for one in ended}


def decided(verdict: output.Object | None) -> tuple[str, str]:
    if verdict is None:
        return "-", ""
    to = f" to {verdict['redirect']}" if verdict.get("redirect") else ""
    return verdict["action"] + to, verdict["rule"] or f"({verdict['reason']})"


def rank(one: tuple[Group, int]) -> tuple[bool, bool, int]:
    """Verdicts before shadows, other actions before other reasons, many before few."""
    group, count = one
    return group.what == "shadow", group.a[0] == group.b[0], -count


def operation(verdict: output.Object) -> str:
    """Operations of the Invokes, the first three; else what the message is."""
    tcap = verdict["tcap"]
    if tcap is None:
        return output.operations(verdict) if verdict["sccp"] else "-"
    called = [c["operation"] or f"opcode {c['opcode']}" for c in tcap["components"] if c["type"] == "invoke"]
    distinct = list(dict.fromkeys(called))
    if not distinct:
        return f"{tcap['type']} without Invoke"
    return ", ".join(distinct[:3]) + (", …" if len(distinct) > 3 else "")
