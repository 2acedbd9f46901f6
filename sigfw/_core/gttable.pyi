"""Digits to classes: the longest prefix decides, list by list."""

from collections.abc import Sequence
from typing import Final, Self, final

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
    Raises ValueError where a prefix is none.
    Cost: O(n log n) once, 12 to 24 octets a prefix; a look-up reads one bucket, a few starts and one class.
    """

    def __new__(cls, prefixes: Sequence[str], items: Sequence[int]) -> Self: ...
    @property
    def classes(self) -> tuple[tuple[frozenset[int], int], ...]:
        """(lists, operator) of each class; class 0 is that of numbers without a prefix here."""

    @property
    def prefixes(self) -> int:
        """Distinct prefixes."""

    @property
    def octets(self) -> int:
        """Memory of the intervals; the bucket index (1 KiB to 4 MiB) comes on top."""

    def find(self, digits: str) -> int:
        """The class of a number of 1 to 16 digits, by the search that messages take."""

    def match(self, digits: str) -> tuple[str, int] | None:
        """The longest prefix that stands in the table and its class; None: none does."""
