"""Compiled policies: they say what their source says, and what is not as it was written is refused."""

import contextlib
import datetime
import os
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from sigfw._core import probe
from sigfw._core.gttable import OPERATOR_ITEM, PrefixTable
from sigfw._core.mapped import checksum
from sigfw._core.tables import Tables
from sigfw.cli import cli
from sigfw.errors import ConfigError, StartError
from sigfw.pipeline.build import load_rules, rules_of
from sigfw.policy import compiled
from sigfw.policy.compiler import compile_policy, compiler_of
from sigfw.policy.diff import differences
from sigfw.policy.loader import load
from sigfw.policy.model import Policy

DAY = datetime.date(2026, 11, 24)
POLICY = """\
schema: 1
name: compiled
home: {country_code: "44", global_titles: ["4477009"], imsi: ["00101"], hosted_abroad: ["447700955"]}
operators:
  - {tadig: DEUXX, country: DE, global_titles: ["49171"], imsi: ["26201"]}
  - {tadig: DEUYY, country: DE, global_titles: ["491715"], also: [DEUXX]}
lists:
  plain: {kind: gt, file: plain.csv}
  dated: {kind: gt, entries: [{prefix: "49172", valid_until: 2026-11-25, note: a}, {prefix: "4917", owner: b}]}
  imsis: {kind: imsi, entries: ["00102", "!001021"]}
exceptions: {default: allow}
rules:
  - {id: plain, when: {calling.gt: {in: plain}}, action: drop}
  - {id: dated, when: {calling.gt: {in: dated}, check: calling_operator_unknown}, action: drop}
  - {id: written, when: {calling.gt: ["4933", "4934"], called.operator: DEUXX}, action: drop, labels: {a: b}}
"""
NUMBERS = ("4477009", "447700955", "49171", "4917150", "49172", "491", "23276", "2327655", "4933", "00102", "0010213")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.yaml").write_text(POLICY)
    (tmp_path / "plain.csv").write_text("23276\n!2327655\n")
    compiler = compiler_of(load(tmp_path / "p.yaml", today=DAY))
    compiler.tables()
    compiled.write(compiler, tmp_path / "p.compiled")
    return tmp_path


def said(policy: Policy) -> list[object]:
    tables = compile_policy(policy)
    found: list[object] = [tables.lookup(one, space) for one in NUMBERS for space in ("e164", "e214", "e212", "msisdn")]
    judged = [probe.judge(tables, {"calling": {"gt": one, "np": 1, "nai": 4}}) for one in NUMBERS if one[0] != "0"]
    return [tables.digest, tables.list_sizes(), *found, *judged]


def reseal(path: Path, octets: bytes) -> None:
    path.write_bytes(octets[:-8] + compiled.SUM.pack(checksum(memoryview(octets[:-8]))))


@pytest.mark.parametrize(("days", "mapped"), [(0, True), (1, True), (2, False), (-1, False)])
def test_compiled_policy_says_on_every_day_what_its_source_says(folder: Path, days: int, mapped: bool) -> None:
    day = DAY + datetime.timedelta(days=days)
    ours, theirs = load(folder / "p.compiled", today=day), load(folder / "p.yaml", today=day)
    assert said(ours) == said(theirs)
    assert ours.compiled.fits(ours) is mapped
    assert not list(differences(ours, theirs))
    files = {"files": (), "compiled": None}
    assert msgspec.structs.replace(ours, **files) == msgspec.structs.replace(theirs, **files)
    assert ours.files == (str(folder / "p.compiled"),)


def test_policy_of_other_parts_is_compiled_anew(folder: Path) -> None:
    policy = load(folder / "p.compiled", today=DAY)
    without = msgspec.structs.replace(policy, lists={name: policy.lists[name] for name in ("dated", "imsis", "plain")})
    assert said(without) == said(policy)
    assert not policy.compiled.fits(without)
    with pytest.raises(ConfigError, match="compiled otherwise; compile it again"):
        policy.compiled.tables(compiler_of(without).numbers)


@pytest.mark.parametrize("item", [9 << 1, OPERATOR_ITEM | 9, OPERATOR_ITEM | 9 << 16])
def test_class_of_a_list_or_operator_that_there_is_not_is_refused(folder: Path, item: int) -> None:
    policy = load(folder / "p.compiled", today=DAY)
    mapped = policy.compiled
    forged = compiled.Mapped(mapped._numbering, (PrefixTable(["49"], [item]), *mapped._tables[1:]), policy)
    with pytest.raises(ConfigError, match="compiled otherwise; compile it again"):
        compile_policy(msgspec.structs.replace(policy, compiled=forged))


def test_every_altered_octet_is_refused(folder: Path) -> None:
    path, octets = folder / "p.compiled", (folder / "p.compiled").read_bytes()
    for at in range(0, len(octets), 31):
        path.write_bytes(octets[:at] + bytes([octets[at] ^ 1 << at % 8]) + octets[at + 1 :])
        if at >= len(compiled.NAME):
            with pytest.raises(ConfigError, match="is no compiled policy of this version") as raised:
                load(path, today=DAY)
            assert raised.value.files == (str(path),)
            assert len(raised.value.mistakes) == 1
        else:
            with pytest.raises(ConfigError):
                load(path, today=DAY)


def test_what_is_cut_or_longer_is_refused(folder: Path) -> None:
    path, octets = folder / "p.compiled", (folder / "p.compiled").read_bytes()
    for kept in (*range(7, 200), len(octets) - 64, len(octets) - 1):
        path.write_bytes(octets[:kept])
        with pytest.raises(ConfigError, match=r"p\.compiled: is no compiled policy of this version \(cut short"):
            load(path, today=DAY)
    path.write_bytes(octets + b"\0")
    with pytest.raises(ConfigError, match="cut short, or longer than it was"):
        load(path, today=DAY)


@pytest.mark.parametrize("at", [7, 8, 15])
def test_other_format_and_byte_order_are_refused(folder: Path, at: int) -> None:
    octets = bytearray((folder / "p.compiled").read_bytes())
    octets[at] += 1
    reseal(folder / "p.compiled", octets)
    with pytest.raises(ConfigError, match="of another format or byte order"):
        load(folder / "p.compiled", today=DAY)


def test_other_version_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "__version__", "99.0")
    with pytest.raises(ConfigError, match=r"\(of sigfw [0-9.]+.*\); compile it again: sigfw policy compile POLICY -o"):
        load(folder / "p.compiled", today=DAY)


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=150)
def test_no_altered_file_with_a_right_sum_reads_beyond_its_arrays(
    tmp_path_factory: pytest.TempPathFactory, alterations: list[tuple[float, int]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "plain.csv").write_text("23276\n!2327655\n")
    (folder / "p.yaml").write_text(POLICY)
    compiler = compiler_of(load(folder / "p.yaml", today=DAY))
    compiler.tables()
    path = folder / "altered"
    compiled.write(compiler, path)
    octets = bytearray(path.read_bytes())
    for where, octet in alterations:
        octets[64 + int(where * (len(octets) - 72))] = octet
    reseal(path, octets)
    # Who mends the sum may write any policy: one that is none may be a fault, and never more.
    with contextlib.suppress(ConfigError, ValueError, LookupError, OverflowError):
        said(load(path, today=DAY))
        said(load(path, today=DAY + datetime.timedelta(days=9)))


def damaged(table: PrefixTable, part: int, at: int, octets: bytes) -> PrefixTable:
    parts = [bytearray(one) for one in table.parts]
    parts[part][at : at + len(octets)] = octets
    found = [(lists, owner) for (lists, _), owner in zip(table.classes, table.owners, strict=True)]
    return PrefixTable.mapped(tuple(map(memoryview, parts)), table.shape, found)


@pytest.mark.parametrize(
    ("part", "at", "octets"),
    [
        (1, 2, b"\xff\xff"),  # a class that is none
        (2, 0, b"\2\0\0\0"),  # a bucket before the first
        (2, 4 * 60, b"\xff\xff\0\0"),  # behind the last
        (2, 4 * 121, b"\0\0\0\0"),  # the end
    ],
)
def test_arrays_that_lead_out_of_themselves_are_refused(part: int, at: int, octets: bytes) -> None:
    table = PrefixTable(["44", "45"], [4, 6])
    assert damaged(table, 0, 0, b"").find("451") == table.find("451")
    with pytest.raises(ValueError, match="no prefix table"):
        damaged(table, part, at, octets)


def test_arrays_begin_where_a_number_may() -> None:
    table = PrefixTable(["44"], [4])
    octets = [memoryview(bytes(1) + bytes(part))[1:] for part in table.parts]
    with pytest.raises(ValueError, match="not aligned to 8"):
        PrefixTable.mapped(tuple(octets), table.shape, [(frozenset(), 0), (frozenset((2,)), 0)])


def test_one_sum_differs_from_that_of_every_octet_altered() -> None:
    octets = bytes(range(200))
    sums = {checksum(memoryview(octets[:i] + bytes([octets[i] ^ 128]) + octets[i + 1 :])) for i in range(200)}
    assert len(sums | {checksum(memoryview(octets)), checksum(memoryview(octets[:-1]))}) == 202


# the command ----------------------------------------------------------------------------------------------------------


def run(*arguments: object) -> str:
    result = CliRunner().invoke(cli, [str(one) for one in arguments], catch_exceptions=False, standalone_mode=False)
    return result.output


def test_command_writes_what_other_commands_take(folder: Path) -> None:
    told = run("policy", "compile", folder / "p.yaml", "-o", folder / "other")
    assert told.startswith(f"{folder}/other: compiled ")
    assert "prefixes" in told
    assert "list      plain, gt, 2 prefixes: !2327655, 23276\n" in run("policy", "show", folder / "other")
    assert "lists     plain\n" in run("gt", "lookup", "23276", "--policy", folder / "other")
    assert oct((folder / "other").stat().st_mode & 0o777) == "0o644"
    run("policy", "compile", folder / "other", "-o", folder / "other")
    assert said(load(folder / "other")) == said(load(folder / "p.yaml"))


def test_command_overwrites_nothing_but_compiled_policies(folder: Path) -> None:
    for name in ("p.yaml", "plain.csv", "."):
        with pytest.raises(Exception, match="is no compiled policy, and is not overwritten; name another file"):
            run("policy", "compile", folder / "p.yaml", "-o", folder / name)


def test_file_that_was_there_stays_where_the_new_one_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(os.listdir(folder)), (folder / "p.compiled").read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compiled.os, "fsync", full)
    compiler = compiler_of(load(folder / "p.yaml"))
    compiler.tables()
    with pytest.raises(StartError, match="cannot be written \\(No space left on device\\); check the folder"):
        compiled.write(compiler, folder / "p.compiled")
    assert (sorted(os.listdir(folder)), (folder / "p.compiled").read_bytes()) == before


def test_mapped_tables_outlive_the_file_that_is_replaced(folder: Path) -> None:
    tables: Tables = compile_policy(load(folder / "p.compiled", today=DAY))
    (folder / "plain.csv").write_text("33\n")
    compiler = compiler_of(load(folder / "p.yaml", today=DAY))
    compiler.tables()
    compiled.write(compiler, folder / "p.compiled")
    assert tables.lookup("23276") is not None
    assert compile_policy(load(folder / "p.compiled", today=DAY)).lookup("23276") is None


# the service ----------------------------------------------------------------------------------------------------------

CONFIG = """\
schema: 1
policy: p.compiled
source: {capture: {path: c.pcap}}
sink: {files: {verdicts: v.jsonl, events: e.jsonl}}
identities: {pseudonymise: false}
"""


def test_service_says_that_a_compiled_policy_is_of_other_days(folder: Path) -> None:
    (folder / "c.yaml").write_text(CONFIG)
    with capture_logs() as lines:
        rules = load_rules(folder / "c.yaml")
    assert [line["event"] for line in lines] == ["policy_compiled_for_other_days"]
    assert rules.tables.digest == load(folder / "p.yaml").digest
    assert rules.files == (str(folder / "c.yaml"), str(folder / "p.compiled"))
    run("policy", "compile", folder / "p.yaml", "-o", folder / "p.compiled")
    with capture_logs() as lines:
        assert load_rules(folder / "c.yaml").tables.digest == rules.tables.digest
    assert not lines


def test_day_that_comes_has_its_entries(folder: Path) -> None:
    rules = rules_of(load(folder / "p.compiled", today=DAY), {})
    assert rules.changes == "2026-11-26"
    assert rules.renew is not None
    day = DAY + datetime.timedelta(days=2)
    assert rules.renew(day).tables.digest == load(folder / "p.yaml", today=day).digest
    assert rules.tables.digest == load(folder / "p.yaml", today=DAY).digest != rules.renew(day).tables.digest
