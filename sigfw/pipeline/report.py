"""What a run over a capture says at its end: verdicts by rule, who was denied most, the labels' word, the rate."""

import gzip
from collections import Counter
from collections.abc import Iterator
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


class Label(msgspec.Struct, frozen=True):
    """What a frame of a capture is, as the maker of the capture knows it."""

    frame: int
    label: str  # legitimate or attack
    category: str | None = None
    technique: str | None = None


@dataclass
class Summary:
    """Counts over a file of verdicts."""

    messages: int = 0
    rules: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # action, rule or reason, category
    denied_gts: Counter[str] = field(default_factory=Counter)
    denied_frames: dict[int, bool] = field(default_factory=dict)  # frame -> denied; a segment's is its whole message's


def summarise(verdicts: Path) -> Summary:
    """Read the verdicts that a run wrote."""
    summary = Summary()
    with verdicts.open("rb") as lines:
        for line in lines:
            _add(summary, orjson.loads(line))
    return summary


def _add(summary: Summary, verdict: dict[str, Any]) -> None:
    action, reassembly = verdict["action"], verdict["reassembly"]
    denied = action in DENIED
    closes = (
        reassembly is not None and reassembly["parts"] is not None and (reassembly["final"] or verdict["sccp"] is None)
    )
    if verdict["sccp"] is not None or verdict["error"] is not None:
        summary.messages += 1
    summary.rules[action, verdict["rule"] or verdict["reason"], verdict["category"] or ""] += 1
    if denied:
        calling = (verdict["sccp"] or {}).get("calling") or {}
        summary.denied_gts[calling.get("digits") or "(no GT)"] += 1
    frames = [int(part.rsplit("/", 2)[1]) for part in reassembly["parts"]] if closes else [verdict["frame"]]
    for frame in frames:
        # Several messages of one frame: one denied makes the frame so. A whole message decides anew for its segments.
        summary.denied_frames[frame] = denied or (not closes and summary.denied_frames.get(frame, False))


def read_labels(path: Path) -> Iterator[Label]:
    """Labels of a capture, one JSON object a line, `.gz` or not. Raises UsageError with the line that is none."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield msgspec.json.decode(line, type=Label)
                except msgspec.MsgspecError as error:
                    raise UsageError(f'{path}:{number}: {error}; write {{"frame": 1, "label": "attack"}}') from None
    except (OSError, EOFError) as error:
        raise UsageError(f"{path}: labels cannot be read ({error}); correct source.capture.labels") from None


@dataclass
class Score:
    """Frames of one label, category and technique."""

    total: int = 0
    denied: int = 0
    unseen: int = 0  # no verdict


def score(summary: Summary, labels: Iterator[Label]) -> dict[tuple[str, str], Score]:
    """(label, technique or category) -> its frames."""
    scores: dict[tuple[str, str], Score] = {}
    for label in labels:
        of = scores.setdefault((label.label, label.technique or label.category or ""), Score())
        of.total += 1
        if label.frame in summary.denied_frames:
            of.denied += summary.denied_frames[label.frame]
        else:
            of.unseen += 1
    return scores


def report(verdicts: Path, events: Path, labels: Path | None, seconds: float, console: Console | None = None) -> None:
    """Print the tables. seconds: how long judging took. Raises UsageError where the labels cannot be read."""
    console = console or Console(highlight=False)
    summary = summarise(verdicts)
    console.print(_verdict_table(summary))
    console.print(_denied_table(summary))
    if labels is not None:
        scores = score(summary, read_labels(labels))
        console.print(_label_table(scores))
        console.print(_label_line(scores))
    rate = summary.messages / seconds if seconds > 0 else 0.0
    console.print(f"{summary.messages:,} messages in {seconds:.2f} s: {rate:,.0f} a second, verdicts written")
    console.print(f"verdicts: {verdicts}", soft_wrap=True)
    console.print(f"events:   {events}", soft_wrap=True)


def _verdict_table(summary: Summary) -> Table:
    table = Table("action", "rule or reason", "category", "messages", title="Verdicts", title_justify="left")
    table.columns[3].justify = "right"
    for (action, rule, category), count in summary.rules.most_common():
        table.add_row(action, rule, category, f"{count:,}")
    return table


def _denied_table(summary: Summary) -> Table:
    table = Table("calling GT", "denied", title="Calling GTs most denied", title_justify="left")
    table.columns[1].justify = "right"
    for digits, count in summary.denied_gts.most_common(MOST_DENIED):
        table.add_row(digits, f"{count:,}")
    return table


def _label_table(scores: dict[tuple[str, str], Score]) -> Table:
    table = Table(
        "label", "technique", "frames", "denied", "let through", title="Against the labels", title_justify="left"
    )
    for column in table.columns[2:]:
        column.justify = "right"
    for (label, technique), of in sorted(scores.items()):
        table.add_row(label, technique, f"{of.total:,}", f"{of.denied:,}", f"{of.total - of.denied - of.unseen:,}")
    return table


def _label_line(scores: dict[tuple[str, str], Score]) -> str:
    attacks = [of for (label, _), of in scores.items() if label == "attack"]
    others = [of for (label, _), of in scores.items() if label != "attack"]
    caught, total = sum(of.denied for of in attacks), sum(of.total for of in attacks)
    wrongly, legitimate = sum(of.denied for of in others), sum(of.total for of in others)
    unseen = sum(of.unseen for of in scores.values())
    line = f"caught {caught:,} of {total:,} attacks, missed {total - caught:,}"
    line += f", wrongly denied {wrongly:,} of {legitimate:,} legitimate"
    return line + (f"; {unseen:,} labelled frames got no verdict" if unseen else "")
