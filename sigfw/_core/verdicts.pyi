"""The verdicts of one judge call, and the records they leave as."""

from collections.abc import Hashable
from typing import NamedTuple, final

class Asking(NamedTuple):
    """A message that asks for an event. Its numbers are in clear: they must not leave as they are."""

    key: Hashable  # equal for messages of one kind: rule, action, reason, shadow, calling GT
    line: bytes  # the JSON of its verdict
    alert: str  # the rule that asks for an event whatever the action; ""
    calling: str  # digits of the GT, normalised; "": none, or one that cannot be
    called: str
    octets: bytes  # of the SCCP message, of a Worker that keeps them

@final
class Verdicts:
    """The verdicts of one `judge` call, in the order of the messages."""

    def __len__(self) -> int: ...
    @property
    def counts(self) -> dict[tuple[str, str, str], int]:
        """(action, reason, rule id) -> messages."""

    def lines(self) -> bytes:
        """Lines of all messages where the Worker writes JSON or fields, else JSON of those that ask for an event."""

    def values(self) -> list[bytes]:
        """The verdict record of each input record, in order: JSON, JSON Lines or packed, as the Worker was made."""

    def kinds(self) -> list[tuple[Hashable, int]]:
        """Of each message that was denied, would have been denied (shadow), or asks for an event (alert).

        The key of its kind, and what `asking` takes: of a flood no more than that is made. None of a Worker that writes
        fields or no verdicts.
        """

    def asking(self, i: int) -> Asking:
        """What the event of one of them says. Raises IndexError where the message asks for none."""

    def dead(self) -> list[tuple[int, str]]:
        """Records that could not be framed: (index in the batch, what was wrong)."""
