"""JSON Schemas of what leaves sigfw: verdicts and events. `sigfw schema` prints them, tests hold records to them."""

from collections.abc import Sequence
from typing import Any

from sigfw import names

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
INTEGER: Schema = {"type": "integer", "minimum": 0}
STRING: Schema = {"type": "string"}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(values: Sequence[str]) -> Schema:
    return {"enum": [v for v in values if v]}


def closed(properties: Schema, optional: Sequence[str] = ()) -> Schema:
    """An object with just these keys, all there but the optional ones."""
    return {
        "type": "object",
        "properties": properties,
        "required": [key for key in properties if key not in optional],
        "additionalProperties": False,
    }


DIGITS: Schema = {"type": "string", "pattern": "^[0-9a-f]*(hmac:[0-9a-f]{16})?$"}
TIME: Schema = {"type": "string", "pattern": r"^\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"}
ACTION = one_of(names.ACTIONS)
REASON = one_of(names.REASONS)
PERIMETER = one_of(names.PERIMETERS)
ERROR = nullable(closed({"layer": one_of(names.LAYERS), "code": one_of(names.ERROR_CODES), "offset": INTEGER}))
SHADOW = nullable(closed({"action": ACTION, "rule": nullable(STRING), "reason": REASON}))
ADDRESSES: Schema = {"type": "object", "additionalProperties": {"type": "array", "items": DIGITS}}
PARTY = nullable(
    closed(
        {
            "route_on": {"enum": ["gt", "ssn"]},
            "gti": INTEGER,
            "tt": nullable(INTEGER),
            "np": nullable(INTEGER),
            "es": nullable(INTEGER),
            "nai": nullable(INTEGER),
            "digits": nullable(DIGITS),
            "ssn": nullable(INTEGER),
            "pc": nullable(INTEGER),
        }
    )
)
SCCP = closed(
    {
        "type": one_of(tuple(names.SCCP_TYPES.values())),
        "class": nullable(INTEGER),
        "return_on_error": {"type": "boolean"},
        "hop_counter": nullable(INTEGER),
        "return_cause": nullable(INTEGER),
        "called": PARTY,
        "calling": PARTY,
        "segmentation": nullable(
            closed(
                {
                    "first": {"type": "boolean"},
                    "remaining": INTEGER,
                    "local_reference": {"type": "string", "pattern": "^[0-9a-f]{6}$"},
                    "class": INTEGER,
                }
            )
        ),
        "management": nullable(
            closed(
                {
                    "type": one_of(tuple(names.MANAGEMENT_TYPES.values())),
                    "affected_ssn": INTEGER,
                    "affected_pc": INTEGER,
                }
            )
        ),
    }
)
TRANSACTION: Schema = {"type": "string", "pattern": "^([0-9a-f]{2}){1,4}$"}
COMPONENT = closed(
    {
        "type": one_of(names.COMPONENT_TYPES),
        "invoke_id": nullable({"type": "integer"}),
        "opcode": nullable({"type": ["integer", "string"]}),
        "opcode_form": nullable(one_of(names.OPCODE_FORMS)),
        "error_code": nullable({"type": "integer"}),
        "application": nullable(one_of(names.APPLICATIONS)),
        "operation": nullable(STRING),
        "readings": {"type": "array", "items": {"type": "string", "pattern": "^(map|cap):"}},
    }
)
TCAP = closed(
    {
        "type": one_of(names.TCAP_TYPES),
        "otid": nullable(TRANSACTION),
        "dtid": nullable(TRANSACTION),
        "acn": nullable(STRING),
        "components": {"type": "array", "items": COMPONENT},
    }
)
MAP = closed(
    {
        "imsi": nullable(DIGITS),
        "msisdn": nullable(DIGITS),
        "identities": {
            "type": "array",
            "items": closed({"kind": one_of(names.NUMBER_KINDS[:-1]), "digits": DIGITS, "origin": STRING}),
        },
        "addresses": ADDRESSES,
        "open": closed({"destination_reference": nullable(DIGITS), "origination_reference": nullable(DIGITS)}),
    }
)
DECODED: Schema = {
    "frame": INTEGER,
    "index": INTEGER,
    "time": nullable(TIME),
    "encapsulation": nullable(one_of(names.ENCAPSULATIONS)),
    "opc": nullable(INTEGER),
    "dpc": nullable(INTEGER),
    "sls": nullable(INTEGER),
    "ni": nullable(INTEGER),
    "sccp": nullable(SCCP),
    "reassembly": nullable(
        closed(
            {
                "id": STRING,
                "part": nullable(INTEGER),
                "final": {"type": "boolean"},
                "parts": {"type": "array", "items": STRING},
            }
        )
    ),
    "tcap": nullable(TCAP),
    "map": nullable(MAP),
    "error": ERROR,
}


def verdict_schema() -> Schema:
    """Of one verdict: a line of `sigfw screen --format jsonl`, of a JSON verdict record, of a verdict file."""
    verdict = {
        "id": STRING,
        "action": ACTION,
        "reason": REASON,
        "rule": nullable(STRING),
        "category": nullable(STRING),
        "perimeter": PERIMETER,
        "shadow": SHADOW,
        "policy": closed({"name": STRING, "digest": {"type": "string", "pattern": "^[0-9a-f]{16}$"}}),
        "reply": {"type": "string", "pattern": "^([0-9a-f]{2})+$"},
        "redirect": DIGITS,
    }
    return {"$schema": DIALECT, "title": "sigfw verdict", **closed(verdict | DECODED, optional=("reply", "redirect"))}


WHOIS = closed(
    {
        "operator": nullable(STRING),
        "country": nullable(STRING),
        "lease": nullable(closed({key: nullable(STRING) for key in ("lessor", "lessee", "valid_until", "source")})),
    }
)
END = closed({"address": nullable(DIGITS), "geo": closed({"country_iso_code": STRING})}, optional=("geo",))


def event_schema() -> Schema:
    """Of one record of the events topic or file."""
    ss7 = {
        "perimeter": PERIMETER,
        "decided": closed({"action": ACTION, "rule": nullable(STRING), "reason": REASON}),
        "shadow": SHADOW,
        "alert": nullable(STRING),
        "regime": nullable(STRING),
        "whois": closed({"calling": WHOIS, "called": WHOIS}),
        "called": PARTY,
        "calling": PARTY,
        "opc": nullable(INTEGER),
        "dpc": nullable(INTEGER),
        "ni": nullable(INTEGER),
        "sccp_type": nullable(STRING),
        "tcap_type": nullable(one_of(names.TCAP_TYPES)),
        "acn": nullable(STRING),
        "operations": {"type": "array", "items": STRING},
        "opcode_forms": {"type": "array", "items": one_of(names.OPCODE_FORMS)},
        "imsi": nullable(DIGITS),
        "msisdn": nullable(DIGITS),
        "addresses": ADDRESSES,
        "error": ERROR,
        "octets": {"type": "string", "pattern": "^([0-9a-f]{2})+$"},
        "count": {"type": "integer", "minimum": 1},
    }
    event = {
        "@timestamp": TIME,
        "ecs": closed({"version": STRING}),
        "message": STRING,
        "event": closed(
            {
                "id": STRING,
                "kind": {"const": "alert"},
                "category": {"type": "array", "items": STRING},
                "type": {"type": "array", "items": {"enum": ["denied", "info"]}},
                "action": ACTION,
                "reason": REASON,
                "dataset": {"const": "sigfw.events"},
            }
        ),
        "rule": closed({"id": nullable(STRING), "category": nullable(STRING), "ruleset": STRING, "version": STRING}),
        "threat": closed(
            {"framework": STRING, "technique": closed({"id": {"type": "array", "items": STRING, "minItems": 1}})}
        ),
        "labels": {"type": "object", "additionalProperties": STRING},
        "source": END,
        "destination": END,
        "related": closed({key: {"type": "array", "items": DIGITS} for key in ("hosts", "user")}),
        "ss7": closed(ss7, optional=("octets",)),
    }
    return {"$schema": DIALECT, "title": "sigfw event", **closed(event, optional=("threat", "labels"))}
