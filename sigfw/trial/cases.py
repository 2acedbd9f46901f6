"""Cases for a policy, from YAML beside it: what comes in, and what must become of it.

Descriptions are encoded here, so that every mistake is told at once, with file and line.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sigfw import names
from sigfw.errors import UsageError
from sigfw.messages.octets import m3ua_data
from sigfw.policy.model import Link, Policy
from sigfw.yamlfile import Mistakes, Node, Reader, read, shown

if TYPE_CHECKING:
    from sigfw.messages.describe import Defaults

TOP: Final = ("schema", "defaults", "cases")
DEFAULTS: Final = ("calling", "called", "imsi", "msisdn", "perimeter", "mode")
INPUTS: Final = ("message", "hex", "capture")
LABEL: Final = {"opc": 0xFFFFFF, "dpc": 0xFFFFFF, "ni": 3, "sls": 15}  # the routing label (Q.704 2.2, 14.2)
STEP: Final = (*INPUTS, "encapsulation", "perimeter", "link", "topic", *LABEL, "variant", "mode", "expect")
SEQUENCE: Final = ("after", "repeat", "vary")
EXPECTED: Final = ("action", "reason", "rule", "category", "shadow")
SHADOW: Final = ("action", "reason", "rule")
UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
MAX_REPEAT: Final = 10_000
MAX_OCTETS: Final = 1 << 16

Wish = dict[str, str | None]  # what is expected, by key of EXPECTED; those of a shadow as `shadow.rule`


@dataclass(frozen=True)
class Step:
    where: str  # file:line
    records: tuple[bytes, ...]  # a value each; the last one's verdict counts
    capture: tuple[Path, int, int] | None  # file, frame, index: in the place of records
    encapsulation: str
    perimeter: str
    link: str
    topic: str
    variant: str
    mode: str
    point_codes: tuple[int | None, int | None]  # of the record's headers
    after_ns: int
    wish: Wish


@dataclass(frozen=True)
class Case:
    name: str
    where: str
    steps: tuple[Step, ...]


def beside(policy: Path) -> Path:
    """Where the cases of a policy are looked for."""
    return policy.with_suffix(".tests.yaml")


def load_cases(path: Path, policy: Policy) -> list[Case]:
    """Raises ConfigError with every mistake, UsageError where there is no such file."""
    if not path.exists():
        raise UsageError(f"{path}: there are no cases; write them there, or name a file by --cases")
    mistakes = Mistakes()
    top = read(path, mistakes)
    cases = CasesReader(mistakes, path, policy).top(top) if top is not None else []
    mistakes.end()
    return cases


class CasesReader(Reader):
    def __init__(self, mistakes: Mistakes, path: Path, policy: Policy) -> None:
        super().__init__(mistakes)
        self.path = path
        self.policy = policy
        self.said: dict[str, Node] = {}  # of `defaults`
        self.names: dict[str, str] = {}  # of cases -> where they stand
        self.number = 0  # of messages described in the case in hand
        self.rules = [rule.id for rule in policy.rules]
        self.categories = sorted({rule.category for rule in policy.rules})

    def top(self, node: Node) -> list[Case]:
        top = self.fields(node, "the file", TOP, ("schema", "cases"))
        if "schema" in top:
            self.integer(top["schema"], "schema", 1, 1)
        if "defaults" in top:
            self.said = self.fields(top["defaults"], "defaults", DEFAULTS)
        nodes = self.items(top["cases"], "cases") if "cases" in top else []
        if "cases" in top and top["cases"].kind == "list" and not nodes:
            self.mistakes.at(top["cases"], "there is no case; write at least one")
        return [case for one in nodes if (case := self.case(one)) is not None]

    def case(self, node: Node) -> Case | None:
        self.number = 0
        found = self.fields(node, "a case", ("name", "steps", *STEP), ("name",))
        name = self.text(found["name"], "name", r".{1,200}", "write one line") if "name" in found else None
        if name in self.names:
            self.mistakes.at(node, f"a case {shown(name)} stands at {self.names[name]} already; name them apart")
        elif name is not None:
            self.names[name] = node.where
        if "steps" not in found:
            if "expect" not in found and node.kind == "mapping":
                self.mistakes.at(node, "a case has no `expect`; say what must become of the message")
            steps = [self.step(node, found)]
        else:
            for key in (*INPUTS, "expect"):
                if key in found:
                    self.mistakes.at(found[key], f"{key} stands beside `steps`; move it into a step")
            shared = {key: value for key, value in found.items() if key in STEP and key not in (*INPUTS, "expect")}
            steps = []
            for one in self.items(found["steps"], "steps"):
                own = self.fields(one, "a step", (*STEP, *SEQUENCE))
                steps.append(self.step(one, shared | own))
            if not any(step.wish for step in steps if step) and not self.mistakes:
                self.mistakes.at(node, "no step has an `expect`; say what must become of one message at least")
        whole = [step for step in steps if step is not None]
        return Case(name, node.where, tuple(whole)) if name and len(whole) == len(steps) and whole else None

    # ---- what comes in

    def step(self, node: Node, found: Mapping[str, Node]) -> Step | None:
        before = self.mistakes.total
        inputs = [key for key in INPUTS if key in found]
        if len(inputs) != 1 and node.kind == "mapping":
            said = " and ".join(inputs) or "nothing that comes in"
            self.mistakes.at(node, f"there is {said}; write one of {', '.join(INPUTS)}")
        name = self.choice(found["link"], "link", [one.name for one in self.policy.links]) if "link" in found else None
        link = next((one for one in self.policy.links if one.name == name), None)
        topic = self.text(found["topic"], "topic") if "topic" in found else None
        if topic is None and link is not None and link.topics:
            topic = link.topics[0]
        label = self.label(found, link)
        encapsulation, records = self.incoming(found, label)
        capture = self.place(found["capture"]) if "capture" in found else None
        mode = self.either(found, "mode", names.MODES[1:])
        perimeter = self.either(found, "perimeter", names.PERIMETERS[1:])
        variant = self.choice(found["variant"], "variant", names.VARIANTS[1:]) if "variant" in found else None
        if variant == "ansi" and "message" in found:
            self.mistakes.at(found["variant"], "a description is written as ITU's SCCP; give ANSI's in `hex`")
        wish = self.wish(found["expect"]) if "expect" in found else {}
        after = self.duration(found["after"]) if "after" in found else 0
        if self.mistakes.total > before:
            return None
        return Step(
            where=node.where,
            records=tuple(records),
            capture=capture,
            encapsulation=encapsulation,
            perimeter=perimeter or "international",
            link=name or "",
            topic=topic or "",
            variant=variant or "itu",
            mode=mode or "enforce",
            point_codes=(label.get("opc"), label.get("dpc")) if encapsulation == "sccp" else (None, None),
            after_ns=after * 1_000_000_000,
            wish=wish,
        )

    def incoming(self, found: Mapping[str, Node], label: Mapping[str, int]) -> tuple[str, list[bytes]]:
        """Encapsulation and records of a message or of octets."""
        for key in ("repeat", "vary"):
            if key in found and "message" not in found:
                self.mistakes.at(found[key], f"{key} is for `message`; leave it out")
        encapsulation: str | None = "sccp"
        if "encapsulation" in found:
            encapsulation = self.choice(found["encapsulation"], "encapsulation", ("sccp", "mtp3", "m3ua"))
            if "hex" not in found:
                self.mistakes.at(found["encapsulation"], "encapsulation is for `hex`; leave it out")
        if "capture" in found or encapsulation != "sccp":
            for key in LABEL.keys() & found.keys():
                self.mistakes.at(found[key], f"what comes in has a routing label of its own; leave {key} out")
        records = self.described(found) if "message" in found else []
        records += [self.octets(found["hex"])] if "hex" in found else []
        if encapsulation == "sccp" and ("ni" in label or "sls" in label):
            opc, dpc, sls, ni = (label.get(key, 0) for key in ("opc", "dpc", "sls", "ni"))
            return "m3ua", [m3ua_data(opc, dpc, sls, one, ni) for one in records]
        return encapsulation or "sccp", records

    def either(self, found: Mapping[str, Node], key: str, known: tuple[str, ...]) -> str | None:
        node = found.get(key, self.said.get(key))
        return self.choice(node, key, known) if node is not None else None

    def label(self, found: Mapping[str, Node], link: Link | None) -> dict[str, int]:
        """The routing label, as it is written, else as the link asks for it."""
        asked = {"opc": link.opc, "dpc": link.dpc, "ni": link.ni} if link is not None else {}
        label = {key: values[0] for key, values in asked.items() if values}
        for key, high in LABEL.items():
            if key in found and (number := self.integer(found[key], key, 0, high)) is not None:
                label[key] = number
        return label

    def octets(self, node: Node) -> bytes:
        text = self.text(node, "hex") or ""
        digits = re.sub(r"[\s:]", "", text)
        if not re.fullmatch("([0-9A-Fa-f]{2})+", digits):
            self.mistakes.at(node, f"hex {shown(text)} is not usable; write octets as hex digits in pairs, in quotes")
            return b""
        if len(digits) > 2 * MAX_OCTETS:
            self.mistakes.at(node, f"hex has {len(digits) // 2} octets, more than any message; make it a capture")
        return bytes.fromhex(digits)

    def place(self, node: Node) -> tuple[Path, int, int] | None:
        must = "write FILE#12 or FILE#12.1, the file beside this one"
        text = self.text(node, "capture", r".+#[1-9][0-9]{0,8}(\.[0-9]{1,5})?", must)
        if text is None:
            return None
        file, _, where = text.rpartition("#")
        frame, _, index = where.partition(".")
        path = self.path.parent / file
        if not path.is_file():
            self.mistakes.at(node, f"{path} is not there; name the capture as from {self.path.parent}")
        return path, int(frame), int(index or 0)

    def described(self, found: Mapping[str, Node]) -> list[bytes]:
        """Records of the message, as often as it is repeated."""
        from sigfw.messages.describe import describe  # pycrate takes a second to import: only where it is needed

        node, times = found["message"], 1
        if "repeat" in found:
            times = self.integer(found["repeat"], "repeat", 1, MAX_REPEAT) or 1
        varied = ""
        if "vary" in found:
            written = [key.text for key, value in node.pairs if value.text.isdecimal()]
            varied = self.choice(found["vary"], "vary", written) or ""
        defaults = self.defaults()
        records: list[bytes] = []
        for i in range(times):
            before = self.mistakes.total
            self.number += 1
            one = counted(node, varied, i) if varied else node
            records += describe(one, self.mistakes, defaults, self.number)
            if self.mistakes.total > before:
                break
        return records

    def defaults(self) -> "Defaults":
        from sigfw.messages.describe import Defaults

        parties: dict[str, Node] = {key: self.said[key] for key in ("calling", "called") if key in self.said}
        home = self.policy.home.global_titles
        numbers = {
            key: text
            for key in ("imsi", "msisdn")
            if key in self.said and (text := self.text(self.said[key], key, "[0-9]{1,15}", "write digits, in quotes"))
        }
        return Defaults(parties, home[0].ljust(12, "0")[:15] if home else "", **numbers)

    def duration(self, node: Node) -> int:
        """Seconds."""
        must = "write a time since the step before: 90s, 30m, 2h or 1d"
        text = self.text(node, "after", r"(0|[1-9][0-9]{0,6})[smhd]", must)
        return int(text[:-1]) * UNITS[text[-1]] if text else 0

    # ---- what must become of it

    def wish(self, node: Node) -> Wish:
        if node.kind == "scalar":
            action = self.choice(node, "expect", names.ACTIONS[1:])
            return {"action": action} if action else {}
        found = self.fields(node, "expect", EXPECTED)
        if node.kind == "mapping" and not found:
            self.mistakes.at(node, f"expect says nothing; write some of {', '.join(EXPECTED)}")
        wish: Wish = {}
        for key, value in found.items():
            if key == "shadow" and value.kind == "mapping":
                for inner, said in self.fields(value, "shadow", SHADOW).items():
                    wish[f"shadow.{inner}"] = self.expected(said, inner)
            elif key == "shadow":
                wish["shadow.rule" if not value.empty else "shadow"] = self.expected(value, "rule")
            else:
                wish[key] = self.expected(value, key)
        return wish

    def expected(self, node: Node, key: str) -> str | None:
        """A word of the key's; None where nothing is written: there must be none."""
        if node.empty and key not in ("action", "reason"):
            return None
        known = {
            "action": names.ACTIONS[1:],
            "reason": names.REASONS[1:],
            "rule": self.rules,
            "category": self.categories,
        }
        return self.choice(node, key, known[key])


def counted(node: Node, key: str, by: int) -> Node:
    """The message with a number of it counted on."""
    pairs = []
    for name, value in node.pairs:
        if name.text == key:
            text = str(int(value.text) + by).rjust(len(value.text), "0")
            pairs.append((name, Node("scalar", value.file, value.line, text)))
        else:
            pairs.append((name, value))
    return Node("mapping", node.file, node.line, pairs)
