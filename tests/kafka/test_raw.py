"""Both paths over a real broker: what they fetch, where they stand, what they write and commit."""

from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from sigfw._core.kbatch import Chunk
from sigfw.pipeline import lenient, raw
from tests.kafka.broker import create_topic
from tests.kafka.service import Topics, Worker, change, committed, consume, end_offsets, message, produce
from tests.kafka.test_poison import NotUtf8, produce_one

CODECS = ("gzip", "snappy", "lz4", "zstd")
HEADERS = [
    [("sigfw-perimeter", b"national"), ("trace", b"1")],
    [("sigfw-encapsulation", b"smoke signals")],
    [("sigfw-opc", b"100"), ("sigfw-dpc", b"7")],
    [("null", None), ("häder", b"2")],
]


async def fill(topics: Topics) -> None:
    """Of every kind; transactions leave markers, hence gaps between offsets."""
    await produce(topics.bootstrap, topics.inputs, 0, [(b"%d" % n, message(n), []) for n in range(300)])
    transactional = AIOKafkaProducer(bootstrap_servers=topics.bootstrap, transactional_id=topics.name)
    await transactional.start()
    for end in (transactional.abort_transaction, transactional.commit_transaction) * 2:
        await transactional.begin_transaction()
        for n in range(3):
            await transactional.send_and_wait(topics.inputs, message(n), key=b"transaction", partition=0)
        await end()
    await transactional.stop()
    for codec in CODECS:
        await produce_one(topics, message(1) * 20, [], key=codec.encode(), compression=codec)
    for headers in HEADERS:
        await produce_one(topics, message(2), headers)
    await produce_one(topics, None, [], key=b"null")
    await produce_one(topics, b"", [], key=None)
    await produce_one(topics, message(0), [(NotUtf8("ab"), b"v"), ("trace", b"1")])
    await produce(topics.bootstrap, topics.inputs, 0, [(None, message(n), []) for n in range(100)])


async def fetched(topics: Topics, offset: int, **more: Any) -> tuple[list[Any], int, set[type]]:
    """Records from an offset on, the position behind them, and what they came as."""
    lenient.install()
    assert raw.install()
    tp = TopicPartition(topics.inputs, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=topics.bootstrap, isolation_level="read_committed", **more)
    await consumer.start()
    try:
        consumer.assign([tp])
        consumer.seek(tp, offset)
        (end,) = (await consumer.end_offsets([tp])).values()
        records: list[Any] = []
        kinds: set[type] = set()
        while await consumer.position(tp) < end:
            for one in (await consumer.getmany(tp, timeout_ms=200, max_records=1)).get(tp, []):
                kinds.add(type(one))
                some = [one[i] for i in range(len(one))] if isinstance(one, Chunk | list) and more else [one]
                records += [(r.offset, r.timestamp, r.key, r.value, r.headers) for r in some]
        return records, await consumer.position(tp), kinds
    finally:
        await consumer.stop()


async def test_both_paths_fetch_the_same(topics: Topics) -> None:
    await topics.make()
    await fill(topics)
    for offset in (0, 117, 310):
        ours, at, kinds = await fetched(topics, offset, value_deserializer=raw.chunks)
        theirs, there, _ = await fetched(topics, offset)
        assert ours == theirs
        assert at == there
        assert kinds == {Chunk, list}
    assert len(ours) > 100


async def test_both_paths_fetch_the_brokers_time(topics: Topics) -> None:
    await create_topic(topics.bootstrap, topics.inputs, 1, message_timestamp_type="LogAppendTime")
    await produce(topics.bootstrap, topics.inputs, 0, [(None, message(n), []) for n in range(9)], time_ms=1000)
    ours, _, kinds = await fetched(topics, 2, value_deserializer=raw.chunks)
    assert kinds == {Chunk}
    assert ours == (await fetched(topics, 2))[0]
    assert all(time_ms > 1_000_000 for _, time_ms, *_ in ours)


async def test_both_paths_write_and_commit_the_same(topics: Topics, tmp_path: Path) -> None:
    """A broker checks the CRC of every batch that it is given."""
    await topics.make()
    await fill(topics)
    groups = {}
    for module, compression in (("sigfw", "none"), ("bench.worker", "none"), ("sigfw", "zstd")):
        other = Topics(topics.bootstrap, f"{topics.name}-{module}-{compression}")
        other.inputs = topics.inputs
        for name in (other.verdicts, other.events, other.dead):
            await create_topic(topics.bootstrap, name, 1)
        config = other.config(tmp_path)
        change(config, "sink", "kafka", "compression", value=compression)
        worker = await Worker(config, module).ready()
        came = await consume(topics.bootstrap, other.verdicts, 300 + 6 + len(CODECS) + len(HEADERS) + 4 + 100)
        letters = await consume(topics.bootstrap, other.dead, 3)
        assert await worker.stop() == 0, worker.said()
        groups[module, compression] = (
            [(r.key, r.value, r.headers) for r in came],
            [(r.key, r.value, r.headers) for r in letters],
            await committed(topics.bootstrap, other.name),
        )
    assert groups["sigfw", "none"] == groups["bench.worker", "none"] == groups["sigfw", "zstd"]
    verdicts, letters, offsets = groups["sigfw", "none"]
    assert len(verdicts) == 300 + 6 + len(CODECS) + len(HEADERS) + 4 + 100
    assert len(letters) == 3
    assert offsets == await end_offsets(topics.bootstrap, topics.inputs)
