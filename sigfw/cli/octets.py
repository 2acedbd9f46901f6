"""A dissected message as lines: octets on the left, names and values, the octets themselves on the right."""

from collections import Counter
from dataclasses import dataclass

from sigfw.cli.layout import Line, Piece, length, wrap
from sigfw.dissect.ber import UNIVERSAL
from sigfw.dissect.node import Node

Notes = dict[int, list[str]]  # by id of a node: what the policy knows of it
KEPT = ("data", "component portion", "reassembled data")  # stand on a line of their own
LEAST_TEXT = 26  # columns of a name
DUMP = 16  # octets a line of what is not decoded


@dataclass
class Pointer:
    """Where decoding went wrong first, in the core's words."""

    offset: int
    text: str


@dataclass
class Row:
    start: int
    lines: list[Line]


class View:
    """The tree of one dissection. data: what its offsets count in."""

    def __init__(self, data: bytes, width: int, notes: Notes, pointer: Pointer | None) -> None:
        self.data, self.width, self.notes, self.pointer = data, width, notes, pointer
        self.margin = 2 * len(str(max(len(data) - 1, 10))) + 3
        self.hex_octets = 8 if width >= 110 else 6 if width >= 96 else 4
        self.hex_columns = 3 * self.hex_octets + 1
        self.rows: list[Row] = []

    def tree(self, root: Node) -> list[Line]:
        self.node(root, "", "")
        if self.pointer:
            self.point(self.pointer)
        return [line for row in self.rows for line in row.lines]

    def node(self, node: Node, guide: str, below: str) -> None:
        if node.stopped:
            self.undecoded(node, guide, below)
            return
        node, notes = self.merged(node)
        pieces: list[Piece] = [(node.name, "part" if node.children else "")]
        if node.value:
            pieces += [("  ", ""), (node.value, "value")]
        pieces += [(f"  → {note}", "known") for note in notes]
        for said, times in Counter(node.odd).items():
            pieces.append((f"  ! {said}{f', {times} times' if times > 1 else ''}", "odd"))
        self.row(node, guide, below, pieces)
        for child in node.children:
            last = child is node.children[-1]
            self.node(child, below + ("└ " if last else "├ "), below + ("  " if last else "│ "))

    def merged(self, node: Node) -> tuple[Node, list[str]]:
        """A node that holds one other and nothing else is one line with it; the pointer's octet keeps its own."""
        start, name, odd = node, node.name, list(node.odd)
        notes = list(self.notes.get(id(node), ()))
        while len(node.children) == 1 and not node.value and node.name not in KEPT:
            child = node.children[0]
            if child.stopped or (self.pointer and self.pointer.offset == child.start):
                break
            node = child
            if child.children or child.name not in UNIVERSAL.values():
                name += f" › {child.name}"
            odd += child.odd
            notes += self.notes.get(id(child), ())
        return Node(start.start, start.end, name, node.value, node.body, odd, node.children), notes

    def row(self, node: Node, guide: str, below: str, pieces: list[Piece]) -> None:
        guide, below = self.cut(guide), self.cut(below)
        room = self.width - self.margin - len(guide) - self.hex_columns - 2
        lines: list[Line] = []
        for i, line in enumerate(wrap(pieces, room)):
            label = octet_range(node.start, node.end) if i == 0 else ""
            under = below + ("│ " if node.children else "  ")
            shown: Line = [(f"{label:>{self.margin - 2}}  {guide if i == 0 else under}", "dim"), *line]
            if i == 0:
                gap = self.width - self.hex_columns - length(shown)
                shown += [(" " * max(gap, 1), ""), (self.hex(node), "dim")]
            lines.append(shown)
        self.rows.append(Row(node.start, lines))

    def cut(self, guide: str) -> str:
        """Deep nesting leaves room for its names."""
        most = self.width - self.margin - self.hex_columns - LEAST_TEXT
        return guide if len(guide) <= most else "…" + guide[len(guide) - most + 1 :]

    def hex(self, node: Node) -> str:
        """The octets of a leaf; of what has parts, those before the first one."""
        end = max(node.children[0].start, node.start) if node.children else node.end
        found = self.data[node.start : end]
        return found[: self.hex_octets].hex(" ") + ("…" if len(found) > self.hex_octets else "")

    def undecoded(self, node: Node, guide: str, below: str) -> None:
        """Why decoding stopped, unless the pointer says it, and the octets from there on."""
        guide, below = self.cut(guide), self.cut(below)
        told = self.pointer is not None and self.pointer.offset == node.start and node.stopped in self.pointer.text
        if told and node.start == node.end:
            return
        pieces: list[Piece] = [("not decoded", "odd"), *([] if told else [(f"  ! {node.stopped}", "odd")])]
        dump = DUMP if self.width - self.margin - len(below) >= 3 * DUMP else DUMP // 2
        lines: list[Line] = []
        for i, line in enumerate(wrap(pieces, self.width - self.margin - len(guide))):
            label = octet_range(node.start, node.end) if i == 0 and node.end > node.start else ""
            lines.append([(f"{label:>{self.margin - 2}}  {guide if i == 0 else below}", "dim"), *line])
        for at in range(node.start, node.end, dump):
            part = self.data[at : min(at + dump, node.end)]
            label = octet_range(at, at + len(part)) if node.end - node.start > dump else ""
            lines.append([(f"{label:>{self.margin - 2}}  {below}", "dim"), (part.hex(" "), "odd")])
        self.rows.append(Row(node.start, lines))

    def point(self, pointer: Pointer) -> None:
        """Before the row that begins at the pointer's octet, else behind the last one that begins before it."""
        starts = [i for i, row in enumerate(self.rows) if row.start == pointer.offset]
        before = [i for i, row in enumerate(self.rows) if row.start < pointer.offset]
        place = starts[-1] if starts else before[-1] + 1 if before else len(self.rows)
        lines = wrap([(pointer.text, "stop")], self.width - self.margin)
        mark = [[(f"{'▶' if i == 0 else '':>{self.margin - 2}}  ", "stop"), *line] for i, line in enumerate(lines)]
        self.rows.insert(place, Row(pointer.offset, mark))


def octet_range(start: int, end: int) -> str:
    return f"{start}–{end - 1}" if end > start + 1 else str(start)
