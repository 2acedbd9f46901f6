"""Tables, Stream and Worker: the core as Python sees it. A batch in, its verdicts out, the GIL released once."""

from collections.abc import Buffer, Sequence
from typing import final

from sigfw._core.tables import Tables

__all__ = ["Batch", "Stream", "Verdicts", "Worker"]

@final
class Stream:
    """Reassembly of one input partition, or of one capture. Used by one thread at a time.

    prefix: what ids begin with: `topic/partition` (the record's offset follows), or a file's name.
    offsets: ids carry the record's offset (Kafka), or not (captures).
    max_age_ns: record time a segment may wait for the rest of its message.
    """

    def __init__(self, prefix: str, *, offsets: bool = True, topic: str = "", max_reassemblies: int = 4096, max_age_ns: int = 10_000_000_000) -> None: ...
    @property
    def in_flight(self) -> int:
        """Reassemblies that wait for more."""

    def expire(self, tables: Tables, now_ns: int) -> list[dict[str, object]]:
        """End what waits longer than max_age_ns at now_ns.

        One dict each: `{"id": id of the last segment, "parts": [ids], "action", "reason", "perimeter", "called", "calling"}`.
        """

    def abandon(self, tables: Tables) -> list[dict[str, object]]:
        """End all that waits (restart, revoke), as `expire`, with the reason reassembly_orphan."""

@final
class Batch:
    """Records to judge. Judging may stop at a limit and go on: `done` says whether all was judged.

    values: one buffer a record (None: a null value, judged as unframed). They are held until the batch is.
    encapsulation: `sccp`, `mtp3`, `m3ua` or `pcap`, of every record that `meta` gives none.
    offsets, times_ns: a record's Kafka offset and time since the epoch (-1: none), each the length of values.
    frames: frame number of a record of one message (1 where left out).
    meta: None or (encapsulation | None, perimeter | None, opc | None, dpc | None) a record, from its headers.
    Raises ValueError where a length or a name does not fit.
    """

    def __init__(
        self,
        values: Sequence[Buffer | None],
        encapsulation: str,
        *,
        offsets: Sequence[int] | None = None,
        times_ns: Sequence[int] | None = None,
        frames: Sequence[int] | None = None,
        meta: Sequence[tuple[str | None, str | None, int | None, int | None] | None] | None = None,
    ) -> None: ...
    @property
    def done(self) -> bool: ...
    @property
    def not_sccp(self) -> int:
        """Frames that hold no SCCP so far (ISUP, network management, M3UA other than DATA)."""

    @property
    def problem(self) -> str | None:
        """What ended or spoiled the framing so far, in one line with frame and offset (a capture cut short, …)."""

@final
class Verdicts:
    """The verdicts of one `judge` call, in the order of the messages."""

    def __len__(self) -> int: ...
    @property
    def packed(self) -> bytes:
        """The 32-octet entries of docs/packed.md, end to end (blob offsets within `blobs`)."""

    @property
    def counts(self) -> dict[tuple[str, str, str], int]:
        """(action, reason, rule id) -> messages."""

    def lines(self) -> bytes:
        """JSON Lines of all messages (Worker(json="all"))."""

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
        modes: dict[str, str] | None = None,
        now_ns: int = 0,
        deadline_ns: int = 0,
        limit: int = 0,
    ) -> Verdicts:
        """Judge up to `limit` messages of `batch` (0: all).

        tables None: decode only, no verdict keys in the JSON.
        perimeter: of the topic's configuration; modes: perimeter -> enforce|monitor|bypass, enforce where left out or None.
        deadline_ns 0: nothing expires. Any octets give a verdict; never raises for what is in a record.
        """

    def counters(self) -> dict[str, dict[tuple[str, ...], int]]:
        """Metric name without `sigfw_` and `_total` -> label values (in the order of docs/metrics.md) -> count.

        messages: (encapsulation, perimeter) · verdicts: (action, reason, category, perimeter) · rule_matches: (rule, mode)
        decode_errors: (layer, code) · exceptions: (exception, action) · checks: (check, outcome) · opcode_forms: (form,)
        segments: (state,) · link_header_conflicts: () · not_sccp: () · unframed: ()
        Counts never fall, also across a change of tables.
        """
