"""What SigFW's words mean: its actions, opcodes, Lua variables, and the keys that have no place in a policy."""

import re
from collections.abc import Iterable
from typing import Final

from sigfw import names
from sigfw.policy import schema
from sigfw.yamlfile import shown

__all__ = ["ACTIONS", "ELSEWHERE", "IMSI_READ", "lua", "operations"]

ACTIONS: Final = {
    "DROP_SILENTLY": "drop",
    "DROP_WITH_SCCP_ERROR": "reject",
    "DNAT_TO_HONEYPOT": "redirect",
    "ALLOW": "drop",  # in shadow
}
IMSI_READ: Final = (3, 4, 7, 8, 70)  # opcodes whose IMSI SigFW reads
LUA: Final = re.compile(r"\s*(\w+)\s*==\s*(['\"])([0-9.]{1,64})\2\s*")
LUA_FIELDS: Final = {
    "sccp_calling_gt": "calling.gt",
    "sccp_called_gt": "called.gt",
    "map_imsi": "imsi",
    "map_msisdn": "msisdn",
    "tcap_ac": "acn",
    "tcap_oc": "operation",
    "tcap_tag": "tcap.type",
}
TCAP_TAGS: Final = {"1": "unidirectional", "2": "begin", "4": "end", "5": "continue", "7": "abort"}  # Q.773 4.2.1
OID: Final = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,9})){1,31}")
# Keys that have no place in a policy, and what to do instead.
ELSEWHERE: Final = {
    "operator_configuration.FW_GT": "sigfw sends no requests of its own, and needs no GT",
    "sigfw_configuration.sctp": "sigfw reads records, not associations",
    "sigfw_configuration.m3ua": "sigfw is no signalling point; `links` say by opc, dpc or topic which side is which",
    "sigfw_configuration.firewall_rules.ids": "no call a message; consume the events topic instead",
    "sigfw_configuration.firewall_rules.mthreat": "nothing is sent away; consume the events topic instead",
    "sigfw_configuration.encryption_rules": "messages are not changed, so none is encrypted",
    "sigfw_configuration.signature_rules": "messages are not changed, so none is signed, and no signature verified",
}


def operations(codes: Iterable[int]) -> tuple[list[str], list[str], list[int]]:
    """MAP's operations, CAP's of the same opcodes, and opcodes of neither."""
    by_map: dict[str, None] = {}
    by_cap: dict[str, None] = {}
    unknown = []
    for code in codes:
        of = {app: name for app, opcode, name, _ in names.OPERATIONS if opcode == code}
        by_map |= dict.fromkeys([of["map"]] if "map" in of else [])
        by_map |= dict.fromkeys(["mt-forwardSM"] if code == 46 else [])  # its opcode as well up to version 2
        by_cap |= dict.fromkeys([of["cap"]] if "cap" in of else [])
        unknown += [] if of else [code]
    return list(by_map), list(by_cap), unknown


def lua(text: str) -> tuple[str, str]:
    """The inside of a `when`, or why there is none: only equalities joined by `and` are read."""
    when: dict[str, str] = {}
    for part in text.split(" and "):
        match = LUA.fullmatch(part)
        if match is None:
            return "", "only `variable == 'digits'`, joined by `and`, is read; write it as `when` by hand"
        field, value = LUA_FIELDS.get(match[1]), match[3]
        if field is None:
            return "", f"SigFW sets no variable {shown(match[1])}"
        if field in when:
            return "", f"it asks twice for {match[1]}"
        known = _lua_value(field, value)
        if not known:
            return "", f"{shown(value)} is no {match[1]} that sigfw can match"
        when[field] = known
    return ", ".join(f"{field}: {value}" for field, value in when.items()), ""


def _lua_value(field: str, value: str) -> str:
    """As it stands in the YAML; "": it cannot."""
    if field == "acn":
        return value if OID.fullmatch(value) else ""
    if field == "tcap.type":
        return TCAP_TAGS.get(value, "")
    if field == "operation":
        found = operations([int(value)])[0] if value.isdecimal() and len(value) < 4 else []
        return f"[{', '.join(found)}]" if found else ""
    return "" if schema.digits_problem(value, zero=field == "imsi") else f'"{value}"'
