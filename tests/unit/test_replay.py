"""What replay makes of verdict records; tests/kafka replays to a real broker."""

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from bench.corpus import FOLDER
from sigfw.pipeline import replay
from sigfw.pipeline.replay import read_messages


@pytest.mark.parametrize(
    ("reason", "shadow", "unframed"),
    [
        ("unframed", None, True),
        ("monitor", {"action": "drop", "rule": None, "reason": "unframed"}, True),
        ("monitor", {"action": "drop", "rule": "r", "reason": "rule"}, False),
        ("rule", None, False),
    ],
)
def test_record_that_went_to_the_dead_letters_is_known_in_every_mode(
    reason: str, shadow: dict[str, Any] | None, unframed: bool
) -> None:
    assert replay._is_unframed(orjson.dumps({"reason": reason, "shadow": shadow})) is unframed


def test_what_a_replay_leaves_out_is_told(tmp_path: Path) -> None:
    whole = gzip.decompress((FOLDER / "corpus.pcap.gz").read_bytes())
    (tmp_path / "cut.pcap").write_bytes(whole[:400])
    messages, left_out = read_messages(tmp_path / "cut.pcap")
    assert messages
    assert left_out == [
        f"{tmp_path}/cut.pcap: 1 frames or messages cannot be read (truncated); `sigfw decode` says where: left out"
    ]
    (tmp_path / "bad.hex").write_text("nonsense\n" + messages[0].octets.hex() + "\n")
    again, told = read_messages(tmp_path / "bad.hex")
    assert [one.octets for one in again] == [messages[0].octets]
    assert len(told) == 1
    assert "line 1" in told[0]
