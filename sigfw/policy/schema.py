"""The language of a policy as a table: each field of `when`, what its values are, which lists it may name.

Words that stand for a number on the wire (`unqualified`, `e214`, `hlr`) become that number here.
"""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from sigfw import names
from sigfw._core import mapop

SCHEMA: Final = 1
MAX_RULES: Final = 1024
MAX_CATEGORIES: Final = 16
MAX_LINKS: Final = 255  # one octet of a message's struct
MAX_PREFIX_DIGITS: Final = 16
BUILT_IN_LISTS: Final = ("home", "hosted_abroad")
ListKind = Literal["gt", "imsi", "msisdn"]
LIST_KINDS: Final[tuple[ListKind, ...]] = ("gt", "imsi", "msisdn")
EXCEPTION_ACTIONS: Final = ("allow", "drop", "reject")

RETURN_CAUSES: Final = {  # Q.713 3.12
    "no_translation_for_an_address_of_such_nature": 0,
    "no_translation_for_this_specific_address": 1,
    "subsystem_congestion": 2,
    "subsystem_failure": 3,
    "unequipped_user": 4,
    "mtp_failure": 5,
    "network_congestion": 6,
    "unqualified": 7,
    "error_in_message_transport": 8,
    "error_in_local_processing": 9,
    "destination_cannot_perform_reassembly": 10,
    "sccp_failure": 11,
    "hop_counter_violation": 12,
    "segmentation_not_supported": 13,
    "segmentation_failure": 14,
}
SSNS: Final = {  # Q.713 3.4.2.2 up to 14, TS 23.003 clause 8 from there, and for 6 to 10
    "unknown": 0,
    "sccp_management": 1,
    "isup": 3,
    "omap": 4,
    "map": 5,
    "hlr": 6,
    "vlr": 7,
    "msc": 8,
    "eir": 9,
    "auc": 10,
    "isdn_ss": 11,
    "ranap": 142,
    "rnsap": 143,
    "gmlc": 145,
    "cap": 146,
    "gsmscf": 147,
    "siwf": 148,
    "sgsn": 149,
    "ggsn": 150,
}
NUMBERING_PLANS: Final = {  # Q.713 3.4.2.3.3
    "unknown": 0,
    "e164": 1,
    "generic": 2,
    "x121": 3,
    "f69": 4,
    "e210": 5,
    "e212": 6,
    "e214": 7,
    "private": 14,
}
NATURES: Final = {"unknown": 0, "subscriber": 1, "national": 3, "international": 4}  # Q.713 3.4.2.3.1

COUNTRY_MUST: Final = "write two capital letters of ISO 3166 (DE)"
DIGITS_MUST: Final = "write digits only, in international form without + or 00 (44…)"


class Field(msgspec.Struct, frozen=True):
    """One key of `when`.

    kind: `digits` (prefixes) · `word` (one of `words`) · `number` (low to high, or one of `numbers`) · `flag` · `oid`
    (dotted) · `opcode` (number, or dotted for a global one) · `country` · `operator` · `link`.
    lists: kinds of list that `in` and `not_in` may name; home, where `home` is one of them.
    """

    kind: Literal["digits", "word", "number", "flag", "oid", "opcode", "country", "operator", "link"]
    help: str
    words: Callable[[], tuple[str, ...]] | None = None
    numbers: Mapping[str, int] = {}
    low: int = 0
    high: int = 255
    lists: tuple[ListKind, ...] = ()
    zero: bool = False  # digits that may begin with 0: an IMSI of MCC 001, or a number of unknown kind


def _words(words: tuple[str, ...]) -> Callable[[], tuple[str, ...]]:
    kept = tuple(w for w in words if w)
    return lambda: kept


@functools.cache
def operations() -> tuple[str, ...]:
    """ASN.1 names of MAP and CAP operations."""
    return tuple(sorted({name for _, name in mapop.OPERATIONS} - {""}))


@functools.cache
def address_names() -> tuple[str, ...]:
    """ASN.1 names that may stand in map.addresses.NAME: those that the core reads."""
    return tuple(n for n in mapop.FIELD_NAMES if n)


def _party(side: str) -> dict[str, Field]:
    address = f"{side} party address"
    return {
        f"{side}.gt": Field("digits", f"prefix of the GT of the {address}, normalised", lists=("gt",)),
        f"{side}.ssn": Field("number", f"subsystem number of the {address}", numbers=SSNS),
        f"{side}.np": Field("number", f"numbering plan of the {address}", numbers=NUMBERING_PLANS, high=15),
        f"{side}.nai": Field("number", f"nature of address indicator of the {address}", numbers=NATURES, high=127),
        f"{side}.tt": Field("number", f"translation type of the {address}"),
        f"{side}.gti": Field("number", f"global title indicator of the {address}; 0: no GT", high=15),
        f"{side}.pc": Field("number", f"point code in the {address}", high=0xFFFFFF),
        f"{side}.operator": Field("operator", f"TADIG code of who owns the GT of the {address}"),
        f"{side}.country": Field("country", f"country of that operator, two letters (ISO 3166): of the {address}"),
        f"{side}.absent": Field("flag", f"whether the message has no {address}"),
    }


FIELDS: Final[dict[str, Field]] = {
    "perimeter": Field("word", "side the message comes from", words=_words(names.PERIMETERS)),
    "link": Field("link", "name of one of `links`"),
    "direction": Field("word", "by `home` and the addresses", words=_words(names.DIRECTIONS)),
    "encapsulation": Field("word", "form of the record", words=_words(names.ENCAPSULATIONS)),
    "ni": Field("number", "network indicator of MTP3", high=3),
    "opc": Field("number", "originating point code", high=0xFFFFFF),
    "dpc": Field("number", "destination point code", high=0xFFFFFF),
    "sls": Field("number", "signalling link selection"),
    "sccp.type": Field("word", "SCCP message type", words=_words(tuple(names.SCCP_TYPES.values()))),
    "return_cause": Field("number", "return cause of a service message", numbers=RETURN_CAUSES),
    "management.type": Field("word", "SCCP management message", words=_words(tuple(names.MANAGEMENT_TYPES.values()))),
    **_party("called"),
    **_party("calling"),
    "tcap.type": Field("word", "TCAP package", words=_words(names.TCAP_TYPES)),
    "acn": Field("oid", "application context name, dotted"),
    "application": Field("word", "application of the operation", words=_words(names.APPLICATIONS)),
    "operation": Field("word", "ASN.1 name; Invokes only, unless `component` says otherwise", words=operations),
    "opcode": Field("opcode", "operation code: a number, or dotted for a global one", high=0x7FFFFFFF),
    "opcode_form": Field("word", "form of the operation code", words=_words(names.OPCODE_FORMS)),
    "map_version": Field("number", "version of the application context; 1 without one", low=1, high=15),
    "component": Field("word", "type of the component", words=_words(names.COMPONENT_TYPES)),
    "component_count": Field("number", "components in the message"),
    "imsi": Field("digits", "prefix of an IMSI", lists=("imsi",), zero=True),
    "msisdn": Field("digits", "prefix of an MSISDN", lists=("msisdn",)),
    "map.open.destination_reference": Field("digits", "of MAP-OpenInfo", lists=LIST_KINDS, zero=True),
    "map.open.origination_reference": Field("digits", "of MAP-OpenInfo", lists=LIST_KINDS, zero=True),
    "sm_rp_oa": Field("digits", "SM-RP-OA: who sends the short message", lists=LIST_KINDS, zero=True),
    "sm_rp_da": Field("digits", "SM-RP-DA: whom the short message is for", lists=LIST_KINDS, zero=True),
    "sms.pid": Field("number", "TP-PID (TS 23.040 9.2.3.9)"),
    "sms.dcs": Field("number", "TP-DCS (TS 23.040 9.2.3.10)"),
    "camel.gsmscf": Field("digits", "gsmSCF address of a CAMEL subscription", lists=("gt",)),
    "requested_info": Field(
        "word", "what is asked for, ASN.1 names of RequestedInfo", words=_words(names.REQUESTED_INFO)
    ),
}
ADDRESS_GT: Final = Field("digits", "prefix of an address named so in TS 29.002 or 29.078", lists=("gt",))
ADDRESS_OPERATOR: Final = Field("operator", "TADIG code of who owns that address")
_ADDRESS: Final = re.compile(r"map\.addresses\.([A-Za-z][A-Za-z0-9-]{0,63})\.(gt|operator)")


def field(name: str) -> Field | None:
    """The field of a key of `when`; None where there is none of that name."""
    if name in FIELDS:
        return FIELDS[name]
    match = _ADDRESS.fullmatch(name)
    if match is None or match[1] not in address_names():
        return None
    return ADDRESS_GT if match[2] == "gt" else ADDRESS_OPERATOR


def field_names() -> list[str]:
    """Every key that `when` may have, to find the one that was meant."""
    addresses = [f"map.addresses.{n}.{part}" for n in address_names() for part in ("gt", "operator")]
    return [*FIELDS, "check", *addresses]


def digits_problem(text: str, *, zero: bool = False) -> str | None:
    """What is wrong with a prefix, and what to do; None where it is usable."""
    if text.isdecimal() and text.isascii():
        if len(text) > MAX_PREFIX_DIGITS:
            return f"has {len(text)} digits; write {MAX_PREFIX_DIGITS} at most"
        if zero or text[0] != "0":
            return None
        rest = text.lstrip("0")
        if text.startswith("00"):
            return f"begins with the prefix 00; write {rest or 'the country code first'}"
        return "begins with 0, as national numbers do; write the country code first, without the 0 (44…)"
    bare = re.sub(
        r"[\s()+-]", "", text
    )  # a point may be a spreadsheet's: what stands behind it is no digit of the prefix
    if not text:
        return f"is empty; {DIGITS_MUST}"
    if bare.isdecimal() and bare.isascii():
        return f"holds characters that are no digits; write {bare[2:] if bare.startswith('00') else bare}"
    return f"holds characters that are no digits; {DIGITS_MUST}"


def policy_schema() -> dict[str, object]:
    """JSON Schema of a policy file, for editors. The loader checks more than it can say."""
    text, flag = {"type": "string"}, {"type": "boolean"}
    digits = {"type": ["string", "integer"]}
    texts = {"type": "array", "items": digits}
    ident = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}
    checks = {"enum": [c for c in names.CHECKS if c]}
    when: dict[str, object] = {name: _operand(f) for name, f in FIELDS.items()}
    some_checks = {"type": "array", "items": checks}
    when["check"] = {"anyOf": [checks, some_checks, _object({"all": some_checks}, ["all"])]}
    rule = {
        "id": ident,
        "category": ident,
        "when": {
            **_object(when),
            "patternProperties": {
                r"^map\.addresses\..+\.gt$": _operand(ADDRESS_GT),
                r"^map\.addresses\..+\.operator$": _operand(ADDRESS_OPERATOR),
            },
        },
        "action": {
            "anyOf": [
                {"enum": ["allow", "drop", "reject"]},
                _object({"reject": _object({"return_cause": _value(FIELDS["return_cause"])})}, ["reject"]),
                _object({"redirect": digits}, ["redirect"]),
            ]
        },
        "alert": flag,
        "mode": {"enum": [m for m in names.RULE_MODES if m]},
        "final": flag,
        "motif": text,
        "labels": {"type": "object", "additionalProperties": text},
    }
    perimeters = [p for p in names.PERIMETERS if p]
    variants = [v for v in names.VARIANTS if v]
    act = {"enum": list(EXCEPTION_ACTIONS)}
    numbers = {"type": "array", "items": {"type": "integer"}}
    one_or_more = {"anyOf": [{"type": "integer"}, numbers]}
    match = _object({"topic": {"anyOf": [text, texts]}, **dict.fromkeys(("ni", "opc", "dpc"), one_or_more)})
    link = {"name": ident, "match": match, "perimeter": {"enum": perimeters}, "variant": {"enum": variants}}
    home = dict.fromkeys(("global_titles", "imsi", "e214", "msisdn", "hosted_abroad"), texts)
    said = dict.fromkeys(("reason", "note", "source", "owner", "valid_from", "valid_until", "lessor", "lessee"), text)
    entries = {"type": "array", "items": {"anyOf": [digits, _object({"prefix": digits, **said}, ["prefix"])]}}
    one_list = _object({"kind": {"enum": list(LIST_KINDS)}, "entries": entries, "file": text}, ["kind"])
    operator: dict[str, object] = {"tadig": text, "country": text, "also": {"anyOf": [text, texts]}}
    operator |= dict.fromkeys(("global_titles", "imsi", "e214", "msisdn"), texts)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sigfw policy",
        **_object(
            {
                "schema": {"const": SCHEMA},
                "name": ident,
                "include": {"anyOf": [text, {"type": "array", "items": text}]},
                "home": _object({"country_code": digits, **home, "point_codes": numbers}),
                "links": {"type": "array", "items": _object({**link, "country_code": digits}, ["name", "perimeter"])},
                "operators": {
                    "type": "array",
                    "items": {"anyOf": [_object(operator, ["tadig"]), _object({"file": text}, ["file"])]},
                },
                "lists": {"type": "object", "additionalProperties": one_list},
                "exceptions": _object(
                    {e: {"anyOf": [act, _object(dict.fromkeys([*perimeters, "else"], act))]} for e in names.EXCEPTIONS}
                ),
                "checks": _state_checks(),
                "rules": {"type": "array", "maxItems": MAX_RULES, "items": _object(rule, ["id", "when", "action"])},
            },
            ["schema", "name"],
        ),
    }


def _state_checks() -> dict[str, object]:
    """`checks`; sigfw/policy/checks.py reads it."""
    text, number = {"type": "string"}, {"type": "integer", "minimum": 0}
    by = {"enum": list(names.LIMIT_BY)}
    operation = {"enum": list(operations())}
    limit = {
        "by": {"anyOf": [by, {"type": "array", "items": by}]},
        "operation": {"anyOf": [operation, {"type": "array", "items": operation}]},
        "per_second": {"type": "number", "exclusiveMinimum": 0},
        "burst": {"type": "integer", "minimum": 1},
    }
    limits = {"type": "array", "items": _object(limit, ["by", "per_second", "burst"])}
    scan = ("window_seconds", "subscribers_per_caller", "callers_per_subscriber")
    return _object(
        {
            "location_implausible": _object(
                {"travel": text, "unknown_subscriber": {"enum": ["unknown", True, False, "true", "false"]}}
            ),
            "sms_origin_mismatch": _object({"window_seconds": number, "hubs": text}),
            "dialogue_unknown": _object(dict.fromkeys(("lifetime_seconds", "warm_up_seconds"), number)),
            "rate_exceeded": _object({"limits": limits}, ["limits"]),
            "target_scanned": _object(dict.fromkeys(scan, number)),
        }
    )


def _object(properties: Mapping[str, object], required: list[str] | None = None) -> dict[str, object]:
    shape: dict[str, object] = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if required:
        shape["required"] = required
    return shape


def _value(f: Field) -> dict[str, object]:
    if f.kind == "flag":
        return {"type": "boolean"}
    if f.kind == "word" and f.words is not None and f.words():
        return {"enum": list(f.words())}
    if f.kind == "number":
        number: dict[str, object] = {"type": "integer", "minimum": f.low, "maximum": f.high}
        return {"anyOf": [number, {"enum": list(f.numbers)}]} if f.numbers else number
    return {"type": ["string", "integer"]} if f.kind in ("digits", "opcode") else {"type": "string"}


def _operand(f: Field) -> dict[str, object]:
    one = _value(f)
    some = {"anyOf": [one, {"type": "array", "items": one}, {"type": "string"}]}
    in_or_not = _object({"in": some, "not_in": some})
    return {"description": f.help, "anyOf": [one, {"type": "array", "items": one}, in_or_not]}
