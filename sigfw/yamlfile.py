"""YAML with the line of every key and value, for files that people write: the policy and the configuration.

Scalars stay the text that was written (`0044` is no octal number, `off` no boolean); who reads a value says what it
must be. Every mistake is noted with file and line, and reading goes on, so that all are told at once.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

import yaml

from sigfw.errors import ConfigError

MAX_OCTETS: Final = 64 << 20  # a policy with a million prefixes is 10 MB; more belongs into CSV, which is streamed
MAX_NODES: Final = 4_000_000  # aliases expanded: ends an alias bomb, has room for three million prefixes
MAX_DEPTH: Final = 24  # a policy needs seven
MAX_TOLD: Final = 50  # mistakes told a file: more are one mistake made often


class Node:
    """A scalar (value: its text), a list (value: nodes) or a mapping (value: pairs of nodes)."""

    __slots__ = ("file", "kind", "line", "plain", "value")

    def __init__(self, kind: Literal["scalar", "list", "mapping"], file: str, line: int, value: object) -> None:
        self.kind = kind
        self.file = file
        self.line = line
        self.value = value
        self.plain = False  # a scalar without quotes

    @property
    def text(self) -> str:
        return self.value if isinstance(self.value, str) else ""

    @property
    def nodes(self) -> list["Node"]:
        return self.value if self.kind == "list" else []  # type: ignore[return-value]

    @property
    def pairs(self) -> list[tuple["Node", "Node"]]:
        return self.value if self.kind == "mapping" else []  # type: ignore[return-value]

    @property
    def empty(self) -> bool:
        """Whether nothing was written after the key."""
        return self.kind == "scalar" and self.plain and self.text in ("", "~", "null", "Null", "NULL")

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


class Mistakes:
    """What is wrong, by file and line. Bounded: MAX_TOLD a file are kept, the rest counted."""

    def __init__(self) -> None:
        self._kept: dict[str, list[tuple[int, str]]] = {}
        self._more: dict[str, int] = {}

    def add(self, file: str, line: int, text: str) -> None:
        kept = self._kept.setdefault(file, [])
        if (line, printable(text)) in kept:  # of a value that several things go by
            return
        if len(kept) < MAX_TOLD:
            kept.append((line, printable(text)))
        else:
            self._more[file] = self._more.get(file, 0) + 1

    def at(self, node: Node, text: str) -> None:
        self.add(node.file, node.line, text)

    def room(self, file: str) -> bool:
        """Whether another mistake of this file is told; where not, its text need not be made."""
        return len(self._kept.get(file, ())) < MAX_TOLD

    def __bool__(self) -> bool:
        return bool(self._kept)

    @property
    def total(self) -> int:
        return sum(map(len, self._kept.values())) + sum(self._more.values())

    def lines(self) -> list[str]:
        told = []
        for file, kept in sorted(self._kept.items()):
            told += [f"{printable(file)}:{line}: {text}" for line, text in sorted(kept)]
            if more := self._more.get(file):
                told.append(
                    f"{printable(file)}:{max(kept)[0]}: and {more} more mistakes in this file; mend those above first"
                )
        return told

    def end(self) -> None:
        """Raise ConfigError with all of them, if there are any."""
        if self:
            raise ConfigError(self.lines())


def printable(text: str) -> str:
    """`text` on one line, with nothing that a terminal takes for an order."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def shown(text: str) -> str:
    """`text` as it may stand in a one-line message: printable, short, in quotes."""
    text = printable(text[:61])
    return f'"{text[:60]}…"' if len(text) > 60 else f'"{text}"'


def closest(name: str, known: Iterable[str]) -> str:
    """What to do about an unknown name."""
    known = sorted(known)
    folded = {k.casefold(): k for k in known}
    close = [folded[m] for m in difflib.get_close_matches(name[:64].casefold(), list(folded), 1)]
    if close:
        return f"did you mean {close[0]}?"
    if not known:
        return "there is none here"
    return f"known: {', '.join(known)}" if len(known) <= 24 else f"{len(known)} are known, none like it"


def _octets(path: Path) -> bytes:
    """Raises OSError, or ValueError with what is wrong."""
    if path.exists() and not path.is_file() and not path.is_dir():  # a pipe may never end, or never begin
        raise ValueError("is no regular file; name a YAML file")
    with path.open("rb") as f:
        octets = f.read(MAX_OCTETS + 1)
    if len(octets) > MAX_OCTETS:
        raise ValueError(f"is larger than {MAX_OCTETS >> 20} MB; keep long lists in CSV files")
    return octets


def read(path: Path, mistakes: Mistakes, named_by: Node | None = None) -> Node | None:
    """Read the one mapping of a YAML file; None where mistakes were noted.

    named_by: the node that names the file, told where it cannot be read.
    """
    file, line = (named_by.file, named_by.line) if named_by else (str(path), 1)
    try:
        octets = _octets(path)
    except OSError as e:
        mistakes.add(file, line, f"{path} cannot be read ({e.strerror or e}); check the path and its permissions")
        return None
    except ValueError as e:
        mistakes.add(file, line, f"{path} {e}")
        return None
    return parse(octets, str(path), mistakes)


def parse(octets: bytes, file: str, mistakes: Mistakes) -> Node | None:
    """As `read`, of a file's content."""
    try:
        text = octets.decode("utf-8-sig")
        binary = octets.find(b"\0")
    except UnicodeDecodeError as e:
        text, binary = "", e.start
    if binary >= 0:
        mistakes.add(file, octets.count(b"\n", 0, binary) + 1, "is no UTF-8 text; write YAML, saved as UTF-8")
        return None
    try:
        top = _Builder(file, mistakes).build(text)
    except yaml.YAMLError as e:
        mistakes.add(file, *_explained(e, text))
        return None
    except _TooMuch as e:
        mistakes.add(file, e.line, str(e))
        return None
    if top is None or top.empty:
        mistakes.add(file, 1, "is empty; write at least `schema: 1`")
        return None
    if top.kind != "mapping":
        mistakes.at(top, f"the file is a {top.kind}; write keys and values, `schema: 1` first")
        return None
    return top


def _explained(e: yaml.YAMLError, text: str) -> tuple[int, str]:
    if isinstance(e, yaml.reader.ReaderError):
        position = e.position if isinstance(e.position, int) else 0
        return text.count("\n", 0, position) + 1, "holds a control character; remove it"
    problem = getattr(e, "problem", None) or "cannot be understood"
    mark, context = getattr(e, "problem_mark", None), getattr(e, "context_mark", None)
    if context and (mark is None or "end of stream" in problem):
        mark = context  # a quote or bracket left open is told where it opens, not where the file ends
    line = mark.line + 1 if mark else 1
    lines = text.split("\n", line)
    written = lines[line - 1] if len(lines) >= line else ""
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return line, "a tab indents this line; YAML wants spaces"
    if "tag" in (getattr(e, "context", None) or ""):
        return line, "a ! without quotes begins a YAML tag; write the value in quotes"
    if "alias" in problem:
        return line, f"{problem}; an anchor (&name) must stand before its alias (*name)"
    return line, f"is no YAML here ({problem}); check indentation, colons, quotes and brackets in and above this line"


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _TooMuch(Exception):
    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


class _Builder:
    """Nodes from parse events: no recursion, every bound checked before memory is taken."""

    def __init__(self, file: str, mistakes: Mistakes) -> None:
        self.file = file
        self.mistakes = mistakes
        self.count = 0  # nodes, with those that aliases stand for
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.stack: list[tuple[Node, str | None, int, list[Node]]] = []
        self.top: Node | None = None
        self.documents = 0

    def build(self, text: str) -> Node | None:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
                self._start(event)
            elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                self._end()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    raise _TooMuch(_line(event), "a second document begins (---); write one a file")
        return self.top

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        line = _line(event)
        node = Node("scalar", self.file, line, event.value)
        node.plain = event.style is None or event.style == ""
        if event.tag is not None:
            if event.value == "" and event.tag.startswith("!"):
                self.mistakes.at(node, f"{shown(event.tag)} without quotes is a YAML tag; write it in quotes")
            else:
                self.mistakes.at(node, f"YAML tag {shown(event.tag)} is not read; remove it")
        self._add(node, event.anchor, 1)

    def _start(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        line = _line(event)
        if len(self.stack) >= MAX_DEPTH:
            raise _TooMuch(line, f"nests deeper than {MAX_DEPTH} levels; check the brackets")
        kind: Literal["list", "mapping"] = "list" if isinstance(event, yaml.SequenceStartEvent) else "mapping"
        node = Node(kind, self.file, line, [])
        if event.tag is not None:
            self.mistakes.at(node, f"YAML tag {shown(event.tag)} is not read; remove it")
        self.stack.append((node, event.anchor, self.count, []))

    def _end(self) -> None:
        node, anchor, count, members = self.stack.pop()
        if node.kind == "list":
            node.value = members
        else:
            node.value = list(zip(members[::2], members[1::2], strict=True))
        self._add(node, anchor, self.count - count + 1)

    def _alias(self, event: yaml.AliasEvent) -> None:
        line = _line(event)
        anchor = event.anchor or ""
        if anchor not in self.anchors:
            raise _TooMuch(line, f"no anchor {shown(anchor)} stands before its alias; write it, or the value itself")
        node, size = self.anchors[anchor]
        copy = Node(node.kind, self.file, line, node.value)
        copy.plain = node.plain
        self.count += size - 1
        self._add(copy, None, 1)

    def _add(self, node: Node, anchor: str | None, size: int) -> None:
        self.count += 1
        if self.count > MAX_NODES:
            raise _TooMuch(node.line, f"holds more than {MAX_NODES} values; keep long lists in CSV files")
        if anchor is not None:
            self.anchors[anchor] = (node, size)
        if self.stack:
            self.stack[-1][3].append(node)
        else:
            self.top = node


class Reader:
    """What a value must be: every method returns it, or notes a mistake and returns None."""

    def __init__(self, mistakes: Mistakes) -> None:
        self.mistakes = mistakes

    def hint(self, node: Node, name: str, known: Iterable[str]) -> str:
        """What to do about an unknown name at `node`. It costs much, so only where it is told."""
        return closest(name, known) if self.mistakes.room(node.file) else ""

    def mapping(self, node: Node, what: str) -> Iterator[tuple[Node, Node]]:
        """Pairs of a mapping, each key once."""
        if node.kind != "mapping":
            self.mistakes.at(node, f"{what} {_is(node)}; write keys and values")
            return
        seen: dict[str, Node] = {}
        for key, value in node.pairs:
            if key.kind != "scalar":
                self.mistakes.at(key, f"a key of {what} is a {key.kind}; write a name")
            elif key.text == "<<" and key.plain:
                self.mistakes.at(key, f"YAML's << is not read in {what}; write out what it would bring")
                yield from ((k, v) for k, v in value.pairs if k.kind == "scalar" and k.text not in seen)
            elif key.text in seen:
                before = seen[key.text].where
                self.mistakes.at(key, f"{shown(key.text)} stands twice in {what} (first at {before}); remove one")
            else:
                seen[key.text] = key
                yield key, value

    def fields(self, node: Node, what: str, known: Iterable[str], required: Iterable[str] = ()) -> dict[str, Node]:
        """Values of a mapping with known keys."""
        known = tuple(known)
        found: dict[str, Node] = {}
        hints = set()
        for key, value in self.mapping(node, what):
            if key.text in known:
                found[key.text] = value
            else:
                hint = self.hint(key, key.text, known)
                hints.add(hint)
                self.mistakes.at(key, f"unknown key {shown(key.text)} in {what}; {hint}")
        if node.kind == "mapping":
            for name in required:
                if name not in found and f"did you mean {name}?" not in hints:  # one mistake is told once
                    self.mistakes.at(node, f"{what} has no `{name}`; add it")
        return found

    def items(self, node: Node, what: str) -> list[Node]:
        """Members of a list."""
        if node.kind != "list":
            self.mistakes.at(node, f"{what} {_is(node)}; write a list: [ … ]")
        return node.nodes

    def one_or_more(self, node: Node) -> list[Node]:
        """Members of a list, or the one value."""
        return node.nodes if node.kind == "list" else [node]

    def text(self, node: Node, what: str, pattern: str = "", must: str = "") -> str | None:
        """A text, which `pattern` matches whole; `must` says so in words."""
        if node.kind != "scalar" or node.empty:
            self.mistakes.at(node, f"{what} {_is(node)}; write a text")
            return None
        if pattern and not re.fullmatch(pattern, node.text):
            self.mistakes.at(node, f"{what} {shown(node.text)} is not usable; {must}")
            return None
        return node.text

    def name(self, node: Node, what: str) -> str | None:
        """A name that may be a label of a metric."""
        return self.text(
            node, what, r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "write 1 to 64 letters, digits, dots, hyphens, underscores"
        )

    def choice(self, node: Node, what: str, known: Collection[str], unbuilt: Iterable[str] = ()) -> str | None:
        """One of several words. unbuilt: words that mean something, which nothing here does yet."""
        text = self.text(node, what)
        if text is None or (text and text in known):
            return text
        known = [k for k in known if k]
        if text in unbuilt:
            self.mistakes.at(node, f"{what} {shown(text)} is not built yet; write {', '.join(known)}")
            return None
        self.mistakes.at(node, f"{what} {shown(text)} is unknown; {self.hint(node, text, known)}")
        return None

    def integer(self, node: Node, what: str, low: int, high: int) -> int | None:
        """A number, decimal or 0x…."""
        text = self.text(node, what)
        if text is None:
            return None
        number = None
        if re.fullmatch(r"-?(0|[1-9][0-9]{0,18})", text):
            number = int(text)
        elif re.fullmatch(r"0x[0-9A-Fa-f]{1,15}", text):
            number = int(text, 16)
        if number is None or not low <= number <= high:
            must = f"a number from {low} to {high}" if low < high else str(low)
            self.mistakes.at(node, f"{what} {shown(text)} is not usable; write {must}")
            return None
        return number

    def boolean(self, node: Node, what: str) -> bool | None:
        text = self.text(node, what)
        if text is None:
            return None
        if text not in ("true", "false"):
            self.mistakes.at(node, f"{what} {shown(text)} is not usable; write true or false")
            return None
        return text == "true"


def _is(node: Node) -> str:
    return "has no value" if node.empty else f"is a {'single value' if node.kind == 'scalar' else node.kind}"
