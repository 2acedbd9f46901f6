"""What happened, why and what to do next, in a few sentences for whoever reads an event."""

from collections.abc import Mapping
from typing import Any, Final

from sigfw.policy.model import Rule

DONE: Final = {"drop": "Dropped", "reject": "Rejected", "redirect": "Redirected"}
WOULD: Final = {"drop": "dropped", "reject": "rejected", "redirect": "redirected"}
BROKEN: Final = "If a partner's equipment writes so, show its operator what `sigfw explain` says of the message."
SEGMENTS: Final = "See that all segments of a link come to one partition; many of one GT are an attack."
# By reason: why, and what to do next. Of `rule` both are made of the rule.
REASONS: Final = {
    "default": ("no rule and no exception spoke for it", "Write a rule that names it, to allow or to deny it."),
    "malformed": ("it could not be decoded", BROKEN),
    "unusable_gt": (
        "a GT of it is no number that can be looked up",
        "Where a link writes national numbers, give it its `country_code`; docs/normalisation.md says what is read.",
    ),
    "not_tcap": ("it carries no TCAP", "If the link carries such rightly, allow `not_tcap` for its perimeter."),
    "not_sccp": ("it is no SCCP", "If the link carries such rightly, allow `not_sccp` for its perimeter."),
    "unknown_operation": ("its operation is in no table", "If it is wanted, allow its `opcode` by a rule."),
    "reassembly_timeout": ("the rest of its segments did not come in time", SEGMENTS),
    "reassembly_failed": ("its segments do not make one message, or one of them was denied", SEGMENTS),
    "reassembly_orphan": ("it is a segment of nothing that is held", SEGMENTS),
    "limit_exceeded": (
        "it has more in it than there is room for",
        "No honest message is known to; docs/limits.md has the bounds.",
    ),
    "expired": (
        "it came later than `deadline_ms` allows",
        "Look at sigfw_verdict_age_seconds and at the lag: something before sigfw, or sigfw itself, is late.",
    ),
    "reject_not_permitted": (
        "the policy rejects it, and no reply may go out",
        "The sender asked for none, has no address, or the rate of replies was used up: nothing has to be done.",
    ),
    "unframed": ("no message was found in the record", "Its octets are in the dead-letter topic."),
}  # fmt: skip


def sentence(verdict: Mapping[str, Any], made: Mapping[str, Any], rule: Rule | None, count: int) -> str:
    """made: the event so far; rule: the one that decides or asks for it; count: messages it stands for."""
    ss7, action = made["ss7"], made["ss7"]["decided"]["action"]
    reason = ss7["decided"]["reason"]
    why, what_next = _why(verdict, reason, rule)
    if verdict["action"] in DONE:
        happened = f"{DONE[action]}: {_what(ss7)}, because {why}."
    elif action in WOULD and verdict["reason"] == "monitor":
        happened = f"Let through by mode monitor: {_what(ss7)}; enforcing would have {WOULD[action]} it, because {why}."
    elif action in WOULD:
        happened = f"Let through: {_what(ss7)}; a rule in shadow would have {WOULD[action]} it: {why}."
        what_next = f"Give {rule.id} `mode: enforce` once all it names is unwanted." if rule else what_next
    else:
        happened, what_next = f"Let through: {_what(ss7)}; {why} asks for an event.", "Nothing has to be done."
    more = f"{count} such messages were counted, this is the first. " if count > 1 else ""
    return f"{more}{happened} {what_next}{_indicator(ss7)}"


def _what(ss7: Mapping[str, Any]) -> str:
    who = ss7["whois"]
    said = ", ".join(ss7["operations"]) or ss7["tcap_type"] or ss7["sccp_type"] or "a message"
    about = f" about {ss7['imsi'] or ss7['msisdn']}" if ss7["imsi"] or ss7["msisdn"] else ""
    return f"{said} from {_party(ss7['calling'], who['calling'])} to {_party(ss7['called'], who['called'])}{about}"


def _party(party: Mapping[str, Any] | None, known: Mapping[str, Any]) -> str:
    country = f", {known['country']}" if known["country"] else ""
    lease = known["lease"]
    leased = f", leased by {lease['lessor'] or 'somebody'} to {lease['lessee'] or 'somebody'}" if lease else ""
    digits = party.get("digits") if party else None
    return f"{digits or 'no GT'} ({known['operator'] or 'nobody known'}{country}{leased})"


def _why(verdict: Mapping[str, Any], reason: str, rule: Rule | None) -> tuple[str, str]:
    if rule is None or (reason in REASONS and reason != "reject_not_permitted"):
        why, what_next = REASONS.get(reason, (f"of {reason}", "Ask `sigfw explain`."))
        error = verdict["error"]
        return f"{why} ({error['layer']} {error['code']} at octet {error['offset']})" if error else why, what_next
    why = f"rule {rule.id} ({rule.category}{', ' if rule.motif else ''}{rule.motif})"
    if reason == "reject_not_permitted":
        return f"{why} rejects it, and no reply may go out", REASONS[reason][1]
    return why, f"If it is wanted, allow it before {rule.id} in {rule.category}; else show it to the GT's operator."


def _indicator(ss7: Mapping[str, Any]) -> str:
    if ss7["regime"] or ss7["whois"]["calling"]["lease"]:
        under = f" under {ss7['regime']}" if ss7["regime"] else ""
        return f" A GT in a register{under} is an indicator, not proof."
    return ""
