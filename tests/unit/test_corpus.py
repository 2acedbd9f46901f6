"""The demo's corpus is what its generator makes, and as labelled."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from bench import corpus
from sigfw import records
from sigfw.policy import loader
from sigfw.policy.compiler import compile_policy

FOLDER = Path(corpus.FOLDER)


@pytest.fixture(scope="module")
def built() -> tuple[bytes, list[corpus.Label]]:
    return corpus.build()


def test_generator_gives_the_committed_octets(built: tuple[bytes, list[corpus.Label]]) -> None:
    capture, labels = built
    assert gzip.decompress((FOLDER / "corpus.pcap.gz").read_bytes()) == capture
    lines = gzip.decompress((FOLDER / "labels.jsonl.gz").read_bytes()).splitlines()
    assert [json.loads(line) for line in lines] == labels


def test_labels_hold_every_category_and_follow_the_frames(built: tuple[bytes, list[corpus.Label]]) -> None:
    _, labels = built
    kinds = Counter((label["label"], label["category"]) for label in labels)
    categories = ("cat0", "cat1", "cat2", "cat3", "sms", "cap", "evasion")
    assert set(kinds) == {("legitimate", "")} | {("attack", category) for category in categories}
    assert sum(kinds.values()) == corpus.MESSAGES
    places = [(label["frame"], label["index"]) for label in labels]
    assert places == sorted(set(places))


def test_another_seed_gives_another_corpus() -> None:
    assert corpus.build(1, 50)[0] != corpus.build(2, 50)[0]


def test_interconnect_policy_judges_the_corpus_as_labelled() -> None:
    """Every attack that shows in the message is denied, nothing legitimate is."""
    tables = compile_policy(loader.load(FOLDER.parent / "policies" / "interconnect.yaml"))
    verdicts = {(v["frame"], v["index"]): v for v in records.screen(FOLDER / "corpus.pcap.gz", tables)}
    lines = gzip.decompress((FOLDER / "labels.jsonl.gz").read_bytes()).splitlines()
    wrong = []
    for label in map(json.loads, lines):
        verdict = verdicts[label["frame"], label["index"]]
        if verdict["action"] == "hold":  # the last segment decides for all; what never completes is never let go
            verdict = verdicts[tuple(label["final"])] if label["final"] else {"action": "drop"}
        shows = label["label"] == "attack" and label["technique"] != "needs_state"
        if (verdict["action"] != "allow") != shows:
            wrong.append((label, verdict["action"]))
    assert wrong == []
