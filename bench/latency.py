"""Rate against latency over a real Kafka: `python -m bench.latency [--short]`; bench/results/latency.json.

Records come at a fixed rate, a batch each SLICE_SECONDS, in a loop of its own time: what is late is not left out. A
message's latency is from its record's append to its verdict record's, both as the broker stamps them (LogAppendTime, in
milliseconds). One partition, one worker, the broker and the producer on the same machine.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.cases import messages
from bench.kafka import stateless
from bench.measure import keep, machine
from tests.kafka.broker import Broker, create_topic
from tests.kafka.service import Topics, Worker, end_offsets

RATES, SHORT_RATES = (1_000, 10_000, 25_000, 50_000, 100_000, 200_000), (1_000, 5_000)
SECONDS, SHORT_SECONDS = 10.0, 2.0
SLICE_SECONDS = 0.01
PATIENCE_SECONDS = 60.0
WARM_MESSAGES = 20_000
STAMPED = {"message_timestamp_type": "LogAppendTime"}


async def produce_at(topics: Topics, rate: int, seconds: float) -> int:
    """At so many a second; how many."""
    size = max(1, round(rate * SLICE_SECONDS))
    values = cycle(messages())
    producer = AIOKafkaProducer(bootstrap_servers=topics.bootstrap, max_batch_size=1_000_000, acks=1)
    await producer.start()
    try:
        began, sent = time.monotonic(), 0
        while sent < rate * seconds:
            builder = producer.create_batch()
            for value in islice(values, size):
                builder.append(timestamp=None, key=None, value=value)
            await producer.send_batch(builder, topics.inputs, partition=0)
            sent += size
            await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))
        await producer.flush()
    finally:
        await producer.stop()
    return sent


async def times(bootstrap: str, topic: str, first: int, end: int) -> list[int]:
    """When the broker appended each record, in milliseconds."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        tp = TopicPartition(topic, 0)
        consumer.assign([tp])
        consumer.seek(tp, first)
        found: list[int] = []
        while len(found) < end - first:
            found += [record.timestamp for record in (await consumer.getmany(tp, timeout_ms=200)).get(tp, [])]
        return found[: end - first]
    finally:
        await consumer.stop()


async def judged(topics: Topics, worker: Worker, end: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (await end_offsets(topics.bootstrap, topics.verdicts))[0] < end:
        if worker.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"no verdict for every record: {worker.said()}")
        await asyncio.sleep(0.2)


async def point(bootstrap: str, folder: Path, rate: int, seconds: float) -> dict[str, float]:
    topics = Topics(bootstrap, f"at-{rate}")
    await create_topic(bootstrap, topics.inputs, 1, **STAMPED)
    await create_topic(bootstrap, topics.verdicts, 1, **STAMPED)
    await create_topic(bootstrap, topics.events, 1)
    await create_topic(bootstrap, topics.dead, 1)
    worker = await Worker(topics.config(folder, policy=str(stateless(folder)), verdicts="packed")).ready()
    first = await produce_at(topics, WARM_MESSAGES, 1.0)
    await judged(topics, worker, first)
    end = first + await produce_at(topics, rate, seconds)
    await judged(topics, worker, end)
    if await worker.stop():
        raise RuntimeError(f"the worker failed: {worker.said()}")
    came = await times(bootstrap, topics.inputs, first, end)
    told = await times(bootstrap, topics.verdicts, first, end)
    took = sorted(after - before for before, after in zip(came, told, strict=True))
    reached = 1e3 * (len(came) - 1) / max(came[-1] - came[0], 1)
    return {"rate": rate, "reached": round(reached), "p50_ms": part(took, 0.5), "p99_ms": part(took, 0.99)}


def part(taken: Sequence[int], share: float) -> float:
    return taken[min(len(taken) - 1, int(share * len(taken)))]


async def run(*, short: bool) -> None:
    rates, seconds = (SHORT_RATES, SHORT_SECONDS) if short else (RATES, SECONDS)
    points = []
    print(f"{'messages/s':>10} {'reached':>9} {'p50 ms':>7} {'p99 ms':>7}")
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker()
        try:
            await asyncio.to_thread(broker.start)
            for rate in rates:
                points.append(await point(broker.bootstrap, Path(folder), rate, seconds))
                print("{rate:>10,} {reached:>9,} {p50_ms:>7} {p99_ms:>7}".format(**points[-1]), flush=True)
        finally:
            await asyncio.to_thread(broker.close)
    method = (__doc__ or "").partition("\n\n")[2].replace("\n", " ").strip()
    keep("latency", {}, {}, method=method, short=short, points=points)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="two low rates, for seconds: does it run at all")
    given = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}\n")
    asyncio.run(run(short=given.short))


if __name__ == "__main__":
    main()
