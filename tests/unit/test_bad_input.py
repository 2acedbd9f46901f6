# ruff: noqa: E501 - a row of the tables is a mistake and its message
"""What a tired engineer writes: each mistake is one line with file and line that says what to do, all of them at once."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sigfw import config
from sigfw.errors import ConfigError
from sigfw.policy.loader import load

HEAD = 'schema: 1\nname: p\nhome: {country_code: "44"}\n'
LIST = HEAD + "lists: {a: {kind: gt, file: a.csv}}\n"
OPERATORS = HEAD + "operators: [{file: a.csv}]\n"
CONFIG = """\
schema: 1
policy: p.yaml
source: {capture: {path: c.pcap}}
sink: {files: {verdicts: v.jsonl, events: e.jsonl}}
identities: {pseudonymise: false}
"""


def mistakes(folder: Path, policy: str | bytes, csv: str | bytes | None = None) -> list[str]:
    (folder / "p.yaml").write_bytes(policy.encode() if isinstance(policy, str) else policy)
    if csv is not None:
        (folder / "a.csv").write_bytes(csv.encode() if isinstance(csv, str) else csv)
    with pytest.raises(ConfigError) as raised:
        load(folder / "p.yaml")
    return [line.replace(f"{folder}/", "") for line in raised.value.mistakes]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules:\n\t- id: a\n", "p.yaml:5: a tab indents this line; YAML wants spaces"),
        ('lists: {a: {kind: gt, entries: ["0044"]}}', 'p.yaml:4: the prefix "0044" begins with the prefix 00; write 44'),
        ("lists: {a: {kind: gt, entries: [+44]}}", 'p.yaml:4: the prefix "+44" holds characters that are no digits; write 44'),
        ("lists: {a: {kind: gt, entries: [44 77]}}", 'p.yaml:4: the prefix "44 77" holds characters that are no digits; write 4477'),
        ("lists: {a: {kind: gt, entries: [0447]}}", 'p.yaml:4: the prefix "0447" begins with 0, as national numbers do; write the country code first, without the 0 (44…)'),
        ("lists: {a: {kind: gt, entries: [2026-11-01]}}", 'p.yaml:4: the prefix "2026-11-01" holds characters that are no digits; write 20261101'),
        ("rules:\n- &r {id: a, when: {}, action: drop}\n- {<<: *r, id: b}", "p.yaml:6: YAML's << is not read in a rule; write out what it would bring"),
        ("rules: *r", 'p.yaml:4: no anchor "r" stands before its alias; write it, or the value itself'),
        ("rules: [{id: a, when: {}, action: drop, labels: {a: x\u00a0\"\"}}]\nname: q", 'p.yaml:5: "name" stands twice in the policy (first at p.yaml:2); remove one'),
        ("rules: [{id: a, when: {}, action: drop, labels: {\"\": x}}]", "p.yaml:4: a label's name \"\" is not usable; write 1 to 64 letters, digits, dots, hyphens, underscores"),
        ("rules: [{id: a, when: {}, action: drop, labels: {" + ", ".join(f"l{n}: x" for n in range(40)) + "}}]", "p.yaml:4: more than 32 labels; leave some out"),
        ("rules: [{id: a, when: {}, action: drop, labels: {a: " + "x" * 257 + "}}]", f'p.yaml:4: a label "{"x" * 60}…" is not usable; write 256 characters at most, on one line'),
        ("checks: {rate_exceeded: {limit: []}}", 'p.yaml:4: unknown key "limit" in rate_exceeded; did you mean limits?'),
        ("checks: {sms_origin_mismatch: {hubs: [a]}}", "p.yaml:4: hubs is a list; write a text"),
        ("checks: {sms_origin_mismatch: {hubs: a}}", 'p.yaml:4: unknown list "a" in hubs; there is none here'),
        ("checks: {rate_exceeded: {limits: [{by: calling.gt, per_second: 1e3, burst: 1}]}}", 'p.yaml:4: per_second "1e3" is no rate; write a number above 0, such as 0.5 or 20'),
        ("include: .", "p.yaml:4: . cannot be read (Is a directory); check the path and its permissions"),
    ],
)  # fmt: skip
def test_mistake_in_yaml_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(HEAD + text + "\n")
    with pytest.raises(ConfigError) as raised:
        load(Path("p.yaml"))
    assert raised.value.mistakes == [told]


@pytest.mark.parametrize("octets", [b"# M\xfcnchen\n", HEAD.encode("utf-16"), b"\0"])
def test_yaml_that_is_no_utf8_is_told_where(tmp_path: Path, octets: bytes) -> None:
    line = 1 if octets.startswith(b"\xff\xfe") else 4
    policy = octets if line == 1 else HEAD.encode() + octets
    assert mistakes(tmp_path, policy) == [f"p.yaml:{line}: is no UTF-8 text; write YAML, saved as UTF-8"]


@pytest.mark.parametrize("change", [lambda b: b"\xef\xbb\xbf" + b, lambda b: b.replace(b"\n", b"\r\n")])
def test_byte_order_mark_and_line_ends_of_windows_are_taken(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    (tmp_path / "p.yaml").write_bytes(change(LIST.encode()))
    (tmp_path / "a.csv").write_bytes(change(b"prefix,note\n4477,x\n4478,y\n"))
    assert [entry.prefix for entry in load(tmp_path / "p.yaml").lists["a"].entries] == ["4477", "4478"]


@pytest.mark.parametrize("policy", [LIST, OPERATORS])
@pytest.mark.parametrize(
    ("csv", "line", "told"),
    [
        (b"", 1, "has no row; write rows, or the header alone: "),
        (b"\n# nothing yet\n\n", 1, "has no row; write rows, or the header alone: "),
        (b"\xef\xbb\xbf", 1, "has no row; write rows, or the header alone: "),
        (b"prefix;note\n4917;x\n", 1, "has its columns parted by `;` or tabs; save it with commas"),
        (b"prefix\tnote\n4917\tx\n", 1, "has its columns parted by `;` or tabs; save it with commas"),
        ("prefix,note\n4917,x\n".encode("utf-16"), 1, "is no UTF-8 text; save it as UTF-8"),
        (b'"4917","x\n', 1, "is no CSV in the row that begins here (unexpected end of data); check the quotes"),
        (b"# as of 2026-11-23\n\xfc,\n", 2, "holds octets that are no UTF-8; save the file as UTF-8"),
    ],
)
def test_file_that_is_no_csv_is_one_line(tmp_path: Path, policy: str, csv: bytes, line: int, told: str) -> None:
    (found,) = mistakes(tmp_path, policy, csv)
    assert found.startswith(f"a.csv:{line}: {told}")


def test_row_of_another_encoding_is_refused_though_its_digits_are_good(tmp_path: Path) -> None:
    """A lessor's name leaves in events: what is no text must not come so far."""
    csv = b"prefix,lessor\n4917,M\xfcnchen\n4918,\xc3\x84rger\n4919,\xff\n"
    told = "holds octets that are no UTF-8; save the file as UTF-8"
    assert mistakes(tmp_path, LIST, csv) == [f"a.csv:2: {told}", f"a.csv:4: {told}"]


def test_one_bad_row_of_many_is_told_with_its_line(tmp_path: Path) -> None:
    rows = "".join(f"{n}\n" for n in range(491_000_000, 491_100_000))
    told = 'a.csv:100001: the prefix "+44" holds characters that are no digits; write 44'
    assert mistakes(tmp_path, LIST, f"{rows}+44\n4918\n") == [told]


def test_many_bad_rows_are_told_as_a_few_and_a_count(tmp_path: Path) -> None:
    told = mistakes(tmp_path, LIST, "+44\n" * 100_000)
    assert len(told) < 100
    assert told[-1].endswith("more mistakes in this file; mend those above first")


def test_mistakes_of_all_files_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "q.yaml").write_text("rules: [{id: a, when: {}, action: dropp}]\n")
    found = mistakes(tmp_path, LIST + "include: q.yaml\nrulez: []\n", "0044\n")
    assert [line.split(" ")[0] for line in found] == ["a.csv:1:", "p.yaml:6:", "q.yaml:1:"]


# What is no file that can be read.


def directory(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def nothing(path: Path) -> None:
    pass


PLACES = {
    "p.yaml": "",
    "q.yaml": HEAD + "include: q.yaml\n",
    "a.csv": LIST,
    "o.csv": OPERATORS.replace("a.csv", "o.csv"),
}


@pytest.mark.parametrize("make", [directory, os.mkfifo, loop, zero, nothing])
@pytest.mark.parametrize("name", PLACES)
def test_policy_file_that_cannot_be_read_is_one_line(tmp_path: Path, make: Callable[[Path], None], name: str) -> None:
    if PLACES[name]:
        (tmp_path / "p.yaml").write_text(PLACES[name])
    make(tmp_path / name)
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "p.yaml")
    (told,) = raised.value.mistakes
    assert told.startswith(f"{tmp_path / 'p.yaml'}:{4 if PLACES[name] else 1}: ")
    assert "; " in told


@pytest.mark.parametrize("make", [directory, os.mkfifo, loop, zero, nothing])
def test_configuration_that_cannot_be_read_is_one_line(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "c.yaml")
    with pytest.raises(ConfigError) as raised:
        config.load(tmp_path / "c.yaml", {})
    (told,) = raised.value.mistakes
    assert told.startswith(f"{tmp_path / 'c.yaml'}:1: ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\thttp: 1", "a tab indents this line; YAML wants spaces"),
        ("http: {port: 09464}", 'http.port "09464" is not usable; write a number from 0 to 65535'),
        ("events: {octets: yes}", 'events.octets "yes" is not usable; write true or false'),
        ("reload_seconds: 0.5", 'reload_seconds "0.5" is not usable; write a number from 0 to 3600'),
        ("mode: enforce", "`mode` is a single value; write keys and values"),
        ("http: {<<: {port: 5}}", "YAML's << is not read in `http`; write out what it would bring"),
    ],
)
def test_mistake_in_the_configuration_is_one_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG + text + "\n")
    with pytest.raises(ConfigError) as raised:
        config.load(tmp_path / "c.yaml", {})
    assert raised.value.mistakes == [f"{tmp_path / 'c.yaml'}:6: {told}"]


def test_command_line_prints_the_lines_and_ends_with_status_2(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(HEAD + "rules: [{id: a, when: {}, action: dropp}]\nrulez: []\n")
    command = [sys.executable, "-m", "sigfw", "policy", "check", str(tmp_path / "p.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert [line.split(":")[1] for line in (done.stdout + done.stderr).splitlines()] == ["4", "5"]


def test_largest_policy_is_taken_and_one_rule_more_is_not(tmp_path: Path) -> None:
    rules = [
        f'  - {{id: r{n}, category: c{n % 16}, when: {{calling.gt: ["49{n:06d}"], calling.ssn: {n % 250}, '
        f'called.gt: ["44{n:06d}"], operation: updateLocation, imsi: ["00101{n:04d}"], opc: {n}, direction: inbound}}, action: drop}}\n'
        for n in range(1025)
    ]
    (tmp_path / "p.yaml").write_text(HEAD + "rules:\n" + "".join(rules[:1024]))
    assert len(load(tmp_path / "p.yaml").rules) == 1024
    assert mistakes(tmp_path, HEAD + "rules:\n" + "".join(rules)) == [
        "p.yaml:1029: more than 1024 rules; put values into lists"
    ]
