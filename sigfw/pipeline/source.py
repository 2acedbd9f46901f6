"""The Kafka source: portions of records from the partitions that are ours, and the offsets of what is written.

aiokafka rebalances eagerly: every change of the group takes all partitions away and gives some back. Two rules keep
that safe. A portion holds the partition it was fetched for, and a partition once closed is never judged or written
again. And `getmany` returns without a pause in between, so that what it returns belongs to the assignment of that very
moment.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord

from sigfw import names
from sigfw._core.batch import Batch
from sigfw._core.kbatch import Chunk
from sigfw.config import KafkaSource as Settings
from sigfw.errors import RunError, StartError
from sigfw.pipeline import lenient, raw
from sigfw.pipeline.kafka import CONNECT_SECONDS, address, connection, partitions_of
from sigfw.pipeline.partition import Partition
from sigfw.pipeline.protocol import Fail, Portion, time_ns
from sigfw.telemetry.logs import get_logger

log = get_logger(__name__)

IDLE_MS: Final = 200  # how long a fetch waits for a first record, hence how late a stop is seen
BUSY_MS: Final = 5  # how soon to look again where a partition waits for its sink
GET_SECONDS: Final = 1.0  # a rebalance makes getmany wait without end, and a stop or a fault would not be seen
UNREADABLE: Final = "header sigfw-encapsulation names no encapsulation"
NO_PARTITION: Final = TopicPartition("", 0)  # getmany takes no partition at all for every partition
# Group timing. A worker that dies is missed after SESSION; a heartbeat each third of that is Kafka's own advice.
SESSION_MS: Final = 10_000
HEARTBEAT_MS: Final = 3_000
REBALANCE_MS: Final = 30_000
# What is judged may take so long to be written before a revoke returns: half a session, so that the group does not also
# lose us by time-out; the sink is normally idle within milliseconds.
REVOKE_SECONDS: Final = 5.0
COMMIT_SECONDS: Final = 5.0  # for one commit; the next one carries the same offsets again

Meta = tuple[str | None, str | None, int | None, int | None]
Make = Callable[[str, int], Partition]
Leave = Callable[[Partition], None]


class KafkaSource:
    """Consumes the input topics as a member of the group, or the partitions of its ordinal.

    make: a Partition for a topic and number that we were given. leave: called with a partition that goes away, to queue
    what is still to be said about it; left: when it is gone. turn: held while a portion is judged, a revoke waits for
    it. public: by aiokafka's own records alone, as where the raw path does not know it.
    """

    def __init__(
        self,
        settings: Settings,
        workers: int,
        make: Make,
        leave: Leave,
        left: Leave,
        fail: Fail,
        turn: asyncio.Lock,
        *,
        public: bool = False,
    ) -> None:
        self._settings = settings
        self._workers = workers
        self._make = make
        self._leave = leave
        self._fail = fail
        self.finished = False
        self._left = left
        self._turn = turn
        self._public = public
        self._raw = False  # fetches are Chunks
        self.partitions: dict[TopicPartition, Partition] = {}
        self.rebalancing = False  # partitions were taken from us, and none given since
        self._consumer: AIOKafkaConsumer | None = None

    @property
    def consumer(self) -> AIOKafkaConsumer:
        assert self._consumer is not None
        return self._consumer

    async def start(self) -> None:
        lenient.install()
        self._raw = not self._public and raw.install()
        settings = self._settings
        self._consumer = AIOKafkaConsumer(
            **connection(settings),
            group_id=settings.group,
            group_instance_id=settings.group_instance_id or None,
            enable_auto_commit=False,
            auto_offset_reset=settings.auto_offset_reset,
            isolation_level="read_committed",
            value_deserializer=raw.chunks if self._raw else None,
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            rebalance_timeout_ms=REBALANCE_MS,
        )
        if settings.worker is None:
            self.consumer.subscribe(list(settings.topics), listener=_Listener(self))
        try:
            async with asyncio.timeout(CONNECT_SECONDS + REBALANCE_MS / 1e3):
                await self.consumer.start()
        except (KafkaError, TimeoutError) as error:
            raise StartError(
                f"group {settings.group} at {address(settings)} cannot be joined ({type(error).__name__}); see its log"
            ) from None
        if settings.worker is not None:
            await self._assign_by_ordinal(settings.worker)

    async def _assign_by_ordinal(self, worker: int) -> None:
        """Take every n-th partition of each topic, n the number of workers: no group, no rebalance."""
        counts = await partitions_of(self._settings, self._settings.topics)
        mine = [
            TopicPartition(topic, number)
            for topic, count in counts.items()
            for number in range(worker, count, self._workers)
        ]
        if not mine:
            raise StartError(
                f"worker {worker} of {self._workers} has no partition; run fewer workers or add partitions"
            )
        self.consumer.assign(mine)
        self.gain(mine)

    def gain(self, gained: Iterable[TopicPartition]) -> None:
        for tp in gained:
            if tp not in self.partitions:
                self.partitions[tp] = self._make(tp.topic, tp.partition)

    def owned(self) -> list[Partition]:
        return list(self.partitions.values())

    async def fetch(self) -> list[Portion]:
        """What has come for partitions with room, in order for each of them."""
        await self._begin()
        ready = [tp for tp, partition in self.partitions.items() if partition.has_room]
        wait_ms = IDLE_MS if len(ready) == len(self.partitions) else BUSY_MS
        return [
            self._portion(self.partitions[tp], fetch)
            for tp, fetches in await self._get(ready, wait_ms)
            for fetch in fetches
        ]

    async def _begin(self) -> None:
        """Let the place where a partition begins be committed: what comes after it is judged, whenever we are killed.

        Else a new group that begins at the end would, after a restart, begin at another end.
        """
        with suppress(TimeoutError, IllegalStateError, KafkaError):  # of a rebalance, or a broker that getmany tells of
            async with asyncio.timeout(GET_SECONDS):
                for tp, partition in list(self.partitions.items()):
                    if partition.judged < 0 and partition.written < 0:
                        partition.written = await self.consumer.position(tp)

    async def _get(
        self, ready: list[TopicPartition], wait_ms: int
    ) -> Iterable[tuple[TopicPartition, Iterable[raw.Fetch]]]:
        # Also with nothing to fetch from: getmany tells the group's errors, and that we live.
        try:
            async with asyncio.timeout(GET_SECONDS):
                fetched = await self.consumer.getmany(
                    *(ready or [NO_PARTITION]),
                    timeout_ms=wait_ms,
                    max_records=max(1, len(ready)) if self._raw else raw.PUBLIC_RECORDS,
                )
        except TimeoutError:
            return []
        except KafkaError as error:
            raise RunError(f"Kafka at {address(self._settings)} cannot be read from: {error!r}") from None
        # A getmany that waited through a rebalance may bring records before the listener heard of the new partitions.
        self.gain(fetched)
        if self._raw:
            return list(fetched.items())
        return [(tp, raw.lists(records)) for tp, records in fetched.items()]

    def _portion(self, partition: Partition, fetch: raw.Fetch) -> Portion:
        if isinstance(fetch, Chunk):
            batch = fetch.batch(partition.encapsulation)
            return Portion(partition, batch, fetch, dict.fromkeys(fetch.unreadable, UNREADABLE))
        unreadable: dict[int, str] = {}
        meta = [_meta(record, index, unreadable) for index, record in enumerate(fetch)]
        batch = Batch(
            [None if index in unreadable else record.value for index, record in enumerate(fetch)],
            partition.encapsulation,
            offsets=[record.offset for record in fetch],
            times_ns=[time_ns(record) for record in fetch],
            meta=meta if any(meta) else None,
        )
        return Portion(partition, batch, fetch, unreadable)

    async def commit(self, *, final: bool = False) -> None:
        """Commit what is newly written. A failure is told, and mended by the next commit or owner."""
        offsets = {tp: p.written for tp, p in self.partitions.items() if p.written > p.committed}
        if not offsets:
            return
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self.consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError):
            log.warning("commit_after_rebalance", group=self._settings.group)  # the new owners judge it again
        except (KafkaError, TimeoutError) as error:
            log.warning("commit_failed", reason=type(error).__name__, group=self._settings.group, retry=not final)
        else:
            for tp, offset in offsets.items():
                if tp in self.partitions:
                    self.partitions[tp].committed = offset

    async def revoke(self) -> None:
        """Write and commit what is judged, then let go of every partition. Raises RunError if that takes too long."""
        async with self._turn:
            leaving = list(self.partitions.values())
            for partition in leaving:
                self._leave(partition)
                partition.closed = True
        drained = await asyncio.gather(*(partition.drain(REVOKE_SECONDS) for partition in leaving))
        if not all(drained):
            # The producer would still send what it holds, after the new owner began: the process must end with it.
            raise RunError(
                f"verdicts could not be written within {REVOKE_SECONDS:.0f} s of a rebalance; see the brokers"
            )
        await self.commit(final=True)
        self.partitions.clear()
        for partition in leaving:
            await partition.close()
            self._left(partition)

    async def stop(self) -> None:
        """Leave the group. What is written was committed before."""
        if self._consumer is not None:
            await self._consumer.stop()

    def fail(self, fault: BaseException) -> None:
        self._fail(fault)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """aiokafka logs what a listener raises and goes on: here it ends the worker."""

    def __init__(self, source: KafkaSource) -> None:
        self._source = source

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._source.rebalancing = True
        try:
            await self._source.revoke()
        except Exception as fault:  # noqa: BLE001
            self._source.fail(fault)
            await asyncio.Event().wait()  # for the end: to return is to join again, and be given partitions

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        try:
            self._source.gain(assigned)
        except Exception as fault:  # noqa: BLE001
            self._source.fail(fault)
        self._source.rebalancing = False


def _meta(record: ConsumerRecord, index: int, unreadable: dict[int, str]) -> Meta | None:
    """What the headers say: encapsulation, perimeter, OPC, DPC. A number or perimeter of no sense is none."""
    if not record.headers:
        return None
    headers = {key: value for key, value in record.headers if key.startswith("sigfw-") and value is not None}
    if not headers:
        return None
    encapsulation = _text(headers.get("sigfw-encapsulation"))
    if encapsulation is not None and encapsulation not in names.ENCAPSULATIONS[1:]:
        unreadable[index] = UNREADABLE
        encapsulation = None
    perimeter = _text(headers.get("sigfw-perimeter"))
    return (
        encapsulation,
        perimeter if perimeter in names.PERIMETERS[1:] else None,
        _point_code(headers.get("sigfw-opc")),
        _point_code(headers.get("sigfw-dpc")),
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("ascii", "replace")


def _point_code(value: bytes | None) -> int | None:
    """Decimal, at most 24 bits (ANSI; ITU has 14)."""
    with suppress(ValueError):
        if value is not None and len(value) <= 8 and value.isdigit() and int(value) < 1 << 24:
            return int(value)
    return None
