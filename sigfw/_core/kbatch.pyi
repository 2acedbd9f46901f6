"""Kafka's record batches (message format v2), read and written without a Python object a record."""

from typing import NamedTuple, final

from sigfw._core.batch import Batch
from sigfw._core.verdicts import Verdicts

class Fetched(NamedTuple):
    """A record of a Chunk, as aiokafka's ConsumerRecord has it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

@final
class Reader:
    """The record batches of one fetch, in turn, from the record at next_offset on.

    source: their octets, which are held as long as a Chunk of them is. Raises ValueError above 2 GiB.
    """

    def __new__(cls, source: bytes | memoryview, next_offset: int) -> Reader: ...
    def read(self, records: int, octets: int) -> Chunk:
        """The next records of plain batches, up to so many, or the first that passes so many octets. Fewer, or none, at
        the end (`done`) and where something `other` follows.
        """

    def other(self) -> memoryview | None:
        """The batch that ended the last read: of a transaction, compressed, of an older format, damaged, or with header
        names beyond ASCII. It is passed over; whoever reads it says `went_on`, to which offset. None: none did.
        """

    def went_on(self, next_offset: int) -> None: ...
    @property
    def next_offset(self) -> int:
        """Behind what was read."""

    @property
    def done(self) -> bool: ...

@final
class Chunk:
    """Records of one partition, in order, where a fetch left them."""

    def __len__(self) -> int: ...
    def __getitem__(self, i: int, /) -> Fetched: ...
    @property
    def octets(self) -> int:
        """Of all records, as they came."""

    @property
    def unreadable(self) -> list[int]:
        """Records whose header sigfw-encapsulation names no encapsulation: they are judged as if they had no value."""

    def batch(self, encapsulation: str) -> Batch:
        """The records to be judged, once. encapsulation: of those whose headers name none."""

@final
class Body:
    """Verdict records that leave in one record batch."""

    @property
    def records(self) -> int: ...
    @property
    def octets(self) -> int:
        """Of the record batch, uncompressed."""

    def content(self) -> bytes:
        """The records without the batch's header: what a codec compresses."""

    def build(
        self,
        time_ms: int,
        producer: int,
        producer_epoch: int,
        sequence: int,
        *,
        codec: int = 0,
        content: bytes | None = None,
    ) -> bytes:
        """The record batch. codec: Kafka's number of what `content` is compressed with."""

def write(
    verdicts: Verdicts, chunk: Chunk, source: bytes, policy: bytes, *, most: int, value_most: int
) -> list[Body | bytes]:
    """The verdict records of a chunk's records, in order: same key, its headers, then sigfw-source and sigfw-policy.

    source: what stands before the offset in sigfw-source. most: octets of a batch at most. A record that needs more by
    itself, or whose verdict has more than value_most octets, is for the caller to send: bytes, the verdict alone.
    Raises ValueError where the verdicts are of other records.
    """

def keep_memory(octets: int) -> None:
    """Keep so many octets that were freed, where the C library can.

    Given back and asked for anew, each page of a batch is a fault.
    """

def crc32c(octets: bytes | memoryview) -> tuple[int, int | None]:
    """CRC-32C by tables, and by the processor's instruction where it has one."""
