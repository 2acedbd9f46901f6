"""Decoding agrees with tshark on what other stacks sent, field by field.

SIGFW_EXTRA_CAPTURES names a folder of further captures with truth files of the same form; they are compared as well.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.captures.truth import make_truth, read_truth
from tests.conformance.compare import STRICT, Disagreement, captures, disagreements
from tests.conformance.disagreements import LISTED

FOLDER = Path(__file__).parent.parent / "captures"
FOLDERS = [FOLDER, *map(Path, filter(None, [os.environ.get("SIGFW_EXTRA_CAPTURES")]))]
TOLERATED = 10


def found(folder: Path) -> list[Disagreement]:
    return [difference for pair in captures(folder) for difference in disagreements(*pair)]


def test_captures_with_truth_are_all_there() -> None:
    assert sum(len(read_truth(truth)) for _, truth in captures(FOLDER)) == 1694


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_decode_agrees_with_tshark_on_who_speaks_and_about_what(folder: Path) -> None:
    differences = found(folder)
    assert [one for one in differences if one.key in (*STRICT, "message")] == []
    assert len(differences) <= TOLERATED


def test_decode_agrees_with_tshark_elsewhere_but_where_listed() -> None:
    differences = found(FOLDER)
    assert len(LISTED) <= TOLERATED
    assert {(one.file, one.place, one.key) for one in differences} == set(LISTED)
    for one in differences:
        listed = LISTED[one.file, one.place, one.key]
        assert (one.truth, one.ours) == (listed.truth, listed.ours)
        assert listed.octets in one.raw


@pytest.mark.parametrize("name", ["pcapr_tmp.pcap", "pcapr_attach_sccp_xudts.pcap", "P1sec__pycrate.hex"])
def test_truth_is_what_tshark_says_now(name: str) -> None:
    assert shutil.which("tshark"), "tshark is not there: apt-get install tshark (make test does it)"
    path = FOLDER / name
    assert make_truth(path) == read_truth(path.with_name(name.removesuffix(".pcap") + ".truth.jsonl"))
