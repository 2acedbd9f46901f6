"""The event of a verdict: ECS names where ECS has one, ours under `ss7`; who is behind the GTs, and why."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from sigfw.pipeline.sentence import sentence
from sigfw.policy.model import Rule

Object = dict[str, Any]

ECS: Final = "8.11.0"
FRAMEWORK: Final = "GSMA MoTIF"
DENIES: Final = ("drop", "reject", "redirect")
NOBODY: Final[Object] = {"operator": None, "country": None, "lease": None}
# A flood comes from few GTs, and one that varies its GT is told with MAX_KEYS of events.Flood at most.
KNOWN_GTS: Final = 4096


class Teller:
    """What a policy knows that a verdict does not say. whois: of a normalised GT, who it belongs to.

    Digits are looked up in clear; what leaves are those of the verdict, pseudonyms where it has them.
    """

    def __init__(self, rules: Iterable[Rule] = (), whois: Callable[[str], Object] = lambda digits: NOBODY) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self._whois = lru_cache(KNOWN_GTS)(whois)

    def event(
        self,
        verdict: Object,
        *,
        calling: str = "",
        called: str = "",
        alert: str = "",
        octets: bytes = b"",
        count: int = 1,
    ) -> bytes:
        """The event of a verdict object.

        calling, called: digits in clear; alert: the rule that asks for it whatever the action; octets: of the message,
        where they may leave; count: how many messages of a flood it stands for, of which this is the first.
        """
        decided = _decided(verdict, alert)
        rule = self._rules.get(decided["rule"] or "")
        whois = {"calling": self._who(calling), "called": self._who(called)}
        made = _event(verdict, decided, rule, whois)
        made["ss7"] |= {"alert": alert or None, "count": count}
        if octets:
            made["ss7"]["octets"] = octets.hex()
        made["message"] = sentence(verdict, made, rule, count)
        return orjson.dumps(made)

    def _who(self, digits: str) -> Object:
        return self._whois(digits) if digits else NOBODY


def _decided(verdict: Object, alert: str) -> Object:
    """What the event is about: the denial, else what shadow or monitor would have denied, else what asks for it."""
    shadow = verdict["shadow"]
    if verdict["action"] not in DENIES and shadow and shadow["action"] in DENIES:
        return {"action": shadow["action"], "rule": shadow["rule"], "reason": shadow["reason"]}
    rule = verdict["rule"] if verdict["action"] in DENIES else alert or verdict["rule"]
    return {"action": verdict["action"], "rule": rule, "reason": verdict["reason"]}


def _event(verdict: Object, decided: Object, rule: Rule | None, whois: Object) -> Object:
    sccp, decoded = verdict["sccp"] or {}, verdict["map"] or {}
    called, calling = sccp.get("called"), sccp.get("calling")
    made: Object = {
        "@timestamp": verdict["time"] or datetime.now(UTC).isoformat(timespec="microseconds")[:26] + "Z",
        "ecs": {"version": ECS},
        "event": {
            "id": verdict["id"],
            "kind": "alert",
            "category": ["network", "intrusion_detection"],
            "type": ["denied"] if verdict["action"] in DENIES else ["info"],
            "action": verdict["action"],
            "reason": verdict["reason"],
            "dataset": "sigfw.events",
        },
        "rule": {
            "id": decided["rule"],
            "category": rule.category if rule else verdict["category"],
            "ruleset": verdict["policy"]["name"],
            "version": verdict["policy"]["digest"],
        },
        "source": _end(calling, whois["calling"]),
        "destination": _end(called, whois["called"]),
        "related": {
            "hosts": _texts((calling or {}).get("digits"), (called or {}).get("digits")),
            "user": _texts(decoded.get("imsi"), decoded.get("msisdn")),
        },
        "ss7": _ss7(verdict, sccp, decoded)
        | {"decided": decided, "whois": whois, "regime": rule.labels.get("regime") if rule else None},
    }
    if rule and rule.motif:
        made["threat"] = {"framework": FRAMEWORK, "technique": {"id": [rule.motif]}}
    if rule and rule.labels:
        made["labels"] = rule.labels
    return made


def _ss7(verdict: Object, sccp: Object, decoded: Object) -> Object:
    tcap = verdict["tcap"] or {}
    components = tcap.get("components", [])
    return {
        "perimeter": verdict["perimeter"],
        "shadow": verdict["shadow"],
        "called": sccp.get("called"),
        "calling": sccp.get("calling"),
        "opc": verdict["opc"],
        "dpc": verdict["dpc"],
        "ni": verdict["ni"],
        "sccp_type": sccp.get("type"),
        "tcap_type": tcap.get("type"),
        "acn": tcap.get("acn"),
        "operations": [c["operation"] or str(c["opcode"]) for c in components if c["type"] == "invoke"],
        "opcode_forms": sorted({c["opcode_form"] for c in components if c["opcode_form"]}),
        "imsi": decoded.get("imsi"),
        "msisdn": decoded.get("msisdn"),
        "addresses": decoded.get("addresses", {}),
        "error": verdict["error"],
    }


def _end(party: Object | None, known: Object) -> Object:
    """ECS source and destination: the GT, and the country that it is of."""
    made: Object = {"address": (party or {}).get("digits")}
    if known["country"]:
        made["geo"] = {"country_iso_code": known["country"]}
    return made


def _texts(*values: str | None) -> list[str]:
    return [value for value in dict.fromkeys(values) if value]
