"""Fixtures over a real Kafka: one broker shared by the session, fresh topics a test, a broker of one's own to break."""

import uuid
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.kafka.broker import Broker, Cluster


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
def make_topic(broker: Broker) -> Callable[..., Awaitable[str]]:
    """Make a topic that no other test has: `await make_topic("in", partitions=3)` gives its name."""
    run = uuid.uuid4().hex[:8]

    async def make(role: str, partitions: int = 1, **configs: str) -> str:
        name = f"t{run}.{role}"
        await broker.create_topic(name, partitions, **configs)
        return name

    return make
