"""What `sigfw explain` prints: kept outputs to read, and what holds of every one of them.

The kept ones stand in tests/unit/explain, one a message of messages.hex (by its line); after a change that is meant,
`python -m tests.unit.test_explain` writes them anew, to be read before they are committed.
"""

import random
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from sigfw import names
from sigfw.cli import account, explain, layout
from sigfw.policy.loader import load
from tests.unit import tcapbytes as tcap
from tests.unit.test_dissect import mutated, unitdata

FOLDER = Path(__file__).parent / "explain"
ROOT = Path(__file__).parents[2]
POLICY = "tests/unit/explain/policy.yaml"
MESSAGES = "tests/unit/explain/messages.hex"
KEPT = {  # line of messages.hex -> columns, options
    2: (100, ""),
    4: (100, ""),
    6: (100, "--all"),
    9: (80, ""),
    10: (80, ""),
    12: (80, ""),
    14: (120, ""),
    16: (100, ""),
    18: (100, ""),
    20: (100, ""),
}
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name in ("COLUMNS", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: str, columns: int = 100, stdin: str | None = None, policy: str = POLICY) -> str:
    done = CliRunner(env={"COLUMNS": str(columns)}).invoke(
        explain.command, [*arguments, "--policy", policy], input=stdin, catch_exceptions=False
    )
    assert done.exit_code == 0
    return done.stdout


def kept(line: int) -> str:
    columns, options = KEPT[line]
    return undated(run(f"{MESSAGES}#{line}", *options.split(), columns=columns))


def undated(text: str) -> str:
    """Without the digest of the policy, which other changes than those of this command move."""
    return re.sub(r"(policy \S+) [0-9a-f]{16}", r"\1 0123456789abcdef", text)


@pytest.mark.parametrize("line", KEPT)
def test_message_is_explained_as_kept(line: int) -> None:
    assert kept(line) == (FOLDER / f"{line}.txt").read_text()


def hexes() -> list[str]:
    return [line for line in (FOLDER / "messages.hex").read_text().splitlines() if not line.startswith("#")]


def nest(depth: int) -> tcap.Node:
    return (0x30, [(0x05, b""), nest(depth - 1) if depth else (0x05, b""), (0x04, b"A")])


def hostile() -> list[str]:
    rng = random.Random(7)
    seeds = [bytes.fromhex(one) for one in hexes()]
    deep = tcap.encode(tcap.begin(tcap.invoke(71, nest(20)), acn=tcap.ATI_ACN))
    values = [unitdata(deep)]
    values += [mutated(rng.choice(seeds), rng) or b"\0" for _ in range(150)] + [rng.randbytes(n) for n in range(1, 40)]
    return [value.hex() for value in values]


@pytest.mark.parametrize("columns", [80, 120])
def test_any_octets_are_explained_within_the_columns_and_without_control_characters(columns: int) -> None:
    for one in [*hexes(), *hostile()]:
        for line in run(one, columns=columns).split("\n"):
            assert len(line) <= columns, line
            assert line.isprintable()
            assert line == line.rstrip()


@pytest.mark.parametrize("options", [(), ("--all",)])
def test_every_rule_is_told_of_for_each_component(options: tuple[str, ...]) -> None:
    """By name; where it fails as it did with a component above, by count."""
    ids = [rule.id for rule in load(Path(POLICY)).rules]
    for one in [*hexes(), *hostile()[:40]]:
        sections = re.split(r"\n\n(?=rules tried on )", run(one, *options))[1:]
        assert sections
        for section in sections:
            section = re.sub(r"(after|hidden by) \S+", "", section)
            told = re.findall(rf"(?<![\w-])(?:{'|'.join(ids)})(?![\w-])", section)
            above = re.search(r"(\d+) do(?:es)? not match for the same reasons as above", section)
            assert len(set(told)) + (int(above[1]) if above else 0) == len(ids)
            assert not above or not (options or section is sections[0])
            matching = int(re.search(r"(\d+) of 14 match", section)[1])  # type: ignore[index]
            assert len(re.findall(r"^[▶ ] (?:allow|drop|reject|redirect) +(?!exception)\S", section, re.M)) == matching


def test_one_mark_stands_at_what_decided() -> None:
    for one in [*hexes(), *hostile()]:
        said = run(one)
        decided = re.findall(r"^▶ (\w+) +(exception )?(\S+)", said, re.M)
        head = said.splitlines()[0]
        if head.startswith("HOLD"):
            assert not decided
            continue
        assert decided
        action, exception, name = decided[0]
        assert head.startswith(action.upper())
        assert len(decided) == 1 or exception
        if not exception:
            assert f"rule {name}, " in head


def test_colours_change_no_text_and_no_color_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = run(f"{MESSAGES}#6")
    monkeypatch.setattr(layout, "coloured", lambda: True)
    done = CliRunner(env={"COLUMNS": "100"}).invoke(
        explain.command, [f"{MESSAGES}#6", "--policy", POLICY], color=True, catch_exceptions=False
    )
    assert "\x1b[" in done.stdout
    assert [line.rstrip() for line in ESCAPE.sub("", done.stdout).split("\n")] == plain.split("\n")


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_terminal_gets_colours_unless_the_environment_says_no(
    environment: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", type("Terminal", (), {"isatty": lambda self: True})())
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert layout.coloured() is coloured


def test_pipe_gets_plain_text_of_a_fixed_width() -> None:
    done = CliRunner(env={"COLUMNS": None}).invoke(explain.command, [f"{MESSAGES}#2", "--policy", POLICY])
    assert done.stdout == run(f"{MESSAGES}#2", columns=layout.PLAIN_COLUMNS)


ONE = bytes.fromhex(hexes()[0])


@pytest.mark.parametrize(
    "text",
    [
        ONE.hex(" "),
        ONE.hex(":"),
        ONE.hex().upper(),
        "0x" + ONE.hex(),
        ", ".join(f"0x{octet:02X}" for octet in ONE),
        "\n".join(f"{at:04x}  {ONE[at : at + 16].hex(' ')}  ................" for at in range(0, len(ONE), 16)),
        "\n".join(f"{at:08x}: {ONE[at : at + 16].hex(' ', 2)}  {'.' * 16}" for at in range(0, len(ONE), 16)),
        "\n".join(
            f"{at:08x}  {ONE[at : at + 8].hex(' ')}  {ONE[at + 8 : at + 16].hex(' ')}  |{'.' * 16}|"
            for at in range(0, len(ONE), 16)
        )
        + f"\n{len(ONE):08x}",
        "\n".join(f"{at:07o} {ONE[at : at + 16].hex(' ')}" for at in range(0, len(ONE), 16)) + f"\n{len(ONE):07o}",
        "\n".join(f"{at:07d} {ONE[at : at + 16].hex(' ')}" for at in range(0, len(ONE), 16)) + f"\n{len(ONE):07d}",
    ],
    ids=["spaces", "colons", "capitals", "0x", "list", "wireshark", "xxd", "hexdump -C", "od", "od -Ad"],
)
def test_octets_are_taken_as_they_are_pasted(text: str) -> None:
    wanted = run(ONE.hex())
    assert run(text) == wanted
    assert run("-", stdin=text + "\n") == wanted


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "configs/demo/corpus.pcap.gz#170.7",
            "frame 170 holds the messages .0, .1, .2; write configs/demo/corpus.pcap.gz#170.0",
        ),
        ("tests/captures/pcapr_LU.pcap", "which message? write tests/captures/pcapr_LU.pcap#12"),
        ("0g", "neither hex digits in pairs nor CAPTURE#FRAME"),
        ("090", "neither hex digits in pairs nor CAPTURE#FRAME"),
        ("", "no octets"),
        ("0000000 8009 0e03 0b19\n0000006", "words of two octets"),
        ("00000000  09 80 03\n*\n00000030", "lines left out"),
        ("00000000  09 80 03\n00000010  0e 19", "do not add up"),
        ("00000000  09 80 03\nand so on", "no line of a hexdump"),
        ("tests/captures/pcapr_LU.pcap#0", "no SCCP message there"),
    ],
)
def test_what_is_no_message_is_said_in_one_line(message: str, said: str) -> None:
    done = CliRunner().invoke(explain.command, [message, "--policy", POLICY])
    assert said in str(done.exception)
    assert "\n" not in str(done.exception)


def test_frame_of_several_messages_says_so() -> None:
    done = CliRunner().invoke(explain.command, ["configs/demo/corpus.pcap.gz#170", "--policy", POLICY])
    assert done.stdout.splitlines()[0].endswith("corpus.pcap.gz/170/0")
    assert done.stderr == "frame 170 holds 3 messages: .0, .1, .2\n"


def test_what_was_not_framed_has_no_rules(tmp_path: Path) -> None:
    path = tmp_path / "broken.hex"
    path.write_text("m3ua\t0100010100000064\n")
    said = run(f"{path}#1")
    assert said.startswith("DROP  unframed")
    assert "rules tried" not in said
    assert "▶ drop     exception malformed" in said


def test_every_error_code_has_its_words() -> None:
    assert set(account.MEANING) == set(names.ERROR_CODES[1:])


def test_file_name_brings_no_control_characters(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31mb.hex"
    path.write_text(ONE.hex() + "\n")
    assert "\x1b" not in run(f"{path}#1")


@pytest.mark.parametrize("name", ["README.md", "docs/explain.md"])
def test_excerpts_of_the_documentation_are_what_it_prints(name: str) -> None:
    """Every block that begins with the command: what follows are lines of its output, `…` for those left out."""
    blocks = re.findall(
        r"^    \$ \S*sigfw explain (\S+) --policy (\S+)\n((?:    .*\n|\n)+)", (ROOT / name).read_text(), re.M
    )
    assert blocks
    for message, policy, text in blocks:
        printed = undated(run(message, policy=policy))
        at = 0
        for part in re.split(r"^ *…\n", re.sub(r"^    ", "", text.rstrip() + "\n", flags=re.M), flags=re.M):
            found = printed.find(part, at)
            assert found >= 0, part
            at = found + len(part)


if __name__ == "__main__":
    for number in KEPT:
        (FOLDER / f"{number}.txt").write_text(kept(number))
