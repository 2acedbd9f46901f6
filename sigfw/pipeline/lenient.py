"""Record headers whose names are not UTF-8: aiokafka would raise in the middle of a fetch, again and again.

Kafka says that header names are UTF-8, and no broker checks it. Here, in raw.py and in the _pace of replay.py we reach
into aiokafka: its fetcher gets record batches that read such a name with U+FFFD for what is no UTF-8.
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record import default_records, memory_records
from aiokafka.record.util import decode_varint_py


class _Octets(bytearray):
    """Of a batch, whose slices decode whatever they hold."""

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        return _Octets(part) if isinstance(key, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


class _Batch:
    """A record batch read by the compiled reader, from the first such name on by its Python twin."""

    def __init__(self, octets: memoryview) -> None:
        self._octets = octets
        self._batch = default_records.DefaultRecordBatch(octets)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:  # of a control batch
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        read = 0
        try:
            for record in self._batch:
                read += 1
                yield record
        except UnicodeDecodeError:
            again = iter(default_records._DefaultRecordBatchPy(self._octets))
            again._buffer = _Octets(again._buffer)
            again._read_msg = partial(again._read_msg, decode_varint_py)  # the compiled one reads beyond the end
            yield from islice(again, read, None)


def install() -> None:
    """Let every consumer of this process read such headers."""
    memory_records.DefaultRecordBatch = _Batch
    fetcher.MemoryRecords = memory_records._MemoryRecordsPy
