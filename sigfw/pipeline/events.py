"""Events: one a message that was denied, would have been denied, or asks for one; floods folded into counts.

Of one rule (or reason), action, shadow and calling GT, FIRST events a window go out one by one; the rest of the window
is counted and told in one event at its end. Where so many kinds come that the budget is used up, the rest begins with
the second. A partition's offset is committed only behind closed windows, so that a crash loses no count.
"""

import time
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any, Final

import orjson

from sigfw import records
from sigfw._core import flood
from sigfw._core.tables import Tables
from sigfw.pipeline.event import Teller

FIRST: Final = 100  # enough to show what a flood consists of
WINDOW_SECONDS: Final = 5.0  # also how long a commit may wait while a flood lasts, hence what a crash then repeats
# An event takes some 20 us, as twenty messages do that are let through: so many a second are noise, whoever sends them.
BUDGET: Final = 2_000.0
BUDGET_PER_SECOND: Final = 200
TOLD_EVERY_SECONDS: Final = 0.1  # a request to Kafka costs what a thousand messages do
TOLD_AT_ONCE: Final = 500  # that many are not kept waiting
MAX_KEYS: Final = 4096  # a sender may vary its GT; beyond this all windows close early, which costs events, not memory


class Flood:
    """The windows of one partition, which `core` is asked for, and what their events tell under one policy.

    budget: events at once that are not the first of their kind.
    """

    def __init__(self, budget: float = BUDGET) -> None:
        self.core = flood.Flood(first=FIRST, most=MAX_KEYS, budget=budget)
        self._most = budget
        self._teller = Teller()
        self._told: list[bytes] = []
        self._counted = 0
        self._last = -inf  # told
        self._opened = self._paid = time.monotonic()

    def begin(self, teller: Teller) -> None:
        """Earn what may be told. Another policy's teller ends the windows: their events are those of the one before."""
        now = time.monotonic()
        self.core.budget = min(self.core.budget + (now - self._paid) * BUDGET_PER_SECOND, self._most)
        self._paid = now
        if teller is not self._teller:
            self._told = self.close()
            self._teller = teller

    def ask(self, ended: Iterable[dict[str, Any]], tables: Tables, modes: Mapping[str, str]) -> None:
        """Ask for the event of each reassembly that ended without its whole message (Stream.expire, Stream.abandon)."""
        for one in ended:
            if modes.get(one["perimeter"]) != "bypass":
                line = records.timeout_line(one, tables, modes)
                self.core.ask(
                    orjson.dumps(line),
                    action=line["action"],
                    reason=one["reason"],
                    perimeter=one["perimeter"],
                    calling=one["calling"] or "",
                    called=one["called"] or "",
                )

    def told(self) -> list[bytes]:
        """The events to write now: the first at once, those that come sooner behind it together."""
        now = time.monotonic()
        if now - self._last < TOLD_EVERY_SECONDS and self.core.waiting < TOLD_AT_ONCE and not self._told:
            return []
        told = self._take()
        self._last = now if told else self._last
        return told

    def _take(self) -> list[bytes]:
        told, self._told = self._told, []
        return told + [event(one, self._teller) for one in self.core.told()]

    def counted(self) -> int:
        """Messages that were counted, not told, since this was asked last: for the metric."""
        before, self._counted = self._counted, self.core.counted
        return self._counted - before

    @property
    def due(self) -> bool:
        return self.core.windows > 0 and time.monotonic() - self._opened >= WINDOW_SECONDS

    def close(self) -> list[bytes]:
        """End all windows: what waits, and an event for each that counted, with the first message it counted."""
        self.core.close()
        self._opened = time.monotonic()
        return self._take()


def event(one: flood.Telling, teller: Teller) -> bytes:
    return teller.event(
        orjson.loads(one.line),
        calling=one.calling,
        called=one.called,
        alert=one.alert,
        octets=one.octets,
        count=one.messages,
    )
