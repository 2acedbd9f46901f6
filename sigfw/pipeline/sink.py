"""The Kafka sink: verdicts, events and dead letters leave as whole record batches, never a record at a time.

Order within a partition holds under retries: one batch a partition is on its way, the producer is idempotent and
retries in place, and the next batch is handed over when the one before is acknowledged by all in-sync replicas.
"""

import asyncio
import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from sigfw import names
from sigfw._core.kbatch import Body
from sigfw.config import KafkaSink as Settings
from sigfw.config import KafkaSource
from sigfw.errors import RunError, StartError
from sigfw.pipeline.kafka import CONNECT_SECONDS, address, batch_octets, check_codecs, check_topics, connection
from sigfw.pipeline.protocol import Output, Record
from sigfw.pipeline.raw import Written
from sigfw.telemetry.metrics import Metrics

# Below a broker's default of 1,048,588 octets a batch (message.max.bytes), with room for the batch's header.
BATCH_OCTETS: Final = 1_000_000
# A leader election or a rolling restart takes up to half a minute; what takes longer needs people, and a restart loses
# nothing.
DELIVERY_SECONDS: Final = 60.0

Headers = list[tuple[str, bytes | None]]
Entry = tuple[bytes | None, bytes | None, Headers]  # key, value, headers


class KafkaSink:
    """Writes to the verdict topic of each input topic, and to the topics for events and dead letters."""

    def __init__(self, source: KafkaSource, settings: Settings, metrics: Metrics) -> None:
        self._source = source
        self._settings = settings
        self._metrics = metrics
        self.partitions: dict[str, int] = {}  # of each topic, as found at the start
        self._limits: dict[str, int] = {}  # octets of a record batch that each topic takes
        self._turns: dict[tuple[str, int], asyncio.Lock] = {}
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        check_codecs()
        self.partitions.update(await check_topics(self._source, self._settings))
        self._limits = await batch_octets(self._source, self.partitions)
        for topic, octets in self._limits.items():
            if octets < BATCH_OCTETS:
                raise StartError(
                    f"topic {topic} takes only {octets} octets a record batch; "
                    f"raise its max.message.bytes to {BATCH_OCTETS} or more"
                )
        self._producer = AIOKafkaProducer(
            **connection(self._source),
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_OCTETS,
            max_request_size=BATCH_OCTETS,
            compression_type=self._settings.compression,
        )
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._producer.start()
        except (KafkaError, TimeoutError) as error:
            raise StartError(
                f"Kafka at {address(self._source)} gives no producer id ({error!r}); see its log"
            ) from None

    async def write(self, output: Output) -> None:
        """Write the verdicts first, then events and dead letters; return when all are acknowledged."""
        partition = output.partition
        await self._send_verdicts(output)
        events = self._settings.events
        if output.events:
            number = partition.number % self.partitions[events]
            await self._send(events, number, [(None, event, []) for event in output.events])
        letters = self._settings.dead_letters
        if output.dead:
            number = partition.number % self.partitions[letters]
            await self._send(letters, number, _dead_letters(output, self._limits[letters]))
        self._measure(output)

    def _measure(self, output: Output) -> None:
        if output.records:
            self._metrics.end_to_end_seconds.observe(time.monotonic() - output.fetched, len(output.records))
            oldest = min(output.records[0].timestamp, output.records[-1].timestamp)
            if oldest > 0:  # else a publisher gives no times
                self._metrics.verdict_age_seconds.observe(time.time() - oldest / 1e3, len(output.records))
        self._metrics.count_events(len(output.events))
        for _, wrong in output.dead:
            self._metrics.count_dead_letters(
                next((word for word in wrong.split() if word in names.ERROR_CODES), "other")
            )

    async def _send_verdicts(self, output: Output) -> None:
        """Bodies as they are; between them, and on the public path, a record at a time."""
        topic, number = output.partition.verdict_topic, output.partition.number
        at = 0  # index in records
        for _, some in itertools.groupby(output.verdicts, type):
            values: list[bytes] = []
            for one in some:
                if isinstance(one, Body):
                    await self._deliver(await self._written(one), topic, number)
                    at += one.records
                else:
                    values.append(one)
            if values:
                await self._send(topic, number, _verdicts(output, at, values, self._limits[topic]))
                at += len(values)

    async def _written(self, body: Body) -> Written:
        if self._settings.compression is None:
            return Written(body, None)
        return await asyncio.to_thread(Written, body, self._settings.compression)

    async def _send(self, topic: str, number: int, entries: Iterable[Entry]) -> None:
        """Send entries in as few record batches as hold them, one after the other."""
        # Several input partitions may share a partition of the events topic: each sends its own in one turn.
        async with self._turns.setdefault((topic, number), asyncio.Lock()):
            assert self._producer is not None
            now_ms = int(time.time() * 1e3)
            builder = self._producer.create_batch()
            for key, value, headers in entries:
                if builder.append(timestamp=now_ms, key=key, value=value, headers=headers) is None:
                    await self._deliver(builder, topic, number)
                    builder = self._producer.create_batch()
                    builder.append(timestamp=now_ms, key=key, value=value, headers=headers)
            await self._deliver(builder, topic, number)

    async def _deliver(self, builder: Any, topic: str, number: int) -> None:
        assert self._producer is not None
        octets = builder.size()
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                await (await self._producer.send_batch(builder, topic, partition=number))
        except MessageSizeTooLargeError:
            raise RunError(
                f"topic {topic} takes no record batch of {octets} octets: raise its max.message.bytes, "
                "pack fewer messages a record, or set verdicts: packed"
            ) from None
        except TimeoutError:
            raise RunError(
                f"topic {topic} acknowledged nothing for {DELIVERY_SECONDS:.0f} s; see the brokers"
            ) from None
        except KafkaError as error:
            raise RunError(f"topic {topic} partition {number} refused verdicts or events: {error!r}") from None

    async def stop(self) -> None:
        """Close the connections. Everything written was acknowledged before."""
        if self._producer is not None:
            await self._producer.stop()


def _verdicts(output: Output, first: int, values: Sequence[bytes], limit: int) -> Iterator[Entry]:
    """Of the records from the first on: same key, same order, every header of the input and ours."""
    for index, value in enumerate(values, first):
        record = output.records[index]
        ours: Headers = [("sigfw-source", _place(output, record)), ("sigfw-policy", output.policy)]
        yield _bounded((record.key, value, [*record.headers, *ours]), value, ours, limit)


def _dead_letters(output: Output, limit: int) -> Iterator[Entry]:
    """The record as it came, and what was wrong with it; where it is too large, how many octets it had."""
    for index, wrong in output.dead:
        record = output.records[index]
        ours = [("sigfw-source", _place(output, record)), ("sigfw-error", wrong.encode())]
        octets = ("sigfw-octets", b"%d" % len(record.value or b""))
        yield _bounded((record.key, record.value, [*record.headers, *ours]), None, [*ours, octets], limit)


def _place(output: Output, record: Record) -> bytes:
    return f"{output.partition.topic}/{output.partition.number}/{record.offset}".encode()


def _bounded(entry: Entry, value: bytes | None, ours: Headers, limit: int) -> Entry:
    """The entry; where its topic takes none so large, `value` under our headers alone, at last without the key."""
    key = entry[0]
    if _octets(*entry) <= limit:
        return entry
    if all(name != "sigfw-error" for name, _ in ours):
        ours = [*ours, ("sigfw-error", b"key and headers are too large to be handed on")]
    return next(one for one in ((key, value, ours), (None, value, ours)) if one[0] is None or _octets(*one) <= limit)


_octets = DefaultRecordBatchBuilder.estimate_size_in_bytes  # of the record batch that holds this entry alone
