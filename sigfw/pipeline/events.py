"""Events: one a message that was denied, would have been denied, or asks for one; floods folded into counts.

Of one rule (or reason), action and calling GT, FIRST events a window go out one by one; the rest of the window is
counted and told in one event at its end. A partition's offset is committed only behind closed windows, so that a crash
loses no count.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from sigfw import records
from sigfw._core.tables import Tables

FIRST: Final = 100  # enough to show what a flood consists of
WINDOW_SECONDS: Final = 5.0  # also how long a commit may wait while a flood lasts, hence what a crash then repeats
MAX_KEYS: Final = 4096  # a sender may vary its GT; beyond this all windows close early, which costs events, not memory

Key = tuple[str, str, str, str]


class _Window:
    __slots__ = ("count", "last", "suppressed")

    def __init__(self) -> None:
        self.count = 0
        self.suppressed = 0
        self.last: dict[str, Any] = {}


class Flood:
    """The windows of one partition."""

    def __init__(self) -> None:
        self._windows: dict[Key, _Window] = {}
        self._opened = time.monotonic()
        self.suppressed = 0  # since the start, for the metric
        self.pending = False  # something was counted and is not yet told

    def admit(self, messages: list[bytes]) -> list[bytes]:
        """The events to write now for these messages (JSON of a verdict each); the rest is counted."""
        admitted = []
        for message in messages:
            verdict = orjson.loads(message)
            key = _key(verdict)
            window = self._windows.get(key)
            if window is None:
                if len(self._windows) >= MAX_KEYS:
                    admitted += self.close()
                window = self._windows[key] = _Window()
            window.count += 1
            if window.count <= FIRST:
                admitted.append(event(verdict))
            else:
                window.suppressed += 1
                window.last = verdict
                self.suppressed += 1
                self.pending = True
        return admitted

    @property
    def due(self) -> bool:
        return bool(self._windows) and time.monotonic() - self._opened >= WINDOW_SECONDS

    def close(self) -> list[bytes]:
        """End all windows: one event for each that counted, the last message of the flood in it as its sample."""
        told = [event(window.last, window.suppressed) for window in self._windows.values() if window.suppressed]
        self._windows.clear()
        self.pending = False
        self._opened = time.monotonic()
        return told


def event(verdict: dict[str, Any], count: int = 1) -> bytes:
    """The event of a verdict; count: how many messages of a flood it stands for."""
    made = records.event(verdict, datetime.now(UTC))
    made["ss7"]["count"] = count
    return orjson.dumps(made)


def of_ended(ended: Iterable[dict[str, Any]], tables: Tables, modes: Mapping[str, str]) -> list[bytes]:
    """One event for each reassembly that ended without its whole message (Stream.expire, Stream.abandon)."""
    return [event(records.timeout_line(one, tables, modes)) for one in ended if modes.get(one["perimeter"]) != "bypass"]


def _key(verdict: dict[str, Any]) -> Key:
    sccp = verdict.get("sccp") or {}
    calling = sccp.get("calling") or {}
    shadow = verdict.get("shadow") or {}
    rule = verdict.get("rule") or shadow.get("rule") or ""
    return verdict.get("action", ""), verdict.get("reason", ""), rule, calling.get("digits") or ""
