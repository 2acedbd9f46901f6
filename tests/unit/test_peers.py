"""How bench.compare runs a peer: the lines between them, and what is said where one cannot be had."""

import sys
from pathlib import Path

import pytest

from bench import compare, mixes
from bench.peers import programs
from bench.peers.programs import PeerError, Program

PEER = """
import sys
count = int(sys.argv[1])
print("w" * (count - 1) + "t", flush=True)
for _ in sys.stdin:
    sum(range(100_000))
    print(count - 1, flush=True)
"""


def command(source: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", source, *arguments]


def test_peer_says_how_it_read_and_takes_time(tmp_path: Path) -> None:
    with Program(command(PEER, "4"), tmp_path / "some.messages") as program:
        assert program.how == "wwwt"
        assert program.passes(3) > 0


def test_peer_that_ends_is_told(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="ended with status 3"):
        Program(command("raise SystemExit(3)"), tmp_path / "some.messages")


def test_tool_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="no-such-tool is not installed, which builds jSS7: install it"):
        programs._run("no-such-tool", ["no-such-tool"], "jSS7", "install it", tmp_path)


def test_build_that_fails_says_what_and_why(tmp_path: Path) -> None:
    failing = command("import sys; print('no network'); sys.exit(1)")
    with pytest.raises(PeerError, match="could not fetch or build jSS7:\nno network"):
        programs._run(sys.executable, failing, "jSS7", "", tmp_path)


def test_versions_are_those_that_are_pinned() -> None:
    for name in ("sccp", "tcap", "gsm_map"):
        assert f"{name} " in programs.rust_version()
    assert programs.java_version().removeprefix("jSS7 ")[0].isdigit()


def test_what_all_read_is_what_each_read() -> None:
    messages = [*mixes.mix("corpus", 60), b"\x09\x00"]
    some, other = "w" * 59 + "tw", "u" + "w" * 60
    commands = {name: command(f"print({said!r}, flush=True)") for name, said in (("some", some), ("other", other))}
    found = compare.whole_for_all(messages, commands)
    assert messages[0] not in found
    assert messages[59] not in found
    assert b"\x09\x00" not in found
    assert len(found) > 20
