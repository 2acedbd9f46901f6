"""Fixtures over a real Kafka: one broker shared by the session, fresh topics a test, a broker of one's own to break."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.broker import Broker, Cluster
from tests.kafka.service import Topics, Worker
from tests.state.server import Server


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """A broker shared by all tests: do not stop it."""
    one = Broker()
    try:
        yield one.start()
    finally:
        one.close()


@pytest.fixture
def fresh_broker() -> Iterator[Broker]:
    """A broker of the test's own, to be stopped, killed, paused and restarted."""
    one = Broker()
    try:
        yield one.start()
    finally:
        one.close()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Three nodes of the test's own."""
    three = Cluster(3)
    try:
        yield three.start()
    finally:
        three.close()


@pytest.fixture
def topics(broker: Broker) -> Topics:
    """Names of topics and of a group that no other test has; `await topics.make()` makes them."""
    return Topics(broker.bootstrap, f"t{uuid.uuid4().hex[:8]}")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Server]:
    """A redis-server of the test's own."""
    one = Server(tmp_path)
    try:
        yield one.start()
    finally:
        one.close()


@pytest.fixture(autouse=True)
def end_workers() -> Iterator[None]:
    """End the workers that a failing test left."""
    started = len(Worker.started)
    yield
    for worker in Worker.started[started:]:
        worker.kill()
