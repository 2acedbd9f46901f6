"""What a run over a capture says at its end: verdicts by rule, who was denied most, the labels' word, the rate."""

import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson
from rich.console import Console
from rich.table import Table

from sigfw.errors import UsageError

DENIED: Final = ("drop", "reject", "redirect")
MOST_DENIED: Final = 10
ATTACK: Final = "attack"


Place = tuple[int, int]  # frame and index of a message in its capture


class Label(msgspec.Struct, frozen=True):
    """What a message of a capture is, as the maker of the capture knows it."""

    frame: int
    label: str  # legitimate or attack
    index: int = 0
    category: str = ""
    technique: str = ""


@dataclass
class Summary:
    """Counts over a file of verdicts."""

    messages: int = 0
    timed_out: int = 0  # reassemblies that never completed
    rules: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # action, rule or reason, category
    denied_gts: Counter[str] = field(default_factory=Counter)
    denied: dict[Place, bool] = field(default_factory=dict)  # of a segment: whether its whole message is


def summarise(verdicts: Path, *, interrupted: bool = False) -> Summary:
    """Read the verdicts that a run wrote. Where it was interrupted, segments held at that moment have none."""
    summary = Summary()
    with verdicts.open("rb") as lines:
        for line in lines:
            _add(summary, orjson.loads(line), interrupted=interrupted)
    return summary


def _add(summary: Summary, verdict: dict[str, Any], *, interrupted: bool) -> None:
    action, reassembly = verdict["action"], verdict["reassembly"]
    denied = action in DENIED
    closes = reassembly is not None and bool(reassembly["parts"])
    timed_out = verdict["reason"] == "reassembly_timeout"
    if timed_out:  # no message of its own: its line closes those that were held
        summary.timed_out += 1
    else:
        summary.messages += 1
        summary.rules[action, verdict["rule"] or verdict["reason"], verdict["category"] or ""] += 1
        if denied:
            calling = (verdict["sccp"] or {}).get("calling") or {}
            summary.denied_gts[calling.get("digits") or "(no GT)"] += 1
    # What is held and never decided is dropped by whoever holds it.
    summary.denied[verdict["frame"], verdict["index"]] = denied or action == "hold"
    for part in reassembly["parts"] if closes else ():
        _, frame, index = part.rsplit("/", 2)
        if timed_out and interrupted:  # the rest may well be in what was not read
            summary.denied.pop((int(frame), int(index)), None)
        else:
            summary.denied[int(frame), int(index)] = denied


def read_labels(path: Path) -> Iterator[Label]:
    """Labels of a capture, one JSON object a line, `.gz` or not. Raises UsageError with the line that is none."""
    if path.exists() and not path.is_file():  # /dev/zero never ends
        raise UsageError(f"{path}: labels are no regular file; correct source.capture.labels")
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield msgspec.json.decode(line, type=Label)
                except msgspec.MsgspecError as error:
                    raise UsageError(f'{path}:{number}: {error}; write {{"frame": 1, "label": "attack"}}') from None
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path}: labels cannot be read ({error}); correct source.capture.labels") from None


@dataclass
class Score:
    """Messages of one label and category."""

    total: int = 0  # with a verdict
    denied: int = 0
    unseen: int = 0  # without one
    passed: Counter[str] = field(default_factory=Counter)  # technique -> messages not denied


def score(summary: Summary, labels: Iterable[Label]) -> dict[tuple[str, str], Score]:
    """(label, category) -> its messages."""
    scores: dict[tuple[str, str], Score] = {}
    for label in labels:
        of = scores.setdefault((label.label, label.category), Score())
        denied = summary.denied.get((label.frame, label.index))
        if denied is None:
            of.unseen += 1
            continue
        of.total += 1
        of.denied += denied
        if not denied:
            of.passed[label.technique] += 1
    return scores


def report(
    verdicts: Path,
    events: Path,
    labels: Iterable[Label] | None,
    seconds: float,
    console: Console | None = None,
    *,
    interrupted: bool = False,
) -> None:
    """Print the tables. seconds: how long judging took; interrupted: before the end of the capture."""
    console = console or Console(highlight=False)
    summary = summarise(verdicts, interrupted=interrupted)
    scores = {} if labels is None else score(summary, labels)
    if interrupted:
        console.print(_how_far(summary, scores))
    console.print(_verdict_table(summary))
    console.print(_denied_table(summary))
    if labels is not None:
        console.print(_label_table(scores))
        for line in _label_lines(scores):
            console.print(line, soft_wrap=True)
    rate = summary.messages / seconds if seconds > 0 else 0.0
    console.print(f"{summary.messages:,} messages in {seconds:.2f} s: {rate:,.0f} a second, verdicts written")
    console.print(f"verdicts: {verdicts}", soft_wrap=True)
    console.print(f"events:   {events}", soft_wrap=True)


def _how_far(summary: Summary, scores: dict[tuple[str, str], Score]) -> str:
    if not scores:
        return f"interrupted: {summary.messages:,} messages judged"
    judged = sum(of.total for of in scores.values())
    labelled = judged + sum(of.unseen for of in scores.values())
    return f"interrupted: {judged:,} of {labelled:,} labelled messages judged"


def _verdict_table(summary: Summary) -> Table:
    table = Table("action", "rule or reason", "category", "messages", title="Verdicts", title_justify="left")
    table.columns[3].justify = "right"
    for (action, rule, category), count in summary.rules.most_common():
        table.add_row(action, rule, category, f"{count:,}")
    if summary.timed_out:
        table.add_section()  # beside the messages: each of theirs has its row above
        table.add_row("", "reassemblies timed out", "", f"{summary.timed_out:,}")
    return table


def _denied_table(summary: Summary) -> Table:
    table = Table("calling GT", "denied", title="Calling GTs most denied", title_justify="left")
    table.columns[1].justify = "right"
    for digits, count in summary.denied_gts.most_common(MOST_DENIED):
        table.add_row(digits, f"{count:,}")
    return table


def _label_table(scores: dict[tuple[str, str], Score]) -> Table:
    table = Table("label", "category", "messages", "denied", "let through", title="Against the labels")
    table.title_justify = "left"
    for column in table.columns[2:]:
        column.justify = "right"
    for (label, category), of in sorted(scores.items()):
        if of.total:
            table.add_row(label, category, f"{of.total:,}", f"{of.denied:,}", f"{of.total - of.denied:,}")
    return table


def _label_lines(scores: dict[tuple[str, str], Score]) -> Iterator[str]:
    attacks = [of for (label, _), of in scores.items() if label == ATTACK]
    others = [of for (label, _), of in scores.items() if label != ATTACK]
    caught, total = sum(of.denied for of in attacks), sum(of.total for of in attacks)
    wrongly, legitimate = sum(of.denied for of in others), sum(of.total for of in others)
    yield f"attacks: {caught:,} of {total:,} caught, {total - caught:,} missed"
    yield f"legitimate: {wrongly:,} of {legitimate:,} wrongly denied"
    missed = sum((of.passed for of in attacks), Counter())
    if missed:
        yield "missed by technique: " + ", ".join(
            f"{name or 'unnamed'} {count:,}" for name, count in missed.most_common()
        )
    if unseen := sum(of.unseen for of in scores.values()):
        yield f"{unseen:,} labelled messages got no verdict"
