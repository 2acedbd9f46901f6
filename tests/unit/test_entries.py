"""Entries of lists: what is said of them, and what `policy check` says of what is said."""

import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from bench.dialogues import update
from bench.encode import Party
from sigfw.cli import cli
from sigfw.errors import ConfigError
from sigfw.policy import schema
from sigfw.policy.lint_data import lint_data
from sigfw.policy.loader import load
from sigfw.policy.model import Entry, Policy, Row

DAY = datetime.date(2026, 11, 24)
HEAD = "schema: 1\nname: x\nhome: {country_code: '44', global_titles: ['4477009']}\nexceptions: {default: allow}\n"


def read(folder: Path, entries: str, csv: str | None = None) -> Policy:
    file = ", file: l.csv" if csv is not None else ""
    (folder / "p.yaml").write_text(f"{HEAD}lists:\n  l: {{kind: gt, entries: [{entries}]{file}}}\n")
    (folder / "l.csv").write_text(csv or "")
    return load(folder / "p.yaml", today=DAY)


def mistakes(folder: Path, entries: str, csv: str | None = None) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        read(folder, entries, csv)
    return [line.replace(f"{folder}/", "") for line in raised.value.mistakes]


def findings(folder: Path, entries: str, csv: str | None = None) -> list[str]:
    return [line.replace(f"{folder}/", "") for line in lint_data(read(folder, entries, csv))]


# What may be said -----------------------------------------------------------------------------------------------------


def test_entry_says_whose_it_is_and_why_and_until_when(tmp_path: Path) -> None:
    said = '{prefix: "!4477009001", owner: fraud desk, reason: "a test, again", source: mail, valid_until: 2026-12-31}'
    entries = read(tmp_path, f'"4477", {said}').lists["l"].entries
    assert entries[0] == Entry(prefix="4477")
    row = entries[1]
    assert isinstance(row, Row)
    assert (row.prefix, row.exclude, row.owner, row.note) == ("4477009001", True, "fraud desk", "a test, again")
    assert (row.source, row.valid_until, row.where) == ("mail", "2026-12-31", f"{tmp_path}/p.yaml:6")


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ("{owner: a}", "p.yaml:6: an entry has no `prefix`; add it"),
        ("{prefix: '44', ownr: a}", 'p.yaml:6: unknown key "ownr" in an entry; did you mean owner?'),
        ("{prefix: '44', note: a, reason: b}",
         "p.yaml:6: an entry has both `note` and `reason`, which are one; remove one"),
        ("{prefix: '+44'}", 'p.yaml:6: the prefix "+44" holds characters that are no digits; write 44'),
        ("{prefix: '44', valid_until: 31.12.2026}", 'p.yaml:6: "31.12.2026" is no date; write it as 2026-11-23'),
        ("{prefix: '44', valid_until: 2026-02-30}", 'p.yaml:6: "2026-02-30" is no date; write it as 2026-11-23'),
        ("{prefix: '44', owner: [a]}", "p.yaml:6: owner is a list; write a text"),
        (
            "{prefix: '44', valid_from: 2026-12-31, valid_until: 2026-01-01}",
            "p.yaml:6: valid_until 2026-01-01 is before valid_from 2026-12-31; mend one of them",
        ),
        ("[a]", "p.yaml:6: an entry is no prefix; write digits only, in international form without + or 00 (44…)"),
    ],
)  # fmt: skip
def test_bad_entry_is_told_with_its_line(tmp_path: Path, entries: str, told: str) -> None:
    assert mistakes(tmp_path, entries) == [told]


def test_schema_for_editors_knows_such_entries() -> None:
    jsonschema.validate(
        yaml.safe_load("{schema: 1, name: x, lists: {l: {kind: gt, entries: ['44', {prefix: '45', reason: a}]}}}"),
        schema.policy_schema(),
    )


def test_blank_cells_behind_the_last_column_say_nothing(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "", "4477009001,a note,,,,,,,,,,,,,,\n").lists["l"].entries
    assert isinstance(row, Row)
    assert (row.prefix, row.note, row.lessor) == ("4477009001", "a note", "")


def test_lease_columns_stand_under_a_header_only(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "", "prefix,lessor,lessee,source\n4477009001,A,B,register\n").lists["l"].entries
    assert isinstance(row, Row)
    assert (row.lessor, row.lessee, row.source) == ("A", "B", "register")
    assert mistakes(tmp_path, "", "4477009001,n,s,o,,,A,B\n") == [
        "l.csv:1: has more columns, 8, than prefix,note,source,owner,valid_from,valid_until; quote what holds a comma"
    ]


def test_prefix_may_stand_again_for_another_time(tmp_path: Path) -> None:
    rows = "prefix,valid_from,valid_until\n44,,2026-01-31\n44,2026-11-24,2026-12-31\n!44,2026-02-01,2026-11-23\n"
    numbers = read(tmp_path, "", rows).lists["l"]
    assert [(e.exclude, e.valid_until) for e in numbers.entries if isinstance(e, Row)] == [(False, "2026-12-31")]
    assert [(e.exclude, e.valid_until) for e in numbers.others] == [(False, "2026-01-31"), (True, "2026-11-23")]


def test_prefix_with_and_without_exclamation_mark_on_one_day_is_a_mistake(tmp_path: Path) -> None:
    rows = "prefix,valid_from,valid_until\n44,,2026-01-31\n!44,2026-01-31,\n"
    assert mistakes(tmp_path, "", rows) == ["l.csv:3: the prefix 44 stands with ! and without; remove one"]


def test_prefix_of_very_many_periods_is_refused(tmp_path: Path) -> None:
    """Each new one is held against those before: a file must not make that long."""
    rows = [f"44,{2000 + n}-01-01,{2000 + n}-06-30" for n in range(500)]
    told = mistakes(tmp_path, "", "prefix,valid_from,valid_until\n" + "\n".join(rows))
    assert told[0] == "l.csv:67: the prefix 44 has more than 64 periods; join those that meet"


# What `policy check` finds --------------------------------------------------------------------------------------------


def test_entries_that_ended_or_have_not_begun_are_one_finding_a_list(tmp_path: Path) -> None:
    rows = "prefix,valid_from,valid_until\n441,,2026-11-24\n442,,2026-11-23\n443,,2026-01-01\n444,2026-11-25,\n"
    assert findings(tmp_path, "", rows) == [
        "l.csv:3: 2 entries of list `l` over, the last day of this one was 2026-11-23; remove, or prolong",
        "l.csv:5: 1 entry of list `l` not yet in force, this one from 2026-11-25 on; nothing to do if that is meant",
    ]


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ('"44", "447", "4479"', "2 entries of list `l` without effect: 447 lies in 44; remove"),
        ('"44", "!447", "4479", "!4478"', "1 entry of list `l` without effect: !4478 lies in !447; remove"),
        ('"44", "!45"', "1 entry of list `l` without effect: !45 lies in no entry; remove"),
        ('"44", "!447", "4479"', ""),
        ('{prefix: "44", valid_until: 2026-12-31}, "447"', ""),
        ('"44", {prefix: "447", lessee: B}', ""),
    ],
)
def test_entries_without_effect_are_found(tmp_path: Path, entries: str, told: str) -> None:
    assert findings(tmp_path, entries) == ([f"p.yaml:6: {told}"] if told else [])


def test_entries_that_repeat_are_found(tmp_path: Path) -> None:
    assert findings(tmp_path, '"44"', "45\n44\n45\n") == [
        "l.csv:2: 2 entries of list `l` left out, this one first: one before says the same; remove"
    ]


# Commands -------------------------------------------------------------------------------------------------------------


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, arguments)


LEASES = """\
prefix,lessor,lessee,valid_from,valid_until,source,note
49171392,A,B,2026-01-01,2026-10-31,register,ended
491713,A,,,,,lent
"""


def test_lookup_tells_what_lists_say_of_a_number(tmp_path: Path) -> None:
    read(tmp_path, '"49"', LEASES)
    policy = str(tmp_path / "p.yaml")
    printed = run("gt", "lookup", "4917139200", "--policy", policy, "--date", "2026-11-24").output.splitlines()
    assert printed[1] == "prefix    491713"
    assert printed[-2:] == [
        "entry     l 49171392: lessor A, lessee B, note ended, source register, "
        "valid_from 2026-01-01, valid_until 2026-10-31 (not in force)",
        "entry     l 491713: lessor A, note lent",
    ]
    then = run("gt", "lookup", "4917139200", "--policy", policy, "--date", "2026-10-31").output.splitlines()
    assert then[1] == "prefix    49171392"
    assert not then[-2].endswith("(not in force)")


@pytest.mark.parametrize(("day", "action"), [("2026-10-31", "drop"), ("2026-11-01", "allow")])
def test_screen_and_explain_say_what_would_have_been_on_a_day(tmp_path: Path, day: str, action: str) -> None:
    read(tmp_path, "", LEASES.replace("491713,A", "49151,A"))
    policy, capture = tmp_path / "p.yaml", tmp_path / "m.hex"
    policy.write_text(policy.read_text() + "rules: [{id: r, when: {calling.gt: {in: l}}, action: drop}]\n")
    message = update(Party("4917139200", 7), b"1234").hex()
    capture.write_text(message + "\n")
    screened = run("screen", str(capture), "--policy", str(policy), "--date", day)
    assert f"1  {action}" in screened.output
    assert run("explain", message, "--policy", str(policy), "--date", day).output.startswith(action.upper())


def test_date_that_is_none_is_told(tmp_path: Path) -> None:
    read(tmp_path, '"44"')
    ran = run("gt", "lookup", "44", "--policy", str(tmp_path / "p.yaml"), "--date", "1.3.2026")
    assert ran.exit_code == 2
