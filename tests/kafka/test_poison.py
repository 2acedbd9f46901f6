"""Records that a broker takes and that are hard to hand on: each has its verdict record, and the partition goes on."""

import time
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from tests.kafka.service import Topics, Worker, consume, message, verdicts_of

LARGE = 1_048_588  # octets of a record batch that a topic takes by default
PCAP = ("sigfw-encapsulation", b"pcap")
OURS = ["sigfw-source", "sigfw-policy"]


class NotUtf8(str):
    """A header's name that goes out as octets that are no UTF-8."""

    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe"


async def produce_one(
    topics: Topics,
    value: bytes | None,
    headers: list[tuple[str, bytes]],
    *,
    key: bytes | None = b"key",
    time_ms: int | None = None,
    compression: str | None = None,
) -> None:
    """A record in a batch of its own, compressed at will."""
    producer = AIOKafkaProducer(
        bootstrap_servers=topics.bootstrap, max_batch_size=30_000_000, compression_type=compression
    )
    await producer.start()
    try:
        batch = producer.create_batch()
        if any(isinstance(name, NotUtf8) for name, _ in headers):
            batch._builder = _DefaultRecordBatchBuilderPy(2, int(compression == "gzip"), False, -1, -1, -1, LARGE)
            batch.append(timestamp=time_ms, key=b"before", value=value, headers=[])
        batch.append(timestamp=time_ms, key=key, value=value, headers=headers)
        await (await producer.send_batch(batch, topics.inputs, partition=0))
    finally:
        await producer.stop()


def names(record: Any) -> list[str]:
    return [name for name, _ in record.headers]


async def test_records_too_large_to_hand_on_have_a_verdict_and_a_dead_letter(topics: Topics, tmp_path: Path) -> None:
    await topics.make()
    fits = ("trace", b"x" * 1_046_000)
    await produce_one(topics, message(1), [fits])
    await produce_one(topics, message(1), [("trace", b"x" * 1_048_300)])
    await produce_one(topics, b"\xff" * 1_048_455, [PCAP])
    await produce_one(topics, message(1), [("trace", b"x" * 20_000_000)], compression="zstd")
    await produce_one(topics, b"\xff" * 20_000_000, [PCAP, ("trace", b"x")], compression="zstd")
    await produce_one(topics, None, [], key=b"x" * 20_000_000, compression="zstd")
    await produce_one(topics, message(1), [])
    worker = await Worker(topics.config(tmp_path)).ready()
    came = await consume(topics.bootstrap, topics.verdicts, 7)
    letters = await consume(topics.bootstrap, topics.dead, 3)
    assert await worker.stop() == 0, worker.said()

    unframed = [verdict["reason"] == "unframed" for verdict in verdicts_of(came)]
    assert unframed == [False, False, True, False, True, True, False]
    assert came[0].headers[0] == fits
    assert [names(record) for record in came[1:]] == [
        [*OURS, "sigfw-error"],
        ["sigfw-encapsulation", *OURS],
        [*OURS, "sigfw-error"],
        ["sigfw-encapsulation", "trace", *OURS],
        [*OURS, "sigfw-error"],
        OURS,
    ]
    assert [record.key for record in came] == [b"key"] * 5 + [None, b"key"]
    assert [(letter.value, letter.key, names(letter)) for letter in letters] == [
        (None, b"key", ["sigfw-source", "sigfw-error", "sigfw-octets"]),
        (None, b"key", ["sigfw-source", "sigfw-error", "sigfw-octets"]),
        (None, None, ["sigfw-source", "sigfw-error", "sigfw-octets"]),
    ]
    assert [dict(letter.headers)["sigfw-octets"] for letter in letters] == [b"1048455", b"20000000", b"0"]


async def test_header_names_that_are_no_utf8_change_no_verdict(topics: Topics, tmp_path: Path) -> None:
    await topics.make()
    for compression in (None, "gzip"):
        await produce_one(topics, message(0), [(NotUtf8("ab"), b"v"), ("trace", b"1")], compression=compression)
    await produce_one(topics, message(0), [], key=b"after")
    worker = await Worker(topics.config(tmp_path)).ready()
    came = await consume(topics.bootstrap, topics.verdicts, 5)
    assert await worker.stop() == 0, worker.said()
    assert [record.key for record in came] == [b"before", b"key", b"before", b"key", b"after"]
    assert {verdict["rule"] for verdict in verdicts_of(came)} == {"location"}
    assert came[1].headers[:2] == (("\ufffd\ufffd", b"v"), ("trace", b"1"))


async def test_times_beyond_reason_are_no_times(topics: Topics, tmp_path: Path) -> None:
    await topics.make()
    times = [-1, -9_000_000_000_000_000, int(time.time() * 1e3) + 3_000_000]
    for time_ms in times:
        await produce_one(topics, message(0), [], time_ms=time_ms)
    worker = await Worker(topics.config(tmp_path, deadline_ms=60_000)).ready()
    came = verdicts_of(await consume(topics.bootstrap, topics.verdicts, 3))
    ages = worker.metric("sigfw_verdict_age_seconds_sum"), worker.metric("sigfw_verdict_age_seconds_count")
    assert await worker.stop() == 0, worker.said()
    assert [verdict["rule"] for verdict in came] == ["location"] * 3
    assert [verdict["time"] is None for verdict in came] == [True, True, False]
    assert ages[0] < 60
    assert ages[1] <= 1
