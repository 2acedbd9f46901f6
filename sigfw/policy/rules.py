"""The rules of a policy: nodes to Rule, against the lists, operators and links that they may name."""

import re
from collections.abc import Iterable
from typing import Final

from sigfw import names
from sigfw.policy import schema
from sigfw.policy.model import Condition, Link, NumberList, Operand, Operator, Rule, Scalar
from sigfw.policy.schema import Field
from sigfw.yamlfile import Mistakes, Node, Reader, closest, shown

KEYS: Final = ("id", "category", "when", "action", "alert", "mode", "final", "motif", "labels")
GENERAL: Final = "general"  # the category of rules that name none
CHECKS: Final = tuple(c for c in names.CHECKS if c)
MAX_LABELS: Final = 32
LABEL_MUST: Final = "write 256 characters at most, on one line"
OID: Final = r"[0-2](\.(0|[1-9][0-9]{0,9})){1,31}"


class Rules(Reader):
    def __init__(
        self, mistakes: Mistakes, lists: dict[str, NumberList], operators: Iterable[Operator], links: Iterable[Link]
    ) -> None:
        super().__init__(mistakes)
        self.lists = lists
        self.operators = {o.tadig for o in operators}
        self.links = {link.name for link in links}
        self.ids: dict[str, Node] = {}
        self.categories: dict[str, None] = {}

    def read(self, sections: list[Node]) -> list[Rule]:
        rules: list[Rule] = []
        count = 0
        for section in sections:
            for node in self.items(section, "`rules`"):
                count += 1
                if count == schema.MAX_RULES + 1:
                    self.mistakes.at(node, f"more than {schema.MAX_RULES} rules; put values into lists")
                rule = self._rule(node)
                if rule is not None:
                    rules.append(rule)
        return rules

    def _rule(self, node: Node) -> Rule | None:
        found = self.fields(node, "a rule", KEYS, ("id", "action"))
        if node.kind == "mapping" and ("when" not in found or found["when"].empty):
            at = found.get("when", node)
            self.mistakes.at(at, "the rule has no condition; write `when: {…}`, or `when: {}` to match every message")
        id_ = self._id(found["id"]) if "id" in found else None
        category = self._category(found["category"]) if "category" in found else self._known_category(GENERAL, node)
        when, checks, checks_all = self._when(found.get("when"))
        action, return_cause, redirect = self._action(found["action"]) if "action" in found else (None, 7, "")
        final = bool(self.boolean(found["final"], "final")) if "final" in found else False
        if final and action not in ("allow", None):
            self.mistakes.at(found["final"], "`final` belongs to an allow; remove it: a deny wins anyway")
        alert = bool(self.boolean(found["alert"], "alert")) if "alert" in found else False
        mode = self.choice(found["mode"], "mode", names.RULE_MODES) if "mode" in found else "enforce"
        motif = self.name(found["motif"], "motif") if "motif" in found else ""
        labels = self._labels(found["labels"]) if "labels" in found else {}
        if id_ is None or category is None or action is None or mode is None:
            return None
        return Rule(
            id=id_,
            category=category,
            when=tuple(when),
            checks=checks,
            checks_all=checks_all,
            action=action,  # type: ignore[arg-type]
            return_cause=return_cause,
            redirect=redirect,
            alert=alert,
            mode=mode,  # type: ignore[arg-type]
            final=final,
            motif=motif or "",
            labels=labels,
            where=node.where,
        )

    def _id(self, node: Node) -> str | None:
        id_ = self.name(node, "id")
        if id_ is not None and id_ in self.ids:
            self.mistakes.at(node, f"the rule {shown(id_)} stands already at {self.ids[id_].where}; give it another id")
            return None
        if id_ is not None:
            self.ids[id_] = node
        return id_

    def _category(self, node: Node) -> str | None:
        name = self.name(node, "category")
        return self._known_category(name, node) if name is not None else None

    def _known_category(self, name: str, node: Node) -> str:
        if name not in self.categories:
            self.categories[name] = None
            if len(self.categories) == schema.MAX_CATEGORIES + 1:
                self.mistakes.at(node, f"more than {schema.MAX_CATEGORIES} categories; put rules of one kind into one")
        return name

    def _labels(self, node: Node) -> dict[str, str]:
        """They stand in every event of the rule: short, and not many."""
        pairs = list(self.mapping(node, "labels"))
        for key, _ in pairs[MAX_LABELS : MAX_LABELS + 1]:
            self.mistakes.at(key, f"more than {MAX_LABELS} labels; leave some out")
        return {
            self.name(key, "a label's name") or "": self.text(value, "a label", r".{0,256}", LABEL_MUST) or ""
            for key, value in pairs
        }

    # -- actions -------------------------------------------------------------------------------------------------------

    def _action(self, node: Node) -> tuple[str | None, int, str]:
        if node.kind == "scalar":
            if node.text == "redirect":
                self.mistakes.at(node, "a redirect needs its GT; write {redirect: 44…}")
                return None, 7, ""
            return self.choice(node, "action", ("allow", "drop", "reject")), 7, ""
        found = self.fields(node, "action", ("reject", "redirect"))
        if len(found) != 1:
            if node.kind != "mapping" or len(found) > 1 or not node.pairs:
                self.mistakes.at(node, "action has no single value; write allow, drop, reject or {redirect: 44…}")
            return None, 7, ""
        if "redirect" in found:
            return "redirect", 7, self._redirect(found["redirect"])
        cause = self.fields(found["reject"], "reject", ("return_cause",), ("return_cause",)).get("return_cause")
        number = self._number(schema.FIELDS["return_cause"], cause, "return_cause") if cause else None
        return "reject", 7 if number is None else number, ""

    def _redirect(self, node: Node) -> str:
        if node.kind != "scalar" or node.empty:
            self.mistakes.at(node, "a redirect needs its GT; write {redirect: 44…}")
            return ""
        problem = schema.digits_problem(node.text)
        if problem is not None:
            self.mistakes.at(node, f"redirect {shown(node.text)} {problem}")
        return node.text

    # -- conditions ----------------------------------------------------------------------------------------------------

    def _when(self, node: Node | None) -> tuple[list[Condition], tuple[str, ...], bool]:
        conditions: list[Condition] = []
        checks: tuple[str, ...] = ()
        checks_all = False
        if node is None or node.empty:
            return conditions, checks, checks_all
        for key, value in self.mapping(node, "`when`"):
            if key.text == "check":
                checks, checks_all = self._checks(value)
                continue
            field = schema.field(key.text)
            if field is None:
                self.mistakes.at(key, f"unknown field {shown(key.text)} in `when`; {self._meant(key)}")
                continue
            condition = self._condition(key.text, field, value)
            if condition is not None:
                conditions.append(condition)
        return conditions, checks, checks_all

    def _checks(self, node: Node) -> tuple[tuple[str, ...], bool]:
        every = node.kind == "mapping"
        if every:
            found = self.fields(node, "check", ("all",), ("all",))
            if "all" not in found:
                return (), True
            node = found["all"]
        nodes = self.one_or_more(node)
        if not nodes:
            self.mistakes.at(node, f"check has no value; {closest('', CHECKS)}")
        checks = [c for n in nodes if (c := self.choice(n, "check", CHECKS)) is not None]
        return tuple(dict.fromkeys(checks)), every

    def _condition(self, name: str, field: Field, node: Node) -> Condition | None:
        if node.kind != "mapping":
            within = self._operand(name, field, node, lists=False)
            return Condition(field=name, within=within) if within else None
        found = self.fields(node, name, ("in", "not_in"))
        if not found:
            if not node.pairs:
                self.mistakes.at(node, f"{name} has no value; write a value, a list, or {{in: …}} or {{not_in: …}}")
            return None
        operands = {key: self._operand(name, field, value, lists=True) for key, value in found.items()}
        return Condition(field=name, within=operands.get("in"), without=operands.get("not_in"))

    def _operand(self, name: str, field: Field, node: Node, *, lists: bool) -> Operand | None:
        if node.empty or (node.kind == "list" and not node.nodes):
            self.mistakes.at(node, f"{name} has no value; write one, or remove the field")
            return None
        if field.kind == "digits" and node.kind == "scalar" and self._is_name(node.text):
            return self._list(name, field, node, lists=lists)
        values = [v for n in self.one_or_more(node) if (v := self._value(name, field, n)) is not None]
        return Operand(values=tuple(dict.fromkeys(values))) if values else None

    def _is_name(self, text: str) -> bool:
        """Whether a text where a prefix may stand means a list."""
        named = text in self.lists or text in schema.BUILT_IN_LISTS
        return named or re.fullmatch(r"[A-Za-z_][\w.-]*", text) is not None

    def _list(self, name: str, field: Field, node: Node, *, lists: bool) -> Operand | None:
        known = {**{n: numbers.kind for n, numbers in self.lists.items()}, "hosted_abroad": "gt"}
        if node.text != "home" and node.text not in known:
            hint = self.hint(node, node.text, [*known, "home"])
            self.mistakes.at(node, f"unknown list {shown(node.text)} in {name}; {hint}")
            return None
        if not lists:
            self.mistakes.at(node, f"{name} names the list `{node.text}`; write {{in: {node.text}}}")
            return None
        kind = known.get(node.text)
        if kind is not None and kind not in field.lists:
            self.mistakes.at(
                node, f"the list `{node.text}` is of kind {kind}; {name} wants one of kind {' or '.join(field.lists)}"
            )
            return None
        return Operand(list=node.text)

    # -- values --------------------------------------------------------------------------------------------------------

    def _value(self, name: str, field: Field, node: Node) -> Scalar | None:
        if field.kind == "digits":
            return self._digits(name, field, node)
        if field.kind == "number":
            return self._number(field, node, name)
        if field.kind == "flag":
            return self.boolean(node, name)
        if field.kind == "opcode" and node.kind == "scalar" and "." not in node.text:
            return self.integer(node, name, field.low, field.high)
        if field.kind in ("oid", "opcode"):
            return self.text(node, name, OID, "write it with dots: 0.4.0.0.1.0.29.3")
        if field.kind == "country":
            return self.text(node, name, r"[A-Z]{2}", schema.COUNTRY_MUST)
        if field.kind == "operator":
            return self._one_of(node, name, self.operators, "operator")
        if field.kind == "link":
            return self._one_of(node, name, self.links, "link")
        words = field.words() if field.words else ()
        if words:
            return self.choice(node, name, words)
        return self.text(node, name, r"[A-Za-z][A-Za-z0-9-]{0,63}", "write the ASN.1 name")

    def _digits(self, name: str, field: Field, node: Node) -> str | None:
        if node.kind != "scalar" or node.empty:
            self.mistakes.at(node, f"{name} holds a {node.kind}; {schema.DIGITS_MUST}")
            return None
        text = node.text
        if text in self.lists or text in schema.BUILT_IN_LISTS:
            self.mistakes.at(node, f"{name} has the list `{text}` among values; name one list alone, or write digits")
            return None
        problem = schema.digits_problem(text, zero=field.zero)
        if problem is not None:
            self.mistakes.at(node, f"{name} {shown(text)} {problem}")
            return None
        return text

    def _number(self, field: Field, node: Node, name: str) -> int | None:
        if node.kind == "scalar" and node.text in field.numbers:
            return field.numbers[node.text]
        if field.numbers and node.kind == "scalar" and not node.text[:1].isdecimal():
            return field.numbers.get(self.choice(node, name, field.numbers) or "")
        return self.integer(node, name, field.low, field.high)

    def _one_of(self, node: Node, name: str, known: Iterable[str], what: str) -> str | None:
        text = self.text(node, name)
        if text is None or text in known:
            return text
        self.mistakes.at(node, f"unknown {what} {shown(text)} in {name}; {self.hint(node, text, known)}")
        return None

    def _meant(self, key: Node) -> str:
        if key.text.startswith("map.addresses.") and not key.text.endswith((".gt", ".operator")):
            return "write map.addresses.NAME.gt or map.addresses.NAME.operator"
        return self.hint(key, key.text, schema.field_names())
