"""The rules tried on a message, for each component in each of its readings."""

from typing import Any

from sigfw import names
from sigfw.cli.layout import Line, Page, Piece, wrap
from sigfw.cli.reasons import Facts, Tried
from sigfw.policy.compiler import names_an_opcode

Trace = list[tuple[int, int, list[tuple[int, bool, list[str], bool]]]]  # Worker.trace

FOLD = 12  # rules that did not match, with a line each; more of one kind become a list of names
# Exceptions that give other reasons than their names.
ALIASES = {"reassembly_timeout": ("reassembly_failed", "reassembly_orphan"), "malformed": ("unframed",)}


class Ruling(Page):
    """trace: empty where nothing was framed. fault: where decoding went wrong."""

    def __init__(self, facts: Facts, trace: Trace, width: int, every: bool, fault: str) -> None:
        super().__init__(width)
        self.facts = facts
        self.verdict = facts.line
        self.found: dict[str, Any] = facts.facts
        self.policy = facts.policy
        self.every = every
        self.fault = fault
        self.tried = [(component, reading, facts.tried(rules)) for component, reading, rules in trace]
        # By rule: what it lacked first, and with which component.
        self.shown: dict[int, tuple[str, tuple[int, int]]] = {}

    def lines(self) -> list[Line]:
        for component, reading, tried in self.tried or [(-1, -1, [])]:
            self.rules(component, reading, tried)
        return self.out

    def rules(self, component: int, reading: int, tried: list[Tried]) -> None:
        matched = [one for one in tried if one.matched]
        rest = [one for one in tried if not one.matched and not one.open]
        later = [one for one in tried if one.open]
        self.blank()
        title = f"rules tried on {self.subject(component, reading)}: {len(matched)} of {len(tried)} match"
        if not tried:
            title = "no rule is tried on what was not framed" if self.policy.rules else "the policy has no rules"
        self.say([(title, "title")])
        mode = names.RULE_MODES.index
        matched.sort(key=lambda t: (not self.decides(t, component, reading), mode(t.rule.mode), t.number))
        for one in matched:
            self.match(one, component, reading, tried)
        for name, action, why in self.exceptions(component, reading, tried):
            decides = not self.verdict["rule"] and self.verdict["reason"] in (name, *ALIASES.get(name, ()))
            mark = "▶ " if decides else "  "
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
        if 0 <= reading < len(readings):
            return f"{said} as {readings[reading]}"
        return f"{said.rstrip(',')} of no operation that is known" if one["opcode_form"] else said.rstrip(",")

    def decides(self, one: Tried, component: int, reading: int) -> bool:
        """The rule of the verdict, in the first component and reading where it counts."""
        if one.rule.id != self.verdict["rule"]:
            return False
        for c, r, tried in self.tried:
            for other in tried:
                if other.number == one.number and (other.first or self.found["segment"] not in ("", "final")):
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
        if rule.labels and (decides or self.every or rule.mode == "shadow"):
            self.say([(", ".join(f"{name} {text}" for name, text in rule.labels.items()), "dim")], 11)

    def exceptions(self, component: int, reading: int, tried: list[Tried]) -> list[tuple[str, str, str]]:
        """(name, action, why) of those that take part for this component, as the classifier has it."""
        facts, v = self.found, self.verdict
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
            "malformed": self.fault,
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
