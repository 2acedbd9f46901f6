"""MAP (TS 29.002, TS 09.02) and CAP (TS 29.078) over a Group: operations, and the identities and addresses they carry.

`mapop_group(Group*)` follows `tcap_group`: it writes each component's readings (operation numbers) with their misfits,
the numbers of MAP-OpenInfo, arguments and results (at most MAX_NUMBERS a message), TP-PID and TP-DCS of a short message
and the members of RequestedInfo. An argument that decodes as none of its readings is an error of layer `map`.
Cost: O(octets).
"""

from typing import Any

OPERATIONS: tuple[tuple[str, str], ...]
"""(application, name) by operation number; 0: ("", "")."""

FIELD_NAMES: tuple[str, ...]
"""ASN.1 identifiers by Number.name; 0: ""."""

def parse(data: bytes, called_ssn: int = 6, calling_ssn: int = 6) -> dict[str, Any]:
    """Read one TCAP message alone, for tests and tools; the engine never calls it.

    data: the SCCP user data, any octets. An SSN of -1: none.
    Returns `type otid dtid acn acn_application components numbers requested_info sms management exceptions error`;
    error is None or (layer, code, octets from the start of data). Never raises for what is in data.
    """

def repeat(messages: list[bytes], rounds: int) -> int:
    """Read up to 32 messages as one Group, `rounds` times, without the GIL: for the bench. Returns components read."""
