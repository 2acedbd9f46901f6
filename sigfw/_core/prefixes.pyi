"""Plain entries of lists, packed: a prefix and whether it is an exception, and no more."""

from collections.abc import Collection
from typing import Self, final

@final
class Prefixes:
    """Prefixes of 1 to 16 decimal digits, 8 octets each: the exceptions in order of their digits, then the others.

    more: those that are added to. Raises ValueError where a prefix is none.
    """

    def __new__(
        cls, plain: Collection[str] = (), excluded: Collection[str] = (), more: Prefixes | None = None
    ) -> Self: ...
    @staticmethod
    def mapped(octets: memoryview, excluded: int) -> Prefixes:
        """Of what `octets` gave, aligned to 8; nothing is copied, nothing is checked but the length.

        Raises ValueError where it does not fit.
        """

    @property
    def excluded(self) -> int:
        """How many are exceptions."""

    @property
    def octets(self) -> memoryview:
        """As they lie in memory, for as long as the object is there."""

    def __len__(self) -> int: ...
    def __getitem__(self, i: int, /) -> str:
        """The digits, without mark."""

    def __contains__(self, marked: str, /) -> bool:
        """`44`: among those that are no exceptions; `!44`: among these."""

    def lines(self, start: int, stop: int) -> bytes:
        """Those from start to before stop, each with its mark, if it is an exception, and a line feed."""

@final
class PlainRows:
    """What a CSV file says, where every row is a prefix with or without a mark, and empty cells at most.

    zero: whether a prefix may begin with 0.
    """

    def __new__(cls, *, zero: bool) -> Self: ...
    @property
    def header(self) -> str | None:
        """A line before all rows that is none."""

    @property
    def comments(self) -> list[tuple[int, str]]:
        """(line, text), of those that were read since the list was cleared."""

    def feed(self, text: bytes) -> int:
        """Read the lines that are whole; returns their octets. -1: one is no such row, and nothing of it all counts."""

    def packed(self) -> tuple[Prefixes, int, int] | None:
        """The prefixes, the rows that say what one before said, and the line of the first of these.

        None where there is no row, and where a prefix stands with a mark and without.
        """
