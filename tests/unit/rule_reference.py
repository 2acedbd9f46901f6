"""The rule language once more, straight from its description, in plain Python and without a row of bits: an oracle."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sigfw import names
from sigfw._core.normalise import gt_readings, number_readings
from sigfw.policy.compiler import Vocabulary, oid_octets
from sigfw.policy.model import Condition, Home, Link, Operand, Policy, Rule

Value = Any
Number = tuple[str, str]  # space, digits

VOCABULARY = Vocabulary(
    operations=(
        ("", ""),
        ("map", "updateLocation"),
        ("map", "anyTimeInterrogation"),
        ("map", "mo-forwardSM"),
        ("cap", "initialDP"),
        ("cap", "activityTest"),
        ("map", "activityTest"),
    ),
    addresses=("", "msc-Number", "vlr-Number", "serviceCentreAddress"),
    requested_info=("locationInformation", "subscriberState", "currentLocation"),
)
ROLE_BITS = {"sm_rp_oa": 1, "sm_rp_da": 2, "camel.gsmscf": 4, "map.open.destination_reference": 16,
             "map.open.origination_reference": 32}  # fmt: skip
NODE_BIT = 8
EX = {name: 1 << i for i, name in enumerate(names.EXCEPTIONS)}


def make_policy(rules: Iterable[Rule] = (), **changes: Any) -> Policy:
    exceptions: Any = {name: dict.fromkeys(names.PERIMETERS[1:], action) for name, action in names.EXCEPTIONS.items()}
    for name, action in changes.pop("exceptions", {}).items():
        exceptions[name] = action if isinstance(action, dict) else dict.fromkeys(names.PERIMETERS[1:], action)
    base: dict[str, Any] = {
        "name": "test", "digest": "0123456789abcdef", "home": Home(), "links": (), "operators": (), "lists": {},
        "rules": tuple(rules), "exceptions": exceptions,
    }  # fmt: skip
    return Policy(**{**base, **changes})


def make_rule(
    rule_id: str = "r", /, *, action: str = "drop", category: str = "c", when: Any = None, **rest: Any
) -> Rule:
    """when: {field: value, or a list of them, or {"in": …, "not_in": …} of a list's name or values}."""
    return Rule(
        id=rule_id,
        action=action,  # type: ignore[arg-type]
        category=category,
        when=tuple(make_condition(field, value) for field, value in (when or {}).items()),
        **rest,
    )


def make_condition(field: str, value: Any) -> Condition:
    def operand(one: Any) -> Operand | None:
        if one is None:
            return None
        return Operand(list=one) if isinstance(one, str) else Operand(values=tuple(one))

    if isinstance(value, dict):
        return Condition(field=field, within=operand(value.get("in")), without=operand(value.get("not_in")))
    return Condition(field=field, within=Operand(values=tuple(value) if isinstance(value, list) else (value,)))


@dataclass(frozen=True)
class Numbers:
    """What a policy says of a number in a space."""

    policy: Policy

    def longest(self, pairs: Iterable[tuple[str, Any]], digits: str) -> Any:
        best = max((pair for pair in pairs if digits.startswith(pair[0])), key=lambda pair: len(pair[0]), default=None)
        return None if best is None else best[1]

    def home(self, space: str) -> tuple[str, ...]:
        home = self.policy.home
        return {"e164": home.global_titles, "e214": home.e214, "e212": home.imsi,
                "msisdn": home.msisdn or home.global_titles}[space]  # fmt: skip

    def in_list(self, name: str, number: Number) -> bool:
        space, digits = number
        if name == "home":
            return any(digits.startswith(one) for one in self.home(space))
        if name == "hosted_abroad":
            return space in ("e164", "e214") and any(digits.startswith(one) for one in self.policy.home.hosted_abroad)
        one = self.policy.lists[name]
        if space not in {"gt": ("e164", "e214"), "imsi": ("e212",), "msisdn": ("msisdn",)}[one.kind]:
            return False
        entries = sorted(one.entries, key=lambda entry: not entry.exclude)  # at one prefix the exception counts
        return bool(self.longest(((entry.prefix, not entry.exclude) for entry in entries), digits))

    def home_operator(self) -> str:
        """Home is the operator that lists one of its prefixes."""
        home = self.policy.home
        for one in self.policy.operators:
            if {*home.global_titles} & {*one.global_titles} or {*home.imsi} & {*one.imsi}:
                return one.tadig
        return "home"

    def operator(self, number: Number | None) -> str:
        """The TADIG code, or `home`; "" where there is none."""
        return self.owner(number)[0]

    def owner(self, number: Number | None) -> tuple[str, frozenset[str]]:
        """The operator, and those that the number counts as, too."""
        if number is None:
            return "", frozenset()
        space, digits = number
        pairs = [(one, (self.home_operator(), frozenset[str]())) for one in self.home(space)]
        known = {one for one, _ in pairs}
        for operator in sorted(self.policy.operators, key=lambda one: one.tadig != self.home_operator()):
            for prefix in operator.imsi if space == "e212" else operator.global_titles:
                if prefix not in known:
                    also = [one.also for one in operator.shared if one.prefix == prefix]
                    pairs.append((prefix, (operator.tadig, frozenset(*also))))
                    known.add(prefix)
        return self.longest(pairs, digits) or ("", frozenset())

    def is_one(self, a: Number | None, b: Number | None) -> bool:
        (one, also), (other, too) = self.owner(a), self.owner(b)
        return one == other or other in also or one in too

    def country(self, number: Number) -> str:
        tadig = self.operator(number)
        return next((one.country for one in self.policy.operators if one.tadig == tadig), "")


class Message:
    """What a rule can ask of a message: every field as the list of its values."""

    def __init__(
        self, policy: Policy, message: dict[str, Any], data: bytes = b"", *, perimeter: int = 0, topic: str = ""
    ) -> None:
        self.m = message
        self.data = data
        self.policy = policy
        self.numbers = Numbers(policy=policy)
        self.link = link = next((i for i, one in enumerate(policy.links, 1) if self.on_link(one, topic)), 0)
        header = message.get("header_perimeter", 0)
        self.perimeter = perimeter or header or 1
        if link:
            self.perimeter = names.PERIMETERS.index(policy.links[link - 1].perimeter)
            if header not in (0, self.perimeter):
                self.perimeter = 1
        cc = policy.links[link - 1].country_code if link else ""
        self.cc = cc or policy.home.country_code
        self.parties = {name: self.party(message.get(name, {})) for name in ("called", "calling")}
        self.inner = [(one, self.inner_readings(one)) for one in message.get("numbers", ())]
        self.exceptions = message.get("exceptions", 0)
        if any("gt" in message.get(name, {}) and not self.parties[name] for name in ("called", "calling")):
            self.exceptions |= EX["unusable_gt"]
        if message.get("expired"):
            self.exceptions |= EX["expired"]

    def mtp(self, name: str) -> int | None:
        """OPC, DPC, SLS, NI; of headers the point codes alone."""
        if "opc" not in self.m or (name in ("ni", "sls") and self.m.get("mtp_from_headers")):
            return None
        return int(self.m.get(name, 0))

    def on_link(self, link: Link, topic: str) -> bool:
        parts = (("ni", link.ni), ("opc", link.opc), ("dpc", link.dpc))
        return (not link.topics or topic in link.topics) and all(not w or self.mtp(name) in w for name, w in parts)

    def party(self, party: dict[str, Any]) -> list[Number]:
        if "gt" not in party:
            return []
        found = gt_readings(party["gt"], np=party.get("np"), nai=party.get("nai"), home_country_code=self.cc)
        return [(names.SPACES[space], digits) for space, digits in found]

    def inner_readings(self, one: dict[str, Any]) -> list[Number]:
        found = number_readings(one["digits"], one["kind"], nature=one.get("nature", 1), plan=one.get("plan", 1),
                                home_country_code=self.cc)  # fmt: skip
        return [(names.SPACES[space], digits) for space, digits in found]

    def side(self, name: str, *, sure: bool = False) -> str:
        """sure: a GT of two readings is home's only if both are."""
        party = self.m.get(name, {})
        if "gt" in party:
            home = [self.numbers.in_list("home", one) for one in self.parties[name]]
            return "home" if home and (all if sure else any)(home) else "other"
        pc = party.get("pc", self.mtp("opc" if name == "calling" else "dpc"))
        if pc is None or not self.policy.home.point_codes:
            return "unknown"
        return "home" if pc in self.policy.home.point_codes else "other"

    def directions(self) -> list[str]:
        """By every reading of the GTs; first the one that is told."""
        found = [
            self.direction(self.side("called", sure=sure), self.side("calling", sure=surely))
            for sure in (False, True)
            for surely in (True, False)
        ]
        return list(dict.fromkeys(found))

    def direction(self, called: str, calling: str) -> str:
        if (called == "home") != (calling == "home"):
            return "inbound" if called == "home" else "outbound"
        return "transit" if called == calling == "other" else "unknown"

    def lacks(self, component: dict[str, Any] | None, wanted: Callable[[dict[str, Any]], bool]) -> bool:
        """Of several components: whether neither this one nor the dialogue portion has such a number."""
        components = self.m.get("components", ())
        if len(components) < 2:
            return False
        index = next(i for i, one in enumerate(components) if one is component)
        return not any(wanted(one) and one.get("origin", 0) in (-1, index) for one, _ in self.inner)

    def of_inner(
        self, component: dict[str, Any] | None, wanted: Callable[[dict[str, Any]], bool]
    ) -> list[Number | None]:
        """Of all components and the dialogue portion; None for what is no number, or is not there beside others'."""
        found: list[Number | None] = []
        for one, readings in self.inner:
            if wanted(one):
                found += readings or [None]
        return [*found, None] if found and self.lacks(component, wanted) else found

    def values(self, field: str, component: dict[str, Any] | None, reading: int) -> list[Value]:
        m, party, aspect = self.m, *([*field.split(".", 1), ""])[:2]
        if party in ("called", "calling"):
            address = m.get(party, {})
            if aspect in ("gt", "operator", "country"):
                return list(self.parties[party])
            if aspect == "absent":
                return [not address.keys() & {"gt", "pc", "ssn"}]
            return [address.get("gti", 0)] if aspect == "gti" else [address[aspect]] if aspect in address else []
        if field in ROLE_BITS:
            return self.of_inner(component, lambda one: bool(one.get("role", 0) & ROLE_BITS[field]))
        if field in ("imsi", "msisdn"):
            return self.of_inner(component, lambda one: names.NUMBER_KINDS[one["kind"]] == field)
        if field.startswith("map.addresses."):
            name = field.split(".")[2]
            return self.of_inner(component, lambda one: VOCABULARY.addresses[one.get("name", 0)] == name)
        if field in ("opc", "dpc", "ni", "sls"):
            return [] if self.mtp(field) is None else [self.mtp(field)]
        if field in ("return_cause", "sms.pid", "sms.dcs"):
            key = field.replace(".", "_")
            return [m.get(key, 0)] if (key if key == "return_cause" else "sms_pid") in m else []
        if field in ("component", "opcode", "opcode_form", "operation", "application", "map_version"):
            return self.component_values(field, component, reading)
        found = self.plain_values(field)
        alone = component is None or len(m["components"]) < 2 or component.get("requested_info", 0)
        return [*found, ""] if field == "requested_info" and found and not alone else found

    def plain_values(self, field: str) -> list[Value]:
        m = self.m
        acn = self.data[m.get("acn_offset", 0) :][: m.get("acn_octets", 0)]
        found: dict[str, list[Value]] = {
            "perimeter": [names.PERIMETERS[self.perimeter]],
            "link": [self.policy.links[self.link - 1].name] if self.link else [],
            "direction": list(self.directions()),
            "encapsulation": [names.ENCAPSULATIONS[m.get("encapsulation", 1)]],
            "sccp.type": [names.SCCP_TYPES[m.get("type", 9)]],
            "management.type": [names.MANAGEMENT_TYPES[m["management"]]] if m.get("management") else [],
            "tcap.type": [names.TCAP_TYPES[m["tcap"]]] if m.get("tcap") else [],
            "component_count": [len(m.get("components", ()))] if m.get("tcap") else [],
            "acn": [acn] if acn else [],
            "requested_info": [
                one for i, one in enumerate(VOCABULARY.requested_info) if m.get("requested_info", 0) >> i & 1
            ],
        }
        return found[field]

    def component_values(self, field: str, component: dict[str, Any] | None, reading: int) -> list[Value]:
        m = self.m
        application, operation = "", ""
        if component and reading >= 0:
            application, operation = VOCABULARY.operations[component["readings"][reading]]
        else:
            application = names.APPLICATIONS[m.get("acn_application", 0)]
        if field == "map_version":
            if m.get("acn_octets"):
                return [m.get("acn_version", 0)] if m.get("acn_application") == 1 else []
            return [1] if application == "map" and m.get("tcap") in (1, 5) else []
        if field == "application":
            return [application] if application else []
        if component is None:
            return []
        form = component.get("opcode_form", 1)
        if field == "component":
            return [names.COMPONENT_TYPES[component.get("type", 1)]]
        if field == "opcode_form":
            return [names.OPCODE_FORMS[form]] if form else []
        if field == "opcode":
            oid = self.data[component.get("oid_offset", 0) :][: component.get("oid_octets", 0)]
            if form == 2 and oid:  # an OID is read by its last arc, too
                return [oid, component.get("opcode", 0)]
            return [component.get("opcode", 0)] if form in (1, 3, 4) else []
        return [f"{application}:{operation}"] if operation else []


def holds(numbers: Numbers, field: str, operand: Operand, value: Value) -> bool:
    """Is the value among what the operand names?"""
    aspect = field.rpartition(".")[2]
    if field in ROLE_BITS or field in ("imsi", "msisdn") or aspect in ("gt", "operator", "country"):
        if value is None:
            return False
        if operand.list is not None:
            return numbers.in_list(operand.list, value)
        if aspect == "operator":
            return numbers.operator(value) in operand.values
        if aspect == "country":
            return bool(numbers.country(value)) and numbers.country(value) in operand.values
        space, digits = value
        if aspect == "gt" and space == "e212":
            return False
        if field.startswith(("called", "calling")) and space == "msisdn":
            return False
        return any(digits.startswith(str(one)) for one in operand.values)
    if field in ("acn", "opcode") and isinstance(value, bytes):
        return any(isinstance(one, str) and "." in one and oid_octets(one) == value for one in operand.values)
    if field == "operation":
        return value in operand.values or value.split(":")[1] in operand.values
    return any(type(one) is type(value) and one == value for one in operand.values)


def condition_holds(numbers: Numbers, condition: Condition, values: list[Value]) -> list[bool]:
    """Whether it does, by each value."""

    def one_holds(value: Value) -> bool:
        if condition.within is not None and not holds(numbers, condition.field, condition.within, value):
            return False
        return condition.without is None or not holds(numbers, condition.field, condition.without, value)

    return [one_holds(value) for value in values] or [condition.within is None]


def check_values(message: Message, check: str, component: dict[str, Any] | None, reading: int) -> list[bool]:
    """What each value says; none: unknown. Beside what others have, a component that has none says no."""
    of_message = message_check_values(message, check, component, reading)
    if check == "calling_operator_is_not_map_node":
        lacks = message.lacks(component, lambda one: bool(one.get("role", 0) & NODE_BIT))
    elif check in ("imsi_is_home", "imsi_is_foreign", "calling_operator_is_not_imsi_home"):
        lacks = message.lacks(component, lambda one: names.NUMBER_KINDS[one["kind"]] == "imsi")
    else:
        lacks = False
    return [*of_message, False] if of_message and lacks else of_message


def message_check_values(message: Message, check: str, component: dict[str, Any] | None, reading: int) -> list[bool]:
    numbers = message.numbers
    calling = message.parties["calling"]
    bits = {"imsi_missing": "imsi_missing", "acn_does_not_fit_operation": "acn_misfit",
            "ssn_does_not_fit_application": "ssn_misfit"}  # fmt: skip
    if check in bits:
        return [bool(component.get(bits[check], 0) >> reading & 1)] if component and reading >= 0 else []
    if names.CHECKS.index(check) >= names.FIRST_STATE_CHECK:
        return []
    if check == "calling_operator_unknown":
        return [not numbers.operator(one) for one in calling] or [True]
    if check == "called_is_not_home":
        if "gt" in message.m.get("called", {}):
            return [not numbers.in_list("home", one) for one in message.parties["called"]] or [True]
        return {"home": [False], "other": [True]}.get(message.side("called"), [])
    imsis = [readings for one, readings in message.inner if names.NUMBER_KINDS[one["kind"]] == "imsi"]
    if check in ("imsi_is_home", "imsi_is_foreign"):
        home = [any(numbers.in_list("home", one) for one in readings) for readings in imsis]
        return [one == (check == "imsi_is_home") for one in home]
    if check == "calling_operator_is_not_imsi_home":
        others, both = imsis, True
    else:
        others, both = [readings for one, readings in message.inner if one.get("role", 0) & NODE_BIT], False
    none: list[Any] = [None]
    pairs = [
        (numbers.operator(a), numbers.operator(b), numbers.is_one(a, b))
        for readings in others
        for a in calling or none
        for b in readings or none
    ]
    compared = [not one for a, b, one in pairs if ((a and b) if both else (a or b))]
    # Beside those that say something one that says nothing is no yes.
    return [*compared, *[False] * (len(pairs) - len(compared))] if compared else []


def rule_matches(message: Message, rule: Rule, component: dict[str, Any] | None, reading: int) -> tuple[bool, bool]:
    """Whether it does, and whether it surely does: by all values. Of a rule that denies one of them is enough."""
    fields = {condition.field for condition in rule.when}
    invoke = component is not None and component.get("type", 1) == 1
    if "operation" in fields and "component" not in fields and not invoke:
        return False, False
    held = [
        condition_holds(message.numbers, condition, message.values(condition.field, component, reading))
        for condition in rule.when
    ]
    checked = [check_values(message, check, component, reading) for check in rule.checks]

    def matches(of: Callable[[list[bool]], bool]) -> bool:
        outcomes = [bool(values) and of(values) for values in checked]
        return all(map(of, held)) and (not outcomes or (all if rule.checks_all else any)(outcomes))

    surely = matches(all)
    return (matches(any) if rule.action != "allow" else surely), surely


Verdict = tuple[str, str, int, int]  # action, reason, rule number, component


def decide(message: Message, modes: set[str], first: set[tuple[int, int]]) -> Verdict:
    """The candidates in the order of ties, the worst of them; first: (component, rule) that came first."""
    candidates: list[Verdict] = []
    components: list[Any] = list(message.m.get("components", ())) or [None]
    for i, component in enumerate(components):
        of_component = []
        for reading in range(len(component.get("readings", ()))) if component and component.get("readings") else [-1]:
            of_component += decide_reading(message, modes, component, reading)
        of_component.sort(key=lambda one: one[2] or 1 << 16)  # stable: rules in order, then the exceptions as they came
        candidates += [(*one, i) for one in of_component]
    first |= {(component, number) for _, _, number, component in candidates if number}
    return max(candidates, key=lambda one: names.ACTIONS.index(one[0]))  # the first of the worst


def decide_reading(
    message: Message, modes: set[str], component: dict[str, Any] | None, reading: int
) -> list[tuple[str, str, int]]:
    found: list[tuple[str, str, int]] = []
    decided: set[str] = set()
    named = hidden = False
    for number, rule in enumerate(message.policy.rules, 1):
        matches, surely = rule_matches(message, rule, component, reading)
        if rule.mode not in modes or not matches:
            continue
        named = named or any(one.field == "opcode" and one.within is not None for one in rule.when)
        if hidden or rule.category in decided:
            continue
        if surely:
            decided.add(rule.category)
        found.append((rule.action, "rule", number))
        hidden = rule.final and rule.action == "allow"
    exceptions = message.exceptions
    if component is not None and component.get("type", 1) == 1 and reading < 0 and not named:
        exceptions |= EX["unknown_operation"]
    return found + exceptions_apply(message, exceptions, or_default=not decided)


def exceptions_apply(message: Message, exceptions: int, *, or_default: bool) -> list[tuple[str, str, int]]:
    applied = [name for name in names.EXCEPTIONS if exceptions & EX[name]] or ["default"] * or_default
    perimeter = names.PERIMETERS[message.perimeter]
    return [(message.policy.exceptions[name][perimeter], name, 0) for name in applied]  # type: ignore[index]


def judge(message: Message, mode: str = "enforce") -> dict[str, Any]:
    """The verdict, the shadow where there is one, and the rules that came first in a category of a component."""
    m = message.m
    first: set[tuple[int, int]] = set()

    def permitted(verdict: Verdict) -> Verdict:
        answered = not m.get("segmented") or m.get("segment_first") or m.get("segment_state") == 2
        answered = answered and not {"gt", "ssn", "pc"}.isdisjoint(m.get("calling", {}))
        if verdict[0] == "reject" and not (
            answered and m.get("return_on_error") and m.get("type", 9) in (0x09, 0x11, 0x13)
        ):
            return "drop", "reject_not_permitted", verdict[2], verdict[3]
        return verdict

    if mode == "bypass":
        return {"verdict": ("allow", "bypass", 0, 0), "shadow": None, "first": first}
    enforced = permitted(decide(message, {"enforce"}, first))
    shadow = permitted(decide(message, {"enforce", "shadow"}, first))
    if mode == "monitor":
        return {"verdict": ("allow", "monitor", 0, 0), "shadow": enforced[:3], "first": first}
    return {"verdict": enforced, "shadow": None if shadow[:3] == enforced[:3] else shadow[:3], "first": first}
