"""What `explain` says of a message: the answer, the octets, the rules."""

import re
from typing import Any

from sigfw._core.tables import Tables
from sigfw.cli import output
from sigfw.cli.layout import Line, Page, Piece, length
from sigfw.cli.octets import Notes, Pointer, View
from sigfw.cli.reasons import Facts
from sigfw.cli.ruling import ALIASES, Ruling, Trace
from sigfw.dissect import message as dissection
from sigfw.dissect.node import Node
from sigfw.dissect.tcap import error_name
from sigfw.policy.model import Policy

Object = dict[str, Any]

MISFITS = {  # checks about one component, in words
    "acn_does_not_fit_operation": "does not fit the application context",
    "ssn_does_not_fit_application": "no SSN of its application",
    "imsi_missing": "without the identity that it must have",
}
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
    "unsupported": "a form that is not read",
    "unknown_type": "no SCCP message has this type",
    "no_first": "a later segment of nothing that is held",
    "too_late": "what it belongs to is older than a reassembly may be",
    "out_of_sequence": "a segment before it is missing",
    "repeated": "the same segment once more",
    "overlapping": "its place, or its reference, is taken by other octets",
    "mismatch": "called party, class or perimeter are not those of the first segment",
    "too_long": "more user data together than a message holds",
    "no_room": "too many reassemblies in flight",
    "part_denied": "an earlier segment of the message was denied by itself",
}


class Account(Page):
    def __init__(
        self, verdict: Object, trace: Trace, facts: Object, tables: Tables, policy: Policy, width: int, every: bool
    ) -> None:
        super().__init__(width)
        self.verdict = verdict
        self.facts = Facts(verdict, facts, tables, policy)
        self.tables = tables
        self.policy = policy
        self.trace = trace
        self.every = every
        self.tree = None
        if facts["octets"] is not None:
            self.tree = dissection.dissect(verdict, facts["octets"], facts["whole"], facts["variant"])

    def lines(self) -> list[Line]:
        self.answer()
        self.octets()
        self.out += Ruling(self.facts, self.trace if self.tree else [], self.width, self.every, self.place()).lines()
        self.blank()
        self.say([(self.conclusion(), "title")])  # the answer again, where a long output leaves the reader
        return self.out

    def conclusion(self) -> str:
        v = self.verdict
        because = f"rule {v['rule']} ({v['category']})" if v["rule"] else v["reason"]
        return f"{v['action']}: {because}, perimeter {v['perimeter']}, policy {v['policy']['name']}"

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
        """Where the first error is, and what; "" where there is none."""
        e = self.verdict["error"]
        if not e:
            return ""
        base = " of the reassembled data" if self.in_whole else ""
        return f"octet {e['offset']}{base}: {e['code']} ({e['layer']})"

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
        self.blank()
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
            self.blank()
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
