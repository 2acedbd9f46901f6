"""Tables, Stream and Worker: the core as Python sees it. A batch in, its verdicts out, the GIL released once."""

from collections.abc import Mapping, Sequence
from mmap import mmap
from typing import Any, final

from sigfw._core.tables import Tables

__all__ = ["Batch", "Stream", "Verdicts", "Worker"]

@final
class Stream:
    """Reassembly of one input partition, or of one capture. Used by one thread at a time.

    prefix: what ids begin with: `topic/partition` (the record's offset follows), or a file's name.
    offsets: ids carry the record's offset (Kafka), or not (captures).
    max_age_ns: record time a segment may wait for the rest of its message.
    """

    def __init__(
        self,
        prefix: str,
        *,
        offsets: bool = True,
        topic: str = "",
        max_reassemblies: int = 4096,
        max_age_ns: int = 10_000_000_000,
    ) -> None: ...
    @property
    def prefix(self) -> str: ...
    @property
    def topic(self) -> str:
        """The input topic that links may name."""

    @property
    def in_flight(self) -> int:
        """Reassemblies that wait for more."""

    @property
    def last_time_ns(self) -> int:
        """Time of the message judged last; -1: none had one."""

    def expire(self, tables: Tables | None, now_ns: int) -> list[dict[str, Any]]:
        """End what waits longer than max_age_ns at now_ns.

        One dict each: id (of the last segment), parts (ids), reassembly (id), action, reason, perimeter, frame, index,
        time_ns (of the first segment), called, calling (digits or None).
        """

    def abandon(self, tables: Tables | None) -> list[dict[str, Any]]:
        """End all that waits (restart, revoke), as `expire`, with the reason reassembly_orphan."""

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

    def __init__(
        self,
        values: Sequence[bytes | memoryview | mmap | None],
        encapsulation: str,
        *,
        offsets: Sequence[int] | None = None,
        times_ns: Sequence[int] | None = None,
        frames: Sequence[int] | None = None,
        meta: Sequence[tuple[str | None, str | None, int | None, int | None] | None] | None = None,
        capture: bool = False,
    ) -> None: ...
    def __len__(self) -> int:
        """Records."""

    @property
    def done(self) -> bool: ...
    @property
    def not_sccp(self) -> int:
        """Frames that hold no SCCP so far (ISUP, network management, M3UA other than DATA)."""

    @property
    def messages(self) -> int:
        """SCCP messages, and frames that could not be framed, so far."""

    @property
    def problem(self) -> str | None:
        """What ended the framing so far, in one line with frame and offset (a capture cut short, …)."""

    def ages(self, now_ns: int, bounds_ns: Sequence[int]) -> tuple[list[int], int]:
        """How old the records with a time are at now_ns: a count for each bound (at most so old; bounds rise), one for
        what is beyond the last, and the sum of the ages in ns."""

@final
class Verdicts:
    """The verdicts of one `judge` call, in the order of the messages."""

    def __len__(self) -> int: ...
    @property
    def counts(self) -> dict[tuple[str, str, str], int]:
        """(action, reason, rule id) -> messages."""

    def lines(self) -> bytes:
        """JSON Lines: of all messages where the Worker writes JSON, else of those that ask for an event."""

    def values(self) -> list[bytes]:
        """The verdict record of each input record, in order: JSON, JSON Lines or packed, as the Worker was made."""

    def events(self) -> list[bytes]:
        """The JSON of each message that was denied, would have been denied (shadow), or asks for an event (alert)."""

    def dead(self) -> list[tuple[int, str]]:
        """Records that could not be framed: (index in the batch, what was wrong)."""

@final
class Worker:
    """Scratch and counters of one thread.

    verdicts: `json` or `packed` (what Verdicts.values gives), or `none`.
    key: pseudonymise identities with it, in JSON (HMAC-SHA-256, first 8 octets); None: in clear.
    """

    def __init__(self, *, verdicts: str = "json", key: bytes | None = None) -> None: ...
    def judge(
        self,
        tables: Tables | None,
        stream: Stream,
        batch: Batch,
        *,
        perimeter: str = "",
        variant: str = "itu",
        modes: Mapping[str, str] | None = None,
        now_ns: int = 0,
        deadline_ns: int = 0,
        limit: int = 0,
    ) -> Verdicts:
        """Judge up to `limit` messages of `batch` (0: all).

        tables None: decode only, no verdict keys in the JSON.
        perimeter: of the topic's configuration; modes: perimeter -> enforce, monitor or bypass, enforce where left out.
        deadline_ns 0: nothing expires. Any octets give a verdict; never raises for what is in a record.
        """

    def trace(
        self, tables: Tables, *, perimeter: str = "", topic: str = ""
    ) -> list[tuple[int, int, list[tuple[int, bool, list[str], bool]]]]:
        """Every rule tried on the last message judged, for `explain`: (component, reading, rules).

        A rule is (number, it matches, the fields that do not hold, it decides).
        """

    def counters(self) -> dict[str, dict[tuple[str, ...], int]]:
        """Metric name without `sigfw_` and `_total` -> label values (in the order of docs/metrics.md) -> count.

        messages: (encapsulation, perimeter) · verdicts: (action, reason, category, perimeter)
        shadow_verdicts: (action, reason, perimeter) · rule_matches: (rule, mode)
        decode_errors: (layer, code) · exceptions: (exception, action)
        checks: (check, outcome) · opcode_forms: (form,) · segments: (state,)
        link_header_conflicts: () · not_sccp: () · unframed: ()
        Counts never fall, also across a change of tables.
        """
