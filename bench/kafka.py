"""The worker over a real Kafka: a backlog of messages, one `sigfw run`, the time until all have verdicts."""

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
                rate, per_cpu = await _one(topics, Path(folder), encapsulation, verdicts, count)
                shown = f"{rate:,.0f}" if rate == rate else "too few"
                print(f"kafka   {name:<50} {shown:>10} messages/s {per_cpu:>10,.0f} a CPU second")
        finally:
            await asyncio.to_thread(broker.close)


async def _one(topics: Topics, folder: Path, encapsulation: str, verdicts: str, count: int) -> tuple[float, float]:
    """Messages a second while verdicts came, and a CPU second of the worker, its start and end included."""
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
    rate = await _rate(topics, worker, records) * (count / records)
    if await worker.stop():
        raise RuntimeError(f"the worker failed: {worker.said()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return rate, count / cpu


async def _rate(topics: Topics, worker: Worker, records: int) -> float:
    """Verdict records a second, from the first that are seen to the last."""
    began, first = 0.0, 0
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and worker.process.poll() is None:
        done = (await end_offsets(topics.bootstrap, topics.verdicts))[0]
        now = time.monotonic()
        if done >= records:
            return (done - first) / (now - began) if began else float("nan")  # too few to tell
        if done and not began:
            began, first = now, done
        await asyncio.sleep(0.1)
    raise RuntimeError(f"no verdict for every record: {worker.said()}")
