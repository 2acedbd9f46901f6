"""Arguments of MAP and CAP operations, encoded once by pycrate; numbers are patched into the octets.

Every number stands as a marker as long as itself: eight octets of an IMSI, seven of an address. A message costs a few
`bytes.replace`, and its structure is still that of the ASN.1 of TS 29.002 and TS 29.078.
"""

from functools import cache
from typing import Any

from pycrate_asn1dir import TCAP_CAP, TCAP_MAPv2v3  # type: ignore[import-untyped]

IMSI, IMSI_2 = b"\xd1" * 8, b"\xd2" * 8
MSISDN, NODE, NODE_2, GSMSCF, CENTRE = (bytes((octet,)) * 7 for octet in (0xE1, 0xE2, 0xE3, 0xE4, 0xE5))

_MS, _CH = TCAP_MAPv2v3.MAP_MS_DataTypes, TCAP_MAPv2v3.MAP_CH_DataTypes
_SM, _SS, _LCS = TCAP_MAPv2v3.MAP_SM_DataTypes, TCAP_MAPv2v3.MAP_SS_DataTypes, TCAP_MAPv2v3.MAP_LCS_DataTypes
_TO_SCF = TCAP_CAP.CAP_gsmSSF_gsmSCF_pkgs_contracts_acs.GenericSSF_gsmSCF_PDUs
_TO_SSF = TCAP_CAP.CAP_gsmSSF_gsmSCF_pkgs_contracts_acs.GenericSCF_gsmSSF_PDUs

# TS 23.040 9.2.2: TP-DELIVER and TP-SUBMIT in the GSM alphabet; a (U)SIM data download (TP-PID 7F, TP-DCS F6, UDH 70)
_PARTY, _STAMP = bytes.fromhex("0c91447700091034"), bytes.fromhex("62111203000000")
_TEXT = b"\x11" + bytes.fromhex("c8329bfd0699e5ef36282c96bfc364")  # 17 septets: Hello from abroad
DELIVER = b"\x04" + _PARTY + b"\0\0" + _STAMP + _TEXT
SUBMIT = b"\x11\0" + _PARTY + b"\0\0\xa7" + _TEXT
DOWNLOAD = b"\x44" + _PARTY + b"\x7f\xf6" + _STAMP + b"\x10\x02\x70\x00" + bytes(13)

_TRIPLET = {"rand": b"\x55" * 16, "sres": b"\x66" * 4, "kc": b"\x77" * 8}
_QUINTUPLET = {"rand": b"\x55" * 16, "xres": b"\x66" * 8, "ck": b"\x77" * 16, "ik": b"\x88" * 16, "autn": b"\x99" * 16}
_PROFILE: dict[str, Any] = {
    "msisdn": MSISDN,
    "category": b"\x0a",
    "subscriberStatus": "serviceGranted",
    "teleserviceList": [b"\x11", b"\x21", b"\x22"],
    "provisionedSS": [("ss-Data", {"ss-Code": b"\x41", "ss-Status": b"\x05"})],
}
_O_CSI = {
    "o-CSI": {
        "o-BcsmCamelTDPDataList": [
            {
                "o-BcsmTriggerDetectionPoint": "collectedInfo",
                "serviceKey": 7,
                "gsmSCF-Address": GSMSCF,
                "defaultCallHandling": "releaseCall",
            }
        ],
        "camelCapabilityHandling": 2,
    }
}
_WHERE = {"requestedInfo": {"locationInformation": 0, "subscriberState": 0}}

_MAP_VALUES: dict[str, tuple[Any, Any]] = {
    "updateLocation": (_MS.UpdateLocationArg, {"imsi": IMSI, "msc-Number": NODE, "vlr-Number": NODE_2}),
    "updateLocationRes": (_MS.UpdateLocationRes, {"hlr-Number": NODE}),
    "updateGprsLocation": (
        _MS.UpdateGprsLocationArg,
        {"imsi": IMSI, "sgsn-Number": NODE, "sgsn-Address": b"\x04\xcb\x00\x71\x01"},
    ),
    "sendAuthenticationInfo": (
        _MS.SendAuthenticationInfoArg,
        {"imsi": IMSI, "numberOfRequestedVectors": 5, "requestingNodeType": "vlr"},
    ),
    "triplets": (_MS.SendAuthenticationInfoRes, {"authenticationSetList": ("tripletList", [_TRIPLET] * 3)}),
    "quintuplets": (_MS.SendAuthenticationInfoRes, {"authenticationSetList": ("quintupletList", [_QUINTUPLET] * 5)}),
    "insertSubscriberData": (_MS.InsertSubscriberDataArg, _PROFILE),
    "insertSubscriberDataImsi": (_MS.InsertSubscriberDataArg, _PROFILE | {"imsi": IMSI}),
    "insertSubscriberDataCsi": (
        _MS.InsertSubscriberDataArg,
        _PROFILE | {"imsi": IMSI, "vlrCamelSubscriptionInfo": _O_CSI},
    ),
    "deleteSubscriberData": (
        _MS.DeleteSubscriberDataArg,
        {"imsi": IMSI, "basicServiceList": [("ext-Teleservice", b"\x21")]},
    ),
    "cancelLocation": (_MS.CancelLocationArg, {"identity": ("imsi", IMSI), "cancellationType": "updateProcedure"}),
    "purgeMS": (_MS.PurgeMS_Arg, {"imsi": IMSI, "vlr-Number": NODE}),
    "restoreData": (_MS.RestoreDataArg, {"imsi": IMSI}),
    "provideSubscriberInfo": (_MS.ProvideSubscriberInfoArg, {"imsi": IMSI} | _WHERE),
    "subscriberInfo": (
        _MS.ProvideSubscriberInfoRes,
        {
            "subscriberInfo": {
                "locationInformation": {"ageOfLocationInformation": 5, "vlr-number": NODE},
                "subscriberState": ("assumedIdle", 0),
            }
        },
    ),
    "anyTimeInterrogation": (
        _MS.AnyTimeInterrogationArg,
        {"subscriberIdentity": ("msisdn", MSISDN), "gsmSCF-Address": NODE} | _WHERE,
    ),
    "anyTimeInterrogationImsi": (
        _MS.AnyTimeInterrogationArg,
        {"subscriberIdentity": ("imsi", IMSI), "gsmSCF-Address": NODE} | _WHERE,
    ),
    "anyTimeSubscriptionInterrogation": (
        _MS.AnyTimeSubscriptionInterrogationArg,
        {
            "subscriberIdentity": ("imsi", IMSI),
            "requestedSubscriptionInfo": {"odb": 0},
            "gsmSCF-Address": NODE,
        },
    ),
    "anyTimeModification": (
        _MS.AnyTimeModificationArg,
        {
            "subscriberIdentity": ("imsi", IMSI),
            "gsmSCF-Address": NODE,
            "modificationRequestFor-CF-Info": {"ss-Code": b"\x21", "forwardedToNumber": NODE_2},
        },
    ),
    "sendIdentification": (_MS.SendIdentificationArg, {"tmsi": b"\x12\x34\x56\x78", "numberOfRequestedVectors": 5}),
    "sendRoutingInfoForGprs": (_MS.SendRoutingInfoForGprsArg, {"imsi": IMSI, "ggsn-Number": NODE}),
    "authenticationFailureReport": (
        _MS.AuthenticationFailureReportArg,
        {"imsi": IMSI, "failureCause": "wrongUserResponse", "vlr-Number": NODE},
    ),
    "sendRoutingInfo": (
        _CH.SendRoutingInfoArg,
        {"msisdn": MSISDN, "interrogationType": "basicCall", "gmsc-OrGsmSCF-Address": NODE},
    ),
    "provideRoamingNumber": (_CH.ProvideRoamingNumberArg, {"imsi": IMSI, "msc-Number": NODE, "gmsc-Address": NODE_2}),
    "roamingNumber": (_CH.ProvideRoamingNumberRes, {"roamingNumber": MSISDN}),
    "sendRoutingInfoForSM": (
        _SM.RoutingInfoForSM_Arg,
        {"msisdn": MSISDN, "sm-RP-PRI": True, "serviceCentreAddress": CENTRE},
    ),
    "reportSM-DeliveryStatus": (
        _SM.ReportSM_DeliveryStatusArg,
        {"msisdn": MSISDN, "serviceCentreAddress": CENTRE, "sm-DeliveryOutcome": "absentSubscriber"},
    ),
    "alertServiceCentre": (_SM.AlertServiceCentreArg, {"msisdn": MSISDN, "serviceCentreAddress": CENTRE}),
    "mt-forwardSM": (
        _SM.MT_ForwardSM_Arg,
        {"sm-RP-DA": ("imsi", IMSI), "sm-RP-OA": ("serviceCentreAddressOA", CENTRE), "sm-RP-UI": DELIVER},
    ),
    "mt-download": (
        _SM.MT_ForwardSM_Arg,
        {"sm-RP-DA": ("imsi", IMSI), "sm-RP-OA": ("serviceCentreAddressOA", CENTRE), "sm-RP-UI": DOWNLOAD},
    ),
    "mo-forwardSM": (
        _SM.MO_ForwardSM_Arg,
        {"sm-RP-DA": ("serviceCentreAddressDA", CENTRE), "sm-RP-OA": ("msisdn", MSISDN), "sm-RP-UI": SUBMIT},
    ),
    "readyForSM": (_SM.ReadyForSM_Arg, {"imsi": IMSI, "alertReason": "ms-Present"}),
    "ussd": (
        _SS.USSD_Arg,
        {"ussd-DataCodingScheme": b"\x0f", "ussd-String": bytes.fromhex("aa180da682dd6c31192d36bbdd46")},
    ),
    "ussdOf": (
        _SS.USSD_Arg,
        {"ussd-DataCodingScheme": b"\x0f", "ussd-String": bytes.fromhex("aa180c3602"), "msisdn": MSISDN},
    ),
    "provideSubscriberLocation": (
        _LCS.ProvideSubscriberLocation_Arg,
        {"locationType": {"locationEstimateType": "currentLocation"}, "mlc-Number": NODE, "imsi": IMSI},
    ),
    "sendRoutingInfoForLCS": (_LCS.RoutingInfoForLCS_Arg, {"mlcNumber": NODE, "targetMS": ("msisdn", MSISDN)}),
}

_CAP_VALUES: dict[str, tuple[Any, int, str, Any]] = {
    "initialDP": (
        _TO_SCF,
        0,
        "InitialDPArg",
        {
            "serviceKey": 7,
            "callingPartyNumber": b"\x84\x13\x44\x77\x00\x09\x10\x34",
            "callingPartysCategory": b"\x0a",
            "bearerCapability": ("bearerCap", b"\x80\x90\xa3"),
            "eventTypeBCSM": "collectedInfo",
            "iMSI": IMSI,
            "locationInformation": {"ageOfLocationInformation": 0, "vlr-number": NODE},
            "callReferenceNumber": b"\x13\xfa\x3d\x3d\xea",
            "mscAddress": NODE_2,
            "calledPartyBCDNumber": b"\x91\x44\x77\x00\x09\x10\x34",
        },
    ),
    "eventReportBCSM": (
        _TO_SCF,
        24,
        "EventReportBCSMArg",
        {"eventTypeBCSM": "oAnswer", "miscCallInfo": {"messageType": "notification"}},
    ),
    "applyChargingReport": (_TO_SCF, 36, "ApplyChargingReportArg", bytes.fromhex("a00da003810101a10380011a820100")),
    "requestReportBCSMEvent": (
        _TO_SSF,
        23,
        "RequestReportBCSMEventArg",
        {
            "bcsmEvents": [
                {"eventTypeBCSM": "oAnswer", "monitorMode": "notifyAndContinue", "legID": ("sendingSideID", b"\x02")},
                {"eventTypeBCSM": "oDisconnect", "monitorMode": "interrupted", "legID": ("sendingSideID", b"\x01")},
            ]
        },
    ),
    "connect": (_TO_SSF, 20, "ConnectArg", {"destinationRoutingAddress": [b"\x84\x10\x44\x77\x00\x09\x10\x34"]}),
    "applyCharging": (
        _TO_SSF,
        35,
        "ApplyChargingArg",
        {
            "aChBillingChargingCharacteristics": bytes.fromhex("a0058003008ca0"),
            "partyToCharge": ("sendingSideID", b"\x01"),
        },
    ),
    "releaseCall": (_TO_SSF, 22, "ReleaseCallArg", ("allCallSegments", b"\x84\x90")),
}


@cache
def _encoded(name: str) -> bytes:
    if name in _MAP_VALUES:
        kind, value = _MAP_VALUES[name]
        kind.set_val(value)
        return bytes(kind.to_ber())
    pdus, opcode, kind, value = _CAP_VALUES[name]
    invoke = {"invokeId": ("present", 1), "opcode": ("local", opcode), "argument": (kind, value)}
    pdus.set_val(("begin", {"otid": b"1234", "components": [("basicROS", ("invoke", invoke))]}))
    message = bytes(pdus.to_ber())
    at = message.index(bytes((2, 1, 1, 2, 1, opcode)))
    return message[at + 6 :]


def argument(name: str, **numbers: bytes) -> bytes:
    """The octets of an argument or result; `numbers` are the markers' names in small letters and what replaces them."""
    out = _encoded(name)
    for marker, octets in numbers.items():
        out = out.replace(globals()[marker.upper()], octets)
    return out
