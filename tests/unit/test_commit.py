"""Nothing is committed before all that it stands for is acknowledged: verdicts, events and dead letters."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from sigfw._core.engine import Worker
from sigfw.config import KafkaSink as Outlet
from sigfw.config import KafkaSource as Settings
from sigfw.config import Topic
from sigfw.pipeline.partition import Partition
from sigfw.pipeline.sink import KafkaSink
from sigfw.pipeline.source import KafkaSource
from sigfw.pipeline.worker import Rules, Service
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from sigfw.telemetry.http import Health
from sigfw.telemetry.metrics import Metrics

TP = TopicPartition("in", 0)
SETTINGS = Settings(bootstrap=("127.0.0.1:1",), group="g", topics={"in": Topic(verdicts="out")})
OUTLET = Outlet(events="events", dead_letters="dead")
POLICY = "schema: 1\nname: p\nhome: {country_code: '44', global_titles: ['4477']}\n"


class Producer:
    """Acknowledges what goes to a topic when it is let."""

    def __init__(self) -> None:
        self.let = {topic: asyncio.Event() for topic in ("out", "events", "dead")}
        self.sent: list[str] = []

    def create_batch(self) -> Any:
        return SimpleNamespace(append=lambda **_: True, size=lambda: 1)

    async def send_batch(self, _batch: Any, topic: str, partition: int) -> Any:
        self.sent.append(topic)
        return self.let[topic].wait()


class Consumer:
    """Hands out one record that is dropped by default, with an event, and one that is no frame."""

    def __init__(self) -> None:
        self.records = [record(0, b"\x09\x00"), record(1, None)]
        self.committed: list[int] = []

    async def position(self, _partition: TopicPartition) -> int:
        return 0

    async def getmany(self, *_: TopicPartition, **__: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        handed, self.records = self.records, []
        return {TP: handed} if handed else {}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.committed.append(offsets[TP])


def record(offset: int, value: bytes | None) -> ConsumerRecord:
    return ConsumerRecord("in", 0, offset, 1_700_000_000_000, 0, b"k", value, None, 1, len(value or b""), ())


async def test_commit_waits_for_every_acknowledgement(tmp_path: Any) -> None:
    (tmp_path / "p.yaml").write_text(POLICY)
    tables = compile_policy(load(tmp_path / "p.yaml"))
    rules = Rules(tables, {"international": "enforce"}, {})
    metrics = Metrics(dict)
    service = Service(Worker(verdicts="json"), lambda: rules, metrics, Health())
    sink, producer, consumer = KafkaSink(SETTINGS, OUTLET, metrics), Producer(), Consumer()
    sink.partitions.update({"in": 1, "out": 1, "events": 1, "dead": 1})
    sink._limits = dict.fromkeys(sink.partitions, 1_000_000)
    sink._producer = producer
    made: list[Partition] = []

    def make(topic: str, number: int) -> Partition:
        made.append(Partition(topic, number, sink, pytest.fail, perimeter="international", verdict_topic="out"))
        return made[-1]

    source = KafkaSource(SETTINGS, 1, make, service.leave, service.left, service.fail, service.turn)
    source._consumer = consumer
    source.gain([TP])
    for portion in await source.fetch():
        await service._take(portion)
    for topic in producer.let:
        await asyncio.sleep(0.01)
        await source.commit()
        assert producer.sent[-1] == topic
        assert consumer.committed == [0]  # where it began
        producer.let[topic].set()
    await asyncio.sleep(0.01)
    await source.commit()
    assert consumer.committed == [0, 2]
    await made[0].close()
