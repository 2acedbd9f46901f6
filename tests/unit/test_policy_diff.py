"""`sigfw policy diff`: what differs in policies, and which messages that touches."""

from pathlib import Path

import orjson
import pytest

from sigfw.policy.diff import differences
from sigfw.policy.loader import load
from tests.unit.test_cli import CORPUS, POLICY, sigfw

BASE = """\
schema: 1
name: x
home: {country_code: "44", global_titles: ["4477009"], imsi: ["00101"]}
operators: [{tadig: DEUXX, country: DE, global_titles: ["4917139200"], imsi: ["00102"]}]
lists:
  blocked: {kind: gt, entries: ["99942", "!9994266"]}
exceptions: {default: allow}
checks: {rate_exceeded: {limits: [{by: calling.gt, per_second: 5, burst: 10}]}}
rules:
  - {id: one, when: {calling.gt: {in: blocked}}, action: drop}
  - {id: two, when: {operation: [anyTimeInterrogation, sendIMSI]}, action: drop}
  - {id: three, when: {operation: updateLocation, check: imsi_is_foreign}, action: drop, mode: shadow}
"""


def changed(tmp_path: Path, *replaced: tuple[str, str]) -> list[str]:
    text = BASE
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    a, b = tmp_path / "a.yaml", tmp_path / "b.yaml"
    a.write_text(BASE)
    b.write_text(text)
    return [" ".join(filter(None, (c.part, c.change, c.name, c.said))) for c in differences(load(a), load(b))]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"4477009"', '"4477009", "4477008"', "home changed global titles +1: +4477008"),
        ("DEUXX, country: DE", "DEUYY, country: DE", "operator removed DEUXX country DE; global titles 4917139200"),
        ("DEUXX, country: DE", "DEUXX, country: FR", "operator changed DEUXX country DE → FR"),
        (
            '"99942", "!9994266"',
            '"99941", "9994266"',
            "blocked +2 -2: +99941, +9994266, -!9994266, -99942",
        ),
        (
            "default: allow",
            "default: {national: drop, else: allow}",
            "exception changed default national: allow → drop",
        ),
        ("per_second: 5", "per_second: 6", "check changed limits +1 -1: +calling.gt 6.0 10, -calling.gt 5.0 10"),
        ("action: drop, mode: shadow", "action: drop", "rule changed three mode shadow → enforce"),
        ("action: drop, mode", "action: {redirect: 447700900999}, mode", "action drop → redirect to 447700900999"),
        (", check: imsi_is_foreign", "", "rule changed three check imsi_is_foreign → no check"),
        ("sendIMSI]", "sendRoutingInfo]", "operation in anyTimeInterrogation, sendIMSI → operation in anyTime"),
        ("id: two", "id: zwei", "rule added zwei general: drop (enforce): operation in anyTimeInterrogation, sendIMSI"),
    ],
)
def test_difference_is_told_once(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = changed(tmp_path, (old, new))
    assert [said in line for line in found].count(True) == 1, found
    assert len(found) <= 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: x", "name: y"),
        ("[anyTimeInterrogation, sendIMSI]", "[sendIMSI, anyTimeInterrogation]"),
        ('"99942", "!9994266"', '"!9994266", "99942"'),
        ("rules:", "# a comment\nrules:"),
    ],
)
def test_what_says_the_same_is_no_difference(tmp_path: Path, old: str, new: str) -> None:
    assert changed(tmp_path, (old, new)) == []


def test_moved_rule_is_told_alone_and_not_those_it_passed(tmp_path: Path) -> None:
    one, two, three = BASE.splitlines(keepends=True)[-3:]
    assert changed(tmp_path, (one + two + three, three + one + two)) == ["rule moved three to the first place"]
    assert changed(tmp_path, (one + two + three, two + one + three)) in (
        ["rule moved one behind two"],
        ["rule moved two to the first place"],
    )


# on a capture ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def looser(tmp_path: Path) -> str:
    """The shipped policy with one rule in shadow and one gone."""
    text = (Path(__file__).parents[2] / POLICY).read_text()
    head, tail = text.split("  - id: locate-subscriber\n")
    rule, rest = tail.split("    action: drop\n", 1)
    text = f"{head}  - id: locate-subscriber\n{rule}    action: drop\n    mode: shadow\n{rest}"
    path = tmp_path / "b.yaml"
    path.write_text(text.replace("id: subscriber-identity\n", "id: identity\n"))
    return str(path)


def test_capture_shows_which_messages_change_by_rule_operation_and_caller(looser: str) -> None:
    done = sigfw("policy", "diff", POLICY, looser, "--capture", CORPUS, "--format", "jsonl")
    assert done.returncode == 1
    groups = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert {group["what"] for group in groups} == {"verdict"}
    located = [group for group in groups if group["a"]["by"] == "locate-subscriber"]
    assert located
    assert {group["b"]["by"] for group in located} <= {"(default)", "(malformed)", "global-opcode", "identity"}
    renamed = [group for group in groups if group["a"]["by"] == "subscriber-identity"]
    assert {(group["a"]["action"], group["b"]["action"], group["b"]["by"]) for group in renamed} == {
        ("drop", "drop", "identity")
    }
    assert sum(group["count"] for group in groups) == int(done.stderr.split(": ")[1].split()[0])
    example = located[0]["example"]
    told = sigfw("explain", example, "--policy", POLICY)
    assert (told.returncode, "locate-subscriber" in told.stdout) == (0, True)


def test_shadow_that_appears_is_told_apart_from_verdicts(tmp_path: Path) -> None:
    text = "schema: 1\nname: x\nexceptions: {{default: allow, malformed: allow}}\nrules:\n  - {}\n"
    rule = "{id: r, when: {operation: updateLocation}, action: drop, mode: MODE}"
    for mode in ("off", "shadow", "enforce"):
        (tmp_path / mode).write_text(text.format(rule.replace("MODE", mode)))
    off, shadow, enforce = (str(tmp_path / mode) for mode in ("off", "shadow", "enforce"))
    done = sigfw("policy", "diff", off, shadow, "--capture", CORPUS, "--format", "jsonl")
    seen = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert {(group["what"], group["a"]["action"], group["b"]["action"]) for group in seen} == {("shadow", "-", "drop")}
    table = sigfw("policy", "diff", shadow, enforce, "--capture", CORPUS).stdout
    assert table.startswith("messages")
    assert "What shadow rules would do" not in table
    same = sigfw("policy", "diff", off, off, "--capture", CORPUS)
    assert (same.returncode, same.stdout) == (0, "")


def test_numbers_of_strangers_leave_as_pseudonyms_when_asked(looser: str) -> None:
    clear = sigfw("policy", "diff", POLICY, looser, "--capture", CORPUS).stdout
    hidden = sigfw("policy", "diff", POLICY, looser, "--capture", CORPUS, "--pseudonymise").stdout
    assert "99942…" in clear
    assert "99942" not in hidden
    assert "hmac:" in hidden
    assert len(clear.splitlines()) == len(hidden.splitlines())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.yaml",), "none.yaml cannot be read"),
        ((POLICY, "--pseudonymise"), "give --capture"),
        ((POLICY, "--capture", "none.pcap"), "none.pcap: No such file"),
        ((POLICY, "--capture", POLICY), "no pcap or pcapng"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_status_2(arguments: tuple[str, ...], said: str) -> None:
    done = sigfw("policy", "diff", POLICY, *arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert said in done.stderr
