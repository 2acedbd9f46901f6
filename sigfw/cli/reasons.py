"""Why a rule matched or did not: what it wanted of a field, and what was there."""

from dataclasses import dataclass
from typing import Any

from sigfw import names
from sigfw._core.tables import Tables
from sigfw.dissect.node import Object
from sigfw.dissect.words import context_name
from sigfw.policy.compiler import EARLY_FIELDS, conditions, is_early
from sigfw.policy.model import Condition, Operand, Policy, Rule

OUTCOMES = {"true": "true", "false": "false", "unknown": "unknown", "both": "true of one value and false of another"}
MANY = 4  # values written out in a reason


@dataclass
class Tried:
    """A rule on a component in a reading. failed: its fields that do not hold; first: of its category, in its mode."""

    number: int
    rule: Rule
    matched: bool
    failed: list[str]
    first: bool
    open: bool = False  # a segment does not have all that it asks for


class Facts:
    """What a message was to the rules: its line, and what the core found besides."""

    def __init__(self, line: Object, facts: Object, tables: Tables, policy: Policy) -> None:
        self.line = line
        self.facts = facts
        self.tables = tables
        self.policy = policy

    def tried(self, rules: list[tuple[int, bool, list[str], bool]]) -> list[Tried]:
        found = []
        whole = self.facts["segment"] in ("", "final")
        for index, matched, failed, first in rules:
            rule = self.policy.rules[index - 1]
            one = Tried(index, rule, matched, failed, first)
            if not whole and not is_early(rule):
                one.failed = [name for name in failed if name in EARLY_FIELDS]
                one.open, one.matched, one.first = not one.failed, False, False
            found.append(one)
        return found

    # ---- what was there ----------------------------------------------------------------------------------------------

    def component(self, index: int) -> Object:
        components: list[Object] = (self.line["tcap"] or {}).get("components", [])
        return components[index] if 0 <= index < len(components) else {}

    def number(self, readings: list[tuple[str, str]], aspect: str) -> list[str]:
        if aspect == "gt":
            return [digits for _, digits in readings]
        found = []
        for space, digits in readings:
            known = self.tables.lookup(digits, space) or {}
            found.append(str(known.get(aspect) or "unknown"))
        return found

    def found(self, name: str, component: int, reading: int) -> list[str]:
        """The values of a field, as a rule would write them; none: the message lacks it."""
        line, facts, one = self.line, self.facts, self.component(component)
        sccp = line["sccp"] or {}
        side, _, aspect = name.partition(".")
        if side in ("called", "calling"):
            return self.party(sccp.get(side), facts[side], aspect)
        if name in ("opc", "dpc", "sls", "ni", "encapsulation", "perimeter"):
            return given(line[name])
        if name in ("link", "direction"):
            return given(facts[name] or None)
        if name in ("sccp.type", "return_cause"):
            return given(sccp.get(name.removeprefix("sccp.")))
        if name == "management.type":
            return given((sccp.get("management") or {}).get("type"))
        if name in ("tcap.type", "acn"):
            return given((line["tcap"] or {}).get(name.removeprefix("tcap.")))
        if name == "component_count":
            return given(len(line["tcap"]["components"]) if line["tcap"] else None)
        if name == "component":
            return given(one.get("type"))
        if name in ("opcode", "opcode_form"):
            return given(one.get(name))
        if name in ("operation", "application"):
            readings = one.get("readings", [])
            said = readings[reading].split(":") if 0 <= reading < len(readings) else [one.get("application"), None]
            return given(said[name == "operation"])
        return self.numbers(name) if name != "map_version" else given(self.version(component, reading))

    def version(self, component: int, reading: int) -> str | None:
        """The last arc of a MAP context; without one, what opens a dialogue of MAP is version 1."""
        tcap = self.line["tcap"] or {}
        name = context_name(str(tcap.get("acn") or ""))
        if tcap.get("acn"):
            return str(tcap["acn"]).split(".")[7] if name and not name.startswith("CAP") else None
        opens = tcap.get("type") in ("begin", "unidirectional")
        return "1" if opens and self.found("application", component, reading) == ["map"] else None

    @staticmethod
    def party(party: Object | None, readings: list[tuple[str, str]], aspect: str) -> list[str]:
        if aspect == "absent":
            return [str(party is None or all(party[k] is None for k in ("digits", "ssn", "pc"))).lower()]
        if aspect in ("gt", "operator", "country"):
            if not readings and party and party["digits"] is not None:
                return [f"{party['digits']}, which cannot be normalised,"]
            return [f"{aspect}:{space}:{digits}" for space, digits in readings]
        return given(party[aspect] if party else None)

    def numbers(self, name: str) -> list[str]:
        facts = self.facts
        if name.startswith("sms."):
            return given(f"0x{facts['sms'][name == 'sms.dcs']:02x}" if facts["sms"] else None)
        if name == "requested_info":
            return list(facts["requested_info"])
        address, _, aspect = name.removeprefix("map.addresses.").rpartition(".")
        if name.startswith("map.addresses."):
            these = [n for n in facts["numbers"] if n["name"] == address]
        elif name in ("imsi", "msisdn"):
            these, aspect = [n for n in facts["numbers"] if n["kind"] == name], "gt"
        else:
            these, aspect = [n for n in facts["numbers"] if name in n["roles"]], "gt"
        out = []
        for n in these:
            out += [f"{aspect}:{space}:{digits}" for space, digits in n["readings"]] or [n["digits"]]
        return out

    def spoken(self, values: list[str]) -> str:
        """Numbers come as `aspect:space:digits`: with what the policy knows of them."""
        said = []
        for value in values:
            aspect, colon, rest = value.partition(":")
            space, _, digits = rest.partition(":")
            if not colon or space not in names.SPACES:
                said.append(value)
                continue
            known: dict[str, Any] = self.tables.lookup(digits, space) or {}
            if aspect == "gt":
                lists = ", ".join(known.get("lists") or ())
                said.append(f"{digits} (in {lists})" if lists else f"{digits} (in no list)")
            else:
                said.append(str(known.get(aspect) or "none"))
        return " and ".join(dict.fromkeys(said)) or "absent"

    # ---- reasons -----------------------------------------------------------------------------------------------------

    def reasons(self, tried: Tried, component: int, reading: int) -> list[str]:
        """Of each condition that does not hold: what is there, and what was wanted."""
        out = []
        for one in conditions(tried.rule):
            if one.field not in tried.failed:
                continue
            if one.field == "component" and "operation" in tried.failed and one not in tried.rule.when:
                continue
            value = self.spoken(self.found(one.field, component, reading))
            out.append(f"{one.field} is {value}, wanted {wanted(one)}")
        if "check" in tried.failed:
            out.append(self.checked(tried.rule, component, reading))
        return out

    def holds(self, rule: Rule, component: int, reading: int) -> str:
        """Of each condition of a rule that matched, what is there."""
        said = [f"{c.field} {self.spoken(self.found(c.field, component, reading))}" for c in rule.when]
        outcomes = self.facts["checks"].get((component, reading), {})
        said += [f"{check} is {OUTCOMES[outcomes.get(check, 'unknown')]}" for check in rule.checks]
        return ", ".join(said) or "it matches every message"

    def checked(self, rule: Rule, component: int, reading: int) -> str:
        said = self.facts["checks"].get((component, reading), {})
        word = " and " if rule.checks_all else " or "
        state = [c for c in rule.checks if names.CHECKS.index(c) >= names.FIRST_STATE_CHECK]
        values = ", ".join(f"{check} is {OUTCOMES[said.get(check, 'unknown')]}" for check in rule.checks)
        wanted = f", wanted {word.join(rule.checks)}" if len(rule.checks) > 1 else ""
        return f"{values}{wanted}" + (" (no state is kept)" if state else "")


def given(value: object) -> list[str]:
    return [] if value is None else [str(value).lower() if isinstance(value, bool) else str(value)]


def operand(one: Operand) -> str:
    if one.list is not None:
        return f"in {one.list}"
    values = [str(v).lower() if isinstance(v, bool) else str(v) for v in one.values]
    if len(values) > MANY:
        return f"{', '.join(values[: MANY - 1])} or {len(values) - MANY + 1} more"
    return " or ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)


def wanted(one: Condition) -> str:
    parts = [operand(one.within)] if one.within else []
    parts += [f"not {operand(one.without)}"] if one.without else []
    return ", ".join(parts)
