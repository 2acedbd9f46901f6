"""The watchdog: silent stalls and lost brokers end the worker, a missing verdict partition stops its input alone."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from sigfw.config import KafkaSource as Settings
from sigfw.config import Topic
from sigfw.errors import RunError
from sigfw.pipeline import watch as module
from sigfw.pipeline.partition import Partition
from sigfw.pipeline.protocol import Output
from sigfw.pipeline.source import KafkaSource, _Listener
from sigfw.pipeline.watch import Watch
from sigfw.telemetry.http import Health
from sigfw.telemetry.metrics import Metrics

TP = TopicPartition("in", 0)
SETTINGS = Settings(bootstrap=("127.0.0.1:1",), group="g", topics={"in": Topic(verdicts="out")})


class Consumer:
    """Answers as a consumer whose broker has 10 records, of which it handed out `at`."""

    def __init__(self) -> None:
        self.at = 10
        self.lost = False
        self.topics = {"in"}

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return {0} if topic in self.topics else None

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        if self.lost:
            raise KafkaConnectionError
        return dict.fromkeys(partitions, 10)

    async def position(self, _partition: TopicPartition) -> int:
        return self.at


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now, time=lambda: self.now))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    yield Clock(monkeypatch)


class Nowhere:
    """A sink that never acknowledges."""

    async def start(self) -> None: ...

    async def write(self, _output: Output) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None: ...


def partition() -> Partition:
    return Partition("in", 0, Nowhere(), pytest.fail, verdict_topic="out")


def watch(consumer: Consumer, of: Partition, known: dict[str, int]) -> tuple[Watch, Health]:
    source: Any = SimpleNamespace(partitions={TP: of}, consumer=consumer, rebalancing=False)
    health = Health("kafka")
    return Watch(SETTINGS, source, known, Metrics(dict), health), health


async def look(looking: Watch, times: int) -> None:
    for _ in range(times):
        await looking.look()


async def test_consumer_that_hands_nothing_out_ends_the_worker(clock: Clock) -> None:
    consumer, of = Consumer(), partition()
    looking, health = watch(consumer, of, {"out": 1})
    await look(looking, 10 * module.STALL_LOOKS)  # nothing to judge: no stall, however long
    assert health.is_ready
    consumer.at = 3
    await look(looking, module.STALL_LOOKS)
    of.committed = 5  # it moves
    await look(looking, module.STALL_LOOKS)
    with pytest.raises(RunError, match="nothing committed for 60 s with records to judge in in/0"):
        await look(looking, 2)
    await of.close()


async def test_partition_judged_again_and_again_ends_the_worker(clock: Clock) -> None:
    """As two workers of one group_instance_id do: each takes the partition from the other before it can commit."""
    consumer = Consumer()
    source: Any = SimpleNamespace(partitions={}, consumer=consumer, rebalancing=False)
    looking = Watch(SETTINGS, source, {"out": 1}, Metrics(dict), Health())
    with pytest.raises(RunError, match="group_instance_id"):
        for _ in range(module.STALL_LOOKS + 2):
            of = source.partitions[TP] = partition()
            of.written = of.committed = 3  # where it begins
            of.written = 10
            await look(looking, 1)
            await of.close()


async def test_one_partition_that_stalls_beside_one_that_moves_ends_the_worker(clock: Clock) -> None:
    consumer, stalled, moving = Consumer(), partition(), partition()
    consumer.at = 3
    source: Any = SimpleNamespace(
        partitions={TP: stalled, TopicPartition("in", 1): moving}, consumer=consumer, rebalancing=False
    )
    looking = Watch(SETTINGS, source, {"out": 2}, Metrics(dict), Health())
    with pytest.raises(RunError, match="records to judge in in/0:"):
        for _ in range(module.STALL_LOOKS + 2):
            moving.committed += 1
            await look(looking, 1)
    await stalled.close()
    await moving.close()


async def test_absence_of_the_brokers_counts_as_no_stall(clock: Clock) -> None:
    consumer, of = Consumer(), partition()
    consumer.at = 3
    looking, _ = watch(consumer, of, {"out": 1})
    await look(looking, module.STALL_LOOKS)
    consumer.lost = True
    clock.now += module.LOST_SECONDS - 1
    await look(looking, 10)
    consumer.lost = False
    of.committed = 4
    await look(looking, module.STALL_LOOKS)
    await of.close()


async def test_input_topic_that_is_gone_and_a_rebalance_are_not_ready(clock: Clock) -> None:
    consumer, of = Consumer(), partition()
    looking, health = watch(consumer, of, {"out": 1})
    consumer.topics.clear()
    await look(looking, 1)
    assert health.readiness() == {"input topics": "not in Kafka: in"}
    consumer.topics.add("in")
    looking._source.rebalancing = True
    await look(looking, module.STALL_LOOKS)
    assert health.readiness() == {"group": "rebalance"}
    with pytest.raises(RunError, match="a rebalance of group g has not ended"):
        await look(looking, 1)
    await of.close()


async def test_brokers_that_stay_lost_end_the_worker(clock: Clock) -> None:
    consumer, of = Consumer(), partition()
    looking, health = watch(consumer, of, {"out": 1})
    await looking.look()
    consumer.lost = True
    clock.now += module.LOST_SECONDS - 1
    await looking.look()
    assert not health.is_ready
    assert health.is_live
    consumer.lost = False
    await looking.look()
    assert health.is_ready
    consumer.lost = True
    clock.now += module.LOST_SECONDS + 1
    with pytest.raises(RunError, match="has not answered"):
        await looking.look()
    await of.close()


async def test_missing_verdict_partition_blocks_its_input_until_it_is_there(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"out": 0}

    async def partitions_of(_settings: Settings, _topics: set[str]) -> dict[str, int]:
        return dict(found)

    monkeypatch.setattr(module, "partitions_of", partitions_of)
    consumer, of = Consumer(), partition()
    consumer.at = 0
    looking, health = watch(consumer, of, {})
    looking.place(of)
    assert not of.has_room
    await look(looking, 2 * module.STALL_LOOKS)  # blocked is no stall: a person must make the partition
    assert "out has no partition 0" in health.readiness()["verdict partitions"]
    found["out"] = 1
    await looking.look()
    assert of.has_room
    assert health.is_ready
    await of.close()


async def test_error_in_the_rebalance_listener_ends_the_worker() -> None:
    """aiokafka would log it and go on."""
    faults: list[BaseException] = []

    def leave(_partition: Partition) -> None:
        raise ZeroDivisionError

    source = KafkaSource(
        SETTINGS, 1, lambda _topic, _number: partition(), leave, pytest.fail, faults.append, asyncio.Lock()
    )
    listener = _Listener(source)
    await listener.on_partitions_assigned({TP})
    of = source.partitions[TP]
    revoking = asyncio.create_task(listener.on_partitions_revoked({TP}))
    await asyncio.wait({revoking}, timeout=0.05)
    assert [type(fault) for fault in faults] == [ZeroDivisionError]
    assert not revoking.done()  # it would join again, and judge on, before it ends
    revoking.cancel()
    await of.close()


async def test_revoke_that_cannot_write_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sigfw.pipeline.source.REVOKE_SECONDS", 0.05)
    of = partition()
    of.put(Output(of, verdicts=[b"{}"], next_offset=1, settles=True))
    source = KafkaSource(
        SETTINGS, 1, lambda _topic, _number: of, lambda _partition: None, pytest.fail, pytest.fail, asyncio.Lock()
    )
    source.gain([TP])
    with pytest.raises(RunError, match="could not be written"):
        await source.revoke()
    assert of.closed
    assert of.written == -1
    await of.close()
