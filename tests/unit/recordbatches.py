"""Record batches as producers and brokers write them, by aiokafka's own writer, and what is wrong with some."""

import struct
from collections.abc import Sequence
from typing import Any, Final

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from sigfw._core.kbatch import Chunk
from sigfw.pipeline import lenient, raw

TP: Final = TopicPartition("in", 0)
LOG_APPEND, TRANSACTIONAL, CONTROL = 8, 16, 32
TIME_MS: Final = 1_700_000_000_000

Headers = Sequence[tuple[str, bytes | None]]
One = tuple[int, bytes | None, bytes | None, Headers]  # offset in the batch, key, value, headers


class NotUtf8(str):
    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe"


def batch(
    records: Sequence[One], base: int = 0, *, codec: int = 0, attributes: int = 0, producer: int = -1, last: int = -1
) -> bytes:
    """attributes: beside the codec. last: offset in the batch that its header says, where records behind are gone."""
    builder = _DefaultRecordBatchBuilderPy(2, codec, False, producer, 0, 0, 1 << 30)
    for offset, key, value, headers in records:
        builder.append(offset, TIME_MS + offset, key, value, list(headers))
    octets = bytearray(builder.build())
    (kept,) = struct.unpack_from(">h", octets, 21)
    struct.pack_into(">h", octets, 21, kept | attributes)
    struct.pack_into(">q", octets, 0, base)
    if last >= 0:
        struct.pack_into(">i", octets, 23, last)
    return seal(octets)


def seal(octets: bytes | bytearray) -> bytes:
    """The same with its CRC."""
    made = bytearray(octets)
    struct.pack_into(">I", made, 17, calc_crc32c(bytes(made[21:])))
    return bytes(made)


def marker(base: int, producer: int, *, commit: bool) -> bytes:
    """What ends a transaction (ControlRecord: version, type)."""
    one = (0, struct.pack(">hh", 0, int(commit)), struct.pack(">hi", 0, 0), ())
    return batch([one], base, attributes=TRANSACTIONAL | CONTROL, producer=producer)


def opened(octets: bytes, offset: int, aborted: Any, *, by: Any) -> Any:
    """What aiokafka's fetcher makes of a fetch. by: raw.chunks, or None for the public path."""
    lenient.install()
    assert raw.install()
    given = (TP, fetcher.MemoryRecords(octets), aborted, offset, None, by, True, fetcher.READ_COMMITTED)
    return fetcher.PartitionRecords(*given)


Seen = tuple[list[tuple[Any, ...]], int, str]


def seen(octets: bytes, offset: int = 0, aborted: Any = None, *, by: Any) -> Seen:
    """Every record; the position behind; the error that ended it."""
    records: list[tuple[Any, ...]] = []
    error, fetch = "", opened(octets, offset, aborted, by=by)
    try:
        for one in fetch:
            some = one if isinstance(one, list) else of(one) if isinstance(one, Chunk) else [one]
            records += [(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in some]
    except Exception as fault:  # noqa: BLE001  whatever the one path raises the other must
        error = f"{type(fault).__name__}: {fault}"
    return records, fetch.next_fetch_offset, error


def of(chunk: Chunk) -> list[Any]:
    return [chunk[i] for i in range(len(chunk))]
