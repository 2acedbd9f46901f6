"""Produce a capture to an input topic, as a publisher would, and wait for its verdicts.

Messages are keyed by the unordered pair of their GTs, else by their link, so that segments and dialogues meet one
worker. Times are those of the replay: what is old in the capture is not old traffic.
"""

import asyncio
import itertools
import re
import struct
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import ConsumerRecord

from sigfw import names
from sigfw._core import framing, sccp
from sigfw.config import KafkaSource, Topic
from sigfw.errors import RunError, StartError
from sigfw.pipeline.capture import open_capture
from sigfw.pipeline.kafka import CLOSE_SECONDS, CONNECT_SECONDS, address, close, connection, partitions_of, quiet
from sigfw.records import unpack

BATCH_RECORDS: Final = 500  # records a Kafka batch at most, and what is produced between two looks at the clock
BATCH_OCTETS: Final = 900_000  # below a broker's default message.max.bytes
SLICE_SECONDS: Final = 0.05  # with a rate: so long at most passes between two batches
ANSWER_SECONDS: Final = 15.0  # without any acknowledgement, then the brokers are gone
ASK_SECONDS: Final = 0.2  # between two questions for a partition's leader

PCAP_HEADER: Final = struct.Struct(
    "<IHHiIII"
)  # classic pcap with nanoseconds: magic, version 2.4, zone, sigfigs, snaplen, link
PCAP_PACKET: Final = struct.Struct("<IIII")  # seconds, nanoseconds, octets here, octets on the wire
MAGIC_NS: Final = 0xA1B23C4D
LINK_MTP3, LINK_SCCP = 141, 142
SI_SCCP: Final = 3  # Q.704 14.2.1
M3UA_DATA: Final = struct.Struct(">BBBBI")  # RFC 4666 3.1: version, reserved, class, type, octets in all
M3UA_PROTOCOL_DATA: Final = struct.Struct(">HHIIBBBB")  # RFC 4666 3.3.1: tag, octets, OPC, DPC, SI, NI, MP, SLS


@dataclass(slots=True)
class Message:
    octets: bytes
    opc: int | None
    dpc: int | None
    sls: int
    ni: int
    key: bytes | None
    variant: str = "itu"


@dataclass(slots=True)
class Replayed:
    """What was produced, and what of it got no verdict, or none but that no message was found in it."""

    messages: int = 0
    records: int = 0
    seconds: float = 0.0
    missing: int = 0
    unframed: int = 0  # records


def read_messages(path: Path, variant: str = "itu") -> tuple[list[Message], list[str]]:
    """The SCCP messages of a capture, and lines that say what of it was left out and why. Raises UsageError."""
    messages: list[Message] = []
    capture = open_capture(path)
    left_out = Counter[str]()
    for octets, encapsulation in capture.records:
        for frame in framing.frames(memoryview(octets), encapsulation, names.VARIANTS.index(variant)):
            if frame["kind"] == "sccp" and frame["octets"]:
                messages.append(_message(frame, variant))
            elif frame["kind"] == "other":
                left_out["hold no SCCP"] += 1
            else:
                left_out[f"cannot be read ({names.ERROR_CODES[frame['code']]}); `sigfw decode` says where"] += 1
    told = [f"{path}: {count} frames or messages {why}: left out" for why, count in left_out.items()]
    return messages, [*capture.problems(), *told]


def _message(frame: dict[str, Any], variant: str) -> Message:
    octets, opc, dpc = bytes(frame["octets"]), frame["opc"], frame["dpc"]
    parsed = sccp.parse(octets, names.VARIANTS.index(variant))
    digits = sorted((parsed.get(side) or {}).get("digits") or "" for side in ("called", "calling"))
    if all(digits):
        key: bytes | None = "|".join(digits).encode()
    else:
        key = None if opc is None or dpc is None else f"{min(opc, dpc)}-{max(opc, dpc)}".encode()
    return Message(octets, opc, dpc, frame["sls"] or 0, frame["ni"] or 0, key, variant)


def record(messages: list[Message], encapsulation: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Value and headers of a record that holds these messages (one, unless it is a pcap)."""
    first = messages[0]
    if encapsulation == "pcap":
        with_mtp3 = all(None not in (message.opc, message.dpc) for message in messages)
        seconds, ns = divmod(time.time_ns(), 1_000_000_000)
        parts = [PCAP_HEADER.pack(MAGIC_NS, 2, 4, 0, 0, 0xFFFF, LINK_MTP3 if with_mtp3 else LINK_SCCP)]
        for message in messages:
            octets = _mtp3(message) if with_mtp3 else message.octets
            parts += (PCAP_PACKET.pack(seconds, ns, len(octets), len(octets)), octets)
        return b"".join(parts), []
    if encapsulation == "mtp3":
        return _mtp3(first), []
    if encapsulation == "m3ua":
        return _m3ua(first), []
    known = (("sigfw-opc", first.opc), ("sigfw-dpc", first.dpc))
    return first.octets, [(name, b"%d" % pc) for name, pc in known if pc is not None]


def _mtp3(message: Message) -> bytes:
    """Q.704 2.2, 14.2: service information octet, then DPC 14, OPC 14 and SLS 4 bits, the least significant first.

    Where point codes have 24 bits (T1.111.4, China) the label has seven octets.
    """
    if message.variant != "itu":
        codes = ((message.dpc or 0) & 0xFFFFFF | ((message.opc or 0) & 0xFFFFFF) << 24).to_bytes(6, "little")
        return bytes(((message.ni & 3) << 6 | SI_SCCP,)) + codes + bytes((message.sls & 0xFF,)) + message.octets
    label = (message.dpc or 0) & 0x3FFF | ((message.opc or 0) & 0x3FFF) << 14 | (message.sls & 0xF) << 28
    return bytes(((message.ni & 3) << 6 | SI_SCCP,)) + label.to_bytes(4, "little") + message.octets


def _m3ua(message: Message) -> bytes:
    octets = 16 + len(message.octets)
    padding = -octets % 4
    head = M3UA_PROTOCOL_DATA.pack(
        0x0210, octets, message.opc or 0, message.dpc or 0, SI_SCCP, message.ni, 0, message.sls
    )
    return M3UA_DATA.pack(1, 0, 1, 1, 8 + octets + padding) + head + message.octets + bytes(padding)


class Replay:
    """Produces messages to one input topic.

    pack: messages a record, above 1 as pcap. rate: messages a second, 0 as fast as it goes. timeout: seconds without
    any verdict after which the rest is taken not to come.
    """

    def __init__(
        self, source: KafkaSource, name: str, *, pack: int = 1, rate: float = 0.0, timeout: float = 30.0
    ) -> None:
        self._source = source
        self._name = name
        self._topic: Topic = source.topics[name]
        self._pack = pack
        self._rate = rate
        self._timeout = timeout
        self._encapsulation = "pcap" if pack > 1 else self._topic.encapsulation
        self._partitions: list[int] = []
        self._unsent: dict[int, list[Message]] = {}  # by partition: what fills no record yet
        self._produced: set[tuple[int, int]] = set()
        self._sent: set[asyncio.Future[Any]] = set()  # batches without acknowledgement
        self.done = Replayed()
        self.progress: Callable[[int], None] = lambda _messages: None  # told of the messages produced so far

    async def run(self, messages: list[Message], *, loop: bool = False, wait: bool = False) -> Replayed:
        """Produce all of them, with `loop` until cancelled. Raises StartError or RunError."""
        with quiet():
            return await self._run(messages, loop=loop, wait=wait)

    async def _run(self, messages: list[Message], *, loop: bool, wait: bool) -> Replayed:
        found = await partitions_of(self._source, [self._name, self._topic.verdicts])
        for topic in (self._name, self._topic.verdicts):
            if topic not in found:
                raise StartError(
                    f"topic {topic} is not in Kafka at {address(self._source)}; make it, or correct the configuration"
                )
        self._partitions = list(range(found[self._name]))
        reader = await self._start_reader(found[self._topic.verdicts]) if wait else None
        began = time.monotonic()
        try:
            try:
                await self._produce(itertools.cycle(messages) if loop else iter(messages), wait=wait)
            finally:
                self.done.seconds = time.monotonic() - began
            if reader is not None:
                await self._await_verdicts(reader)
        except (KafkaError, TimeoutError) as error:
            if isinstance(error, TimeoutError) or error.retriable:
                said = f"Kafka at {address(self._source)} does not answer; {self.done.messages} messages were produced"
                raise RunError(said) from None
            raise RunError(f"topic {self._name} at {address(self._source)}: {error!r}") from None
        finally:
            self.done.missing = len(self._produced)
            if reader is not None:
                await close(reader.stop(), "consumer")
        return self.done

    async def _produce(self, messages: Iterator[Message], *, wait: bool) -> None:
        producer = AIOKafkaProducer(
            **connection(self._source), acks="all", enable_idempotence=True, max_batch_size=BATCH_OCTETS
        )
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await producer.start()
            _pace(producer.client)
            began = time.monotonic()
            size = BATCH_RECORDS * self._pack if not self._rate else max(1, int(self._rate * SLICE_SECONDS))
            taken = 0
            while some := list(itertools.islice(messages, size)):
                taken += len(some)
                for message in some:
                    self._unsent.setdefault(self._partition(message), []).append(message)
                await self._send(producer, keep=wait, last=False)
                if self._rate:
                    await asyncio.sleep(max(0.0, began + taken / self._rate - time.monotonic()))
            await self._send(producer, keep=wait, last=True)
        finally:
            if self._sent:
                await asyncio.wait(self._sent, timeout=CLOSE_SECONDS)
            for sent in self._sent:  # else the producer would wait for them without end
                sent.cancel()
            await _close(producer)

    async def _send(self, producer: AIOKafkaProducer, *, keep: bool, last: bool) -> None:
        """Send what fills records, at last all: each partition's messages in their order."""
        for number, unsent in self._unsent.items():
            ours = unsent if last else unsent[: len(unsent) - len(unsent) % self._pack]
            if not ours:
                continue
            self._unsent[number] = unsent[len(ours) :]
            builder, held = producer.create_batch(), 0
            for some in (ours[i : i + self._pack] for i in range(0, len(ours), self._pack)):
                value, headers = record(some, self._encapsulation)
                if self._encapsulation != self._topic.encapsulation:
                    headers.append(("sigfw-encapsulation", self._encapsulation.encode()))
                key = some[0].key if self._pack == 1 else None
                if builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
                    await self._deliver(producer, builder, number, held, keep=keep)
                    builder, held = producer.create_batch(), 0
                    builder.append(timestamp=None, key=key, value=value, headers=headers)
                held += len(some)
            await self._deliver(producer, builder, number, held, keep=keep)
        waiting = set(self._sent)
        while waiting:
            done, waiting = await asyncio.wait(waiting, timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                raise TimeoutError
            for sent in done:
                sent.result()
        self.progress(self.done.messages)

    async def _deliver(
        self, producer: AIOKafkaProducer, builder: Any, number: int, messages: int, *, keep: bool
    ) -> None:
        """Hand over a batch, whose acknowledgement counts its records and messages."""
        records = builder.record_count()

        def count(sent: asyncio.Future[Any]) -> None:
            self._sent.discard(sent)
            if sent.cancelled() or sent.exception() is not None:
                return
            self.done.messages += messages
            self.done.records += records
            if keep:
                self._produced.update((number, sent.result().offset + i) for i in range(records))

        sent = await producer.send_batch(builder, self._name, partition=number)
        self._sent.add(sent)
        sent.add_done_callback(count)

    def _partition(self, message: Message) -> int:
        """As Kafka clients do by the key; what has no key keeps to the first partition, in order."""
        if message.key is None:
            return 0
        return int(_PARTITIONER(message.key, self._partitions, self._partitions))

    async def _start_reader(self, partitions: int) -> AIOKafkaConsumer:
        reader = AIOKafkaConsumer(**connection(self._source), enable_auto_commit=False)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await reader.start()
                reader.assign([TopicPartition(self._topic.verdicts, number) for number in range(partitions)])
                await reader.seek_to_end()
                for tp in reader.assignment():
                    await reader.position(tp)  # from here on, before the first message is produced
        except (KafkaError, TimeoutError) as error:
            await close(reader.stop(), "consumer")
            raise StartError(f"topic {self._topic.verdicts} cannot be read ({error!r}); see the brokers") from None
        return reader

    async def _await_verdicts(self, reader: AIOKafkaConsumer) -> None:
        """Read verdict records until each produced record has one, or none came within the time-out."""
        last = time.monotonic()
        while self._produced and time.monotonic() - last < self._timeout:
            before = len(self._produced)
            for verdicts in (await reader.getmany(timeout_ms=200, max_records=BATCH_RECORDS * 4)).values():
                for verdict in verdicts:
                    if (source := self._source_of(verdict)) in self._produced:
                        self._produced.remove(source)
                        self.done.unframed += _is_unframed(verdict.value or b"")
            if len(self._produced) < before:
                last = time.monotonic()

    def _source_of(self, verdict: ConsumerRecord) -> tuple[int, int] | None:
        """Partition and offset of the input record, by the last header: what stands before came with that record."""
        source = next((value for name, value in reversed(verdict.headers) if name == "sigfw-source"), None) or b""
        found = re.fullmatch(rb"(.+)/([0-9]{1,10})/([0-9]{1,19})", source)
        return (int(found[2]), int(found[3])) if found and found[1] == self._name.encode() else None


def _is_unframed(value: bytes) -> bool:
    """Whether a verdict record says that its input record holds no message, and so went to the dead letters."""
    try:
        packed = value.startswith(b"SGV1")
        verdicts = unpack(value)["verdicts"] if packed else map(orjson.loads, value.splitlines())
        return all("unframed" in (one["reason"], (one["shadow"] or one)["reason"]) for one in verdicts)
    except (ValueError, TypeError, KeyError):  # not of our making
        return False


async def _close(producer: AIOKafkaProducer) -> None:
    """As `close`, but say nothing: where the brokers are gone the RunError says it."""
    stop = asyncio.create_task(producer.stop())
    await asyncio.wait({stop}, timeout=CLOSE_SECONDS)
    if stop.done() and not stop.cancelled():
        stop.exception()


def _pace(client: Any) -> None:
    """Let a producer pause between its questions for a leader: with no broker it asks thousands a second."""
    ask = client.force_metadata_update

    async def pause(asked: Awaitable[Any]) -> Any:
        updated = await asked
        await asyncio.sleep(ASK_SECONDS)
        return updated

    # ask() at once: a little later it would be one more question.
    client.force_metadata_update = lambda: asyncio.ensure_future(pause(ask()))


_PARTITIONER: Final = DefaultPartitioner()
