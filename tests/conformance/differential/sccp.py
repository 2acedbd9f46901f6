"""pycrate's reading of an SCCP message's addresses, and ours, in the decode object's keys."""

from collections.abc import Iterator
from typing import Any

from pycrate_mobile.SCCP import parse_SCCP  # type: ignore[import-untyped]

Object = dict[str, Any]

PARTIES = {"called": "CalledPartyAddr", "calling": "CallingPartyAddr"}
FIELDS = {"tt": "TranslationType", "np": "NumberingPlan", "es": "EncodingScheme", "nai": "NAI"}


def pycrate(octets: bytes) -> Object:
    """Both parties. Raises ValueError where pycrate cannot read the message."""
    message, failed = parse_SCCP(octets)
    if failed:
        raise ValueError(f"pycrate: SCCP error {failed}")
    return {party: address(message[name]["Value"]) for party, name in PARTIES.items()}


def address(value: Any) -> Object:
    indicator = value["AddrInd"]
    gti = indicator["GTInd"].get_val()
    seen: Object = {"route_on": "ssn" if indicator["RoutingInd"].get_val() else "gt", "gti": gti}
    seen["pc"] = value["PC"].get_val() if indicator["PCInd"].get_val() else None
    seen["ssn"] = value["SSN"].get_val() if indicator["SSNInd"].get_val() else None
    if gti == 0:
        return seen | dict.fromkeys(FIELDS) | {"digits": None}
    title = value["GT"].get_alt()
    there = {field._name: field for field in title}
    for key, name in FIELDS.items():
        seen[key] = there[name].get_val() if name in there else None
    # GTI 1 says odd by a bit, 3 and 4 by the encoding scheme (Q.713 3.4.2.3); pycrate keeps the filler with the digits.
    odd = there["OE"].get_val() if "OE" in there else seen["es"] == 1
    digits = "".join(f"{octet & 15:x}{octet >> 4:x}" for octet in title["Addr"].to_bytes())
    return seen | {"digits": digits[:-1] if odd else digits}


def differences(octets: bytes, decoded: Object) -> Iterator[tuple[str, Any, Any]]:
    """(key, pycrate's, ours) where they differ."""
    for party, expected in pycrate(octets).items():
        ours = decoded["sccp"][party]
        yield from ((f"{party}.{key}", value, ours[key]) for key, value in expected.items() if value != ours[key])
