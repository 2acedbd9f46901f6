"""Stream and Worker: the core as Python sees it. A Batch in, its Verdicts out, the GIL released once."""

from collections.abc import Callable, Mapping
from typing import Any, Self, final

from sigfw._core.batch import Batch
from sigfw._core.flood import Flood
from sigfw._core.memory import State
from sigfw._core.tables import Tables
from sigfw._core.verdicts import Verdicts

TRAINED: bool
"""Built by `make pgo`: laid out by counts of what runs."""

@final
class Stream:
    """Reassembly of one input partition, or of one capture. Used by one thread at a time.

    prefix: what ids begin with: `topic/partition` (the record's offset follows), or a file's name.
    offsets: ids carry the record's offset (Kafka), or not (captures).
    max_age_ns: record time a segment may wait for the rest of its message.
    """

    def __new__(
        cls,
        prefix: str,
        *,
        offsets: bool = True,
        topic: str = "",
        max_reassemblies: int = 4096,
        max_age_ns: int = 10_000_000_000,
    ) -> Self: ...
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
class Worker:
    """Scratch and counters of one thread.

    verdicts: `json` or `packed` (what Verdicts.values gives), `fields` (names.FIELDS, of Verdicts.lines), or `none`.
    key: pseudonymise identities with it, in JSON and fields (HMAC-SHA-256, first 8 octets); None: in clear.
    state: what is remembered between messages; None: nothing, and the checks on state say unknown.
    octets: events have those of their message.
    exchange: one round trip to the store of a shared state, for each 256 messages of a batch and only for a policy
        with such checks: what changed (State.changes) and the names asked for -> their values, None for one that
        is not there, and for all of them where the store does not answer. What it raises, judge raises.
    """

    def __new__(
        cls,
        *,
        verdicts: str = "json",
        key: bytes | None = None,
        state: State | None = None,
        exchange: Callable[[dict[bytes, bytes], list[bytes]], list[bytes | None] | None] | None = None,
        octets: bool = False,
    ) -> Self: ...
    @property
    def state(self) -> State | None: ...
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
        flood: Flood | None = None,
    ) -> Verdicts:
        """Judge up to `limit` messages of `batch` (0: all).

        tables None: decode only, no verdict keys in the JSON.
        perimeter, variant: of the topic's configuration, where no link says otherwise.
        modes: perimeter -> enforce, monitor or bypass, enforce where left out.
        flood: is asked for the event of each message that was denied, would have been denied (shadow), or whose rule
        asks for one (alert); take what it tells behind each call.
        deadline_ns 0: nothing expires. Any octets give a verdict; never raises for what is in a record.
        """

    def trace(self, tables: Tables) -> list[tuple[int, int, list[tuple[int, bool, list[str], bool]]]]:
        """Every rule tried on the last message judged, for `explain`: (component, reading, rules).

        A rule is (number, it matches, the fields that do not hold, it decides).
        """

    def facts(self, tables: Tables) -> dict[str, Any] | None:
        """What was found of the last message judged, beyond its JSON, for `explain`; None: nothing was judged.

        octets: of the SCCP message (None: not framed) · whole: the user data of all segments, of a final one
        variant, link, direction, segment (of names.SEGMENT_STATES) · exceptions: names, as decoding found them
        called, calling: what the GT is looked up as, [(space, digits)] · trouble: of each why not (names.GT_TROUBLES)
        numbers: {kind, name, digits, origin (component, -1: dialogue portion), roles, readings}, readings as called
        sms: (TP-PID, TP-DCS) or None · requested_info: members of RequestedInfo
        checks: (component, reading), -1 where there is none -> {check: true, false, both (of several) or unknown}
        """

    def counters(self) -> dict[str, dict[tuple[str, ...], int]]:
        """Metric name without `sigfw_` and `_total` -> label values (in the order of docs/metrics.md) -> count.

        messages: (encapsulation, perimeter) · verdicts: (action, reason, category, perimeter)
        shadow_verdicts: (action, reason, perimeter) · rule_matches: (rule, mode)
        decode_errors: (layer, code) · exceptions: (exception, action)
        checks: (check, outcome) · opcode_forms: (form,) · unusable_gts: (why,) · segments: (state,)
        padded_opcodes: () · link_header_conflicts: () · not_sccp: () · unframed: ()
        Counts never fall, also across a change of tables.
        """
