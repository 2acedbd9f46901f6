"""Both paths from a fetch to what the producer sends: the same verdict records, events, dead letters and offsets."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.struct import Struct
from aiokafka.record.default_records import DefaultRecordBatch

from sigfw._core.engine import Worker
from sigfw._core.kbatch import Chunk
from sigfw.config import KafkaSink as Outlet
from sigfw.config import KafkaSource as Settings
from sigfw.config import Topic
from sigfw.pipeline import events, raw
from sigfw.pipeline import worker as worker_module
from sigfw.pipeline.partition import Partition
from sigfw.pipeline.sink import KafkaSink
from sigfw.pipeline.source import KafkaSource
from sigfw.pipeline.worker import Rules, Service
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from sigfw.telemetry.http import Health
from sigfw.telemetry.metrics import Metrics
from tests.kafka.service import POLICY, message
from tests.unit.recordbatches import LOG_APPEND, NotUtf8, One, batch, opened
from tests.unit.test_engine import pcap

TP = TopicPartition("in", 0)
HEADERS: list[list[tuple[str, bytes | None]]] = [
    [("sigfw-perimeter", b"national"), ("trace", b"1")],
    [("sigfw-perimeter", b"elsewhere")],
    [("sigfw-perimeter", b"national"), ("sigfw-perimeter", b"?")],
    [("sigfw-encapsulation", b"smoke signals")],
    [("sigfw-encapsulation", b"smoke signals"), ("sigfw-encapsulation", b"sccp")],
    [("sigfw-encapsulation", b"sccp"), ("sigfw-encapsulation", None)],
    [("sigfw-encapsulation", b"\xff")],
    [("sigfw-encapsulation", b"")],
    [("sigfw-encapsulation", b"m3ua")],
    [("sigfw-opc", b"100"), ("sigfw-dpc", b"16777215")],
    [("sigfw-opc", b"16777216")],
    [("sigfw-opc", b"00000007"), ("sigfw-dpc", b"000000007")],
    [("sigfw-opc", b"-1"), ("sigfw-dpc", b"")],
    [("sigfw-opc", b"5"), ("sigfw-opc", b"x")],
    [("sigfw-opc", None), ("sigfw-dpc", b"5")],
    [("sigfw-source", b"in/0/9"), ("sigfw-", b""), ("sigfw-opcode", b"5"), ("null", None)],
    [("häder", b"1")],
    [(NotUtf8("x"), b"1")],
]
MESSAGES: list[One] = [(n, b"k%d" % n, message(n), []) for n in range(300)]
WITH_HEADERS: list[One] = [(n, None, message(n), headers) for n, headers in enumerate(HEADERS)]
VALUES: list[One] = [(0, b"k", None, []), (1, None, b"", []), (2, b"", b"\x09", []), (3, b"k" * 70_000, message(3), [])]
FETCHES: dict[str, tuple[bytes, Any]] = {
    "messages": (batch(MESSAGES), None),
    "small batches": (b"".join(batch(MESSAGES[at : at + 7], 0) for at in range(0, 280, 7)), None),
    "headers": (b"".join(batch([one]) for one in WITH_HEADERS), None),
    "headers of one batch": (batch(WITH_HEADERS[:16]), None),
    "odd values": (batch(VALUES), None),
    "log append time": (batch(MESSAGES[:9], attributes=LOG_APPEND), None),
    "gaps": (batch(MESSAGES[3:9:2], last=99) + batch(MESSAGES[:5], 100), None),
    "captures": (batch([(0, None, pcap(message(1), message(2)), [("sigfw-encapsulation", b"pcap")])]), None),
    "too large": (
        batch(
            [
                MESSAGES[0],
                (1, None, pcap(*[message(1)] * 2000), [("sigfw-encapsulation", b"pcap")]),
                (2, b"k" * 1_100_000, message(2), []),
                (3, b"k", message(3), [("trace", b"x" * 999_800)]),
                MESSAGES[4],
            ]
        ),
        None,
    ),
}
FETCHES |= {
    f"codec {n}": (batch(MESSAGES[:9]) + batch(MESSAGES, 9, codec=n) + batch(MESSAGES, 400), None) for n in (1, 4)
}


class Producer:
    """Keeps the record batches of each topic."""

    def __init__(self) -> None:
        self.sent: dict[str, list[tuple[Any, ...]]] = {"out": [], "events": [], "dead": []}
        self.batches = 0

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(1_000_000, 0)

    async def send_batch(self, builder: Any, topic: str, partition: int) -> Any:
        read = DefaultRecordBatch(builder._build())
        assert read.validate_crc()
        self.batches += 1
        self.sent[topic] += [(one.key, one.value, one.headers) for one in read]
        return asyncio.sleep(0)


async def sent(folder: Path, fetch: bytes, form: str, by: Any) -> tuple[dict[str, list[Any]], int, int, int]:
    """What goes out; where the partition is judged and written up to; in how many batches."""
    (folder / "p.yaml").write_text(POLICY)
    rules = Rules(compile_policy(load(folder / "p.yaml")), {"international": "enforce", "national": "enforce"}, {})
    metrics = Metrics(dict)
    service = Service(Worker(verdicts=form), lambda: rules, metrics, Health())
    settings = Settings(bootstrap=("127.0.0.1:1",), group="g", topics={"in": Topic(verdicts="out")})
    sink, producer = KafkaSink(settings, Outlet(events="events", dead_letters="dead"), metrics), Producer()
    sink.partitions.update({"in": 1, "out": 1, "events": 1, "dead": 1})
    sink._limits = dict.fromkeys(sink.partitions, 1_048_588)
    sink._producer = producer
    made: list[Partition] = []

    def make(topic: str, number: int) -> Partition:
        made.append(Partition(topic, number, sink, pytest.fail, perimeter="international", verdict_topic="out"))
        return made[-1]

    source = KafkaSource(settings, 1, make, service.leave, service.left, service.fail, service.turn)
    source.gain([TP])
    records = list(opened(fetch, 0, None, by=by))
    for portion in [records] if by is None else records:
        await service._take(source._portion(made[0], portion))
    assert await made[0].drain(10)
    await made[0].close()
    return producer.sent, made[0].judged, made[0].written, producer.batches


@pytest.mark.parametrize("form", ["json", "packed"])
@pytest.mark.parametrize("name", FETCHES)
async def test_both_paths_send_the_same(name: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = SimpleNamespace(now=1_700_000_100.0)
    monkeypatch.setattr(worker_module.time, "time_ns", lambda: int(now.now * 1e9))
    monkeypatch.setattr(events, "TOLD_EVERY_SECONDS", 0)
    fetch = FETCHES[name][0]
    ours, theirs = [await sent(tmp_path, fetch, form, by) for by in (raw.chunks, None)]
    assert ours[0]["out"] == theirs[0]["out"]
    assert without_times(ours[0]["events"]) == without_times(theirs[0]["events"])
    assert ours[0]["dead"] == theirs[0]["dead"]
    assert ours[1:3] == theirs[1:3]
    assert len(ours[0]["out"]) >= 3 or name == "captures"


def without_times(events: list[tuple[Any, ...]]) -> list[Any]:
    """Of a message that has no time an event has that of its making."""
    return [orjson.loads(value) | {"@timestamp": None} for _, value, _ in events]


async def test_portion_of_plain_messages_leaves_in_one_batch_without_a_record_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed: list[One] = [(n, None, message(1), []) for n in range(2000)]
    read: list[int] = []
    whole: Callable[..., Any] = raw.lists
    monkeypatch.setattr(raw, "lists", lambda records: read.append(1) or whole(records))
    out, judged, written, batches = await sent(tmp_path, batch(allowed), "packed", raw.chunks)
    assert (len(out["out"]), judged, written, batches) == (2000, 2000, 2000, 1)
    assert not read


@pytest.mark.parametrize("version", range(len(ProduceRequest._CLASSES)))
def test_produce_request_has_the_octets_of_aiokafkas(version: int) -> None:
    kind = ProduceRequest._CLASSES[version]
    topics = [("in", [(0, b"some octets"), (7, b"")]), ("out", []), ("", [(2**31 - 1, None)])]
    given = {"transactional_id": None, "required_acks": -1, "timeout": 40_000, "topics": topics}
    request = kind(*(given[name] for name in kind.SCHEMA.names))
    assert raw.install()
    assert request.encode() == Struct.encode(request)
    assert kind.encode is raw._encode


def test_aiokafka_with_other_requests_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Struct, "encode", lambda self: b"of another shape")
    assert raw.check() == "a ProduceRequest has other parts"


def test_other_aiokafka_is_left_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    before = raw.fetcher.PartitionRecords
    monkeypatch.setitem(raw.KNOWN, BatchBuilder._build, "self more")
    assert "BatchBuilder._build" in raw.check()
    assert not raw.install()
    assert raw.fetcher.PartitionRecords is before


async def test_consumers_of_others_get_aiokafkas_records() -> None:
    (one,) = opened(batch(MESSAGES[:1]), 0, None, by=None)
    assert one.value == message(0)
    (chunk,) = opened(batch(MESSAGES[:1]), 0, None, by=raw.chunks)
    assert isinstance(chunk, Chunk)
