"""The worker over a real Kafka: `python -m bench.kafka [--short]`. Messages a second of its CPU, and of the clock.

A prefilled topic of one partition, a `sigfw run`, a real broker on the same machine. From a first look at the verdicts
to a last: the verdict records that came, and the CPU time of all threads of the worker (/proc/PID/stat); its start and
end are left out. Every case once a round.
"""

import argparse
import asyncio
import gzip
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from itertools import cycle, islice
from pathlib import Path

import orjson
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.cases import FOLDER, POLICY, capture_of, messages
from bench.measure import keep, machine, ratio
from sigfw import names
from sigfw._core import framing
from tests.kafka.broker import Broker, create_topic
from tests.kafka.service import Topics, Worker

ROUNDS, SHORT_ROUNDS = 5, 1
SECONDS, SHORT_SECONDS, LONG_SECONDS = 5.0, 1.0, 30.0  # that a case is measured; the first case has one long run
PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.1
PRODUCERS = 8  # a broker takes one batch a request and partition
TICKS = os.sysconf("SC_CLK_TCK")
PACK = 64
SEGMENT_OCTETS = 104_857_600  # of the log: what was measured goes soon


@dataclass(frozen=True)
class Fill:
    """What an input topic holds: `records` producer batches' size, `pack` messages a record."""

    name: str
    batch: int
    pack: int = 1
    attacks: bool = True


BY_1000, BY_64 = Fill("by-1000", 1000), Fill("by-64", 64)
PACKED_64, LEGITIMATE = Fill("packed-64", 64, PACK), Fill("legitimate", 1000, attacks=False)


@dataclass(frozen=True)
class Run:
    name: str
    fill: Fill
    verdicts: str = "packed"
    goal: str = ""
    public: bool = False
    state: bool = False


RUNS = (
    Run("one message a record, packed; batches of 1,000", BY_1000, goal="kafka/1000"),
    Run("the same by aiokafka's own records", BY_1000, public=True),
    Run("the same, no attacks", LEGITIMATE),
    Run("the same, checks on state as well", BY_1000, state=True),
    Run("one message a record, packed; batches of 64", BY_64, goal="kafka/64"),
    Run("one message a record, JSON; batches of 1,000", BY_1000, "json", goal="kafka/json"),
    Run("64 messages a pcap record, packed; batches of 64", PACKED_64, goal="kafka/packed64"),
)


@dataclass(frozen=True)
class Rate:
    """Messages, and the seconds that they took."""

    messages: int
    cpu: float
    clock: float


# ---- what is judged, and by which rules


@cache
def legitimate() -> list[bytes]:
    """The messages of the corpus that are no attack."""
    labels = gzip.decompress((FOLDER / "labels.jsonl.gz").read_bytes()).splitlines()
    good = {(one["frame"], one["index"]) for one in map(orjson.loads, labels) if one["label"] == "legitimate"}
    capture = gzip.decompress((FOLDER / "corpus.pcap.gz").read_bytes())
    frames = framing.frames(capture, "pcap")
    return [one["octets"] for one in frames if one["kind"] == "sccp" and (one["frame"], one["index"]) in good]


def values_of(fill: Fill, records: int) -> Iterable[bytes]:
    some = messages() if fill.attacks else legitimate()
    if fill.pack > 1:
        some = [capture_of(some[at : at + fill.pack]) for at in range(0, len(some) - fill.pack + 1, fill.pack)]
    return islice(cycle(some), records)


def stateless(folder: Path) -> Path:
    """The interconnect policy without the rules that ask what was remembered."""
    policy = yaml.safe_load(POLICY.read_text())
    remembered = set(names.CHECKS[names.FIRST_STATE_CHECK :])

    def asks(check: object) -> bool:
        some = check.get("all", ()) if isinstance(check, dict) else [check] if isinstance(check, str) else check
        return bool(remembered & set(some or ()))

    policy["rules"] = [rule for rule in policy["rules"] if not asks((rule.get("when") or {}).get("check"))]
    path = folder / "stateless.yaml"
    path.write_text(yaml.safe_dump(policy, sort_keys=False))
    return path


# ---- the topic, the worker, the clock


async def fill_topic(bootstrap: str, topic: str, fill: Fill, records: int) -> None:
    """Record batches of fill.batch records, by several producers at once: their order says nothing."""
    values = iter(values_of(fill, records))

    async def produce(producer: AIOKafkaProducer) -> None:
        while some := list(islice(values, fill.batch)):
            builder = producer.create_batch()
            for value in some:
                builder.append(timestamp=None, key=None, value=value)
            await (await producer.send_batch(builder, topic, partition=0))

    producers = [AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=1_000_000) for _ in range(PRODUCERS)]
    try:
        for producer in producers:
            await producer.start()
        await asyncio.gather(*map(produce, producers))
    finally:
        await asyncio.gather(*(producer.stop() for producer in producers))


class Ends:
    """How many verdict records there are."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
        self._tp = TopicPartition(topic, 0)

    async def __aenter__(self) -> Callable[[], "asyncio.Future[int]"]:
        await self._consumer.start()
        return lambda: asyncio.ensure_future(self._end())

    async def _end(self) -> int:
        return int((await self._consumer.end_offsets([self._tp]))[self._tp])

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()


def cpu_seconds(pid: int) -> float:
    """Of all threads of a process: user and system time, fields 14 and 15 of proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def measure(topics: Topics, worker: Worker, run: Run, records: int, seconds: float) -> Rate:
    async with Ends(topics.bootstrap, topics.verdicts) as end:
        deadline = time.monotonic() + PATIENCE_SECONDS
        first, cpu, began = 0, 0.0, 0.0
        while time.monotonic() < deadline and worker.process.poll() is None:
            done, now, spent = await end(), time.monotonic(), cpu_seconds(worker.process.pid)
            if began and (done >= records or now - began >= seconds):
                return Rate((done - first) * run.fill.pack, spent - cpu, now - began)
            if done and not began:
                first, cpu, began = done, spent, now
            await asyncio.sleep(LOOK_SECONDS)
    raise RuntimeError(f"no verdicts: {worker.said()}")


async def once(bootstrap: str, folder: Path, run: Run, name: str, records: int, seconds: float) -> Rate:
    """A group and a verdict topic of its own, from the first record on."""
    topics = Topics(bootstrap, name)
    topics.inputs = run.fill.name
    await create_topic(
        bootstrap, topics.verdicts, 1, segment_bytes=str(SEGMENT_OCTETS), retention_bytes=str(SEGMENT_OCTETS)
    )
    await create_topic(bootstrap, topics.events, 1)
    await create_topic(bootstrap, topics.dead, 1)
    encapsulation = "pcap" if run.fill.pack > 1 else "sccp"
    policy = POLICY if run.state else stateless(folder)
    config = topics.config(folder, topic={"encapsulation": encapsulation}, policy=str(policy), verdicts=run.verdicts)
    worker = Worker(config, "bench.worker" if run.public else "sigfw")
    rate = await measure(topics, worker, run, records, seconds)
    if await worker.stop():
        raise RuntimeError(f"the worker failed: {worker.said()}")
    return rate


async def run(*, short: bool) -> None:
    """Measure, print a line a case, and keep the figures."""
    rounds, seconds = (SHORT_ROUNDS, SHORT_SECONDS) if short else (ROUNDS, SECONDS)
    records = {fill: _records(fill, short) for fill in dict.fromkeys(one.fill for one in RUNS)}
    taken: dict[Run, list[Rate]] = {one: [] for one in RUNS}
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker()
        try:
            await asyncio.to_thread(broker.start)
            for fill, count in records.items():
                await create_topic(broker.bootstrap, fill.name, 1)
                await fill_topic(broker.bootstrap, fill.name, fill, count)
            at = partial(once, broker.bootstrap, Path(folder))
            for number in range(rounds):
                for index, one in enumerate(RUNS):
                    taken[one].append(await at(one, f"r{number}c{index}", records[one.fill], seconds))
            long = None if short else await at(RUNS[0], "long", records[RUNS[0].fill], LONG_SECONDS)
        finally:
            await asyncio.to_thread(broker.close)
    _tell(taken, long, short=short)


def _records(fill: Fill, short: bool) -> int:
    """More than a worker takes in the time that it has, where not much faster than today's."""
    if short:
        return 20_000 // fill.pack
    return {BY_1000: 16_000_000, BY_64: 2_000_000}.get(fill, 4_000_000 // fill.pack)


def _tell(taken: dict[Run, list[Rate]], long: Rate | None, *, short: bool) -> None:
    print(f"{'over Kafka':<52} {'a CPU second':>13} {'min-max':>21} {'a second':>10}")
    for one, rates in taken.items():
        each = [rate.messages / max(rate.cpu, 1 / TICKS) for rate in rates]
        clock = statistics.median(rate.messages / rate.clock for rate in rates)
        spread = f"{min(each):,.0f}-{max(each):,.0f}"
        print(f"{one.name:<52} {statistics.median(each):>13,.0f} {spread:>21} {clock:>10,.0f}")
    if long is None:
        return
    print(f"{'the first, ' + format(long.clock, '.0f') + ' s':<52} {long.messages / long.cpu:>13,.0f}")
    nanoseconds = {one.name: [1e9 * rate.cpu / rate.messages for rate in rates] for one, rates in taken.items()}
    public = ratio(nanoseconds[RUNS[1].name], nanoseconds[RUNS[0].name])
    print(f"{'the first to the public path':<52} {public:>12.2f}x")
    goals = {one.goal: 1e3 / statistics.median(nanoseconds[one.name]) for one in RUNS if one.goal}
    goals |= {"kafka/1000": min(goals["kafka/1000"], long.messages / long.cpu / 1e6), "kafka/public": public}
    nanoseconds["the first, 30 s"] = [1e9 * long.cpu / long.messages]
    method = (
        "ns of the worker's CPU a message, all threads; a prefilled topic, a broker on the same machine; "
        f"interconnect.yaml without rules on state, enforcing; median of {ROUNDS} interleaved rounds of {SECONDS:.0f} s"
    )
    keep("kafka", goals, nanoseconds, method=method, short=short)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="a round of seconds: does it run at all")
    given = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}\n")
    asyncio.run(run(short=given.short))


if __name__ == "__main__":
    main()
