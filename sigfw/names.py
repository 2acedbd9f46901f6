"""Numbers and names of the closed sets: the one place. docs/packed.md is made from it, the core is tested equal to it.

Numbers stand in records that others store: a number once released never changes, new members go to the end.
Number 0 always means none.
"""

from typing import Final

PERIMETERS: Final = ("", "international", "national", "internal")
DIRECTIONS: Final = ("", "inbound", "outbound", "transit", "unknown")
ENCAPSULATIONS: Final = ("", "sccp", "mtp3", "m3ua", "pcap")
VARIANTS: Final = ("", "itu", "ansi")
MODES: Final = ("", "enforce", "monitor", "bypass")
RULE_MODES: Final = ("", "enforce", "shadow", "off")

# In order of severity: the worst of several is the one with the greatest number; hold is for segments alone.
ACTIONS: Final = ("", "allow", "hold", "redirect", "reject", "drop")

REASONS: Final = (
    "",
    "rule",
    "default",
    "malformed",
    "unusable_gt",
    "not_tcap",
    "not_sccp",
    "unknown_operation",
    "segment_held",
    "reassembly_timeout",
    "reassembly_failed",
    "reassembly_orphan",
    "limit_exceeded",
    "expired",
    "reject_not_permitted",
    "unframed",
    "monitor",
    "bypass",
)

# The keys of a policy's `exceptions`, and what each is when the key is left out.
EXCEPTIONS: Final = {
    "malformed": "drop",
    "unusable_gt": "drop",
    "not_tcap": "allow",
    "not_sccp": "allow",
    "unknown_operation": "drop",
    "reassembly_timeout": "drop",
    "limit_exceeded": "drop",
    "expired": "drop",
    "default": "drop",
}

LAYERS: Final = ("", "framing", "sccp", "tcap", "component", "map")

ERROR_CODES: Final = (
    "",
    "truncated",  # the octets end before the structure does
    "length_overrun",  # a length says more than its container holds
    "bad_length",  # a length that the clause does not allow (transaction id of 0 or above 4 octets, …)
    "bad_tag",  # a tag that does not belong here
    "bad_value",  # a value that the clause does not allow
    "bad_pointer",  # an SCCP pointer out of its message or into another part
    "bad_hop_counter",  # 0 or above 15 (Q.713 3.18)
    "missing",  # a mandatory part is not there
    "duplicate",  # a part that may stand once stands twice
    "trailing",  # octets after the end
    "too_deep",  # nesting beyond the bound
    "too_many",  # components, numbers, options, chunks beyond the bound
    "bad_checksum",  # framing: a checksum that must hold does not
    "unsupported",  # framing: a link type or version not read
    "unknown_type",  # SCCP: a message type that Q.713 2.1 does not list
)

SCCP_TYPES: Final = {  # Q.713 2.1, table 1
    0x01: "CR",
    0x02: "CC",
    0x03: "CREF",
    0x04: "RLSD",
    0x05: "RLC",
    0x06: "DT1",
    0x07: "DT2",
    0x08: "AK",
    0x09: "UDT",
    0x0A: "UDTS",
    0x0B: "ED",
    0x0C: "EA",
    0x0D: "RSR",
    0x0E: "RSC",
    0x0F: "ERR",
    0x10: "IT",
    0x11: "XUDT",
    0x12: "XUDTS",
    0x13: "LUDT",
    0x14: "LUDTS",
}

MANAGEMENT_TYPES: Final = {1: "SSA", 2: "SSP", 3: "SST", 4: "SOR", 5: "SOG", 6: "SSC"}  # Q.713 5.3, table 23

TCAP_TYPES: Final = ("", "begin", "continue", "end", "abort", "unidirectional")
COMPONENT_TYPES: Final = ("", "invoke", "returnResultLast", "returnResultNotLast", "returnError", "reject")
OPCODE_FORMS: Final = ("", "local", "global")
APPLICATIONS: Final = ("", "map", "cap")

# Spaces in which digits are looked up: numbering plans of Q.713 3.4.2.3.3, and subscribers' numbers apart from nodes'.
SPACES: Final = ("", "e164", "e214", "e212", "msisdn")

# Identities of a subscriber, and the addresses of nodes.
NUMBER_KINDS: Final = ("", "imsi", "msisdn", "imei", "lmsi", "tmsi", "address")

CHECKS: Final = (
    "",
    "imsi_is_home",
    "imsi_is_foreign",
    "imsi_missing",
    "calling_operator_is_not_imsi_home",
    "calling_operator_unknown",
    "calling_operator_is_not_map_node",
    "called_is_not_home",
    "acn_does_not_fit_operation",
    "ssn_does_not_fit_application",
    "location_implausible",
    "sms_origin_mismatch",
    "dialogue_unknown",
    "rate_exceeded",
    "target_scanned",
)
FIRST_STATE_CHECK: Final = CHECKS.index("location_implausible")

# What a check said, and what became of a segment: the numbers of the core's counters.
CHECK_OUTCOMES: Final = ("false", "true", "unknown")
SEGMENT_STATES: Final = ("", "held", "final", "failed", "orphan")
