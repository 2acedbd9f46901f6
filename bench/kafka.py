"""The worker over a real Kafka, end to end: a backlog of messages, one `sigfw run`, the time until all have verdicts."""

import asyncio
import resource
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from bench.cases import BATCH, POLICY, batches, capture_of, messages
from tests.kafka.broker import Broker
from tests.kafka.service import Topics, Worker, end_offsets, produce

PATIENCE_SECONDS = 300.0


async def run(count: int) -> None:
    """Print a line for each form of records and verdicts."""
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker()
        try:
            await asyncio.to_thread(broker.start)
            for name, encapsulation, verdicts in (
                ("one message a record, JSON verdicts", "sccp", "json"),
                ("one message a record, packed verdicts", "sccp", "packed"),
                ("1,024 messages a pcap record, packed verdicts", "pcap", "packed"),
            ):
                topics = Topics(broker.bootstrap, f"{encapsulation}-{verdicts}")
                wall, cpu = await _one(topics, Path(folder), encapsulation, verdicts, count)
                print(f"kafka   {name:<50} {count / wall:>10,.0f} messages/s {count / cpu:>10,.0f} a CPU second")
        finally:
            await asyncio.to_thread(broker.close)


async def _one(topics: Topics, folder: Path, encapsulation: str, verdicts: str, count: int) -> tuple[float, float]:
    """Seconds from the start of the worker's reading until the last verdict, and CPU seconds it took, start-up apart."""
    await topics.make()
    if encapsulation == "pcap":
        records = count // BATCH
        values = list(islice(cycle([capture_of(batch) for batch in batches()]), records))
    else:
        records, values = count, list(islice(cycle(messages()), count))
    await produce(topics.bootstrap, topics.inputs, 0, ((None, value, ()) for value in values))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    config = topics.config(folder, topic={"encapsulation": encapsulation}, policy=str(POLICY), verdicts=verdicts)
    worker = Worker(config)
    first = last = 0.0
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        done = (await end_offsets(topics.bootstrap, topics.verdicts))[0]
        now = time.monotonic()
        first = first or (now if done else 0.0)
        if done >= records:
            last = now
            break
        await asyncio.sleep(0.02)
    if not last:
        raise RuntimeError(f"no verdict for every record in {PATIENCE_SECONDS:.0f} s: {worker.said()}")
    if await worker.stop():
        raise RuntimeError(f"the worker failed: {worker.said()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return max(last - first, 1e-9), cpu
