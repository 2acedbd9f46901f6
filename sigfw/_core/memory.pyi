"""What sigfw remembers between messages: bounded shelves and sketches, allocated once.

Shelves by number: 0 locations, 1 sms, 2 dialogues, 3 answers (those a shared store holds), 4 rates.
"""

from typing import Final, Self, final

SHELVES: Final[tuple[str, ...]]  # names in metrics, by number

@final
class State:
    """Memory of one Worker, or of several that are never used at the same time.

    subscribers, dialogues, callers: how many are remembered; beyond, the oldest of a set makes room.
    shared: others share what is known; `changes` says what to tell their store, and the Worker asks it.
    secret: at least 16 octets that keys depend on, the same for all that share; None: random.
    Memory: 41 octets an entry, room for half as many again; pages are taken as they are used, the first ones first.
    """

    def __new__(
        cls,
        *,
        subscribers: int = 250_000,
        dialogues: int = 262_144,
        callers: int = 16_384,
        shared: bool = False,
        secret: bytes | None = None,
    ) -> Self: ...
    @property
    def shared(self) -> bool: ...
    @property
    def octets(self) -> int:
        """Of all shelves and sketches, used or not."""

    def sizes(self) -> dict[tuple[str], int]:
        """Entries by table."""

    def counters(self) -> dict[tuple[str, str], int]:
        """By table and outcome: hit, miss, evicted (a living entry that made room)."""

    def changes(self) -> dict[bytes, bytes]:
        """name -> value of what was written since the last call, the last state of each; b"": forgotten.

        A name is `sigfw:SHELF:KEY`, a digit and 16 of hex; a value 32 octets.
        """

    def lifetime_seconds(self, shelf: int) -> int:
        """How long an entry of the shelf counts."""
