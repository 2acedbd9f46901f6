"""Rows of the CSV files that a policy names: streamed, with line numbers, a header optional."""

import csv
import re
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from sigfw._core.prefixes import PlainRows, Prefixes
from sigfw.policy.numbers import is_date
from sigfw.yamlfile import Mistakes, Node, closest, shown

AS_OF: Final = re.compile(r"#\s*as of\s+([0-9-]{10})\b", re.I)
BOM: Final = b"\xef\xbb\xbf"
AT_ONCE: Final = 1 << 20  # octets
MAX_LINE: Final = 1 << 16  # characters: half of what the csv module bounds a cell to


class Plain(NamedTuple):
    """What a file of prefixes and nothing else says."""

    prefixes: Prefixes
    repeats: int  # rows that say what one before says
    repeated: str  # file:line of the first
    as_of: dict[str, str]


def plain(path: Path, columns: tuple[str, ...], *, zero: bool) -> Plain | None:
    """Read a file whose rows are prefixes alone; None: it is no such file, or has a mistake, which `rows` tells.

    zero: whether a prefix may begin with 0. tests/unit/test_plain_csv.py holds it to what `rows` says.
    """
    found, as_of = PlainRows(zero=zero), dict[str, str]()
    try:
        if not path.is_file():
            return None
        with path.open("rb") as f:
            rest = f.read(len(BOM))
            rest = b"" if rest == BOM else rest
            for more in chain(iter(partial(f.read, AT_ONCE), b""), [b"\n"]):  # of a last line without an end
                text = rest + more
                read = found.feed(text)
                if read < 0:
                    return None
                rest = text[read:]
                for line, comment in found.comments:
                    as_of.update(_as_of(f"{path}:{line}", comment.partition(",")[0]))
                found.comments.clear()
    except (OSError, ValueError):
        return None
    header = [name.strip().casefold() for name in (found.header or columns[0]).split(",")]
    known = header[0] == columns[0] and len(set(header)) == len(header) and set(header) <= set(columns)
    packed = found.packed() if known else None
    return Plain(packed[0], packed[1], f"{path}:{packed[2]}", as_of) if packed else None


def _as_of(where: str, comment: str) -> dict[str, str]:
    """The date of a file that stands in a comment."""
    said = AS_OF.match(comment)
    return {where: said[1]} if said and is_date(said[1]) else {}


class _NoRows(Exception):
    """Why nothing of the file can be taken, from that line on."""


def rows(
    path: Path,
    columns: tuple[str, ...],
    mistakes: Mistakes,
    named_by: Node,
    *,
    more: tuple[str, ...] = (),
    as_of: dict[str, str] | None = None,
) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells in the order of `columns` and `more`, "" where a row ends early) of each row.

    A first row that names the first column is a header: it says which columns stand in which order; only it can bring
    those of `more`. Empty lines and lines that begin with # are left out, but `# as of 2026-11-23` is the file's date,
    which as_of gets by its file:line. A row that is no UTF-8 is a mistake, and left out.
    """
    file = str(path)
    before = mistakes.total
    try:
        if path.exists() and not path.is_file():
            mistakes.at(named_by, f"{path} is no file with rows; name a CSV file")
            return
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as f:
            reader = csv.reader(_lines(f, file, mistakes), strict=True)
            order: list[int] | None = None
            width = len(columns)
            first = True
            while True:
                line = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    # Cut off, more likely than meant: a list of nothing lets everything pass.
                    if first and mistakes.total == before:
                        mistakes.add(file, 1, f"has no row; write rows, or the header alone: {','.join(columns)}")
                    return
                except csv.Error as e:
                    mistakes.add(file, line, f"is no CSV in the row that begins here ({e}); check the quotes")
                    return
                except _NoRows as e:
                    mistakes.add(file, line, str(e))
                    return
                if not cells or (len(cells) == 1 and not cells[0].strip()):
                    continue
                if cells[0].startswith("#"):
                    if as_of is not None:
                        as_of.update(_as_of(f"{file}:{line}", cells[0]))
                    continue
                if first:
                    first = False
                    if len(cells) == 1 and (";" in cells[0] or "\t" in cells[0]):
                        mistakes.add(file, line, "has its columns parted by `;` or tabs; save it with commas")
                        return
                    if cells[0].strip().casefold() == columns[0]:
                        order = _header(file, line, cells, (*columns, *more), mistakes)
                        width = len(cells)
                        continue
                if any(cell.strip() for cell in cells[width:]):
                    what = "than its header" if order is not None else f"than {','.join(columns)}"
                    mistakes.add(file, line, f"has more columns, {len(cells)}, {what}; quote what holds a comma")
                    continue
                if order is not None:
                    cells = [cells[i] if 0 <= i < len(cells) else "" for i in order]
                else:
                    cells = cells[:width] + [""] * (max(width - len(cells), 0) + len(more))
                yield line, cells
    except OSError as e:
        mistakes.at(named_by, f"{path} cannot be read ({e.strerror or e}); check the path and its permissions")


def _lines(f: TextIO, file: str, mistakes: Mistakes) -> Iterator[str]:
    """Lines of bounded length: no file takes memory at will, and no part of a line is taken for a row."""
    number = 0
    while line := f.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and line[-1] not in "\r\n":
            raise _NoRows(f"has more than {MAX_LINE} characters in a line; check the line ends")
        if "\0" in line:
            raise _NoRows("is no UTF-8 text; save it as UTF-8")
        if not line.isascii() and any("\ud800" <= c <= "\udfff" for c in line):
            mistakes.add(file, number, "holds octets that are no UTF-8; save the file as UTF-8")
            line = "\n"
        yield line


def _header(file: str, line: int, cells: list[str], columns: tuple[str, ...], mistakes: Mistakes) -> list[int]:
    found: dict[str, int] = {}
    for i, cell in enumerate(cells):
        name = cell.strip().casefold()
        if name not in columns:
            mistakes.add(file, line, f"unknown column {shown(name)}; {closest(name, columns)}")
        elif name in found:
            mistakes.add(file, line, f"column {shown(name)} stands twice; remove one")
        else:
            found[name] = i
    return [found.get(name, -1) for name in columns]
