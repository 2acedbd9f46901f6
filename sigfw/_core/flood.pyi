"""Floods of events: which messages are told one by one, and which are counted."""

from typing import NamedTuple, final

class Telling(NamedTuple):
    """What an event tells. Its numbers are in clear: they must not leave as they are."""

    line: bytes  # the JSON of its verdict
    alert: str  # the rule that asks for an event whatever the action; ""
    calling: str  # digits of the GT, normalised; "": none, or one that cannot be
    called: str
    octets: bytes  # of the SCCP message, of a Worker that keeps them
    messages: int  # that it stands for, of which this is the first

@final
class Flood:
    """Windows of one input partition, one a kind: rule (or reason), action, shadow and calling GT.

    first: so many of a kind are told one by one; most: windows, beyond which all close early.
    budget: of events that are not the first of their kind; the caller refills it.
    """

    budget: float
    def __new__(cls, *, first: int, most: int, budget: float) -> Flood: ...
    @property
    def windows(self) -> int:
        """How many are open."""

    @property
    def counted(self) -> int:
        """Messages that were counted instead of told, since the start."""

    @property
    def waiting(self) -> int:
        """How many `told` would give."""

    @property
    def pending(self) -> bool:
        """Some wait, or were counted and their windows are open."""

    def ask(self, line: bytes, *, action: str, reason: str, perimeter: str, calling: str, called: str) -> None:
        """Ask for the event of a reassembly that ended (messages do in `judge`); calling, called: 32 digits at most."""

    def told(self) -> list[Telling]:
        """What is to be told now, once. To be taken before other rules judge."""

    def close(self) -> None:
        """End all windows: what they counted is to be told."""
