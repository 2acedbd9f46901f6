"""What `explain` says of a message: the answer, the octets, the rules."""

import re
from typing import Any

from sigfw import names
from sigfw._core.tables import Tables
from sigfw.cli import output
from sigfw.cli.layout import Line, Piece, length, wrap
from sigfw.cli.octets import Notes, Pointer, View
from sigfw.cli.reasons import Facts, Tried
from sigfw.dissect import message as dissection
from sigfw.dissect.node import Node
from sigfw.dissect.tcap import error_name
from sigfw.policy.compiler import names_an_opcode
from sigfw.policy.model import Policy

Trace = list[tuple[int, int, list[tuple[int, bool, list[str], bool]]]]
Object = dict[str, Any]

MISFITS = {  # checks about one component, in words
    "acn_does_not_fit_operation": "does not fit the application context",
    "ssn_does_not_fit_application": "no SSN of its application",
    "imsi_missing": "without the identity that it must have",
}
FOLD = 12  # rules that did not match, with a line each; more of one kind become a list of names
MEANING = {  # what a code of names.ERROR_CODES says where the octets themselves say no more
    "truncated": "the octets end before the structure does",
    "length_overrun": "a length says more than there is",
    "bad_length": "a length that does not belong there",
    "bad_tag": "a tag that does not belong there",
    "bad_value": "a value that does not belong there",
    "bad_pointer": "a pointer out of the message, or into another part",
    "bad_hop_counter": "a hop counter is from 1 to 15",
    "missing": "a mandatory part is not there",
    "duplicate": "a second time what may stand once",
    "trailing": "octets behind the end",
    "too_deep": "nested beyond the bound",
    "too_many": "more than the bound",
    "bad_checksum": "a checksum does not hold",
    "unsupported": "a form that is not read",
    "unknown_type": "no SCCP message has this type",
}


class Account:
    def __init__(
        self, verdict: Object, trace: Trace, facts: Object, tables: Tables, policy: Policy, width: int, every: bool
    ) -> None:
        self.verdict = verdict
        self.facts = Facts(verdict, facts, tables, policy)
        self.tables = tables
        self.policy = policy
        self.width = width
        self.every = every
        self.tried = [(component, reading, self.facts.tried(rules)) for component, reading, rules in trace]
        self.out: list[Line] = []
        self.shown: dict[
            int, tuple[str, tuple[int, int]]
        ] = {}  # by rule: what it lacked first, and with which component
        self.tree = None
        if facts["octets"] is not None:
            self.tree = dissection.dissect(verdict, facts["octets"], facts["whole"], facts["variant"])

    def lines(self) -> list[Line]:
        self.answer()
        self.octets()
        for component, reading, tried in self.tried:
            self.rules(component, reading, tried if self.tree else [])
        self.out.append([])
        self.say([(self.conclusion(), "title")])  # the answer again, where a long output leaves the reader
        return self.out

    def conclusion(self) -> str:
        v = self.verdict
        because = f"rule {v['rule']} ({v['category']})" if v["rule"] else v["reason"]
        return f"{v['action']}: {because}, perimeter {v['perimeter']}, policy {v['policy']['name']}"

    def say(self, pieces: list[Piece], indent: int = 0, hang: int = 2) -> None:
        """Wrapped; later lines hang deeper."""
        for i, line in enumerate(wrap(pieces, self.width - indent - hang)):
            self.out.append([(" " * (indent if i == 0 else indent + hang), ""), *line])

    # ---- the answer --------------------------------------------------------------------------------------------------

    def answer(self) -> None:
        v, facts = self.verdict, self.facts.facts
        decided, place = self.because()
        head: list[Piece] = [(v["action"].upper(), v["action"]), ("  ", ""), (decided, "title")]
        gap = self.width - 2 - length(head) - len(v["id"])
        self.say([*head, (" " * max(gap, 2), ""), (v["id"], "dim")])
        self.say([(self.summary(), "value")], 2)
        if self.carried():
            self.say([(self.carried(), "")], 2)
        direction = "direction unknown" if facts["direction"] == "unknown" else facts["direction"]
        side = [f"perimeter {v['perimeter']}", direction, *([f"link {facts['link']}"] if facts["link"] else [])]
        self.say([(f"{', '.join(side)} · as if enforcing", "")], 2)
        self.say([(f"policy {v['policy']['name']} {v['policy']['digest']}{place}", "")], 2)
        if v["shadow"]:
            s = v["shadow"]
            self.say([(f"with the shadow rules: {s['action']} by {s['rule'] or s['reason']}", "shadow")], 2)
        for key in ("redirect", "reply"):
            if v.get(key):
                self.say([(f"{key} {v[key]}", "")], 2)
        if v["error"]:
            self.say([(self.fault(), "stop")], 2)
        self.parts()

    def carried(self) -> str:
        """When, and over what: as far as the message has it."""
        v = self.verdict
        said = [v["time"]] if v["time"] else []
        if v["opc"] is not None or v["dpc"] is not None:
            said.append(f"{v['encapsulation']} OPC {v['opc']} → DPC {v['dpc']}")
            if v["sls"] is not None:
                said[-1] += f", SLS {v['sls']}, NI {v['ni']}"
        return " · ".join(said)

    def because(self) -> tuple[str, str]:
        """What decided, and where in the policy it stands."""
        v = self.verdict
        if v["rule"]:
            rule = next(r for r in self.policy.rules if r.id == v["rule"])
            reason = "" if v["reason"] == "rule" else f"{v['reason']}: "
            return f"{reason}rule {v['rule']}, {v['category']}", f", {rule.where}" if rule.where else ""
        said = {"default": "no rule matched", "segment_held": "a segment, held for the rest of its message"}
        if v["reason"] in said:
            return f"{v['reason']}: {said[v['reason']]}", ""
        by = next((name for name, reasons in ALIASES.items() if v["reason"] in reasons), "")
        return f"{v['reason']}, by exception {by}" if by else f"exception {v['reason']}", ""

    def summary(self) -> str:
        """Who to whom, what, about whom."""
        v = self.verdict
        if v["sccp"] is None:
            return f"{v['encapsulation']}, not framed"
        sccp, tcap = v["sccp"], v["tcap"]
        said = [output.sccp_type(v), f"{output.party(sccp.get('calling'))} → {output.party(sccp.get('called'))}"]
        if tcap:
            said.append(
                " ".join(
                    [tcap["type"], ", ".join(self.done(c, tcap["acn"] or "") for c in tcap["components"])]
                ).rstrip()
            )
        elif sccp.get("management"):
            said.append(sccp["management"]["type"])
        return " · ".join([*said, *([output.identity(v)] if output.identity(v) != "-" else [])])

    @staticmethod
    def done(component: Object, acn: str) -> str:
        """`anyTimeInterrogation`; the type before it where it is no Invoke."""
        name = component["operation"] or ("" if component["opcode"] is None else str(component["opcode"]))
        if component["type"] == "returnError":
            name = error_name(component, acn)
        return name if component["type"] == "invoke" and name else f"{component['type']} {name}".rstrip()

    def place(self) -> str:
        e = self.verdict["error"]
        return f"octet {e['offset']}{' of the reassembled data' if self.in_whole else ''}: {e['code']} ({e['layer']})"

    def fault(self) -> str:
        """The first error, and what stands at its octet."""
        e = self.verdict["error"]
        root = self.tree and (self.tree.whole if self.in_whole else self.tree.message)
        nodes = [n for n in root.walk() if n.start == e["offset"] and n is not root] if root else []
        stopped = next((n.stopped for n in nodes if n.stopped), "")
        if stopped or not nodes:
            return f"{self.place()}: {stopped or MEANING.get(e['code'], '')}"
        return f"{self.place()} in {nodes[-1].name}: {next(iter(nodes[-1].odd), MEANING.get(e['code'], ''))}"

    @property
    def in_whole(self) -> bool:
        """Whether offsets of errors count in the data of all segments."""
        e = self.verdict["error"]
        return bool(e) and self.final and e["layer"] in ("tcap", "component", "map")

    @property
    def final(self) -> bool:
        return bool(self.facts.facts["segment"] == "final")

    def parts(self) -> None:
        """Segments: which there are, which are held."""
        whole, state = self.verdict["reassembly"], self.facts.facts["segment"]
        if state == "orphan":
            self.say([("a later segment of nothing that is held", "")], 2)
        if not whole:
            return
        said = {
            "held": f"segment {whole['part']} of {whole['id']}, held: the verdict of the last one decides",
            "final": f"segment {whole['part']} of {whole['id']}, the last: this verdict is for all of them",
            "failed": f"{whole['id']} ends with this segment, which does not continue it; held of it were",
        }
        self.say([(said.get(state, whole["id"]), "")], 2)
        for part in whole["parts"] or ():
            self.say([(f"{part}{', this one' if part == self.verdict['id'] else ''}", "dim")], 4)

    # ---- the octets --------------------------------------------------------------------------------------------------

    def octets(self) -> None:
        self.out.append([])
        if self.tree is None:
            self.say([("no SCCP message was framed", "odd")])
            return
        tree, error = self.tree, self.verdict["error"]
        notes: Notes = {}
        for root in (tree.message, tree.whole):
            if root is not None:
                self.annotate(root, notes)
        pointer = Pointer(error["offset"], self.fault()) if error else None
        self.out += View(tree.octets, self.width, notes, None if self.in_whole else pointer).tree(tree.message)
        if tree.whole is not None:
            self.out.append([])
            self.say([("the data of all segments; octets count from the first of them", "title")])
            self.out += View(tree.whole_octets, self.width, notes, pointer if self.in_whole else None).tree(tree.whole)

    def annotate(self, root: Node, notes: Notes) -> None:
        """What the policy knows of each number."""
        facts = self.facts.facts
        for side in ("called", "calling"):
            for party in root.children:
                if party.name == f"{side} party address":
                    for node in party.children:
                        if node.number:
                            notes[id(node)] = [self.known(facts[side], node.number[1]) or facts["trouble"][side]]
        self.misfits(root)
        numbers = {(n["kind"], n["digits"]): n["readings"] for n in facts["numbers"]}
        for node in root.walk():
            if node.number and node.number[0] != "gt" and numbers.get(node.number):
                notes[id(node)] = [self.known(numbers[node.number], node.number[1])]

    def misfits(self, root: Node) -> None:
        """What the core finds odd of an operation, at its code."""
        components = {}
        for node in root.walk():
            found = re.match(r"component (\d+), ", node.name)
            if found:
                components[int(found[1])] = node
        for (component, reading), checks in self.facts.facts["checks"].items():
            if component not in components:
                continue
            codes = [n for n in components[component].walk() if n.name.startswith("operation code")]
            readings = self.facts.component(component)["readings"]
            suffix = f" as {readings[reading].replace(':', ' ')}" if len(readings) > 1 else ""
            for check, said in MISFITS.items():
                if codes and checks.get(check) == "true":
                    codes[0].odd.append(said + suffix)

    def known(self, readings: list[tuple[str, str]], digits: str) -> str:
        said = []
        for space, number in readings:
            found = self.tables.lookup(number, space) or {}
            country = f" ({found['country']})" if found.get("country") else ""
            what = [f"{found['operator']}{country}" if found.get("operator") else "no operator"]
            lists = [one for one in found.get("lists") or () if one != found.get("operator")]
            what += [f"in {', '.join(lists)}"] if lists else []
            prefix = "" if number == digits and space in ("e164", "e212", "msisdn") else f"{space} {number}: "
            said.append(prefix + ", ".join(what))
        return " or ".join(said)

    # ---- the rules ---------------------------------------------------------------------------------------------------

    def rules(self, component: int, reading: int, tried: list[Tried]) -> None:
        matched = [one for one in tried if one.matched]
        rest = [one for one in tried if not one.matched and not one.open]
        later = [one for one in tried if one.open]
        self.out.append([])
        title = f"rules tried on {self.subject(component, reading)}: {len(matched)} of {len(tried)} match"
        if not tried:
            title = "no rule is tried on what was not framed" if self.policy.rules else "the policy has no rules"
        self.say([(title, "title")])
        modes = names.RULE_MODES.index
        for one in sorted(
            matched, key=lambda t: (not self.decides(t, component, reading), modes(t.rule.mode), t.number)
        ):
            self.match(one, component, reading, tried)
        for name, action, why in self.exceptions(component, reading, tried):
            mark = (
                "▶ " if not self.verdict["rule"] and self.verdict["reason"] in (name, *ALIASES.get(name, ())) else "  "
            )
            self.say([(mark, "title"), (f"{action:<9}", action), (f"exception {name}", ""), (f"  {why}", "dim")], 0, 11)
        if later:
            ids = ", ".join(one.rule.id for one in later)
            self.say([(f"{len(later)} ask for more than a segment has: ", "dim"), (ids, "")], 2)
        self.misses(rest, component, reading)

    def subject(self, component: int, reading: int) -> str:
        one = self.facts.component(component)
        if not one:
            return "the message, which has no component" if self.verdict["tcap"] else "the message"
        readings = one["readings"]
        said = f"component {component}" + (f", {one['type']}," if one["type"] != "invoke" else "")
        if 0 <= reading < len(readings := one["readings"]):
            return f"{said} as {readings[reading]}"
        return f"{said.rstrip(',')} of no operation that is known" if one["opcode_form"] else said.rstrip(",")

    def decides(self, one: Tried, component: int, reading: int) -> bool:
        """The rule of the verdict, in the first component and reading where it counts."""
        if one.rule.id != self.verdict["rule"]:
            return False
        for c, r, tried in self.tried:
            for other in tried:
                if other.number == one.number and (other.first or self.facts.facts["segment"] not in ("", "final")):
                    return (c, r) == (component, reading)
        return False

    def match(self, one: Tried, component: int, reading: int, tried: list[Tried]) -> None:
        rule = one.rule
        decides = self.decides(one, component, reading)
        pieces: list[Piece] = [("▶ " if decides else "  ", "title"), (f"{rule.action:<9}", rule.action)]
        pieces += [(rule.id, "title" if decides else ""), (f"  {rule.category}", "dim")]
        if decides:
            pieces.append(("  decides", "title"))
            pieces.append((f"  {rule.motif}" if rule.motif else "", "dim"))
        if rule.mode != "enforce":
            pieces.append((f"  {rule.mode}", "shadow"))
        elif not one.first:
            before = next(
                (t for t in tried if t.first and t.rule.category == rule.category and t.rule.mode == "enforce"), None
            )
            final = next((t for t in tried if t.first and t.rule.final and t.number < one.number), None)
            if before and before.number < one.number:
                pieces.append((f"  after {before.rule.id}", "dim"))
            elif final:
                pieces.append((f"  hidden by {final.rule.id}, which is final", "dim"))
        self.say(pieces, 0, 11)
        if decides or self.every:
            self.say([(self.facts.holds(rule, component, reading), "dim")], 11)

    def exceptions(self, component: int, reading: int, tried: list[Tried]) -> list[tuple[str, str, str]]:
        """(name, action, why) of those that take part for this component: DESIGN's order of decision, told again."""
        facts, v = self.facts.facts, self.verdict
        names_ = [name for name in facts["exceptions"] if name not in ("unknown_operation", "default")]
        enforced = [t for t in tried if t.matched and t.rule.mode == "enforce"]
        one = self.facts.component(component)
        if one.get("type") == "invoke" and reading < 0 and not any(names_an_opcode(t.rule) for t in enforced):
            names_.append("unknown_operation")
        if facts["segment"] in ("failed", "orphan"):
            names_.append("reassembly_timeout")
        if not names_ and not enforced and facts["segment"] in ("", "final"):
            names_.append("default")
        why = {
            "malformed": self.place() if v["error"] else "",
            "unusable_gt": ", ".join(f"{side} {code}" for side, code in facts["trouble"].items() if code),
            "default": "no rule matched, and no exception applies",
        }
        return [(n, self.policy.exceptions[n][v["perimeter"]], why.get(n, "")) for n in dict.fromkeys(names_)]

    def misses(self, rest: list[Tried], component: int, reading: int) -> None:
        """Those that did not match: each with what kept it from it; many that fail alike as a list of names."""
        groups: dict[str, list[Tried]] = {}
        before = 0  # fail as they did with a component above, where they stand by name
        for one in rest:
            key = self.lacks(one)
            if self.shown.setdefault(one.number, (key, (component, reading))) == (key, (component, reading)):
                groups.setdefault(key, []).append(one)
            elif self.shown[one.number][0] == key and not self.every:
                before += 1
            else:
                groups.setdefault(key, []).append(one)
        alone = [one for key, group in groups.items() if not self.folds(key, group) for one in group]
        column = min(max((len(one.rule.id) for one in alone), default=0), self.width // 3)
        for key, group in groups.items():
            if self.folds(key, group):
                self.folded(key, group, component, reading)
                continue
            for one in group:
                said = self.facts.reasons(one, component, reading)
                shown = said if self.every else said[:1]
                text = "; ".join(shown) + (f" (and {len(said) - len(shown)} more)" if len(said) > len(shown) else "")
                pieces: list[Piece] = [(f"{one.rule.mode}: ", "shadow")] if one.rule.mode != "enforce" else []
                self.row(one.rule.id, column, [*pieces, (text, "dim")])
        if before:
            self.say([(f"{before} {'do' if before > 1 else 'does'} not match for the same reasons as above", "dim")], 4)

    def folds(self, key: str, group: list[Tried]) -> bool:
        return not self.every and (len(group) > FOLD or (key in ("operation", "component") and len(group) > 2))

    @staticmethod
    def lacks(one: Tried) -> str:
        """What tells most: a rule about another operation is no near miss."""
        return next((key for key in ("component", "operation") if key in one.failed), one.failed[0])

    def row(self, name: str, column: int, pieces: list[Piece]) -> None:
        """`name` in its column, what is said of it beside it."""
        lines = wrap(pieces, self.width - column - 6)
        if len(name) > column:
            self.out.append([(f"    {name}", "")])
        else:
            self.out.append([(f"    {name:<{column}}  ", ""), *lines.pop(0)])
        self.out += [[(" " * (column + 6), ""), *line] for line in lines]

    def folded(self, key: str, group: list[Tried], component: int, reading: int) -> None:
        found = [] if key == "check" else self.facts.found(key, component, reading)
        if key == "check":
            text = f"{len(group)} fail their checks"
        elif found:
            text = f"{len(group)} want another {key} than {self.facts.spoken(found)}"
        else:
            text = f"{len(group)} ask for {'an' if key[0] in 'aeiou' else 'a'} {key}, and there is none"
        self.listed(text, group)

    def listed(self, text: str, group: list[Tried]) -> None:
        ids: list[Piece] = []
        for one in group:
            mode = f" ({one.rule.mode})" if one.rule.mode != "enforce" else ""
            ids.append((one.rule.id + mode + (", " if one is not group[-1] else ""), ""))
        self.say([(f"{text}:", "dim")], 4)
        self.say(ids, 6, 0)


# Exceptions that give other reasons than their names.
ALIASES = {"reassembly_timeout": ("reassembly_failed", "reassembly_orphan"), "malformed": ("unframed",)}
