"""P1 Security's SigFW, its `ss7fw.json` as a policy: what each key means here, and what SigFW let through by it.

The meanings are those of SigFW's own source (SS7FirewallConfig.java, SS7Firewall.java). In the order of its checks:
calling_gt_whitelist (a hit goes on unchecked), calling_gt_blacklist, then for each Invoke oc_blacklist, the ACN of a
Begin, cat2_oc_blacklist, and last the Lua rules and the IDS. `4*` is a prefix with a digit behind it, a number without
`*` is that number alone; here both are prefixes.
"""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from sigfw.errors import ConfigError
from sigfw.policy import schema
from sigfw.policy.sigfw_facts import ACTIONS, ELSEWHERE, IMSI_READ, lua, operations
from sigfw.policy.words import some
from sigfw.yamlfile import Mistakes, Node, Reader, parse, printable, shown

__all__ = ["import_sigfw_json"]

MAX_OCTETS: Final = 8 << 20  # SigFW's own has 6 KB; a million GTs are too many for it
COMMENT: Final = 110  # characters a line


def import_sigfw_json(path: Path) -> str:
    """The policy, YAML. Raises ConfigError, with file and line, for what is no such file."""
    mistakes = Mistakes()
    top = _read(path, mistakes)
    text = _Importer(mistakes, path).policy(top) if top is not None else []
    mistakes.end()
    return "\n".join(text) + "\n"


def _read(path: Path, mistakes: Mistakes) -> Node | None:
    file = str(path)
    try:
        with path.open("rb") as f:
            octets = f.read(MAX_OCTETS + 1)
    except OSError as e:
        raise ConfigError([f"{printable(file)}:1: cannot be read ({e.strerror or e}); check the path"]) from None
    if len(octets) > MAX_OCTETS:
        mistakes.add(file, 1, f"is larger than {MAX_OCTETS >> 20} MB, which no ss7fw.json is; give SigFW's own file")
        return None
    try:
        json.loads(octets.decode("utf-8-sig"))
    except json.JSONDecodeError as e:
        mistakes.add(file, e.lineno, f"is no JSON here ({e.msg}); check the quotes, commas and brackets above")
    except UnicodeDecodeError as e:
        mistakes.add(file, octets.count(b"\n", 0, e.start) + 1, "is no UTF-8 text; give SigFW's own file")
    except (RecursionError, ValueError):
        mistakes.add(file, 1, "nests too deep or holds too long a number; give SigFW's own file")
    return None if mistakes else parse(octets, file, mistakes)  # JSON is YAML, and so every value has its line


class _Importer(Reader):
    def __init__(self, mistakes: Mistakes, path: Path) -> None:
        super().__init__(mistakes)
        self.path = path
        self.found: dict[str, Node] = {}  # by the key with those above it
        self.known: set[str] = set()
        self.action = "drop"
        self.mode = ""

    def policy(self, top: Node) -> list[str]:
        self.collect(top, "")
        rules = "sigfw_configuration.firewall_rules"
        if f"{rules}.diameter" in self.found:
            self.mistakes.at(top, "is SigFW's configuration for Diameter; give its ss7fw.json")
        elif rules not in self.found:
            self.mistakes.at(top, f"has no {rules}, and so is no ss7fw.json; give SigFW's own file")
        body = [*self.head(), *self.home(), *self.exceptions(rules), *self.rules(rules)]
        return [*body, "", *self.left_out()]

    def collect(self, node: Node, above: str) -> None:
        """Every mapping's values by their whole key; SigFW's comments are keys that end in `_comment`."""
        for key, value in self.mapping(node, above or "the file"):
            if not key.text.endswith("_comment"):
                name = f"{above}.{key.text}" if above else key.text
                self.found[name] = value
                if value.kind == "mapping" and name not in ELSEWHERE:
                    self.collect(value, name)

    def take(self, key: str) -> Node | None:
        self.known.add(key)
        return self.found.get(key)

    def texts(self, key: str) -> list[Node]:
        """A list of texts; none where the key is not there."""
        node = self.take(key)
        nodes = self.items(node, key) if node is not None else []
        return [one for one in nodes if self.text(one, key) is not None]

    def word(self, key: str) -> str:
        node = self.take(key)
        return (self.text(node, key) or "") if node is not None else ""

    # -- sections ------------------------------------------------------------------------------------------------------

    def head(self) -> Iterator[str]:
        yield from _said(
            f"Made from {printable(self.path.name)} by `sigfw policy import sigfw-json`. Read it before it is used. "
            "Where SigFW's rule had a hole, it is told at the rule. What SigFW has no rule for is in "
            "configs/policies/interconnect.yaml: our own GT from outside, operators (category 3), the numbers inside "
            "MAP, short messages, CAMEL. SigFW knows no sides; rules here are for the perimeter international.",
            "",
        )
        yield "schema: 1"
        yield "name: imported"

    def home(self) -> Iterator[str]:
        titles, wrong = self.prefixes("operator_configuration.Home_GT_prefixes", least=1)
        imsi, wrong_imsi = self.prefixes("operator_configuration.Home_IMSI_prefixes", least=5)
        yield ""
        yield from _said(
            "SigFW knows no numbering plans. Fill in country_code, for national numbers, and e214, what stands for MCC "
            "and MNC in an address.",
            "",
        )
        for one in (*wrong, *wrong_imsi):
            yield from _said(one, "")
        if not imsi:
            yield from _said("Without home.imsi the rules of cat2 match nothing: fill it in.", "")
        yield "home:"
        yield f"  global_titles: {_quoted(titles)}"
        yield f"  imsi: {_quoted(imsi)}"

    def exceptions(self, rules: str) -> Iterator[str]:
        policy = self.word(f"{rules}.firewall_policy")
        gt = self.word(f"{rules}.honeypot.sccp_gt")
        self.known.add(f"{rules}.honeypot.dnat_session_expiration_timeout")
        self.action = ACTIONS.get(policy, "drop")
        self.mode = "shadow" if policy == "ALLOW" else ""
        yield ""
        if policy not in ACTIONS:
            yield from _said(f"firewall_policy {shown(policy)} is no word of SigFW's, which then drops silently.", "")
        else:
            how = "by rules in shadow" if self.mode else f"by {self.action}"
            yield from _said(f"firewall_policy {policy}: what is denied is denied {how}.", "")
        if self.action == "redirect":
            yield from self.honeypot(gt)
        yield "exceptions:"
        yield "  default: allow              # as in SigFW, which lets go on what no rule names"
        yield "  malformed: drop             # SigFW too denies a TCAP package that it cannot parse"
        yield "  unusable_gt: drop           # SigFW compares digits as they come: another form missed every list"
        yield "  unknown_operation: drop     # SigFW let every opcode go on that its lists do not name"

    def honeypot(self, gt: str) -> Iterator[str]:
        problem = schema.digits_problem(gt) if gt else "is missing"
        self.action = "drop" if problem else f"{{redirect: {_one(gt)}}}"
        if problem:
            yield from _said(f"honeypot.sccp_gt {shown(gt)} {problem}: what would be redirected is dropped.", "")
        yield from _said(
            "Not mapped, honeypot.dnat_session_expiration_timeout: SigFW sent all else of such a calling GT there as "
            "well for so long.",
            "",
        )

    def rules(self, rules: str) -> Iterator[str]:
        allowed = self.prefixes(f"{rules}.sccp.calling_gt_whitelist", least=1)
        blocked = self.prefixes(f"{rules}.sccp.calling_gt_blacklist", least=1)
        yield from self.lists(allowed, blocked)
        yield ""
        yield "rules:"
        yield from self.sccp(allowed[0], blocked[0])
        yield from self.acn()
        yield from self.cat1(f"{rules}.tcap.oc_blacklist")
        yield from self.cat2(f"{rules}.map.cat2_oc_blacklist")
        yield from self.lua(f"{rules}.lua.blacklist_rules")

    def lists(self, allowed: tuple[list[str], list[str]], blocked: tuple[list[str], list[str]]) -> Iterator[str]:
        yield ""
        for one in (*allowed[1], *blocked[1]):
            yield from _said(one, "")
        if not blocked[0]:
            return
        yield "lists:"
        for name, entries in (("calling-gt-allowed", allowed[0]), ("calling-gt-blocked", blocked[0])):
            if entries:
                yield f"  {name}:"
                yield "    kind: gt"
                yield "    entries:"
                yield from (f'      - "{one}"' for one in entries)

    def sccp(self, allowed: list[str], blocked: list[str]) -> Iterator[str]:
        if allowed:
            yield from _said(
                "calling_gt_whitelist: in SigFW a hit skipped every later check: whoever has such a GT, or forges one, "
                "could locate and intercept. Here it is excepted from calling_gt_blacklist alone; all else is judged."
            )
            beaten = [one for one in blocked if one.startswith(tuple(allowed))]
            if beaten:
                yield from _said(
                    "Of no use, as an allowed prefix covers them (SigFW knows no longest prefix; to block them, write "
                    f'"!{beaten[0]}" into calling-gt-allowed): {some(beaten)}'
                )
        if allowed and blocked:
            yield from _rule("sigfw-allowed", "sccp", "calling.gt: {in: calling-gt-allowed}", "allow", "")
        elif allowed:
            yield from _said(f"Nothing is blocked, so nothing is excepted: {some(allowed)}")
        if blocked:
            yield from _said("calling_gt_blacklist: SigFW compared the digits whatever their plan and nature.")
            yield from self.deny("sigfw-blocked", "sccp", "calling.gt: {in: calling-gt-blocked}")

    def acn(self) -> Iterator[str]:
        yield from _said(
            "No key of SigFW's, always on: an Invoke in a Begin without an ACN was dropped, which cut off MAP version "
            "1. Here what version 1 has goes on; an ACN that does not fit its operation, which SigFW never asked, not."
        )
        yield from self.deny("sigfw-acn", "cat0", "component: invoke, check: acn_does_not_fit_operation")

    def cat1(self, key: str) -> Iterator[str]:
        codes, wrong = self.opcodes(key)
        found, cap, unknown = operations(codes)
        if codes or wrong:
            yield from _said(
                "tcap.oc_blacklist: SigFW's opcodes know no application: CAP's operations of the same opcodes were "
                "denied with MAP's. Here MAP's alone are."
            )
        for one in wrong:
            yield from _said(one)
        if cap:
            yield from _said(f"CAP's, which go on now: {', '.join(cap)}")
        if unknown:
            yield from _said(f"Of no operation, left to unknown_operation: {some(unknown, len(unknown))}")
        if found:
            yield from self.deny("sigfw-cat1", "cat1", f"operation: [{', '.join(found)}]")

    def cat2(self, key: str) -> Iterator[str]:
        codes, wrong = self.opcodes(key)
        found, _, unknown = operations(codes)
        if codes or wrong:
            yield from _said(
                "map.cat2_oc_blacklist: SigFW asked a Begin alone, and none whose calling GT is of Home_GT_prefixes: "
                "the same in a Continue, and from a forged GT of ours, went on."
            )
        for one in wrong:
            yield from _said(one)
        if unknown:
            yield from _said(f"Of no operation, left to unknown_operation: {some(unknown, len(unknown))}")
        idle = [one for one in codes if one not in IMSI_READ]
        if idle:
            yield from _said(f"Of these SigFW reads no IMSI, so that they always went on: {some(idle, len(idle))}")
        if found:
            named = f"operation: [{', '.join(found)}]"
            yield from self.deny("sigfw-cat2", "cat2", f"{named}, check: imsi_is_home")
            yield from _said("In SigFW they went on without an IMSI. In shadow: see whom it meets, then enforce it.")
            yield from _rule("sigfw-cat2-imsi-missing", "cat2", f"{named}, check: imsi_missing", "drop", "shadow")

    def lua(self, key: str) -> Iterator[str]:
        nodes = self.texts(key)
        if nodes:
            yield from _said(
                "lua.blacklist_rules: SigFW's tcap_oc is the opcode of the last Invoke: a harmless one put behind hid "
                "the others. A rule that failed to run matched nothing. Numbers were whole there, here are prefixes."
            )
        seen: set[str] = set()
        for number, node in enumerate(nodes, 1):
            when, why = lua(node.text)
            why = why or ("it says what one above says" if when in seen else "")
            if why:
                yield from _said(f"Not mapped, rule {number} (line {node.line}), {shown(node.text)}: {why}")
                continue
            seen.add(when)
            if "acn:" in when or "tcap.type:" in when:
                yield from _said("It asks for what the sender chooses: who sends otherwise passes it.")
            yield from self.deny(f"sigfw-lua-{number}", "lua", when)

    def left_out(self) -> Iterator[str]:
        yield "# Not mapped:"
        for key, why in ELSEWHERE.items():
            if key in self.found:
                yield f"#   {key}: {why}"
                self.known.add(key)
        above = {key[: key.rindex(".")] for key in self.found if "." in key}
        rest = [key for key in self.found if key not in self.known and key not in above]
        for key in rest:
            if self.found[key].kind != "mapping" or self.found[key].pairs:
                yield f"#   {printable(key)[:120]} (line {self.found[key].line}): no key that SigFW is known to read"

    # -- values --------------------------------------------------------------------------------------------------------

    def prefixes(self, key: str, *, least: int) -> tuple[list[str], list[str]]:
        """The prefixes, and why others are none."""
        good: dict[str, None] = {}
        wrong = []
        name = key.rpartition(".")[2]
        for node in self.texts(key):
            digits = node.text.removesuffix("*")
            problem = schema.digits_problem(digits, zero=least > 1)
            if digits == "":
                problem = "matches nothing in SigFW"
            elif problem is None and len(digits) < least:
                problem = f"has {len(digits)} digits; write MCC and MNC"
            if problem:
                wrong.append(f"Not mapped, {name} {shown(node.text)} (line {node.line}): {problem}")
            else:
                good[digits] = None
        return list(good), wrong

    def opcodes(self, key: str) -> tuple[list[int], list[str]]:
        """The opcodes, `2*` written out, and why others are none."""
        good: dict[int, None] = {}
        wrong = []
        for node in self.texts(key):
            text = node.text
            if re.fullmatch(r"[0-9]{1,3}", text) and int(text) < 256:
                good[int(text)] = None
            elif re.fullmatch(r"[1-9][0-9]?\*", text) and key.endswith(".oc_blacklist"):
                begun = [one for one in range(256) if str(one).startswith(text[:-1]) and len(str(one)) >= len(text)]
                good |= dict.fromkeys(begun)
            else:
                wrong.append(f"Not mapped, {shown(text)} (line {node.line}): no operation code from 0 to 255")
        return sorted(good), wrong

    def deny(self, rule_id: str, category: str, when: str) -> Iterator[str]:
        yield from _rule(rule_id, category, when, self.action, self.mode)


def _said(text: str, margin: str = "  ") -> Iterator[str]:
    """A comment. What came from the file has no line end any more, or it would end the comment."""
    for line in textwrap.wrap(printable(text), COMMENT, break_long_words=False, break_on_hyphens=False):
        yield f"{margin}# {line}"


def _rule(rule_id: str, category: str, when: str, action: str, mode: str) -> Iterator[str]:
    yield f"  - id: {rule_id}"
    yield f"    category: {category}"
    yield f"    when: {{perimeter: international, {when}}}"
    yield f"    action: {action}"
    if mode:
        yield f"    mode: {mode}"


def _one(digits: str) -> str:
    return f'"{digits}"'


def _quoted(prefixes: Iterable[str]) -> str:
    return "[" + ", ".join(map(_one, prefixes)) + "]"
