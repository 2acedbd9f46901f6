"""The watchdog beside a Kafka worker: lag and readiness, partitions that have nowhere to write, and silent stalls.

aiokafka's consumer can stall without an error after trouble with a coordinator. The end of each partition is therefore
asked for apart from the fetching, and a worker that gets nowhere while there is work ends, to be started again.
"""

import asyncio
import time
from collections import Counter
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from sigfw.config import KafkaSource as Settings
from sigfw.errors import RunError, StartError
from sigfw.pipeline.kafka import address, partitions_of
from sigfw.pipeline.partition import Partition
from sigfw.pipeline.source import KafkaSource
from sigfw.telemetry.http import Health
from sigfw.telemetry.logs import get_logger
from sigfw.telemetry.metrics import Metrics

log = get_logger(__name__)

EVERY_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 5.0  # for the ends of the partitions: an answer takes milliseconds
# Elections, restarts of brokers and rebalances take up to half a minute each: twice that is no transition any more.
STALL_SECONDS: Final = 60.0
STALL_LOOKS: Final = round(STALL_SECONDS / EVERY_SECONDS)
LOST_SECONDS: Final = 120.0  # brokers that do not come back in this time: a fresh start may find others


class Watch:
    """Call `look` each EVERY_SECONDS. It raises RunError when only a restart can help."""

    def __init__(
        self, settings: Settings, source: KafkaSource, known: dict[str, int], metrics: Metrics, health: Health
    ) -> None:
        self._settings = settings
        self._source = source
        self._known = known  # partitions of each topic, as far as we have seen
        self._metrics = metrics
        self._health = health
        self._answered = time.monotonic()
        # Both outlive an assignment: a worker that is given its partitions again and again must not count anew.
        self._committed: dict[TopicPartition, int] = {}  # the highest offset
        self._stuck: Counter[TopicPartition] = Counter()  # looks in a row, brokers answering, with work and no commit
        self._rebalancing = 0  # looks in a row, brokers answering

    def place(self, partition: Partition) -> None:
        """Block a partition whose verdicts would have no partition to go to."""
        if partition.number >= self._known.get(partition.verdict_topic, 0):
            partition.blocked = f"{partition.verdict_topic} has no partition {partition.number}"
            log.error("verdict_partition_missing", topic=partition.verdict_topic, partition=partition.number)

    async def look(self) -> None:
        partitions = dict(self._source.partitions)
        consumer = self._source.consumer
        self._check_inputs()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                # Without a partition (more workers than partitions) the topics are what can be asked for.
                ends = await consumer.end_offsets(list(partitions)) if partitions else {}
                positions = {tp: await consumer.position(tp) for tp in partitions}
            if not partitions:
                await partitions_of(self._settings, self._settings.topics)
            await self._unblock(partitions)
        except IllegalStateError:  # a rebalance took one of them away: look again when it is over
            return
        except (KafkaError, TimeoutError, StartError) as error:
            self._lost(type(error).__name__)
            return
        self._answered = time.monotonic()
        self._health.ready("kafka")
        behind = {tp: max(end - positions[tp], 0) for tp, end in ends.items()}
        for tp, records in behind.items():
            age = time.time() - partitions[tp].newest_seconds if records and partitions[tp].newest_seconds else 0.0
            self._metrics.set_lag(tp.topic, tp.partition, records, age)
        self._check_progress(partitions, behind)

    def _check_inputs(self) -> None:
        """Not ready where an input topic was deleted, or while a rebalance has taken all partitions."""
        missing = [topic for topic in self._settings.topics if not self._source.consumer.partitions_for_topic(topic)]
        if missing:
            self._health.not_ready("input topics", f"not in Kafka: {', '.join(missing)}")
            self._committed.clear()  # where it is made anew, its offsets begin anew
        else:
            self._health.ready("input topics")
        if self._source.rebalancing:
            self._health.not_ready("group", "rebalance")
        else:
            self._health.ready("group")

    def _lost(self, why: str) -> None:
        silent = time.monotonic() - self._answered
        self._health.not_ready("kafka", f"no answer for {silent:.0f} s")
        log.warning("kafka_lost", reason=why, seconds=round(silent))
        if silent > LOST_SECONDS:
            raise RunError(f"Kafka at {address(self._settings)} has not answered for {silent:.0f} s; see the brokers")

    async def _unblock(self, partitions: dict[TopicPartition, Partition]) -> None:
        blocked = [partition for partition in partitions.values() if partition.blocked]
        if blocked:
            self._known |= await partitions_of(self._settings, {p.verdict_topic for p in blocked})
        for partition in blocked:
            if partition.number < self._known.get(partition.verdict_topic, 0):
                partition.blocked = ""
        still = [partition.blocked for partition in blocked if partition.blocked]
        if still:
            self._health.not_ready("verdict partitions", "; ".join(still[:4]))
        else:
            self._health.ready("verdict partitions")

    def _check_progress(self, partitions: dict[TopicPartition, Partition], behind: dict[TopicPartition, int]) -> None:
        """Work there, and nothing committed for STALL_SECONDS: a stall that nothing else tells."""
        for tp, partition in partitions.items():
            rises = partition.committed > self._committed.get(tp, -1)
            works = behind[tp] or not partition.idle or partition.written > partition.committed
            self._stuck[tp] = self._stuck[tp] + 1 if works and not rises and not partition.blocked else 0
            if rises:
                self._committed[tp] = partition.committed
        stuck = [f"{tp.topic}/{tp.partition}" for tp, looks in self._stuck.items() if looks > STALL_LOOKS]
        if stuck:
            raise RunError(
                f"nothing committed for {STALL_SECONDS:.0f} s with records to judge in {', '.join(stuck[:4])}: "
                "start it again, and see that no other worker has its group_instance_id"
            )
        self._rebalancing = self._rebalancing + 1 if self._source.rebalancing else 0
        if self._rebalancing > STALL_LOOKS:
            raise RunError(f"a rebalance of group {self._settings.group} has not ended for {STALL_SECONDS:.0f} s")
