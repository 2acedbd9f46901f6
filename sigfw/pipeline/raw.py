"""The raw path: a fetch goes to the core as Kafka's record batches, and verdicts come back as such, no object a record.

Where it reaches into aiokafka, behind `check`: the fetcher gives the octets of a fetch to PartitionRecords, which turns
them into records; the sender takes batches from a BatchBuilder, and writes a ProduceRequest, whose octets are joined
once instead of at each of its five levels. What the core leaves (kbatch.pyi) goes through aiokafka's own
PartitionRecords, and an aiokafka that is not as we know it is left alone: both paths say the same.
"""

import inspect
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from aiokafka import codec
from aiokafka.consumer import fetcher
from aiokafka.producer.message_accumulator import BatchBuilder, MessageBatch
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.struct import Struct
from aiokafka.protocol.types import Array, Bytes, Int32, Schema
from aiokafka.record import memory_records
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import ConsumerRecord

from sigfw._core.kbatch import Body, Chunk, Reader
from sigfw.telemetry.logs import get_logger

log = get_logger(__name__)

# What one call judges at most: some 10 ms, and a fetch of aiokafka's (1 MiB). What leaves for it is one request.
CHUNK_RECORDS: Final = 8192
CHUNK_OCTETS: Final = 1024 * 1024
# Of what goes the public way, which is five times slower.
PUBLIC_RECORDS: Final = 1000
PUBLIC_OCTETS: Final = 256 * 1024

CODECS: Final[dict[str, tuple[int, Callable[[bytes], bytes]]]] = {  # number in a batch's attributes, and how
    "gzip": (1, codec.gzip_encode),
    "snappy": (2, codec.snappy_encode),
    "lz4": (3, codec.lz4_encode),
    "zstd": (4, codec.zstd_encode),
}
DECODE: Final[dict[int, Callable[[bytes], bytes]]] = {
    1: codec.gzip_decode,
    2: codec.snappy_decode,
    3: codec.lz4_decode,
    4: codec.zstd_decode,
}
HEADER: Final = struct.Struct(">qiibIh")  # of a batch: base offset, length, leader epoch, magic, CRC, attributes
RECORDS_AT: Final = 61
LOG_APPEND_TIME: Final = 8

Fetch = Chunk | list[ConsumerRecord]

KNOWN: Final = {
    fetcher.PartitionRecords: (
        "tp records aborted_transactions fetch_offset key_deserializer value_deserializer check_crcs isolation_level"
    ),
    fetcher.PartitionRecords._unpack_records: "self",
    memory_records._MemoryRecordsPy: "bytes_data",
    BatchBuilder._set_producer_state: "self producer_id producer_epoch base_sequence",
    BatchBuilder._build: "self",
    BatchBuilder.size: "self",
    BatchBuilder.record_count: "self",
    BatchBuilder.closed: "self",
    BatchBuilder.close: "self",
    MessageBatch: "tp builder ttl linger_time",
}

_Public: Any = fetcher.PartitionRecords


def check() -> str:
    """How aiokafka differs from what we reach into; empty: it does not."""
    for function, known in KNOWN.items():
        if " ".join(inspect.signature(function).parameters) != known:
            return f"{function.__qualname__} has other arguments"
    request = ProduceRequest._CLASSES[-1](None, -1, 1000, [("topic", [(0, b"octets"), (1, None)])])
    if _encode(request) != Struct.encode(request):
        return "a ProduceRequest has other parts"
    made = _Public(None, memory_records._MemoryRecordsPy(b""), None, 7, None, None, True, fetcher.READ_COMMITTED)
    if made.next_fetch_offset != 7 or made._records._buffer != b"":
        return "PartitionRecords keeps other things"
    return ""


def install() -> bool:
    """Let consumers made with `value_deserializer=chunks` fetch Chunks; false, and one line in the log: we cannot."""
    if differs := check():
        log.warning("raw_path_off", reason=f"aiokafka is not as known ({differs}): records are read one by one")
        return False
    fetcher.PartitionRecords = _records_of
    for one in ProduceRequest._CLASSES:
        one.encode = _encode
    return True


def _encode(request: Any) -> bytes:
    """As Struct.encode."""
    parts: list[bytes] = []
    _put(parts, request.SCHEMA, [getattr(request, name) for name in request.SCHEMA.names])
    return b"".join(parts)


def _put(parts: list[bytes], kind: Any, value: Any) -> None:
    if isinstance(kind, Schema):
        for field, one in zip(kind.fields, value, strict=True):
            _put(parts, field, one)
    elif isinstance(kind, Array) and value is not None:
        parts.append(Int32.encode(len(value)))
        for one in value:
            _put(parts, kind.array_of, one)
    elif kind is Bytes and value is not None:
        parts += (Int32.encode(len(value)), value)
    else:
        parts.append(kind.encode(value))


def chunks(value: bytes) -> bytes:
    """Marks a consumer: getmany gives it Fetches, each of which counts as a record. Nothing calls it."""
    return value


def _records_of(*arguments: Any) -> Any:
    """In place of PartitionRecords: of whom a consumer's deserializer says."""
    if arguments[5] is not chunks:
        return _Public(*arguments)
    return _Raw(*arguments[:5], None, *arguments[6:])


class _Raw(_Public):  # type: ignore[misc]
    """A fetch, as Fetches. Positions are those of the public path: behind the last record given, or its batch."""

    _records: Any
    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[Fetch]:
        reader = Reader(self._records._buffer, self.next_fetch_offset)
        while not reader.done:
            yield from self._chunks(reader)
            if (other := reader.other()) is None:
                continue
            within = Reader(plain(other), self.next_fetch_offset)
            yield from self._chunks(within)
            if not within.done:
                self._records = fetcher.MemoryRecords(other)
                yield from lists(super()._unpack_records())
            reader.went_on(self.next_fetch_offset)

    def _chunks(self, reader: Reader) -> Iterator[Chunk]:
        """As far as the core reads."""
        while len(chunk := reader.read(CHUNK_RECORDS, CHUNK_OCTETS)):
            self.next_fetch_offset = reader.next_offset
            yield chunk
        self.next_fetch_offset = reader.next_offset


def plain(batch: memoryview) -> bytes | memoryview:
    """The batch uncompressed; as it came where it is not compressed, or aiokafka is to say what is wrong with it."""
    if len(batch) < RECORDS_AT:
        return batch
    base, _, epoch, magic, checksum, attributes = HEADER.unpack_from(batch)
    decode = DECODE.get(attributes & ~LOG_APPEND_TIME)
    if magic != 2 or decode is None or calc_crc32c(bytes(batch[HEADER.size - 2 :])) != checksum:
        return batch
    try:
        content = decode(bytes(batch[RECORDS_AT:]))
    except Exception:  # noqa: BLE001  codecs raise what they like; it is raised again on the other path
        return batch
    covered = struct.pack(">h", attributes & LOG_APPEND_TIME) + bytes(batch[HEADER.size : RECORDS_AT]) + content
    made = (base, len(covered) + HEADER.size - 2 - 12, epoch, magic, calc_crc32c(covered), attributes & LOG_APPEND_TIME)
    return HEADER.pack(*made) + covered[2:]


def lists(records: Iterable[ConsumerRecord]) -> Iterator[list[ConsumerRecord]]:
    """Cut where one is full; before an error comes what came before it."""
    taken: list[ConsumerRecord] = []
    octets = 0
    try:
        for record in records:
            taken.append(record)
            octets += len(record.value or b"")
            if len(taken) >= PUBLIC_RECORDS or octets >= PUBLIC_OCTETS:
                yield taken
                taken, octets = [], 0
    except Exception:
        if taken:
            yield taken
        raise
    if taken:
        yield taken


class Written:
    """A Body as the sender takes a BatchBuilder, closed and full. compression: as AIOKafkaProducer takes it."""

    def __init__(self, body: Body, compression: str | None) -> None:
        self._body = body
        self._time_ms = int(time.time() * 1e3)
        self._producer = (-1, -1, 0)
        self._codec = 0
        self._content: bytes | None = None
        self._built = b""
        if compression is not None:
            number, encode = CODECS[compression]
            plain = body.content()
            content = encode(plain)
            if len(content) < len(plain):  # else it goes plain, as aiokafka's would
                self._codec, self._content = number, content

    def record_count(self) -> int:
        return self._body.records

    def size(self) -> int:
        return self._body.octets

    def closed(self) -> bool:
        return True

    def close(self) -> None:
        """It is."""

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = (producer_id, producer_epoch, base_sequence)

    def _build(self) -> bytes:
        """The same octets on every try."""
        if not self._built:
            self._built = self._body.build(self._time_ms, *self._producer, codec=self._codec, content=self._content)
        return self._built
