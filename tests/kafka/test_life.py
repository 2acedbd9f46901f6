"""A worker's life: stopped, killed, reloaded, in a group, beside a broker that goes and comes back."""

import asyncio
import signal
from pathlib import Path

import orjson
import pytest
from aiokafka import ConsumerRecord

from tests.kafka.broker import Broker
from tests.kafka.service import (
    Topics,
    Worker,
    change,
    committed,
    consume,
    end_offsets,
    message,
    produce,
    sigfw,
    verdicts_of,
)

DECISION = ("action", "reason", "rule", "category")
MANY = 200_000  # messages of the SIGKILL test
KINDS = 7 * 97 * 10  # message(n) again has the decision of message(n % KINDS)


async def fill(topics: Topics, partitions: int, count: int) -> None:
    """Message n goes to partition n % partitions, keyed by n; all partitions at a time."""
    kinds = [message(n) for n in range(min(KINDS, count))]

    async def one(partition: int) -> None:
        inputs = ((b"%d" % n, kinds[n % KINDS], []) for n in range(partition, count, partitions))
        await produce(topics.bootstrap, topics.inputs, partition, inputs)

    await asyncio.gather(*map(one, range(partitions)))


def assert_order(came: list[ConsumerRecord], topics: Topics) -> None:
    """After dropping repeats by id, each partition has its verdicts in the order of its messages, none missing."""
    offsets: dict[int, dict[int, None]] = {}
    for record in came:
        offset = int(dict(record.headers)["sigfw-source"].rsplit(b"/", 1)[1])
        offsets.setdefault(record.partition, {})[offset] = None  # keeps the place of the first
    for partition, firsts in offsets.items():
        assert list(firsts) == list(range(len(firsts))), f"{topics.inputs}/{partition}: gaps, or out of order"


async def test_sigterm_under_load_ends_with_all_that_was_judged_committed(topics: Topics, tmp_path: Path) -> None:
    await topics.make(partitions=2)
    await fill(topics, 2, 40_000)
    config = topics.config(tmp_path)
    worker = await Worker(config).ready()
    await consume(topics.bootstrap, topics.verdicts, 2_000)
    assert await worker.stop() == 0
    written = await end_offsets(topics.bootstrap, topics.verdicts)
    assert await committed(topics.bootstrap, topics.name) == written

    again = await Worker(config).ready()
    came = await consume(topics.bootstrap, topics.verdicts, 40_000)
    assert await again.stop() == 0
    assert [record.key for record in came] == [b"%d" % n for p in range(2) for n in range(p, 40_000, 2)]


async def test_two_workers_of_a_group_share_the_partitions(topics: Topics, tmp_path: Path) -> None:
    await topics.make(partitions=4)
    first = await Worker(topics.config(tmp_path)).ready()
    second = await Worker(topics.config(tmp_path)).ready()
    await fill(topics, 4, 8_000)
    came = await consume(topics.bootstrap, topics.verdicts, 8_000)
    assert_order(came, topics)
    assert len({record.key for record in came}) == 8_000
    counts = [
        worker.metric('sigfw_messages_total{encapsulation="sccp",perimeter="international"}')
        for worker in (first, second)
    ]
    assert counts == [4_000, 4_000]
    assert await first.stop() == 0
    assert await second.stop() == 0


async def test_rebalance_under_load_repeats_nothing(topics: Topics, tmp_path: Path) -> None:
    await topics.make(partitions=4)
    await fill(topics, 4, 80_000)
    first = await Worker(topics.config(tmp_path)).ready()
    second = await Worker(topics.config(tmp_path)).ready()
    filling = asyncio.create_task(fill(topics, 4, 80_000))
    third = await Worker(topics.config(tmp_path)).ready()
    assert await second.stop() == 0
    await filling
    came = await consume(topics.bootstrap, topics.verdicts, 160_000)
    assert await first.stop() == 0
    assert await third.stop() == 0
    # What was judged was written and committed before each revoke: nothing came twice, and all of it in order.
    assert len(came) == 160_000 == sum((await end_offsets(topics.bootstrap, topics.verdicts)).values())
    sources = [dict(record.headers)["sigfw-source"].decode() for record in came]
    assert sources == [f"{topics.inputs}/{partition}/{n}" for partition in range(4) for n in range(40_000)]


async def test_workers_by_ordinal_take_their_partitions_without_a_group(topics: Topics, tmp_path: Path) -> None:
    await topics.make(partitions=3)
    await fill(topics, 3, 3_000)
    workers = []
    for ordinal in range(2):
        config = change(topics.config(tmp_path, workers=2), "source", "kafka", "worker", value=ordinal)
        workers.append(await Worker(config).ready())
    came = await consume(topics.bootstrap, topics.verdicts, 3_000)
    assert [record.key for record in came] == [b"%d" % n for p in range(3) for n in range(p, 3_000, 3)]
    sample = 'sigfw_messages_total{encapsulation="sccp",perimeter="international"}'
    assert [worker.metric(sample) for worker in workers] == [2_000, 1_000]
    assert [await worker.stop() for worker in workers] == [0, 0]
    assert await committed(topics.bootstrap, topics.name) == {0: 1_000, 1: 1_000, 2: 1_000}


async def test_sighup_takes_a_good_policy_and_refuses_a_bad_one(topics: Topics, tmp_path: Path) -> None:
    await topics.make()
    worker = await Worker(topics.config(tmp_path)).ready()
    policy = tmp_path / "policy.yaml"
    text = policy.read_text()

    async def judged(count: int) -> str:
        """The digest that the newest message was judged by."""
        await produce(topics.bootstrap, topics.inputs, 0, [(None, message(1), [])])
        return verdicts_of(await consume(topics.bootstrap, topics.verdicts, count))[-1]["policy"]["digest"]

    async def reloaded(outcome: str) -> None:
        worker.process.send_signal(signal.SIGHUP)
        for _ in range(100):
            if worker.metric(f'sigfw_policy_reloads_total{{outcome="{outcome}"}}') == 1:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(worker.said())

    before = await judged(1)
    policy.write_text("schema: 1\nname: [\n")
    await reloaded("refused")
    assert await judged(2) == before
    policy.write_text(text.replace("operation: [anyTimeInterrogation, ", "operation: ["))
    await reloaded("ok")
    assert await judged(3) != before
    assert await worker.stop() == 0


async def test_change_of_a_file_is_taken_without_a_signal(topics: Topics, tmp_path: Path) -> None:
    await topics.make()
    config = topics.config(tmp_path, reload_seconds=1)
    worker = await Worker(config).ready()
    policy = tmp_path / "policy.yaml"

    async def counted(sample: str) -> None:
        for _ in range(600):
            if worker.metric(sample) == 1:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(worker.said())

    policy.with_suffix(".new").write_text("schema: 1\nname: [\n")
    text = policy.read_text()
    policy.with_suffix(".new").rename(policy)
    await counted('sigfw_policy_reloads_total{outcome="refused"}')
    policy.write_text(text)
    await counted('sigfw_policy_reloads_total{outcome="ok"}')
    change(config, "mode", value={"international": "monitor"})
    await counted('sigfw_mode{mode="monitor",perimeter="international"}')
    await produce(topics.bootstrap, topics.inputs, 0, [(None, message(0), [])])
    (verdict,) = verdicts_of(await consume(topics.bootstrap, topics.verdicts, 1))
    assert (verdict["reason"], verdict["shadow"]["rule"]) == ("monitor", "location")
    assert f"was enforce; {config} changed" in worker.said()
    assert await worker.stop() == 0


async def test_worker_outlives_a_restart_of_the_broker(fresh_broker: Broker, tmp_path: Path) -> None:
    topics = await Topics(fresh_broker.bootstrap, "restart").make()
    worker = await Worker(topics.config(tmp_path)).ready()
    await fill(topics, 1, 5_000)
    await consume(topics.bootstrap, topics.verdicts, 1_000)
    fresh_broker.kill()
    for _ in range(200):
        if worker.get("/readyz")[0] == 503:
            break
        await asyncio.sleep(0.1)
    assert worker.get("/readyz")[0] == 503
    assert worker.get("/livez")[0] == 200
    fresh_broker.start()
    await worker.ready()
    await produce(topics.bootstrap, topics.inputs, 0, [(b"last", message(1), [])])
    came = await consume(topics.bootstrap, topics.verdicts, 5_001)
    assert_order(came, topics)
    assert came[-1].key == b"last"
    assert await worker.stop() == 0


async def test_sigkill_loses_no_verdict_and_no_order(topics: Topics, tmp_path: Path) -> None:
    partitions = 4
    await topics.make(partitions=partitions)
    victim, other = Worker(topics.config(tmp_path)), Worker(topics.config(tmp_path))
    await asyncio.gather(victim.ready(), other.ready())
    its, _ = await shared([victim, other], topics, partitions)
    filling = asyncio.create_task(fill(topics, partitions, MANY))
    await freeze_with_uncommitted_verdicts(victim, topics, its)
    victim.kill()
    await filling
    while sum((await committed(topics.bootstrap, topics.name)).values()) < MANY:
        assert other.process.poll() is None, other.said()
        await asyncio.sleep(0.2)
    assert await other.stop() == 0
    came = await consume(
        topics.bootstrap, topics.verdicts, sum((await end_offsets(topics.bootstrap, topics.verdicts)).values())
    )
    assert len(came) > MANY, "no verdict came twice: the kill hit nothing"
    assert_order(came, topics)
    assert {int(record.key) for record in came} == set(range(MANY))

    expected = await screened(tmp_path)
    for record in came:
        verdict = orjson.loads(record.value)
        assert tuple(verdict[key] for key in DECISION) == expected[int(record.key) % KINDS], verdict


async def shared(workers: list[Worker], topics: Topics, partitions: int) -> list[list[int]]:
    """The partitions of each worker, once each partition is one worker's, as their metrics show them."""
    while True:
        found = [
            [n for n in range(partitions) if f'lag_records{{partition="{n}",topic="{topics.inputs}"}}' in text]
            for text in (worker.get("/metrics")[1] for worker in workers)
        ]
        if all(found) and sorted(number for its in found for number in its) == list(range(partitions)):
            return found
        assert all(worker.process.poll() is None for worker in workers)
        await asyncio.sleep(0.2)


async def freeze_with_uncommitted_verdicts(worker: Worker, topics: Topics, partitions: list[int]) -> None:
    """Stop the process where one of its partitions has verdicts that are written but not committed, and lag."""
    while True:
        assert worker.process.poll() is None, worker.said()
        await asyncio.sleep(0.15)  # less than from one commit to the next
        worker.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.3)  # what it sent arrives
        verdicts = await end_offsets(topics.bootstrap, topics.verdicts)
        done = await committed(topics.bootstrap, topics.name)
        inputs = await end_offsets(topics.bootstrap, topics.inputs)
        if any(done.get(number, 0) < verdicts[number] < inputs[number] for number in partitions):
            return
        assert min(verdicts[number] for number in partitions) < MANY // 4, "all was judged before the kill"
        worker.process.send_signal(signal.SIGCONT)


async def screened(folder: Path) -> list[tuple[str, ...]]:
    """What `sigfw screen` decides of each kind of message."""
    capture = folder / "kinds.hex"
    capture.write_text("".join(f"{message(n).hex()}\n" for n in range(KINDS)))
    done = await sigfw("screen", str(capture), "--policy", str(folder / "policy.yaml"), "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    return [tuple(orjson.loads(line)[key] for key in DECISION) for line in done.stdout.splitlines()]


async def test_group_that_begins_at_the_end_misses_nothing_after_a_sigkill(topics: Topics, tmp_path: Path) -> None:
    await topics.make(partitions=2)
    config = change(topics.config(tmp_path), "source", "kafka", "auto_offset_reset", value="latest")
    await produce(topics.bootstrap, topics.inputs, 0, [(b"old", message(1), [])] * 10)
    worker = await Worker(config).ready()
    while await committed(topics.bootstrap, topics.name) != {0: 10, 1: 0}:
        assert worker.process.poll() is None, worker.said()
        await asyncio.sleep(0.1)
    worker.kill()
    for partition in range(2):
        await produce(topics.bootstrap, topics.inputs, partition, [(b"new", message(1), [])] * 10)
    again = await Worker(config).ready()
    came = await consume(topics.bootstrap, topics.verdicts, 20)
    assert await again.stop() == 0
    assert [record.key for record in came] == [b"new"] * 20


@pytest.mark.parametrize("how", ["kill", "pause"])
async def test_sigterm_beside_a_lost_broker_ends_in_time_without_a_trace(
    fresh_broker: Broker, tmp_path: Path, how: str
) -> None:
    topics = await Topics(fresh_broker.bootstrap, "lost").make()
    worker = await Worker(topics.config(tmp_path)).ready()
    await produce(topics.bootstrap, topics.inputs, 0, [(None, message(1), [])])
    while await committed(topics.bootstrap, topics.name) != {0: 1}:
        assert worker.process.poll() is None, worker.said()
        await asyncio.sleep(0.1)
    getattr(fresh_broker, how)()
    assert await worker.stop() == 0, worker.said()
    assert "Traceback" not in worker.log.read_text()
