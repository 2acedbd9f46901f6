"""The short way of CSV files that hold prefixes and nothing else, against the way of all others."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sigfw._core.prefixes import PlainRows, Prefixes
from sigfw.policy import csvfile
from sigfw.policy.entries import COLUMNS, LEASE_COLUMNS, Entries
from sigfw.policy.model import Entry, Listed, Row
from sigfw.yamlfile import Mistakes, Node

NODE = Node("scalar", "policy.yaml", 1, "l.csv")
EVERY = (*COLUMNS, *LEASE_COLUMNS)
HEADS = ("", "prefix", "Prefix ,note", "prefix,lessor,lessee", "prefix,prefix", "prefix,nonsense", "note,prefix")
LINES = (
    *("4477009", "!4477009001", "44", "!44", "0044", "001", "1" * 16, "1" * 17, "4477,", "4477,,,", "4477,,,,,,,,"),
    "4477,a note,,,,,,,,,,,,,,",
    *("", "# as of 2026-11-23", "# as of 2026-11-23, they say", "# as of 2026-13-01", '# "', "#", " 4477", "4477 "),
    *("4477,a note", "4477,,,,2026-01-01", '"4477"', "+4477", "!", "!!44", "٤٤", "# für", "a", "\xa0", "44\r45", "\0"),
)
ENDS = ("\n", "\n", "\n", "\r\n", "\r")


def taken(path: Path, written: list[str], *, zero: bool, short: bool) -> tuple[object, ...]:
    mistakes, as_of = Mistakes(), dict[str, str]()
    entries = Entries(mistakes, as_of, zero=zero)
    for prefix in written:
        entries.take_node(Node("scalar", "policy.yaml", 2, prefix))
    with pytest.MonkeyPatch.context() as patch:
        if not short:
            patch.setattr(csvfile, "plain", lambda *_, **__: None)
        entries.take_file(path, NODE)
    return mistakes.lines(), entries.all, entries.repeats, entries.repeated, entries.dated, as_of


@given(
    head=st.sampled_from(HEADS),
    lines=st.lists(st.sampled_from(LINES) | st.from_regex(r"!?[1-9][0-9]{0,2}", fullmatch=True), max_size=12),
    ends=st.lists(st.sampled_from(ENDS), min_size=13, max_size=13),
    mark=st.sampled_from((b"", b"", csvfile.BOM)),
    cut=st.booleans(),
    written=st.lists(st.sampled_from(("44", "!4477009", "45", "1")), max_size=2),
    zero=st.booleans(),
)
@example(  # the first of repeats is the first by its line
    head="", lines=["45", "44", "45", "44"], ends=["\n"] * 13, mark=b"", cut=False, written=[], zero=False
)
def test_both_ways_agree(
    tmp_path_factory: pytest.TempPathFactory,
    head: str,
    lines: list[str],
    ends: list[str],
    mark: bytes,
    cut: bool,
    written: list[str],
    zero: bool,
) -> None:
    path = tmp_path_factory.getbasetemp() / "l.csv"
    text = "".join(line + end for line, end in zip([head, *lines], ends, strict=False))
    path.write_bytes(mark + (text[:-1] if cut else text).encode())
    assert taken(path, written, zero=zero, short=True) == taken(path, written, zero=zero, short=False)


def test_plain_file_takes_the_short_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over several portions, with all that may stand in such a file."""
    monkeypatch.setattr(csvfile, "AT_ONCE", 7)
    (tmp_path / "l.csv").write_text("# as of 2026-11-23\nprefix,note\n\n4477009\r\n!4477,,\n45\n4477009\n45\n46")
    read = csvfile.plain(tmp_path / "l.csv", EVERY, zero=False)
    assert read is not None
    assert Listed(read.prefixes)[:] == [
        Entry(prefix="4477", exclude=True),
        *(Entry(prefix=one) for one in ("4477009", "45", "46")),
    ]
    assert (read.repeats, read.repeated) == (2, f"{tmp_path}/l.csv:7")
    assert read.as_of == {f"{tmp_path}/l.csv:1": "2026-11-23"}


@pytest.mark.parametrize("text", [b"4" * 40_000, b"44\n" + b"," * 40_000 + b"\n45\n", b"44\n45\x00\n"])
def test_line_without_end_is_no_plain_row(text: bytes) -> None:
    assert PlainRows(zero=False).feed(text) == -1


def test_packed_prefixes_are_what_was_packed() -> None:
    more = Prefixes(["45", "1" * 16, "4"], ["4477"])
    every = Prefixes(["44"], ["1", "9"], more)
    assert every.lines(0, 100) == b"!1\n!4477\n!9\n" + b"1" * 16 + b"\n4\n44\n45\n"
    assert every.lines(5, 6) == b"44\n"
    assert [every[i] for i in range(len(every))] == ["1", "4477", "9", "1" * 16, "4", "44", "45"]
    assert [one for one in ("1", "!1", "44", "!44", "4477", "!4477") if one in every] == ["!1", "44", "!4477"]
    again = Prefixes.mapped(memoryview(bytes(every.octets)), every.excluded)
    assert again.lines(0, 100) == every.lines(0, 100)


@pytest.mark.parametrize(("octets", "excluded"), [(7, 0), (8, 2), (8, -1)])
def test_octets_that_are_no_packed_prefixes_are_refused(octets: int, excluded: int) -> None:
    with pytest.raises(ValueError, match="no packed prefixes"):
        Prefixes.mapped(memoryview(bytes(octets)), excluded)


def test_packed_prefixes_begin_where_a_number_may() -> None:
    octets = memoryview(bytes(24))
    assert len(Prefixes.mapped(octets[8:], 0)) == 2
    with pytest.raises(ValueError, match="not aligned to 8"):
        Prefixes.mapped(octets[4:20], 0)


def test_listed_is_a_sequence_of_its_entries() -> None:
    rows = (Row(prefix="44", note="a"), Row(prefix="4", exclude=True))
    entries = Listed.of((rows[0], Entry(prefix="441"), rows[1], Entry(prefix="44", exclude=True)))
    plain = (Entry(prefix="44", exclude=True), Entry(prefix="441"))
    assert tuple(entries) == (*plain, *rows)
    assert (entries[-1], entries[0], entries[1:3]) == (rows[1], plain[0], [plain[1], rows[0]])
    assert [entry.marked for entry in entries.by_prefix()] == ["!4", "!44", "44", "441"]
    assert entries == Listed.of(entries[:])
    assert entries != Listed.of(entries[1:])
    with pytest.raises(IndexError):
        entries[4]
