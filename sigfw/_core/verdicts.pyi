"""The verdicts of one judge call, and the records they leave as."""

from typing import final

@final
class Verdicts:
    """The verdicts of one `judge` call, in the order of the messages."""

    def __len__(self) -> int: ...
    @property
    def counts(self) -> dict[tuple[str, str, str], int]:
        """(action, reason, rule id) -> messages."""

    def lines(self) -> bytes:
        """A line each where the Worker writes JSON or fields, else nothing."""

    def values(self) -> list[bytes]:
        """The verdict record of each input record, in order: JSON, JSON Lines or packed, as the Worker was made."""

    def dead(self) -> list[tuple[int, str]]:
        """Records that could not be framed: (index in the batch, what was wrong)."""
