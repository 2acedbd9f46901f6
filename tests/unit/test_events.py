"""Events of a flood are folded, and none is lost from the count."""

from typing import Any

import orjson
import pytest

from sigfw.pipeline import events


def verdict(number: int, calling: str) -> bytes:
    made: dict[str, Any] = dict.fromkeys(
        ("time", "opc", "dpc", "ni", "tcap", "map", "error", "shadow", "category"), None
    )
    made |= {"id": f"in/0/{number}/1/0", "action": "drop", "reason": "rule", "rule": "r", "perimeter": "international"}
    made |= {"policy": {"name": "p", "digest": "0" * 16}, "sccp": {"type": "UDT", "calling": {"digits": calling}}}
    return orjson.dumps(made)


def told(made: list[bytes]) -> int:
    return sum(orjson.loads(event)["ss7"]["count"] for event in made)


def test_flood_of_one_gt_is_folded_and_counted() -> None:
    flood = events.Flood()
    first = flood.admit([verdict(n, "491710000001") for n in range(events.FIRST + 400)])
    assert len(first) == events.FIRST
    assert flood.pending
    last = flood.close()
    assert len(last) == 1
    assert told(first + last) == events.FIRST + 400
    assert orjson.loads(last[0])["event"]["id"] == f"in/0/{events.FIRST + 399}/1/0"
    assert not flood.pending
    assert flood.close() == []


def test_gts_are_counted_apart() -> None:
    flood = events.Flood()
    made = flood.admit([verdict(n, f"4917100000{n % 2}") for n in range(2 * events.FIRST)])
    assert len(made) == 2 * events.FIRST
    assert not flood.pending


def test_flood_from_ever_new_gts_stays_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_KEYS", 16)
    monkeypatch.setattr(events, "FIRST", 1)
    flood = events.Flood()
    made = [event for n in range(1000) for event in flood.admit([verdict(n, f"{n % 500:012d}")] * 3)]
    assert len(flood._windows) <= 16
    assert told(made + flood.close()) == 3000
