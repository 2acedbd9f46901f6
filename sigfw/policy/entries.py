"""Entries of a list, from YAML and CSV: plain prefixes, or rows that say whose, why and when."""

from pathlib import Path
from typing import Final

from sigfw._core.prefixes import Prefixes
from sigfw.policy import csvfile, schema
from sigfw.policy.model import Entry, Listed, Row
from sigfw.policy.numbers import NumberReader, is_date
from sigfw.yamlfile import Mistakes, Node, shown

__all__ = ["Entries", "covers"]

COLUMNS: Final = ("prefix", "note", "source", "owner", "valid_from", "valid_until")
LEASE_COLUMNS: Final = ("lessor", "lessee")  # of a lease register: only under a header
KEYS: Final = (*COLUMNS, "reason", *LEASE_COLUMNS)
MAX_PERIODS: Final = 64  # of one prefix: each new one is held against those before


class Entries(NumberReader):
    """A prefix once a day, and either in the list or an exception."""

    def __init__(self, mistakes: Mistakes, as_of: dict[str, str], *, zero: bool) -> None:
        super().__init__(mistakes)
        self.as_of = as_of
        self.zero = zero
        self.packed = Prefixes()  # of a plain file
        self.found: dict[str, Entry] = {}
        self.again: dict[str, list[Entry]] = {}  # other periods of prefixes in `found`
        self.dated = False
        self.repeats = 0
        self.repeated = ""  # where the first repeat is
        self.texts: dict[str, str] = {}  # notes and owners repeat: each kept once

    @property
    def all(self) -> Listed:
        found = Listed.of((*self.found.values(), *(entry for entries in self.again.values() for entry in entries)))
        if not len(found.plain):
            return Listed(self.packed, found.rows)
        plain = [entry for entry in found if not isinstance(entry, Row)]
        others = [entry.prefix for entry in plain if not entry.exclude]
        return Listed(Prefixes(others, [entry.prefix for entry in plain if entry.exclude], self.packed), found.rows)

    def take_node(self, node: Node) -> None:
        if node.kind == "mapping":
            found = self.fields(node, "an entry", KEYS, ("prefix",))
            if "note" in found and "reason" in found:
                self.mistakes.at(node, "an entry has both `note` and `reason`, which are one; remove one")
            found = {"note" if key == "reason" else key: value for key, value in found.items()}
            cells = {key: self.text(value, key) or "" for key, value in found.items()}
            if "prefix" in found and cells["prefix"]:
                self._take(node.file, node.line, cells.pop("prefix"), cells)
        elif node.kind != "scalar" or node.empty:
            self.mistakes.at(node, f"an entry is no prefix; {schema.DIGITS_MUST}")
        else:
            self._take(node.file, node.line, node.text, {})

    def take_file(self, path: Path, named_by: Node) -> None:
        if not self._take_plain(path):
            self._take_rows(path, named_by)

    def _take_plain(self, path: Path) -> bool:
        """A file of prefixes and nothing else, without an object a row; False: it is another, and nothing is taken."""
        read = csvfile.plain(path, (*COLUMNS, *LEASE_COLUMNS), zero=self.zero)
        if read is None or any(mark + prefix in read.prefixes for prefix in self.found for mark in ("", "!")):
            return False
        self.packed = read.prefixes
        self.as_of.update(read.as_of)
        if read.repeats:
            self.repeats += read.repeats
            self.repeated = self.repeated or read.repeated
        return True

    def _take_rows(self, path: Path, named_by: Node) -> None:
        file, names, nothing = str(path), (*COLUMNS[1:], *LEASE_COLUMNS), dict[str, str]()
        for line, (prefix, *rest) in csvfile.rows(
            path, COLUMNS, self.mistakes, named_by, more=LEASE_COLUMNS, as_of=self.as_of
        ):
            said = (
                {name: text for name, cell in zip(names, rest, strict=True) if (text := cell.strip())}
                if any(rest)
                else nothing
            )
            self._take(file, line, prefix.strip(), said)

    def _take(self, file: str, line: int, text: str, more: dict[str, str]) -> None:
        exclude = text.startswith("!")
        prefix = text[1:] if exclude else text
        problem = schema.digits_problem(prefix, zero=self.zero)
        if problem is not None:
            self.mistakes.add(file, line, f"the prefix {shown(prefix)} {problem}")
            return
        if more:
            if not self._dates(file, line, more):
                return
            kept = {name: self.texts.setdefault(value, value) for name, value in more.items()}
            entry: Entry = Row(prefix=prefix, exclude=exclude, file=file, line=line, **kept)
        else:
            entry = Entry(prefix=prefix, exclude=exclude)
        before = self.found.setdefault(prefix, entry)
        if before is not entry:
            self._again(file, line, before, entry)

    def _dates(self, file: str, line: int, more: dict[str, str]) -> bool:
        start, end = more.get("valid_from", ""), more.get("valid_until", "")
        good = True
        for date in (start, end):
            if date and not is_date(date):
                self.mistakes.add(file, line, f"{shown(date)} is no date; write it as 2026-11-23")
                good = False
        if good and start and end and start > end:
            self.mistakes.add(file, line, f"valid_until {end} is before valid_from {start}; mend one of them")
            good = False
        self.dated = self.dated or bool(start or end)
        return good

    def _again(self, file: str, line: int, before: Entry, entry: Entry) -> None:
        """A prefix that stands already: for another time it may, for the same it adds nothing."""
        periods = self.again.get(entry.prefix, [])
        for other in (before, *periods):
            if other.exclude != entry.exclude and _meet(other, entry):
                self.mistakes.add(file, line, f"the prefix {entry.prefix} stands with ! and without; remove one")
                return
            if other.exclude == entry.exclude and covers(other, entry):
                self.repeats += 1
                self.repeated = self.repeated or f"{file}:{line}"
                return
        if len(periods) == MAX_PERIODS:
            self.mistakes.add(
                file, line, f"the prefix {entry.prefix} has more than {MAX_PERIODS} periods; join those that meet"
            )
            return
        self.again.setdefault(entry.prefix, []).append(entry)


def _period(entry: Entry) -> tuple[str, str]:
    """First and last day, as texts that compare."""
    return (entry.valid_from, entry.valid_until or "9999-12-31") if isinstance(entry, Row) else ("", "9999-12-31")


def _meet(one: Entry, other: Entry) -> bool:
    (a, b), (c, d) = _period(one), _period(other)
    return a <= d and c <= b


def covers(one: Entry, other: Entry) -> bool:
    """Whether one is in force on every day on which the other is."""
    (a, b), (c, d) = _period(one), _period(other)
    return a <= c and d <= b
