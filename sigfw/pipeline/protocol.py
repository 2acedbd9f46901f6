"""What a source and a sink are, and what goes from one to the other. Kafka and captures stand behind these alike."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sigfw._core.batch import Batch
from sigfw._core.kbatch import Body, Chunk
from sigfw.pipeline.partition import Partition


class Record(Protocol):
    """What a sink reads of an input record (aiokafka's ConsumerRecord and the core's Fetched are such)."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


def time_ns(record: Record) -> int:
    """Its time as the core takes it; -1, no time, where it is before the epoch or beyond 63 bits."""
    return record.timestamp * 1_000_000 if 0 <= record.timestamp < 2**63 // 1_000_000 else -1


@dataclass(slots=True)
class Portion:
    """What is judged in one call: records of one partition, in order."""

    partition: Partition
    batch: Batch
    records: Sequence[Record] | Chunk = ()  # those of the batch; none for a capture
    unreadable: dict[int, str] = field(default_factory=dict)  # index in records -> why its headers cannot be used
    limit: int = 0  # messages to judge at most; 0: all
    fetched: float = field(default_factory=time.monotonic)

    @property
    def octets(self) -> int:
        if isinstance(self.records, Chunk):
            return self.records.octets
        return sum(len(record.value or b"") for record in self.records)


@dataclass(slots=True)
class Output:
    """All that one call has to say, written in one go; `next_offset` is safe to commit once it is, if it settles."""

    partition: Partition
    records: Sequence[Record] | Chunk = ()
    verdicts: Sequence[bytes | Body] = ()  # of each input record or of several; for a capture lines of JSON
    events: Sequence[bytes] = ()
    dead: Sequence[tuple[int, str]] = ()  # index in records, why
    policy: bytes = b""  # digest of the policy that decided
    next_offset: int = -1
    settles: bool = False  # nothing of what came before next_offset waits to be said later
    fetched: float = 0.0

    @property
    def octets(self) -> int:
        verdicts = sum(one.octets if isinstance(one, Body) else len(one) for one in self.verdicts)
        return verdicts + sum(map(len, self.events))


class Source(Protocol):
    """Where messages come from. `finished` is true when there will be no more."""

    finished: bool

    async def start(self) -> None:
        """Raises StartError where what it needs is not there."""

    async def fetch(self) -> list[Portion]:
        """The next portions, or none after a short while."""

    def owned(self) -> list[Partition]:
        """The partitions that are ours at present."""

    async def commit(self, *, final: bool = False) -> None:
        """Remember how far each partition was written, so that a restart goes on there."""

    async def stop(self) -> None:
        """Close what is open. May hang or raise: the caller bounds it."""


class Sink(Protocol):
    """Where verdicts go."""

    async def start(self) -> None:
        """Raises StartError where what it needs is not there."""

    async def write(self, output: Output) -> None:
        """Return when everything of it is safe, in the order of the calls for one partition. Raises RunError."""

    async def stop(self) -> None:
        """Close what is open. May hang or raise: the caller bounds it."""


Fail = Callable[[BaseException], None]
"""Told of a fault in a task beside the main loop, which ends at its next turn."""
