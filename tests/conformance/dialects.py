"""SCCP of every variant and TCAP of T1.114, as tshark and as sigfw read them, in one form."""

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from sigfw import names, records
from tests.captures.truth import packets

Object = dict[str, Any]

STANDARDS = {"itu": "ITU", "ansi": "ANSI", "china": "Chinese ITU"}  # tshark's mtp3.standard
PARTY = ("gti", "tt", "np", "es", "nai", "ssn")
PACKAGES = (
    *("unidirectional", "queryWithPerm", "queryWithoutPerm", "response"),
    *("conversationWithPerm", "conversationWithoutPerm", "abort"),
)
COMPONENTS = {  # tshark's name -> ours
    "invokeLast": "invoke",
    "invokeNotLast": "invoke",
    "returnResultLast": "returnResultLast",
    "returnResultNotLast": "returnResultNotLast",
    "returnError": "returnError",
    "reject": "reject",
}


def by_tshark(path: Path, variant: str) -> list[Object]:
    """Each SCCP message of a capture of one message a frame; `stopped`: T1.114 was not read to its end."""
    return [_message(packet) for _, packet in packets(path, f"mtp3.standard:{STANDARDS[variant]}")]


def by_sigfw(path: Path, variant: str) -> list[Object]:
    """The same; `malformed` in place of `stopped`, as sigfw reads on behind an error."""
    return [_view(line) for line in records.decode(path, variant=variant)]


# tshark ---------------------------------------------------------------------------------------------------------------


def _fields(scope: Element | None, *wanted: str) -> list[Element]:
    return [] if scope is None else [one for one in scope.iter("field") if one.get("name") in wanted]


def _number(scope: Element | None, *wanted: str) -> int | None:
    found = _fields(scope, *wanted)
    return int(found[0].get("show", ""), 0) if found else None


def _point_code(scope: Element | None, prefix: str) -> int | None:
    """One number, or the network, cluster and member that it is made of."""
    parts = [_number(scope, f"{prefix}.{part}") for part in ("network", "cluster", "member")]
    if None in parts:
        return _number(scope, f"{prefix}.pc")
    network, cluster, member = (part or 0 for part in parts)
    return network << 16 | cluster << 8 | member


def _proto(packet: Element, *wanted: str) -> Element | None:
    return next((proto for proto in packet if proto.get("name") in wanted), None)


def _message(packet: Element) -> Object:
    below, sccp = _proto(packet, "m3ua", "mtp3"), _proto(packet, "sccp")
    class_ = _number(sccp, "sccp.class")
    return {
        "type": names.SCCP_TYPES[_number(sccp, "sccp.message_type") or 0],
        **{key: _number(below, f"mtp3.{key}") for key in ("opc", "dpc", "sls")},
        "class": class_,
        "return_on_error": _number(sccp, "sccp.handling") == 8,
        "return_cause": _number(sccp, "sccp.return_cause"),
        "hops": _number(sccp, "sccp.hops"),
        **{side: _party(sccp, f"sccp.{side}") for side in ("called", "calling")},
        "management": _management(_proto(packet, "sccpmg")),
        "tcap": _tcap(_proto(packet, "ansi_tcap")),
        "stopped": any(
            "ANSI_TCAP" in proto.get("showname", "") for proto in packet.findall("proto[@name='_ws.malformed']")
        ),
    }


def _party(sccp: Element | None, name: str) -> Object | None:
    if not _fields(sccp, f"{name}.ri"):
        return None
    digits = _fields(sccp, f"{name}.digits")
    return {
        "ri": _number(sccp, f"{name}.ri"),
        **{key: _number(sccp, f"{name}.{key}") for key in PARTY},
        "pc": _point_code(sccp, name),
        "digits": digits[0].get("show", "").lower() if digits else None,
    }


def _management(scmg: Element | None) -> Object | None:
    if scmg is None or (_fields(scmg, "sccpmg.unknown_msg") and not _fields(scmg, "sccpmg.ssn")):
        return None
    return {
        "type": names.MANAGEMENT_TYPES[_number(scmg, "sccpmg.message_type") or 0],
        "ssn": _number(scmg, "sccpmg.ssn"),
        "pc": _point_code(scmg, "sccpmg"),
    }


def _tcap(tcap: Element | None) -> Object | None:
    kind = next((one for one in PACKAGES if _fields(tcap, f"ansi_tcap.{one}_element")), None)
    if tcap is None or kind is None:
        return None
    identifier = _fields(tcap, "ansi_tcap.identifier")
    acn = _fields(tcap, "ansi_tcap.objectApplicationId", "ansi_tcap.integerApplicationId")
    wanted = [f"ansi_tcap.{one}_element" for one in COMPONENTS]
    return {
        "type": kind,
        "ids": identifier[0].get("value") or "" if identifier else None,
        "acn": acn[0].get("show") if acn else None,
        "components": [_component(one) for one in _fields(tcap, *wanted)],
    }


def _component(element: Element) -> Object:
    kind = (element.get("name") or "").removeprefix("ansi_tcap.").removesuffix("_element")
    code = next(iter(_fields(element, "ansi_tcap.operationCode")), None)
    wrong = next(iter(_fields(element, "ansi_tcap.errorCode")), None)
    ids = _fields(element, "ansi_tcap.componentIDs", "ansi_tcap.componentID")
    form, opcode, error = None, None, None
    if code is not None:
        form = "national" if _fields(code, "ansi_tcap.national") else "private"
        octets = int(_fields(code, f"ansi_tcap.{form}")[0].get("value", ""), 16)
        opcode = octets & 0x7FFF if form == "national" else octets  # the top bit asks for a reply
    if wrong is not None:
        found = _fields(wrong, "ansi_tcap.ec_private", "ansi_tcap.national", "ansi_tcap.private")
        error = int(found[0].get("value", ""), 16)
    return {
        "type": COMPONENTS[kind],
        "id": int(ids[0].get("value", "")[:2], 16) if ids and ids[0].get("value") else None,
        "opcode": opcode,
        "opcode_form": form,
        "error": error,
    }


# sigfw ----------------------------------------------------------------------------------------------------------------


def _view(line: Object) -> Object:
    sccp, tcap = line["sccp"], line["tcap"]
    management = sccp["management"]
    return {
        "type": sccp["type"],
        **{key: line[key] for key in ("opc", "dpc", "sls")},
        "class": sccp["class"],
        "return_on_error": sccp["return_on_error"],
        "return_cause": sccp["return_cause"],
        "hops": sccp["hop_counter"],
        **{side: _own_party(sccp[side]) for side in ("called", "calling")},
        "management": management
        and {"type": management["type"], "ssn": management["affected_ssn"], "pc": management["affected_pc"]},
        "tcap": _own_tcap(tcap) if tcap and tcap["type"] in PACKAGES else None,
        "malformed": line["error"] is not None,
    }


def _own_party(address: Object | None) -> Object | None:
    if address is None:
        return None
    seen = {key: address[key] for key in (*PARTY, "pc", "digits")}
    return {"ri": {"gt": 0, "ssn": 1}[address["route_on"]], **seen}


def _own_tcap(tcap: Object) -> Object:
    return {
        "type": tcap["type"],
        "ids": (tcap["otid"] or "") + (tcap["dtid"] or ""),
        "acn": tcap["acn"],
        "components": [
            {
                "type": c["type"],
                "id": c["invoke_id"],
                "opcode": c["opcode"],
                "opcode_form": c["opcode_form"],
                "error": c["error_code"],
            }
            for c in tcap["components"]
        ],
    }
