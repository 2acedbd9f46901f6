"""The demo's corpus, made by hand and pycrate, as tshark sees it."""

import gzip
import json
import shutil
import subprocess
from collections import defaultdict

from bench.corpus import FOLDER


def test_legitimate_frames_of_the_corpus_are_clean_to_tshark() -> None:
    assert shutil.which("tshark"), "tshark is not there: apt-get install tshark (make test does it)"
    labels: dict[int, set[str]] = defaultdict(set)
    for line in gzip.decompress((FOLDER / "labels.jsonl.gz").read_bytes()).splitlines():
        label = json.loads(line)
        labels[label["frame"]].add(label["label"])
    command = ["tshark", "-r", str(FOLDER / "corpus.pcap.gz"), "-o", "ip.check_checksum:TRUE", "-T", "fields"]
    command += ["-e", "frame.number", "-e", "ip.checksum.status", "-e", "_ws.expert.message"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    frames = [line.split("\t") for line in out.splitlines()]
    assert len(frames) == len(labels)
    assert {status for _, status, _ in frames} == {"1"}
    clean = {int(number) for number, _, complaints in frames if not complaints}
    assert [number for number, kinds in labels.items() if kinds == {"legitimate"} and number not in clean] == []
