"""What is remembered stays found while memory fills, and is bounded."""

from pathlib import Path

import pytest

from bench.dialogues import GERMAN_VLR
from sigfw._core.memory import State
from tests.state.story import Story
from tests.state.test_checks import answer, ours, warm


def tids(count: int) -> list[bytes]:
    return [n.to_bytes(4, "big") for n in range(count)]


def test_all_that_there_is_room_for_stays_found_and_is_forgotten_by_its_end(tmp_path: Path) -> None:
    story = warm(tmp_path)
    before = story.state.sizes()["dialogues",]
    story.tell(*map(ours, tids(20_000)), perimeter="internal")
    assert story.state.sizes()["dialogues",] == before + 20_000
    assert {v["rule"] for v in story.tell(*(answer(GERMAN_VLR, tid) for tid in tids(20_000)))} == {None}
    assert story.state.sizes()["dialogues",] == before
    assert {v["rule"] for v in story.tell(*(answer(GERMAN_VLR, tid) for tid in tids(20_000)))} == {"stray"}
    assert story.state.counters()["dialogues", "evicted"] == 0


@pytest.mark.parametrize("room", [1, 64, 1024])
def test_what_came_last_pushes_out_what_is_older(tmp_path: Path, room: int) -> None:
    warmed = warm(tmp_path)
    story = Story(warmed.tables, state=State(dialogues=room))
    for tid in tids(20 * room):
        story.now += 25 / room  # all of it within the life of a dialogue
        story.tell(ours(tid), perimeter="internal")
    held = story.state.sizes()["dialogues",]
    assert held + story.state.counters()["dialogues", "evicted"] == 20 * room
    assert 2 * room <= held <= 8 * room
    story.tell(*(answer(GERMAN_VLR, tid) for tid in tids(20 * room)[-8:]))  # a set has room for eight
    assert story.state.sizes()["dialogues",] == held - 8
