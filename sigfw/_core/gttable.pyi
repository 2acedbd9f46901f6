"""Digits to classes: the longest prefix decides, list by list."""

from collections.abc import Sequence
from typing import Final, Self, final

from sigfw._core.prefixes import Prefixes

HOME: Final[int]  # list numbers that the table itself knows
HOSTED_ABROAD: Final[int]
OPERATOR_ITEM: Final[int]

@final
class PrefixTable:
    """Prefixes of one space (E.164, E.214, E.212 or subscribers' numbers) with what they mean.

    prefixes: 1 to 16 decimal digits each; the same prefix may stand several times.
    items: as many; an item is list << 1 (the numbers are in the list), list << 1 | 1 (they are not: an exception),
        or OPERATOR_ITEM | also << 16 | operator, also being where Tables' `also` says whose it counts as, too. The
        longest prefix decides for each list and for the operator alone. At one prefix an exception beats its list, and
        of two operators the smaller number stands.
    packed: lists whose plain entries come packed: (prefixes, list).
    Raises ValueError where a prefix is none.
    Cost: O(n log n) once, O(n) from what is sorted; 12 octets a prefix and the index, up to 24 where prefixes are
        longer than the index and eight digits (10 to 14), or classes more than 65,536; a look-up reads a bucket, a few
        starts and a class.
    """

    def __new__(
        cls,
        prefixes: Sequence[str] = (),
        items: Sequence[int] = (),
        packed: Sequence[tuple[Prefixes, int]] = (),
    ) -> Self: ...
    @staticmethod
    def mapped(
        parts: tuple[memoryview, ...], shape: tuple[int, ...], found: list[tuple[frozenset[int], int]]
    ) -> PrefixTable:
        """Of the `parts`, aligned to 8, the `shape` and the (lists, owner) of the classes of another one.

        Whatever stands in the parts, no look-up leaves them. Raises ValueError where they do not fit each other.
        Cost: classes and index are read once; nothing is copied.
        """

    @property
    def parts(self) -> tuple[memoryview, ...]:
        """The arrays as they lie in memory, for as long as the table is there."""

    @property
    def shape(self) -> tuple[int, ...]:
        """What makes a table of `parts`."""

    @property
    def owners(self) -> tuple[int, ...]:
        """Of each class: operator, and `also` << 16."""

    @property
    def classes(self) -> tuple[tuple[frozenset[int], int], ...]:
        """(lists, operator) of each class; class 0 is that of numbers without a prefix here."""

    @property
    def prefixes(self) -> int:
        """Distinct prefixes."""

    @property
    def octets(self) -> int:
        """Memory of the intervals and their index."""

    def find(self, digits: str) -> int:
        """The class of a number of 1 to 16 digits, by the search that messages take."""

    def match(self, digits: str) -> tuple[str, int] | None:
        """The longest prefix that stands in the table and its class; None: none does."""
