"""Lines of styled pieces, wrapped by hand: the same text with colours or without, at any width."""

import os
import shutil
import sys
from collections.abc import Iterable
from typing import Final

import click

Piece = tuple[str, str]  # text, style
Line = list[Piece]

PLAIN_COLUMNS: Final = 100  # where there is no terminal and no COLUMNS
LEAST, MOST = 60, 160
STYLES: Final[dict[str, dict[str, object]]] = {
    "": {},
    "dim": {"dim": True},
    "value": {"bold": True},
    "title": {"bold": True},
    "part": {"fg": "cyan"},  # what has parts of its own
    "known": {"fg": "bright_blue"},  # what the policy knows
    "odd": {"fg": "yellow"},
    "stop": {"fg": "red", "bold": True},
    "allow": {"fg": "green", "bold": True},
    "hold": {"fg": "yellow", "bold": True},
    "redirect": {"fg": "magenta", "bold": True},
    "reject": {"fg": "red", "bold": True},
    "drop": {"fg": "red", "bold": True},
    "shadow": {"fg": "cyan"},
}


def columns() -> int:
    """Of the terminal, of COLUMNS, or a fixed number where the output is a pipe."""
    return max(LEAST, min(MOST, shutil.get_terminal_size((PLAIN_COLUMNS, 24)).columns))


def coloured() -> bool:
    """https://no-color.org: colours on a terminal only, and not where NO_COLOR says so."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def safe(text: str) -> str:
    """Nothing that a terminal would obey: what cannot be printed stands as its number."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def wrap(pieces: Iterable[Piece], width: int) -> list[Line]:
    """Break at spaces; a word longer than the width is cut."""
    lines: list[Line] = [[]]
    room = width
    for text, style in pieces:
        for word in split(safe(text)):
            piece = word
            if len(piece) > room and room < width:
                lines.append([])
                room, piece = width, piece.lstrip()
            while len(piece.rstrip()) > room:
                lines[-1].append((piece[:room], style))
                piece, room = piece[room:], width
                lines.append([])
            lines[-1].append((piece, style))
            room = max(0, room - len(piece))
    for line in lines[:-1]:  # the spaces at which it was broken
        while line and not line[-1][0].strip():
            line.pop()
        if line:
            line[-1] = line[-1][0].rstrip(), line[-1][1]
    return lines


def split(text: str) -> list[str]:
    """Words with the spaces before them; a mark (`!`, `→`) stays with the word behind it."""
    words: list[str] = []
    at = 0
    while at < len(text):
        end = at
        while end < len(text) and text[end] == " ":
            end += 1
        while end < len(text) and text[end] != " ":
            end += 1
        if words and words[-1].strip() in ("!", "→"):
            words[-1] += text[at:end]
        else:
            words.append(text[at:end])
        at = end
    return words


def length(line: Line) -> int:
    return sum(len(text) for text, _ in line)


def paint(lines: Iterable[Line], colour: bool) -> str:
    out = []
    for line in lines:
        if colour:
            out.append("".join(click.style(text, **STYLES[style]) if style else text for text, style in line))  # type: ignore[arg-type]
        else:
            out.append("".join(text for text, _ in line).rstrip())
    return "\n".join(out) + "\n"


class Page:
    """Lines, written one below the other."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.out: list[Line] = []

    def say(self, pieces: list[Piece], indent: int = 0, hang: int = 2) -> None:
        """Wrapped; later lines hang deeper."""
        for i, line in enumerate(wrap(pieces, self.width - indent - hang)):
            self.out.append([(" " * (indent if i == 0 else indent + hang), ""), *line])

    def blank(self) -> None:
        self.out.append([])
