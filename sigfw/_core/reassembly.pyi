"""Reassembly of SCCP segments as Python sees it, for tests; the engine calls the stage itself.

Segments belong together that agree in message type, link, OPC, calling party address (octet by octet) and local
reference (Q.714 4.1.1.2.3). Of each:

- first, none remaining: final at once, part 1 of 1;
- first, others remaining: held; failed where max_reassemblies are in flight, or too many of one hash (`no_room`);
- later, one remaining less than before: held, or final with the data of all;
- of a key in flight, anything else: failed, and what is in flight ends with it. `mismatch`: another called party, class
  or perimeter than the first segment's; `repeated`: the same segment once more; `overlapping`: its place is taken by
  other octets, or another message begins; `out_of_sequence`: one before it is missing; `too_long`: more than 4,096
  octets together. What a receiver would make of these cannot be told from here;
- later, of a key not in flight: orphan (`no_first`). So is one that comes when its reassembly is older than max_age_ns,
  by the time of its record (`too_late`); that one is told by the next `expire`;
- with an error of framing or SCCP: failed, and what is in flight ends with it.

A message without a time takes that of the segment before it; before the first time that is known, nothing ages.
"""

from typing import Any, Self, final

@final
class Harness:
    """SCCP and reassembly over messages one after the other."""

    def __new__(cls, max_reassemblies: int, max_age_ns: int) -> Self: ...
    @property
    def in_flight(self) -> int: ...
    def feed(self, messages: list[tuple[bytes, int]]) -> list[dict[str, Any]]:
        """Take (octets of an SCCP message, time in ns since the epoch or -1) each.

        One dict a message: `state` (`none held final failed orphan`), `part` and `parts` (failed: how many were held),
        `reassembly` (number from 1; 0: none), `error` (number of names.ERROR_CODES, offset; or None), `frames` (of the
        parts of what became final or failed; messages count from 1 over the life of the harness), `data` (final: of
        the whole message).
        """

    def expire(self, now_ns: int) -> list[dict[str, Any]]:
        """End what began more than max_age_ns before now_ns (2**63 - 1: everything).

        One dict each: `reassembly`, `frames` of its parts, `first_time_ns`, `called_ssn` and `calling_ssn`.
        """
