"""The traffic that peers are compared on: one seed, one mix, and a file that gives it back."""

from pathlib import Path

import pytest

from bench import mixes
from sigfw._core import sccp

DRAWN = tuple(name for name in mixes.MIXES if name != "corpus")


@pytest.mark.parametrize("name", mixes.MIXES)
def test_mix_is_the_seeds(name: str) -> None:
    assert mixes.mix(name, 500) == mixes.mix(name, 500)
    assert len(mixes.mix(name, 500)) == 500


@pytest.mark.parametrize("name", DRAWN)
def test_another_seed_is_another_mix(name: str) -> None:
    assert mixes.mix(name, 500, seed=1) != mixes.mix(name, 500, seed=2)


def test_file_gives_the_messages_back(tmp_path: Path) -> None:
    messages = [*mixes.mix("campaign", 200), b"", b"\x09" * 70_000]
    mixes.write(tmp_path / "some.messages", messages)
    assert mixes.read(tmp_path / "some.messages") == messages


def test_cap_mix_is_between_cap_subsystems() -> None:
    assert {sccp.parse(one)["called"]["ssn"] for one in mixes.mix("cap", 200)} == {146}


def test_roaming_mix_holds_no_short_message_and_no_cap() -> None:
    opcodes = {bytes((2, 1, code)) for code in (44, 45, 46, 47)}
    found = mixes.mix("roaming", 2000)
    assert all(sccp.parse(one)["called"]["ssn"] != 146 for one in found)
    assert not any(sccp.parse(one)["data"][-200:].find(b"\x02\x01\x01" + code) > 0 for one in found for code in opcodes)
