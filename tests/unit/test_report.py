"""The table at the end of a run over a capture: what the labels make of the verdicts."""

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from sigfw.errors import UsageError
from sigfw.pipeline.report import Score, read_labels, report, score, summarise


def verdict(frame: int, action: str, **more: Any) -> dict[str, Any]:
    reason = {"drop": "rule", "hold": "segment_held"}.get(action, "default")
    plain = {"frame": frame, "index": 0, "rule": None, "category": None, "reassembly": None, "reason": reason}
    return plain | {"action": action, "sccp": {"calling": {"digits": "491710000001"}}} | more


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    text = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def whole(action: str, *frames: int) -> dict[str, Any]:
    """The verdict of the last segment, for all of them."""
    parts = [f"c.pcap/{frame}/0" for frame in frames]
    return verdict(frames[-1], action, reassembly={"id": "c.pcap#1", "part": len(parts), "final": True, "parts": parts})


def test_segment_counts_as_its_whole_message(tmp_path: Path) -> None:
    held = {"reassembly": {"id": "c.pcap#1", "part": 1, "final": False, "parts": None}}
    lines = [verdict(1, "hold", **held), whole("drop", 1, 2), verdict(3, "hold", **held), whole("allow", 3, 4)]
    lines.append(verdict(5, "hold", **held))  # never decided: dropped by whoever holds it
    summary = summarise(write(tmp_path / "v.jsonl", lines))
    assert summary.denied == {(1, 0): True, (2, 0): True, (3, 0): False, (4, 0): False, (5, 0): True}
    assert summary.messages == 5


def test_report_says_caught_missed_and_wrongly_denied(tmp_path: Path) -> None:
    lines = [
        verdict(1, "drop"),
        verdict(2, "allow"),
        verdict(3, "drop"),
        verdict(4, "allow"),
        verdict(4, "drop", index=1),
    ]
    labels = [
        {"frame": 1, "label": "attack", "category": "cat1", "technique": "a"},
        {"frame": 2, "label": "attack", "category": "cat1", "technique": "b"},
        {"frame": 3, "label": "legitimate"},
        {"frame": 4, "label": "legitimate"},
        {"frame": 4, "index": 1, "label": "attack", "category": "cat2", "technique": "c"},
        {"frame": 9, "label": "attack", "category": "cat2", "technique": "d"},
    ]
    verdicts, known = write(tmp_path / "v.jsonl", lines), write(tmp_path / "labels.jsonl.gz", labels)
    scores = score(summarise(verdicts), read_labels(known))
    assert scores["attack", "cat1"] == Score(total=2, denied=1, passed={"b": 1})
    assert scores["attack", "cat2"] == Score(total=1, denied=1, unseen=1)
    console = Console(width=100, record=True, file=(tmp_path / "out").open("w"))
    report(verdicts, tmp_path / "e.jsonl", read_labels(known), 2.0, console)
    said = console.export_text()
    assert "attacks: 2 of 3 caught, 1 missed" in said
    assert "legitimate: 1 of 2 wrongly denied" in said
    assert "1 labelled messages got no verdict" in said
    assert "5 messages in 2.00 s" in said
    console.file.close()


def test_reassemblies_that_timed_out_are_no_messages(tmp_path: Path) -> None:
    ended = {"id": "c.pcap#1", "part": 1, "final": False, "parts": ["c.pcap/1/0"]}
    lines = [
        verdict(1, "hold"),
        verdict(2, "drop"),
        verdict(1, "drop", reason="reassembly_timeout", reassembly=ended, sccp=None),
    ]
    summary = summarise(write(tmp_path / "v.jsonl", lines))
    assert (summary.messages, summary.timed_out) == (2, 1)
    assert sum(summary.rules.values()) == 2
    assert summary.denied_gts == {"491710000001": 1}
    assert summary.denied == {(1, 0): True, (2, 0): True}
    assert summarise(tmp_path / "v.jsonl", interrupted=True).denied == {(2, 0): True}
    console = Console(width=100, record=True, file=(tmp_path / "out").open("w"))
    report(tmp_path / "v.jsonl", tmp_path / "e.jsonl", None, 2.0, console)
    assert "reassemblies timed out" in console.export_text()
    console.file.close()


def test_label_that_is_none_is_refused_with_its_line(tmp_path: Path) -> None:
    known = tmp_path / "labels.jsonl"
    known.write_text('{"frame": 1, "label": "attack"}\n{"frame": "x"}\n')
    with pytest.raises(UsageError, match=r"labels\.jsonl:2: "):
        list(read_labels(known))


@pytest.mark.timeout(10)
def test_labels_that_are_no_file_are_refused() -> None:
    with pytest.raises(UsageError, match="/dev/zero: labels are no regular file"):
        list(read_labels(Path("/dev/zero")))
