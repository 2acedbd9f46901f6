"""Events: one a message that was denied, would have been denied, or asks for one; floods folded into counts.

Of one rule (or reason), action, shadow and calling GT, FIRST events a window go out one by one; the rest of the window
is counted and told in one event at its end. Where so many kinds come that the budget is used up, the rest begins with
the second. A partition's offset is committed only behind closed windows, so that a crash loses no count.
"""

import time
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import orjson

from sigfw import records
from sigfw._core.tables import Tables
from sigfw._core.verdicts import Asking
from sigfw.pipeline.event import Teller

FIRST: Final = 100  # enough to show what a flood consists of
WINDOW_SECONDS: Final = 5.0  # also how long a commit may wait while a flood lasts, hence what a crash then repeats
# An event takes some 20 us, as twenty messages do that are let through: so many a second are noise, whoever sends them.
BUDGET: Final = 2_000.0
BUDGET_PER_SECOND: Final = 200
MAX_KEYS: Final = 4096  # a sender may vary its GT; beyond this all windows close early, which costs events, not memory


class Asked(Protocol):
    """What asks for events, made one by one: Verdicts, or Ended."""

    def kinds(self) -> Sequence[tuple[Hashable, int]]:
        """The key of each, and what `asking` takes: of a flood no more than that is made."""

    def asking(self, i: int, /) -> Asking: ...


class Ended(list[Asking]):
    """Of what no message of a batch stands for."""

    def kinds(self) -> list[tuple[Hashable, int]]:
        return [(one.key, i) for i, one in enumerate(self)]

    asking = list[Asking].__getitem__


class _Window:
    __slots__ = ("count", "last", "suppressed", "teller")

    def __init__(self) -> None:
        self.count = 0
        self.suppressed = 0
        self.last: Asking | None = None
        self.teller: Teller | None = None  # of the policy that judged it


class Flood:
    """The windows of one partition. budget: events at once that are not the first of their kind."""

    def __init__(self, budget: float = BUDGET) -> None:
        self._windows: dict[Hashable, _Window] = {}
        self._opened = self._paid = time.monotonic()
        self._most = self._budget = budget
        self.suppressed = 0  # since the start, for the metric
        self.pending = False  # something was counted and is not yet told

    def admit(self, asked: Asked, teller: Teller) -> list[bytes]:
        """The events to write now; the rest is counted, which reads nothing of the message."""
        admitted: list[bytes] = []
        last: dict[_Window, int] = {}  # that was counted, of each
        self._earn()
        for key, i in asked.kinds():
            window = self._windows.get(key)
            if window is None:
                if len(self._windows) >= MAX_KEYS:
                    _remember(last, asked, teller)
                    admitted += self.close()
                window = self._windows[key] = _Window()
            window.count += 1
            if window.count == 1 or (window.count <= FIRST and self._budget >= 1):
                admitted.append(event(asked.asking(i), teller))
                self._budget = max(self._budget - 1, 0)
            else:
                window.suppressed += 1
                last[window] = i
                self.suppressed += 1
                self.pending = True
        _remember(last, asked, teller)
        return admitted

    def _earn(self) -> None:
        now = time.monotonic()
        self._budget = min(self._budget + (now - self._paid) * BUDGET_PER_SECOND, self._most)
        self._paid = now

    @property
    def due(self) -> bool:
        return bool(self._windows) and time.monotonic() - self._opened >= WINDOW_SECONDS

    def close(self) -> list[bytes]:
        """End all windows: one event for each that counted, the last message of the flood in it as its sample."""
        told = [
            event(window.last, window.teller, window.suppressed)
            for window in self._windows.values()
            if window.last is not None and window.teller is not None
        ]
        self._windows.clear()
        self.pending = False
        self._opened = time.monotonic()
        return told


def _remember(last: dict[_Window, int], asked: Asked, teller: Teller) -> None:
    """The last message of each flood is told with its count: of those before it nothing is made."""
    for window, i in last.items():
        window.last, window.teller = asked.asking(i), teller
    last.clear()


def event(one: Asking, teller: Teller, count: int = 1) -> bytes:
    """count: how many messages of a flood it stands for."""
    return teller.event(
        orjson.loads(one.line), calling=one.calling, called=one.called, alert=one.alert, octets=one.octets, count=count
    )


def of_ended(ended: Iterable[dict[str, Any]], tables: Tables, modes: Mapping[str, str]) -> Ended:
    """Each reassembly that ended without its whole message (Stream.expire, Stream.abandon)."""
    made = Ended()
    for one in ended:
        if modes.get(one["perimeter"]) != "bypass":
            line = records.timeout_line(one, tables, modes)
            calling, called = one["calling"] or "", one["called"] or ""
            key = (one["reason"], line["action"], one["perimeter"], calling)
            made.append(Asking(key, orjson.dumps(line), "", calling, called, b""))
    return made
