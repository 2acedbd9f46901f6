"""Numbers and names of the closed sets: the one place. docs/packed.md is made from it, the core is tested equal to it.

Numbers stand in records that others store: a number once released never changes, new members go to the end.
Number 0 always means none.
"""

from typing import Final

PERIMETERS: Final = ("", "international", "national", "internal")
DIRECTIONS: Final = ("", "inbound", "outbound", "transit", "unknown")
ENCAPSULATIONS: Final = ("", "sccp", "mtp3", "m3ua", "pcap")
VARIANTS: Final = ("", "itu", "ansi", "china")
UNBUILT_VARIANTS: Final = ("ttc",)  # Japan's JT-Q713 and JT-Q704: known by name, read by nothing
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
    "unsupported",  # framing: a link type, version or protocol not read
    "unknown_type",  # SCCP: a message type that Q.713 2.1 does not list
    # why a segment was not taken into its message (Q.714 4.1.1.2.3); none of these makes it malformed
    "no_first",  # a later segment of nothing that is held
    "too_late",  # what it belongs to is older than a reassembly may be
    "out_of_sequence",  # one before it is missing: lost, or overtaken
    "repeated",  # the same segment once more
    "overlapping",  # its place is taken by other octets, or another first bears the reference of one in flight
    "mismatch",  # called party, class or perimeter differ from the first segment's
    "too_long",  # more user data together than any message holds
    "no_room",  # too many reassemblies in flight
    "part_denied",  # an earlier segment of the message was denied by itself
)

# Why a GT cannot be looked up (docs/normalisation.md): the exception is unusable_gt, the message is not malformed.
GT_TROUBLES: Final = (
    "",
    "gt_empty",  # no digit
    "gt_overdecadic",  # a digit above 9 that is no filler
    "gt_too_long",  # more digits, its country code included, than a number has
    "gt_plan",  # a numbering plan that is not looked up
    "gt_nature",  # a nature of address that is not looked up
    "gt_prefix",  # begins as no number of its kind does
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

MANAGEMENT_TYPES: Final = {
    0x01: "SSA",  # Q.713 5.3, table 23
    0x02: "SSP",
    0x03: "SST",
    0x04: "SOR",
    0x05: "SOG",
    0x06: "SSC",
    0xFD: "SBR",  # T1.112.3, on ANSI links alone
    0xFE: "SNR",
    0xFF: "SRT",
}

# Packages of Q.773, then those of T1.114.3, which has an Abort and a Unidirectional as well.
TCAP_TYPES: Final = (
    "",
    *("begin", "continue", "end", "abort", "unidirectional"),
    *("queryWithPerm", "queryWithoutPerm", "response", "conversationWithPerm", "conversationWithoutPerm"),
)
COMPONENT_TYPES: Final = ("", "invoke", "returnResultLast", "returnResultNotLast", "returnError", "reject")
OPCODE_FORMS: Final = ("", "local", "global", "national", "private")  # the last two are T1.114's
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

# Those that need to know what any worker saw; rates and scans are counted by each worker for itself.
SHARED_CHECKS: Final = ("location_implausible", "sms_origin_mismatch", "dialogue_unknown")

# What a rate limit counts by: bits of the core, in this order.
LIMIT_BY: Final = ("calling.gt", "calling.operator", "operation")

# What a check said, and what became of a segment: the numbers of the core's counters.
CHECK_OUTCOMES: Final = ("false", "true", "unknown")
SEGMENT_STATES: Final = ("", "held", "final", "failed", "orphan")

# A line of `sigfw screen --format tsv`: what the core writes between tabs, in this order.
FIELDS: Final = (
    "frame",
    "index",
    "action",
    "reason",
    "rule",
    "sccp",
    "called",
    "called_ssn",
    "calling",
    "calling_ssn",
    "tcap",
    "otid",
    "dtid",
    "acn",
    "operations",
    "imsi",
    "msisdn",
    "error",
)

# Operations: (application, opcode, name, clause that defines it). The index is the operation's number, which stands in
# records: new ones go to the end. TS 09.02 is MAP's text up to version 2; mt-forwardSM is opcode 46 as well there.
OPERATIONS: Final = (
    ("", -1, "", ""),
    ("map", 2, "updateLocation", "TS 29.002 17.6.1"),
    ("map", 3, "cancelLocation", "TS 29.002 17.6.1"),
    ("map", 4, "provideRoamingNumber", "TS 29.002 17.6.3"),
    ("map", 5, "noteSubscriberDataModified", "TS 29.002 17.6.1"),
    ("map", 6, "resumeCallHandling", "TS 29.002 17.6.3"),
    ("map", 7, "insertSubscriberData", "TS 29.002 17.6.1"),
    ("map", 8, "deleteSubscriberData", "TS 29.002 17.6.1"),
    ("map", 9, "sendParameters", "TS 09.02 17.6.1"),
    ("map", 10, "registerSS", "TS 29.002 17.6.4"),
    ("map", 11, "eraseSS", "TS 29.002 17.6.4"),
    ("map", 12, "activateSS", "TS 29.002 17.6.4"),
    ("map", 13, "deactivateSS", "TS 29.002 17.6.4"),
    ("map", 14, "interrogateSS", "TS 29.002 17.6.4"),
    ("map", 15, "authenticationFailureReport", "TS 29.002 17.6.1"),
    ("map", 17, "registerPassword", "TS 29.002 17.6.4"),
    ("map", 18, "getPassword", "TS 29.002 17.6.4"),
    ("map", 19, "processUnstructuredSS-Data", "TS 09.02 17.6.4"),
    ("map", 20, "releaseResources", "TS 29.002 17.6.3"),
    ("map", 21, "mt-forwardSM-VGCS", "TS 29.002 17.6.5"),
    ("map", 22, "sendRoutingInfo", "TS 29.002 17.6.3"),
    ("map", 23, "updateGprsLocation", "TS 29.002 17.6.1"),
    ("map", 24, "sendRoutingInfoForGprs", "TS 29.002 17.6.1"),
    ("map", 25, "failureReport", "TS 29.002 17.6.1"),
    ("map", 26, "noteMsPresentForGprs", "TS 29.002 17.6.1"),
    ("map", 28, "performHandover", "TS 09.02 17.6.1"),
    ("map", 29, "sendEndSignal", "TS 29.002 17.6.1"),
    ("map", 30, "performSubsequentHandover", "TS 09.02 17.6.1"),
    ("map", 31, "provideSIWFSNumber", "TS 29.002 17.6.3"),
    ("map", 32, "sIWFSSignallingModify", "TS 29.002 17.6.3"),
    ("map", 33, "processAccessSignalling", "TS 29.002 17.6.1"),
    ("map", 34, "forwardAccessSignalling", "TS 29.002 17.6.1"),
    ("map", 35, "noteInternalHandover", "TS 09.02 17.6.2"),
    ("map", 36, "cancelVcsgLocation", "TS 29.002 17.6.1"),
    ("map", 37, "reset", "TS 29.002 17.6.1"),
    ("map", 38, "forwardCheckSS-Indication", "TS 29.002 17.6.1"),
    ("map", 39, "prepareGroupCall", "TS 29.002 17.6"),
    ("map", 40, "sendGroupCallEndSignal", "TS 29.002 17.6"),
    ("map", 41, "processGroupCallSignalling", "TS 29.002 17.6"),
    ("map", 42, "forwardGroupCallSignalling", "TS 29.002 17.6"),
    ("map", 43, "checkIMEI", "TS 29.002 17.6.1"),
    ("map", 44, "mt-forwardSM", "TS 29.002 17.6.5"),
    ("map", 45, "sendRoutingInfoForSM", "TS 29.002 17.6.5"),
    ("map", 46, "mo-forwardSM", "TS 29.002 17.6.5"),
    ("map", 47, "reportSM-DeliveryStatus", "TS 29.002 17.6.5"),
    ("map", 48, "noteSubscriberPresent", "TS 09.02 17.6.5"),
    ("map", 49, "alertServiceCentreWithoutResult", "TS 09.02 17.6.5"),
    ("map", 50, "activateTraceMode", "TS 29.002 17.6.2"),
    ("map", 51, "deactivateTraceMode", "TS 29.002 17.6.2"),
    ("map", 52, "traceSubscriberActivity", "TS 09.02 17.6.2"),
    ("map", 53, "updateVcsgLocation", "TS 29.002 17.6.1"),
    ("map", 54, "beginSubscriberActivity", "TS 09.02 17.6.4"),
    ("map", 55, "sendIdentification", "TS 29.002 17.6.1"),
    ("map", 56, "sendAuthenticationInfo", "TS 29.002 17.6.1"),
    ("map", 57, "restoreData", "TS 29.002 17.6.1"),
    ("map", 58, "sendIMSI", "TS 29.002 17.6.2"),
    ("map", 59, "processUnstructuredSS-Request", "TS 29.002 17.6.4"),
    ("map", 60, "unstructuredSS-Request", "TS 29.002 17.6.4"),
    ("map", 61, "unstructuredSS-Notify", "TS 29.002 17.6.4"),
    ("map", 62, "anyTimeSubscriptionInterrogation", "TS 29.002 17.6.1"),
    ("map", 63, "informServiceCentre", "TS 29.002 17.6.5"),
    ("map", 64, "alertServiceCentre", "TS 29.002 17.6.5"),
    ("map", 65, "anyTimeModification", "TS 29.002 17.6.1"),
    ("map", 66, "readyForSM", "TS 29.002 17.6.5"),
    ("map", 67, "purgeMS", "TS 29.002 17.6.1"),
    ("map", 68, "prepareHandover", "TS 29.002 17.6.1"),
    ("map", 69, "prepareSubsequentHandover", "TS 29.002 17.6.1"),
    ("map", 70, "provideSubscriberInfo", "TS 29.002 17.6.1"),
    ("map", 71, "anyTimeInterrogation", "TS 29.002 17.6.1"),
    ("map", 72, "ss-InvocationNotification", "TS 29.002 17.6.4"),
    ("map", 73, "setReportingState", "TS 29.002 17.6.3"),
    ("map", 74, "statusReport", "TS 29.002 17.6.3"),
    ("map", 75, "remoteUserFree", "TS 29.002 17.6.3"),
    ("map", 76, "registerCC-Entry", "TS 29.002 17.6.4"),
    ("map", 77, "eraseCC-Entry", "TS 29.002 17.6.4"),
    ("map", 78, "secureTransportClass1", "TS 29.002 17.6"),
    ("map", 79, "secureTransportClass2", "TS 29.002 17.6"),
    ("map", 80, "secureTransportClass3", "TS 29.002 17.6"),
    ("map", 81, "secureTransportClass4", "TS 29.002 17.6"),
    ("map", 83, "provideSubscriberLocation", "TS 29.002 17.6"),
    ("map", 84, "sendGroupCallInfo", "TS 29.002 17.6"),
    ("map", 85, "sendRoutingInfoForLCS", "TS 29.002 17.6"),
    ("map", 86, "subscriberLocationReport", "TS 29.002 17.6"),
    ("map", 87, "ist-Alert", "TS 29.002 17.6.3"),
    ("map", 88, "ist-Command", "TS 29.002 17.6.3"),
    ("map", 89, "noteMM-Event", "TS 29.002 17.6.1"),
    ("cap", 0, "initialDP", "TS 29.078 6.1"),
    ("cap", 16, "assistRequestInstructions", "TS 29.078 6.1"),
    ("cap", 17, "establishTemporaryConnection", "TS 29.078 6.1"),
    ("cap", 18, "disconnectForwardConnection", "TS 29.078 6.1"),
    ("cap", 86, "disconnectForwardConnectionWithArgument", "TS 29.078 6.1"),
    ("cap", 19, "connectToResource", "TS 29.078 6.1"),
    ("cap", 20, "connect", "TS 29.078 6.1"),
    ("cap", 22, "releaseCall", "TS 29.078 6.1"),
    ("cap", 23, "requestReportBCSMEvent", "TS 29.078 6.1"),
    ("cap", 24, "eventReportBCSM", "TS 29.078 6.1"),
    ("cap", 27, "collectInformation", "TS 29.078 6.1"),
    ("cap", 31, "continue", "TS 29.078 6.1"),
    ("cap", 32, "initiateCallAttempt", "TS 29.078 6.1"),
    ("cap", 33, "resetTimer", "TS 29.078 6.1"),
    ("cap", 34, "furnishChargingInformation", "TS 29.078 6.1"),
    ("cap", 35, "applyCharging", "TS 29.078 6.1"),
    ("cap", 36, "applyChargingReport", "TS 29.078 6.1"),
    ("cap", 41, "callGap", "TS 29.078 6.1"),
    ("cap", 44, "callInformationReport", "TS 29.078 6.1"),
    ("cap", 45, "callInformationRequest", "TS 29.078 6.1"),
    ("cap", 46, "sendChargingInformation", "TS 29.078 6.1"),
    ("cap", 47, "playAnnouncement", "TS 29.078 6.2"),
    ("cap", 48, "promptAndCollectUserInformation", "TS 29.078 6.2"),
    ("cap", 49, "specializedResourceReport", "TS 29.078 6.2"),
    ("cap", 53, "cancel", "TS 29.078 6.1"),
    ("cap", 55, "activityTest", "TS 29.078 6.1"),
    ("cap", 88, "continueWithArgument", "TS 29.078 6.1"),
    ("cap", 90, "disconnectLeg", "TS 29.078 6.1"),
    ("cap", 93, "moveLeg", "TS 29.078 6.1"),
    ("cap", 95, "splitLeg", "TS 29.078 6.1"),
    ("cap", 96, "entityReleased", "TS 29.078 6.1"),
    ("cap", 97, "playTone", "TS 29.078 6.2"),
    ("cap", 60, "initialDPSMS", "TS 29.078 7"),
    ("cap", 61, "furnishChargingInformationSMS", "TS 29.078 7"),
    ("cap", 62, "connectSMS", "TS 29.078 7"),
    ("cap", 63, "requestReportSMSEvent", "TS 29.078 7"),
    ("cap", 64, "eventReportSMS", "TS 29.078 7"),
    ("cap", 65, "continueSMS", "TS 29.078 7"),
    ("cap", 66, "releaseSMS", "TS 29.078 7"),
    ("cap", 67, "resetTimerSMS", "TS 29.078 7"),
    ("cap", 70, "activityTestGPRS", "TS 29.078 8"),
    ("cap", 71, "applyChargingGPRS", "TS 29.078 8"),
    ("cap", 72, "applyChargingReportGPRS", "TS 29.078 8"),
    ("cap", 73, "cancelGPRS", "TS 29.078 8"),
    ("cap", 74, "connectGPRS", "TS 29.078 8"),
    ("cap", 75, "continueGPRS", "TS 29.078 8"),
    ("cap", 76, "entityReleasedGPRS", "TS 29.078 8"),
    ("cap", 77, "furnishChargingInformationGPRS", "TS 29.078 8"),
    ("cap", 78, "initialDPGPRS", "TS 29.078 8"),
    ("cap", 79, "releaseGPRS", "TS 29.078 8"),
    ("cap", 80, "eventReportGPRS", "TS 29.078 8"),
    ("cap", 81, "requestReportGPRSEvent", "TS 29.078 8"),
    ("cap", 82, "resetTimerGPRS", "TS 29.078 8"),
    ("cap", 83, "sendChargingInformationGPRS", "TS 29.078 8"),
)

# MAP application contexts 0.4.0.0.1.0.x.v (TS 29.002 17.3.2, TS 09.02 17.3.2): x -> name, version -> opcodes.
MAP_CONTEXTS: Final[dict[int, tuple[str, dict[int, tuple[int, ...]]]]] = {
    1: ("networkLocUp", {1: (2, 7, 38, 50), 2: (2, 7, 38, 50, 57), 3: (2, 7, 38, 50, 57)}),
    2: ("locationCancellation", {1: (3,), 2: (3,), 3: (3,)}),
    3: ("roamingNumberEnquiry", {1: (4,), 2: (4,), 3: (4,)}),
    4: ("istAlerting", {3: (87,)}),
    5: ("locationInfoRetrieval", {1: (22,), 2: (22,), 3: (22,)}),
    6: ("callControlTransfer", {3: (6,), 4: (6,)}),
    7: ("reporting", {3: (73, 74, 75)}),
    8: ("callCompletion", {3: (76, 77)}),
    9: ("serviceTermination", {3: (88,)}),
    10: ("reset", {1: (37,), 2: (37,), 3: (37,)}),
    11: (
        "handoverControl",
        {1: (28, 29, 30, 33, 34, 35, 52), 2: (29, 33, 34, 68, 69), 3: (29, 33, 34, 68, 69)},
    ),
    12: ("sIWFSAllocation", {3: (31, 32)}),
    13: ("equipmentMngt", {1: (43,), 2: (43,), 3: (43,)}),
    14: ("infoRetrieval", {1: (9,), 2: (56,), 3: (56,)}),
    15: ("interVlrInfoRetrieval", {2: (55,), 3: (55,)}),
    16: ("subscriberDataMngt", {1: (7, 8), 2: (7, 8), 3: (7, 8)}),
    17: ("tracing", {1: (50, 51, 52), 2: (50, 51), 3: (50, 51)}),
    18: ("networkFunctionalSs", {1: (10, 11, 12, 13, 14, 17, 18, 19, 54), 2: (10, 11, 12, 13, 14, 17, 18)}),
    19: ("networkUnstructuredSs", {2: (59, 60, 61)}),
    20: ("shortMsgGateway", {1: (45, 47, 63), 2: (45, 47, 63), 3: (45, 47, 63)}),
    21: ("shortMsgMO-Relay", {1: (46,), 2: (46,), 3: (46,)}),
    22: ("subscriberDataModificationNotification", {3: (5,)}),
    23: ("shortMsgAlert", {1: (49,), 2: (64,)}),
    24: ("mwdMngt", {1: (48,), 2: (66,), 3: (66,)}),
    25: ("shortMsgMT-Relay", {1: (46,), 2: (46,), 3: (44,)}),
    26: ("imsiRetrieval", {2: (58,)}),
    27: ("msPurging", {2: (67,), 3: (67,)}),
    28: ("subscriberInfoEnquiry", {3: (70,)}),
    29: ("anyTimeInfoEnquiry", {3: (71,)}),
    31: ("groupCallControl", {3: (39, 40, 41, 42)}),
    32: ("gprsLocationUpdate", {3: (7, 23, 50)}),
    33: ("gprsLocationInfoRetrieval", {3: (24,), 4: (24,)}),
    34: ("failureReport", {3: (25,)}),
    35: ("gprsNotify", {3: (26,)}),
    36: ("ss-InvocationNotification", {3: (72,)}),
    37: ("locationSvcGateway", {3: (85,)}),
    38: ("locationSvcEnquiry", {3: (83, 86)}),
    39: ("authenticationFailureReport", {3: (15,)}),
    40: ("secureTransportHandling", {3: (78, 79, 80, 81)}),
    41: ("shortMsgMT-Relay-VGCS", {3: (21,)}),
    42: ("mm-EventReporting", {3: (89,)}),
    43: ("anyTimeInfoHandling", {3: (62, 65)}),
    44: ("resourceManagement", {3: (20,)}),
    45: ("groupCallInfoRetrieval", {3: (84,)}),
    46: ("vcsgLocationUpdate", {3: (7, 53)}),
    47: ("vcsgLocationCancellation", {3: (36,)}),
}

# MAP version 1 has no dialogue portion: what a Begin without an ACN may rightly carry (TS 09.02).
MAP_V1_OPCODES: Final = tuple(sorted({op for _, versions in MAP_CONTEXTS.values() for op in versions.get(1, ())}))

# CAP application contexts (TS 29.078; phases 1 and 2: TS 09.78): number of ours -> name, opcodes.
_CAP_CALL: Final = (
    *(0, 16, 17, 18, 19, 20, 22, 23, 24, 27, 31, 32, 33, 34, 35, 36, 41, 44, 45, 46, 47, 48, 49, 53, 55),
    *(86, 88, 90, 93, 95, 96, 97),
)
CAP_CONTEXTS: Final[dict[int, tuple[str, tuple[int, ...]]]] = {
    1: ("gsmSSF-gsmSCF", _CAP_CALL),
    2: ("assist-gsmSSF-gsmSCF", (16, 18, 19, 22, 31, 33, 34, 35, 36, 47, 48, 49, 53, 55, 86)),
    3: ("gsmSRF-gsmSCF", (16, 47, 48, 49, 53, 55)),
    4: ("gprsSSF-gsmSCF", (70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83)),
    5: ("smsSSF-gsmSCF", (60, 61, 62, 63, 64, 65, 66, 67)),
}

# What anyTimeInterrogation and provideSubscriberInfo ask for: bit n is member n of RequestedInfo (TS 29.002 17.7.1).
REQUESTED_INFO: Final = (
    "locationInformation",
    "subscriberState",
    "currentLocation",
    "requestedDomain",
    "imei",
    "ms-classmark",
    "mnpRequestedInfo",
    "locationInformationEPS-Supported",
    "t-adsData",
    "requestedNodes",
    "servingNodeIndication",
    "localTimeZoneRequest",
)
