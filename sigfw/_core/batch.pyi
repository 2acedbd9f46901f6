"""Records to judge, and where judging stands."""

from collections.abc import Sequence
from mmap import mmap
from typing import Self, final

@final
class Batch:
    """Records to judge. Judging may stop at a limit and go on: `done` says whether all was judged.

    values: one buffer a record (None: a null value, judged as unframed). They are held until the batch is.
    encapsulation: `sccp`, `mtp3`, `m3ua` or `pcap`, of every record that `meta` gives none.
    offsets, times_ns: a record's Kafka offset and time since the epoch (-1: none), each the length of values.
    frames: frame number of a record of one message (1 where left out).
    meta: None or (encapsulation | None, perimeter | None, opc | None, dpc | None) a record, from its headers.
    capture: the values are files: a file cut short is a `problem` and no verdict, and one without SCCP has no line.
    Raises ValueError where a length or a name does not fit.
    """

    def __new__(
        cls,
        values: Sequence[bytes | memoryview | mmap | None],
        encapsulation: str,
        *,
        offsets: Sequence[int] | None = None,
        times_ns: Sequence[int] | None = None,
        frames: Sequence[int] | None = None,
        meta: Sequence[tuple[str | None, str | None, int | None, int | None] | None] | None = None,
        capture: bool = False,
    ) -> Self: ...
    def __len__(self) -> int:
        """Records."""

    @property
    def capture(self) -> bool: ...
    @property
    def done(self) -> bool: ...
    @property
    def not_sccp(self) -> int:
        """Frames that hold no SCCP so far (ISUP, network management, M3UA other than DATA)."""

    @property
    def messages(self) -> int:
        """SCCP messages, and frames that could not be framed, so far."""

    @property
    def position(self) -> int:
        """Octets of the record in hand that are framed: of a capture, how far it is judged."""

    @property
    def problem(self) -> str | None:
        """What ended the framing so far, in one line with frame and offset (a capture cut short, …)."""
