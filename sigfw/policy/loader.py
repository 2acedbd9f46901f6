"""Policy files to a Policy: strict, all mistakes at once, each with file and line.

load ─► _Files (includes in place) ─► sections ─► numbers (home, operators, lists) ─► links, exceptions ─► rules.py
"""

import datetime
import os
from pathlib import Path
from typing import Final

from sigfw import names
from sigfw.errors import ConfigError
from sigfw.policy import compiled, schema
from sigfw.policy.checks import STATE_CHECKS, ChecksReader
from sigfw.policy.dates import on, utc_today
from sigfw.policy.entries import Entries
from sigfw.policy.model import Checks, Home, Link, NumberList, Operator, Perimeter, Policy, Variant
from sigfw.policy.numbers import NumberReader
from sigfw.policy.operators import KEYS as OPERATOR_KEYS
from sigfw.policy.operators import OperatorBook
from sigfw.policy.rules import Rules
from sigfw.policy.travel import read_table
from sigfw.yamlfile import Mistakes, Node, read, shown

__all__ = ["load"]

TOP: Final = ("schema", "name", "home", "links", "operators", "lists", "exceptions", "checks", "rules", "include")
MAX_FILES: Final = 256  # included; a policy of more is a loop written by a program
PERIMETERS: Final[tuple[Perimeter, ...]] = ("international", "national", "internal")


def load(path: Path, *, today: datetime.date | None = None) -> Policy:
    """Read a policy with all that it includes, or one that was compiled.

    today: whose dated entries of lists are in force (default: this day, UTC); dates.on says what is so on another day.
    Raises ConfigError with every mistake, `file:line: what is wrong; what to do`, in the order of file and line.
    """
    path = Path(path)
    if compiled.is_compiled(path):
        return compiled.load(path, today or utc_today())
    mistakes = Mistakes()
    loader = _Loader(mistakes)
    policy = loader.load(path)
    if policy is None:
        raise ConfigError(mistakes.lines(), map(str, loader.files))
    return on(policy, today or utc_today())


def _real(path: Path) -> Path:
    """Where links lead; of links in a ring somewhere on it (Path.resolve would raise)."""
    return Path(os.path.realpath(path))


class _Loader(NumberReader):
    def __init__(self, mistakes: Mistakes) -> None:
        super().__init__(mistakes)
        self.files: list[Path] = []
        self.included = 0  # times, a file twice counted twice: includes that double would never end
        self.sections: dict[str, list[Node]] = {}
        self.as_of: dict[str, str] = {}  # what files say of their age
        self.bases: dict[str, Path] = {}  # file as told in messages -> the folder its paths are relative to

    def load(self, path: Path) -> Policy | None:
        self._file(path, None, ())
        if "schema" not in self.sections and not self.mistakes:
            self.mistakes.add(str(path), 1, f"the policy has no `schema`; add `schema: {schema.SCHEMA}`")
        for node in self.sections.get("schema", ()):
            if self.integer(node, "schema", 0, 1 << 31) not in (schema.SCHEMA, None):
                self.mistakes.at(node, f"schema {node.text} is not known to this version; write {schema.SCHEMA}")
        home = self._home()
        operators = self._operators()
        lists = self._lists()
        links = self._links()
        exceptions = self._exceptions()
        checks = self._checks(lists)
        rules = Rules(self.mistakes, lists, operators, links).read(self.sections.get("rules", []))
        name = self._once("name")
        if name is None and self.sections:
            self.mistakes.add(str(path), 1, "the policy has no `name`; add `name: …`")
        policy_name = self.name(name, "name") if name else None
        if self.mistakes or policy_name is None:
            return None
        return Policy(
            name=policy_name,
            digest="",  # of a day: dates.on
            home=home,
            links=tuple(links),
            operators=tuple(operators),
            lists=lists,
            exceptions=exceptions,  # type: ignore[arg-type]
            exceptions_where={name: key.where for name, (key, _) in self._merged("exceptions").items()},
            lists_where={name: key.where for name, (key, _) in self._merged("lists").items()},
            rules=tuple(rules),
            checks=checks,
            files=tuple(str(f) for f in self.files),
            as_of=self.as_of,
        )

    # -- files ---------------------------------------------------------------------------------------------------------

    def _file(self, path: Path, named_by: Node | None, above: tuple[Path, ...]) -> None:
        """Take the sections of a file; those of an included one stand where the `include` stands."""
        self._watch(path)
        if path.name.endswith(".tests.yaml") and named_by is None:
            said = "holds the cases of a policy; name the policy: `sigfw policy test` finds them beside it"
            self.mistakes.add(str(path), 1, said)
            return
        top = read(path, self.mistakes, named_by)
        if top is None:
            return
        self.bases[str(path)] = path.parent
        what = "the policy" if named_by is None else "the included file"
        for key, value in self.mapping(top, what):
            if key.text == "include":
                self._include(value, path, above)
            elif key.text in TOP:
                self.sections.setdefault(key.text, []).append(value)
            else:
                self.mistakes.at(key, f"unknown key {shown(key.text)} in {what}; {self.hint(key, key.text, TOP)}")

    def _include(self, value: Node, path: Path, above: tuple[Path, ...]) -> None:
        above = (*above, _real(path))
        for node in self.one_or_more(value):
            name = self.text(node, "include")
            if name is None:
                continue
            if "\0" in name:
                self.mistakes.at(node, "include holds a character that no path may have; write a path")
                continue
            included = path.parent / name
            if _real(included) in above:
                self.mistakes.at(node, f"{included} includes itself by this line; remove it")
            elif self.included >= MAX_FILES:
                if self.included == MAX_FILES:
                    self.included += 1
                    self.mistakes.at(node, f"more than {MAX_FILES} files are included; check who includes whom")
                return
            else:
                self.included += 1
                self._file(included, node, above)

    def _watch(self, path: Path) -> None:
        if path not in self.files:
            self.files.append(path)

    def _beside(self, node: Node, what: str) -> Path | None:
        """The path that a node names, relative to its own file."""
        name = self.text(node, what, r"[^\0]+", "write a path")
        if name is None:
            return None
        path = self.bases.get(node.file, Path()) / name
        self._watch(path)
        return path

    def _once(self, section: str) -> Node | None:
        nodes = self.sections.get(section, [])
        for again in nodes[1:]:
            self.mistakes.at(again, f"`{section}` stands already at {nodes[0].where}; remove one")
        return nodes[0] if nodes else None

    def _merged(self, section: str, known: tuple[str, ...] | None = None) -> dict[str, tuple[Node, Node]]:
        """Keys of a mapping section over all files, each once."""
        found: dict[str, tuple[Node, Node]] = {}
        for node in self.sections.get(section, ()):
            for key, value in self.mapping(node, f"`{section}`"):
                if known is not None and key.text not in known:
                    hint = self.hint(key, key.text, known)
                    self.mistakes.at(key, f"unknown key {shown(key.text)} in `{section}`; {hint}")
                elif key.text in found:
                    at = found[key.text][0].where
                    self.mistakes.at(key, f"{shown(key.text)} of `{section}` stands already at {at}; remove one")
                else:
                    found[key.text] = (key, value)
        return found

    # -- numbers -------------------------------------------------------------------------------------------------------

    def _prefixes(self, node: Node | None, what: str, *, imsi: bool = False) -> tuple[str, ...]:
        if node is None:
            return ()
        found = (self.digits(n, what, zero=imsi, least=5 if imsi else 1) for n in self.items(node, what))
        return tuple(dict.fromkeys(d for d in found if d is not None))

    def _home(self) -> Home:
        keys = ("country_code", "global_titles", "imsi", "e214", "msisdn", "point_codes", "hosted_abroad")
        found = {name: value for name, (_, value) in self._merged("home", keys).items()}
        country_code = found.get("country_code")
        points = found.get("point_codes")
        codes = self.items(points, "home.point_codes") if points else []
        return Home(
            country_code=(self._country_code(country_code) if country_code else None) or "",
            global_titles=self._prefixes(found.get("global_titles"), "home.global_titles"),
            imsi=self._prefixes(found.get("imsi"), "home.imsi", imsi=True),
            e214=self._prefixes(found.get("e214"), "home.e214"),
            msisdn=self._prefixes(found.get("msisdn"), "home.msisdn"),
            point_codes=tuple(c for n in codes if (c := self.integer(n, "home.point_codes", 0, 0xFFFFFF)) is not None),
            hosted_abroad=self._prefixes(found.get("hosted_abroad"), "home.hosted_abroad"),
        )

    def _country_code(self, node: Node) -> str | None:
        digits = self.digits(node, "country_code")
        if digits is not None and len(digits) > 3:  # E.164 clause 6.2.1: one to three digits
            self.mistakes.at(node, f"country_code {shown(digits)} has {len(digits)} digits; write 1 to 3")
            return None
        return digits

    def _operators(self) -> list[Operator]:
        book = OperatorBook(self.mistakes, self.as_of)
        for section in self.sections.get("operators", ()):
            for node in self.items(section, "`operators`"):
                found = self.fields(node, "an operator", OPERATOR_KEYS)
                if "file" in found:
                    if len(found) > 1:
                        self.mistakes.at(node, "an operator with `file` has other keys; give them their own entry")
                    path = self._beside(found["file"], "file")
                    if path is not None:
                        book.read(path, found["file"])
                elif "tadig" in found:
                    book.take(found)
                elif node.kind == "mapping":
                    self.mistakes.at(node, "an operator has no `tadig`; add it, or name a `file`")
        return book.operators()

    def _lists(self) -> dict[str, NumberList]:
        lists: dict[str, NumberList] = {}
        for name, (key, value) in self._merged("lists").items():
            if name in schema.BUILT_IN_LISTS:
                self.mistakes.at(key, f"the list `{name}` is made of `home`; choose another name")
                continue
            if self.name(key, "a list's name") is None:
                continue
            if name.isdecimal():
                self.mistakes.at(key, f"the list's name {shown(name)} looks like a prefix; begin it with a letter")
                continue
            found = self.fields(value, f"list `{name}`", ("kind", "entries", "file"), ("kind",))
            kind = self.choice(found["kind"], "kind", schema.LIST_KINDS) if "kind" in found else None
            if value.kind == "mapping" and not ("entries" in found or "file" in found):
                self.mistakes.at(value, f"list `{name}` has neither `entries` nor `file`; add one")
            entries = Entries(self.mistakes, self.as_of, zero=kind in ("imsi", None))
            for node in self.items(found["entries"], "entries") if "entries" in found else ():
                entries.take_node(node)
            path = self._beside(found["file"], "file") if "file" in found else None
            if path is not None:
                entries.take_file(path, found["file"])
            # Where the kind is wrong the mistake is noted; the list stays known, so that rules are not blamed for it.
            lists[name] = NumberList(
                kind=kind or "gt",  # type: ignore[arg-type]
                entries=entries.all,
                dated=entries.dated,
                where=key.where,
                repeats=entries.repeats,
                repeated=entries.repeated,
            )
        return lists

    # -- links and exceptions ------------------------------------------------------------------------------------------

    def _links(self) -> list[Link]:
        links: dict[str, Link] = {}
        for section in self.sections.get("links", ()):
            for node in self.items(section, "`links`"):
                link = self._link(node)
                if link is not None and link.name in links:
                    self.mistakes.at(node, f"the link {shown(link.name)} stands twice; name each once")
                elif link is not None:
                    links[link.name] = link
                if len(links) == schema.MAX_LINKS + 1:
                    self.mistakes.at(node, f"more than {schema.MAX_LINKS} links; put those of one side into one match")
        return list(links.values())

    def _link(self, node: Node) -> Link | None:
        known = ("name", "match", "perimeter", "variant", "country_code")
        found = self.fields(node, "a link", known, ("name", "perimeter"))
        name = self.name(found["name"], "name") if "name" in found else None
        perimeter = self.choice(found["perimeter"], "perimeter", PERIMETERS) if "perimeter" in found else None
        variant = self._variant(found["variant"]) if "variant" in found else None
        country_code = self._country_code(found["country_code"]) if "country_code" in found else ""
        match = self.fields(found["match"], "match", ("topic", "ni", "opc", "dpc")) if "match" in found else {}
        topics = [self.text(n, "topic") for n in self.one_or_more(match["topic"])] if "topic" in match else []
        if name is None or perimeter is None:
            return None
        return Link(
            name=name,
            perimeter=perimeter,  # type: ignore[arg-type]
            topics=tuple(t for t in topics if t is not None),
            ni=self._numbers(match, "ni", 3),
            opc=self._numbers(match, "opc", 0xFFFFFF),
            dpc=self._numbers(match, "dpc", 0xFFFFFF),
            variant=variant or "itu",
            country_code=country_code or "",
        )

    def _variant(self, node: Node) -> Variant | None:
        return self.choice(node, "variant", names.VARIANTS, names.UNBUILT_VARIANTS)  # type: ignore[return-value]

    def _numbers(self, match: dict[str, Node], key: str, high: int) -> tuple[int, ...]:
        nodes = self.one_or_more(match[key]) if key in match else []
        return tuple(n for node in nodes if (n := self.integer(node, key, 0, high)) is not None)

    def _checks(self, lists: dict[str, NumberList]) -> Checks:
        reader = ChecksReader(self.mistakes, lists)
        nodes = {name: node for name, (_, node) in self._merged("checks", STATE_CHECKS).items() if name in STATE_CHECKS}
        found = reader.read(nodes)
        path = self._beside(reader.travel, "travel") if reader.travel else None
        if path is not None and reader.travel is not None:
            found["journeys"] = read_table(path, self.mistakes, reader.travel)
        return Checks(**found)

    def _exceptions(self) -> dict[str, dict[str, str]]:
        found = self._merged("exceptions", tuple(names.EXCEPTIONS))
        return {name: self._exception(name, found[name][1] if name in found else None) for name in names.EXCEPTIONS}

    def _exception(self, name: str, node: Node | None) -> dict[str, str]:
        rest = names.EXCEPTIONS[name]
        if node is None:
            return dict.fromkeys(PERIMETERS, rest)
        if node.kind == "scalar":
            return dict.fromkeys(PERIMETERS, self.choice(node, name, schema.EXCEPTION_ACTIONS) or rest)
        found = self.fields(node, f"`{name}`", (*PERIMETERS, "else"))
        actions = {key: self.choice(value, name, schema.EXCEPTION_ACTIONS) or rest for key, value in found.items()}
        return {p: actions.get(p, actions.get("else", rest)) for p in PERIMETERS}
