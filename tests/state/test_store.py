"""The shared store: a real redis-server, shared, slow, refusing and gone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bench.dialogues import (
    AUSTRALIAN_VLR,
    FRENCH_VLR,
    GERMAN_SMSC,
    GERMAN_VLR,
    STRANGER,
    deliver,
    tell_routing,
    update,
    updated,
)
from bench.dialogues import ask_for_routing as ask
from sigfw._core.memory import State
from sigfw.errors import ConfigError
from sigfw.state import store as stores
from sigfw.state.store import Store
from sigfw.telemetry.metrics import Metrics
from tests.state.server import Server
from tests.state.story import Story, policy, register

LOCATION = "id: far, when: {check: location_implausible}, action: drop"
SMS = "id: forged, when: {check: sms_origin_mismatch}, action: drop"
SECRET = b"of all workers 16"
PATIENCE_MS = 5_000  # of a test that is not about being late


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path)
    try:
        yield one.start()
    finally:
        one.close()


class Teller:
    """A worker with its story and its connection to the store."""

    def __init__(self, tmp_path: Path, url: str, *rules: str, timeout_ms: int, partition: int) -> None:
        self.state = State(shared=True, secret=SECRET)
        self.metrics = Metrics(dict, self.state)
        self.store = Store(url, timeout_ms, self.state.lifetime_seconds, self.metrics)
        tables = policy(tmp_path, *(rules or (LOCATION,)))
        self.story = Story(tables, state=self.state, exchange=self.store.exchange, partition=partition)

    def exchanges(self, outcome: str) -> float:
        value = self.metrics.registry.get_sample_value("sigfw_store_exchanges_total", {"outcome": outcome})
        assert value is not None
        return value

    def done(self) -> None:
        self.store.post(self.state.changes())
        self.store.close()


@pytest.fixture
def teller(tmp_path: Path, server: Server) -> Iterator[Callable[..., Teller]]:
    made: list[Teller] = []

    def make(*rules: str, url: str = "", timeout_ms: int = PATIENCE_MS, partition: int = -1) -> Teller:
        """Each has a partition of its own, unless it takes one over."""
        of = len(made) if partition < 0 else partition
        made.append(Teller(tmp_path, url or server.url, *rules, timeout_ms=timeout_ms, partition=of))
        return made[-1]

    yield make
    for one in made:
        one.done()


def test_what_one_worker_learns_the_others_know(teller: Callable[..., Teller]) -> None:
    a, b = teller(), teller()
    assert register(a.story, GERMAN_VLR, b"\1") is None
    a.store.post(a.state.changes())
    a.store.close()
    assert b.story.rule(update(AUSTRALIAN_VLR, b"\2")) == "far"
    assert b.exchanges("ok") == 1


def test_dialogue_may_begin_at_one_worker_and_end_at_another(teller: Callable[..., Teller]) -> None:
    a, b = teller(), teller()
    a.story.tell(update(GERMAN_VLR, b"\1"))
    a.store.post(a.state.changes())
    a.story.tell(update(FRENCH_VLR, b"\7", "001010000000002"))  # behind the one before, on one connection
    b.story.tell(updated(GERMAN_VLR, b"\1"), perimeter="internal")
    b.store.post(b.state.changes())
    b.story.tell(updated(GERMAN_VLR, b"\1"), perimeter="internal")
    assert a.story.rule(update(AUSTRALIAN_VLR, b"\3")) == "far"


def test_short_message_is_compared_with_what_another_worker_answered(teller: Callable[..., Teller]) -> None:
    a, b = teller(SMS), teller(SMS)
    a.story.tell(ask(GERMAN_SMSC, b"\1"))
    a.story.tell(tell_routing(GERMAN_SMSC, b"\1"), perimeter="internal")
    a.store.post(a.state.changes())
    a.store.close()
    assert b.story.rule(deliver(STRANGER, b"\2")) == "forged"
    assert b.story.rule(deliver(GERMAN_SMSC, b"\3")) is None


def test_record_that_comes_again_at_another_worker_is_judged_as_the_first_time(teller: Callable[..., Teller]) -> None:
    a, b = teller(), teller(partition=0)
    register(a.story, GERMAN_VLR, b"\1")
    assert a.story.rule(update(AUSTRALIAN_VLR, b"\2"), at=40) == "far"
    a.done()
    b.story.now += 86_400
    register(b.story, AUSTRALIAN_VLR, b"\3")  # meanwhile he is there
    b.story.now -= 86_400
    assert b.story.rule(update(AUSTRALIAN_VLR, b"\2"), at=40) == "far"


def test_no_subscriber_stands_in_clear_in_the_store(teller: Callable[..., Teller], server: Server) -> None:
    one = teller()
    register(one.story, GERMAN_VLR, b"\1")
    one.done()
    keys = server.client.keys("*")
    assert keys
    assert all(key.startswith(b"sigfw:") and b"00101" not in key for key in keys)
    assert all(0 < server.client.ttl(key) <= 30 * 86_400 for key in keys)


def test_store_that_is_gone_makes_checks_unknown_and_what_was_learned_is_told_later(
    teller: Callable[..., Teller], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "REST_SECONDS", 0.0)
    one = teller()
    server.kill()
    register(one.story, GERMAN_VLR, b"\1")
    assert one.story.rule(update(AUSTRALIAN_VLR, b"\2")) is None
    assert one.story.outcome("location_implausible")["unknown"] == 3
    assert one.exchanges("failed") == 3
    server.start()
    other = teller()
    with capture_logs() as said:
        one.story.rule(update(FRENCH_VLR, b"\3", "001010000000002"))
    assert [line["event"] for line in said] == ["store_back"]
    one.done()
    assert other.story.rule(update(AUSTRALIAN_VLR, b"\4")) == "far"


def test_store_that_is_slow_is_not_waited_for(teller: Callable[..., Teller], server: Server) -> None:
    one = teller(timeout_ms=20)
    register(one.story, GERMAN_VLR, b"\1")
    server.client.client_pause(3_600_000)
    for late in range(1, stores.LATE_IN_A_ROW + 1):
        assert one.story.rule(update(AUSTRALIAN_VLR, b"\2")) is None  # would wait for an hour
        assert one.exchanges("late") == late
    assert one.story.rule(update(AUSTRALIAN_VLR, b"\3")) is None
    assert one.exchanges("skipped") == 1  # then it is left alone for a while
    server.kill()


def test_store_that_refuses_is_told_once_and_does_not_stop_the_stream(
    tmp_path: Path, teller: Callable[..., Teller]
) -> None:
    locked = Server(tmp_path, "--requirepass", "secret")
    try:
        one = teller(url=locked.start().url)
        assert one.story.rule(update(GERMAN_VLR, b"\1")) is None
        assert one.exchanges("failed") == 1
    finally:
        locked.close()


def test_values_that_are_none_of_ours_are_nothing_known(teller: Callable[..., Teller], server: Server) -> None:
    one, other = teller(), teller()
    register(one.story, GERMAN_VLR, b"\1")
    one.done()
    for key in server.client.keys("*"):
        server.client.set(key, b"short")
    assert other.story.rule(update(AUSTRALIAN_VLR, b"\2")) is None


def test_address_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^state\.url: .*redis://host:6379/0$"):
        Store("http://somewhere", 5, lambda shelf: 60, Metrics(dict))
