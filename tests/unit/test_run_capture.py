"""`sigfw run` over a capture: the verdicts of `screen`, in files, and a table at the end."""

import gzip
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

ROOT = Path(__file__).resolve().parents[2]
CAPTURE = ROOT / "tests" / "captures" / "pcapr_LU.pcap"
POLICY = ROOT / "configs" / "policies" / "interconnect.yaml"


def sigfw(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sigfw", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(f"""\
schema: 1
policy: {POLICY}
mode: {{international: enforce}}
source: {{capture: {{path: {CAPTURE}, perimeter: international}}}}
sink: {{files: {{verdicts: {tmp_path}/out/verdicts.jsonl, events: {tmp_path}/out/events.jsonl}}}}
identities: {{pseudonymise: false}}
""")
    return path


def test_run_over_a_capture_writes_what_screen_says(config: Path, tmp_path: Path) -> None:
    ran = sigfw("run", "--config", str(config))
    assert ran.returncode == 0, ran.stderr
    screened = sigfw("screen", str(CAPTURE), "--policy", str(POLICY), "--format", "jsonl")
    written = (tmp_path / "out" / "verdicts.jsonl").read_text()
    assert written == screened.stdout
    verdicts = [orjson.loads(line) for line in written.splitlines()]
    denied = [verdict["id"] for verdict in verdicts if verdict["action"] in ("drop", "reject", "redirect")]
    events = [orjson.loads(line) for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines()]
    assert [event["event"]["id"] for event in events] == denied
    assert f"{len(verdicts)} messages in" in ran.stdout
    assert str(tmp_path / "out" / "events.jsonl") in ran.stdout


def test_run_over_a_capture_that_is_none_says_so_in_one_line(config: Path, tmp_path: Path) -> None:
    (tmp_path / "no.pcap").write_bytes(b"nothing like it")
    config.write_text(config.read_text().replace(str(CAPTURE), str(tmp_path / "no.pcap")))
    ran = sigfw("run", "--config", str(config))
    assert ran.returncode == 2
    assert len(ran.stderr.splitlines()) == 1
    assert "no.pcap" in ran.stderr


def test_run_with_an_output_that_cannot_be_written_says_so_in_one_line(config: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where a folder should be")
    ran = sigfw("run", "--config", str(config))
    assert ran.returncode == 2
    assert len(ran.stderr.splitlines()) == 1
    assert "sink.files" in ran.stderr


@pytest.mark.parametrize("content", [None, b"{}", gzip.compress(b"{}"), gzip.compress(b"")[:10] + b"\xff" * 9])
def test_run_refuses_labels_before_it_begins(config: Path, tmp_path: Path, content: bytes | None) -> None:
    """Missing, no gzip, no label in it, damaged."""
    labels = tmp_path / "labels.jsonl.gz"
    if content is not None:
        labels.write_bytes(content)
    config.write_text(config.read_text().replace("perimeter: international}", f"labels: {labels}}}", 1))
    ran = sigfw("run", "--config", str(config))
    assert ran.returncode == 2, ran.stderr
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
    assert "labels" in ran.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.timeout(60)
def test_interrupted_run_counts_only_what_was_judged(config: Path, tmp_path: Path) -> None:
    demo = ROOT / "configs" / "demo"
    text = config.read_text().replace(str(CAPTURE), f"{demo}/corpus.pcap.gz, labels: {demo}/labels.jsonl.gz")
    config.write_text(text)
    events = tmp_path / "out" / "events.jsonl"
    events.parent.mkdir()
    os.mkfifo(events)  # takes 64 KiB, then the run stands still until we read
    command = [sys.executable, "-m", "sigfw", "run", "--config", str(config)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ran:
        with events.open("rb") as read:
            read.read(1)
            ran.send_signal(signal.SIGINT)
            read.read()
        said, errors = ran.communicate()
    assert ran.returncode == 130, errors
    found = re.match(r"interrupted: ([0-9,]+) of 30,000 labelled messages judged\n", said)
    assert found, said
    judged = int(found[1].replace(",", ""))
    assert 0 < judged < 30_000
    labels = re.findall(r"^(?:attacks|legitimate): [0-9,]+ of ([0-9,]+) ", said, re.MULTILINE)
    assert sum(int(number.replace(",", "")) for number in labels) == judged
