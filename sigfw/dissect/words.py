"""Numbers on the wire in the words of the recommendations, for people."""

from typing import Final

from sigfw import names
from sigfw.policy import schema


def spoken(number: int, words: dict[int, str]) -> str:
    """`6 HLR`, or the number alone."""
    return f"{number} {words[number]}" if number in words else str(number)


RETURN_CAUSES: Final = {number: name.replace("_", " ") for name, number in schema.RETURN_CAUSES.items()}  # Q.713 3.12
SSNS: Final = {  # Q.713 3.4.2.2, TS 23.003 clause 8
    **{number: name.upper().replace("_", " ") for name, number in schema.SSNS.items()},
    0: "unknown or not used",
    1: "SCCP management",
    11: "ISDN supplementary services",
    147: "gsmSCF",
    248: "CSS",
    249: "PCAP",
    250: "BSC (BSSAP-LE)",
    251: "MSC (BSSAP-LE)",
    252: "SMLC (BSSAP-LE)",
    253: "BSS O&M (A interface)",
    254: "BSSAP (A interface)",
}
NUMBERING_PLANS: Final = {  # Q.713 3.4.2.3.3
    0: "unknown",
    1: "E.164",
    2: "generic",
    3: "X.121",
    4: "F.69",
    5: "E.210, E.211",
    6: "E.212",
    7: "E.214",
    14: "private",
}
ENCODING_SCHEMES: Final = {0: "unknown", 1: "BCD odd", 2: "BCD even", 3: "national"}  # Q.713 3.4.2.3.3
NATURES: Final = {  # of address, Q.713 3.4.2.3.1
    0: "unknown",
    1: "subscriber",
    2: "reserved for national use",
    3: "national",
    4: "international",
}
STRING_NATURES: Final = {  # of AddressString, TS 29.002 17.7.8
    0: "unknown",
    1: "international",
    2: "national",
    3: "network specific",
    4: "subscriber",
    6: "abbreviated",
}
STRING_PLANS: Final = {0: "unknown", 1: "E.164", 3: "X.121", 4: "F.69", 6: "E.212", 8: "national", 9: "private"}
ISUP_NATURES: Final = {
    1: "subscriber",
    2: "unknown",
    3: "national",
    4: "international",
    5: "network specific",
}  # Q.763 3.9
ISUP_PLANS: Final = {1: "E.164", 3: "X.121", 4: "F.69"}
P_ABORT_CAUSES: Final = {  # Q.773: P-AbortCause
    0: "unrecognizedMessageType",
    1: "unrecognizedTransactionID",
    2: "badlyFormattedTransactionPortion",
    3: "incorrectTransactionPortion",
    4: "resourceLimitation",
}
PROBLEMS: Final[dict[int, tuple[str, dict[int, str]]]] = {  # of a Reject, Q.773
    0x80: ("generalProblem", {0: "unrecognizedComponent", 1: "mistypedComponent", 2: "badlyStructuredComponent"}),
    0x81: (
        "invokeProblem",
        {
            0: "duplicateInvokeID",
            1: "unrecognizedOperation",
            2: "mistypedParameter",
            3: "resourceLimitation",
            4: "initiatingRelease",
            5: "unrecognizedLinkedID",
            6: "linkedResponseUnexpected",
            7: "unexpectedLinkedOperation",
        },
    ),
    0x82: (
        "returnResultProblem",
        {0: "unrecognizedInvokeID", 1: "returnResultUnexpected", 2: "mistypedParameter"},
    ),
    0x83: (
        "returnErrorProblem",
        {
            0: "unrecognizedInvokeID",
            1: "returnErrorUnexpected",
            2: "unrecognizedError",
            3: "unexpectedError",
            4: "mistypedParameter",
        },
    ),
}
ASSOCIATE_RESULTS: Final = {0: "accepted", 1: "reject-permanent"}  # Q.773: Associate-result
DIAGNOSTICS: Final[dict[int, tuple[str, dict[int, str]]]] = {  # Q.773: Associate-source-diagnostic
    0xA1: (
        "dialogue-service-user",
        {0: "null", 1: "no-reason-given", 2: "application-context-name-not-supported"},
    ),
    0xA2: ("dialogue-service-provider", {0: "null", 1: "no-reason-given", 2: "no-common-dialogue-portion"}),
}
MANAGEMENT: Final = {  # Q.713 5.3
    1: "SSA subsystem allowed",
    2: "SSP subsystem prohibited",
    3: "SST subsystem status test",
    4: "SOR subsystem out of service request",
    5: "SOG subsystem out of service grant",
    6: "SSC subsystem congested",
    0xFD: "SBR subsystem backup routing",  # T1.112.3
    0xFE: "SNR subsystem normal routing",
    0xFF: "SRT subsystem routing status test",
}
SCCP_NAMES: Final = {  # Q.713 2.1
    "CR": "connection request",
    "CC": "connection confirm",
    "CREF": "connection refused",
    "RLSD": "released",
    "RLC": "release complete",
    "DT1": "data form 1",
    "DT2": "data form 2",
    "AK": "data acknowledgement",
    "UDT": "unitdata",
    "UDTS": "unitdata service",
    "ED": "expedited data",
    "EA": "expedited data acknowledgement",
    "RSR": "reset request",
    "RSC": "reset confirm",
    "ERR": "protocol data unit error",
    "IT": "inactivity test",
    "XUDT": "extended unitdata",
    "XUDTS": "extended unitdata service",
    "LUDT": "long unitdata",
    "LUDTS": "long unitdata service",
}
OPTIONS: Final = {  # names of optional parameters, Q.713 3
    0x01: "destination local reference",
    0x02: "source local reference",
    0x03: "called party address",
    0x04: "calling party address",
    0x05: "protocol class",
    0x06: "segmenting/reassembling",
    0x07: "receive sequence number",
    0x08: "sequencing/segmenting",
    0x09: "credit",
    0x0A: "release cause",
    0x0B: "return cause",
    0x0C: "reset cause",
    0x0D: "error cause",
    0x0E: "refusal cause",
    0x0F: "data",
    0x10: "segmentation",
    0x11: "hop counter",
    0x12: "importance",
    0x13: "long data",
}
ABSTRACT_SYNTAXES: Final = {
    "0.0.17.773.1.1.1": "dialogue-as-id",  # Q.773
    "0.0.17.773.1.2.1": "uniDialogue-as-id",
    "0.4.0.0.1.1.1.1": "map-DialogueAS",  # TS 29.002 17.4
}
MAP_DIALOGUE: Final = {  # TS 29.002 17.4
    0xA0: "map-open",
    0xA1: "map-accept",
    0xA2: "map-close",
    0xA3: "map-refuse",
    0xA4: "map-userAbort",
    0xA5: "map-providerAbort",
}
CAP_ROOTS: Final = {20: "phase 3", 21: "phase 3 OE", 22: "phase 4", 23: "phase 4 OE"}


def context_name(dotted: str) -> str:
    """An ACN by name: `anyTimeInfoEnquiry v3 (MAP)`; "" where it is none of MAP or CAP."""
    try:
        arcs = [int(arc) for arc in dotted.split(".")]
    except ValueError:
        return ""
    if len(arcs) < 8 or arcs[:5] != [0, 4, 0, 0, 1]:
        return ""
    if arcs[5] == 0 and 50 <= arcs[6] <= 52:
        return f"CAP {('gsmSSF-gsmSCF', 'assist-gsmSSF-gsmSCF', 'gsmSRF-gsmSCF')[arcs[6] - 50]} v{arcs[7] + 1}"
    if arcs[5] == 0:
        found = names.MAP_CONTEXTS.get(arcs[6])
        return f"{found[0]} v{arcs[7]}" if found else ""
    if arcs[5] in CAP_ROOTS and arcs[6] == 3:
        known = {4: "gsmSSF-scfGeneric", 6: "gsmSSF-scfAssistHandoff", 8: "scf-gsmSSFGeneric", 14: "gsmSRF-gsmSCF"}
        known |= {50: "gprsSSF-gsmSCF", 51: "gsmSCF-gprsSSF", 61: "cap-sms"}
        return f"CAP {known.get(arcs[7], f'context {arcs[7]}')} {CAP_ROOTS[arcs[5]]}"
    return ""


def point_code(value: int, wide: bool) -> str:
    """24 bits with their parts: network, cluster, member."""
    return f"{value} ({value >> 16}-{value >> 8 & 0xFF}-{value & 0xFF})" if wide else str(value)


def text(content: bytes) -> str:
    """Octets that are text, quoted; no control character leaves."""
    return '"' + "".join(chr(o) if 0x20 <= o < 0x7F else f"\\x{o:02x}" for o in content) + '"'
