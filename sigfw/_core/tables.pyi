"""A compiled policy as the stages read it. Made by sigfw.policy.compiler.compile_policy alone; immutable."""

from array import array
from typing import Any, final

@final
class Tables:
    """Rules as bits, fields as rows of them, one prefix table a space.

    The arguments are the compiler's; what they point to must not be changed afterwards.
    """

    def __init__(
        self,
        *,
        names: dict[str, Any],
        masks: dict[str, Any],
        fields: dict[str, Any],
        rules: list[tuple[int, ...]],
        rows: array[int],
        links: list[tuple[Any, ...]],
        exceptions: list[list[int]],
        spaces: tuple[Any, ...],
        also: array[int],
        country_code: str,
        point_codes: array[int],
        state: dict[str, Any],
    ) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str:
        """16 hex digits: equal digests, equal verdicts."""

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """By rule number; number 0 is "", as in all of these."""

    @property
    def rule_modes(self) -> tuple[str, ...]: ...
    @property
    def categories(self) -> tuple[str, ...]: ...
    @property
    def redirects(self) -> tuple[str, ...]:
        """GTs, international E.164 digits."""

    @property
    def operators(self) -> tuple[str, ...]:
        """TADIG codes; number 1 is home, under the code of the operator that lists one of its prefixes, else `home`."""

    @property
    def countries(self) -> tuple[str, ...]:
        """By operator number; "" where not given."""

    @property
    def links(self) -> tuple[str, ...]: ...
    def topic_number(self, topic: str) -> int:
        """For Context.topic; 0: no link names it."""

    def list_sizes(self) -> dict[str, int]:
        """Distinct prefixes by space: e164, e214, e212, msisdn."""

    def lookup(self, digits: str, space: str = "e164") -> dict[str, Any] | None:
        """What the policy says of a number of 1 to 16 decimal digits; None: no prefix matches.

        Keys: prefix (the longest that stands in the table), lists (names), operator (TADIG code or None),
        country (ISO 3166 alpha 2 or None), class (its number). Raises ValueError where digits or space are none.
        """
