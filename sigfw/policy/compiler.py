"""From a Policy to the Tables that the core runs on: every rule a bit, every value of a field a row of bits.

What a row means is said in sigfw/_core/tables.pxd. Prefixes of all lists, operators and rules go into one table a space
(see sigfw/_core/gttable.pyx); what a number is there, its class, leads to a row in turn.
"""

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from sigfw import names
from sigfw._core.gttable import HOME, HOSTED_ABROAD, OPERATOR_ITEM, PrefixTable
from sigfw._core.prefixes import Prefixes
from sigfw._core.tables import Tables
from sigfw.errors import ConfigError
from sigfw.policy.model import Condition, Operand, Policy, Rule, Scalar
from sigfw.policy.state import state_rules

__all__ = ["Vocabulary", "compile_policy"]

MAX_OPERATORS = 0xFFFF  # ClassInfo.operator
MAX_ALSO = 0x7FFF  # what an item of a prefix table has room for
FROM_CALLED, FROM_CALLING, FROM_KIND, FROM_ROLE, FROM_NAME = range(5)
PARTY = ("ssn", "np", "nai", "tt", "gti", "absent")
# In the order of tables.pxd: SmallId, IntId.
SMALL = (
    "perimeter", "link", "direction", "encapsulation", "ni", "sls", "sccp.type", "return_cause", "management.type",
    *(f"called.{one}" for one in PARTY),
    *(f"calling.{one}" for one in PARTY),
    "tcap.type", "component_count", "sms.pid", "sms.dcs",
    "component", "opcode_form", "map_version", "application",
)  # fmt: skip
INTS = ("opc", "dpc", "called.pc", "calling.pc")
N_EARLY_SMALL = SMALL.index("tcap.type")
# Fields that a segment has before the whole is there, beside those of SMALL, and the checks that need no more.
EARLY_FIELDS = {*SMALL[:N_EARLY_SMALL], *INTS} | {
    f"{party}.{one}" for party in ("called", "calling") for one in ("gt", "operator", "country")
}
EARLY_CHECKS = {"calling_operator_unknown", "called_is_not_home"}
GT_SPACES = ("e164", "e214")
ALL_SPACES = names.SPACES[1:]
SPACES_OF_KIND = {"gt": GT_SPACES, "imsi": ("e212",), "msisdn": ("msisdn",)}
ROLES = {  # bits of Number.role
    "sm_rp_oa": 1 << 0,
    "sm_rp_da": 1 << 1,
    "camel.gsmscf": 1 << 2,
    "map.open.destination_reference": 1 << 4,
    "map.open.origination_reference": 1 << 5,
}
ADDRESSES = "map.addresses."


class Vocabulary(NamedTuple):
    """What the core's own tables call things: a number is an index."""

    operations: tuple[tuple[str, str], ...]  # (application, ASN.1 name); 0 unused
    addresses: tuple[str, ...]  # ASN.1 identifiers
    requested_info: tuple[str, ...]


def core_vocabulary() -> Vocabulary:
    from sigfw._core import mapop

    return Vocabulary(tuple(mapop.OPERATIONS), tuple(mapop.FIELD_NAMES), tuple(names.REQUESTED_INFO))


class Uses(NamedTuple):
    """One condition, and the bit of its rule."""

    bit: int
    condition: Condition


class Mistake(ValueError):
    """A value that means nothing; becomes a line of ConfigError."""


@dataclass
class Rows:
    """Rows of rule bits, each kept once."""

    n_rules: int
    numbers: dict[int, int] = field(default_factory=dict)

    def add(self, bits: int) -> int:
        return self.numbers.setdefault(bits, len(self.numbers))

    def words(self) -> "array[int]":
        octets = (self.n_rules + 63) // 64 * 8
        return array("Q", b"".join(bits.to_bytes(octets, "little") for bits in self.numbers))


class Numbers:
    """The prefix tables: lists by number, operators by number, and what goes into which space."""

    def __init__(self, policy: Policy) -> None:
        self.lists: dict[object, int] = {"home": HOME, "hosted_abroad": HOSTED_ABROAD}
        self.prefixes: dict[str, list[str]] = {space: [] for space in ALL_SPACES}
        self.items: dict[str, array[int]] = {space: array("I") for space in ALL_SPACES}
        self.packed: dict[str, list[tuple[Prefixes, int]]] = {space: [] for space in ALL_SPACES}
        home = policy.home
        self.also = array("H", [0])
        self.also_rows: dict[tuple[int, ...], int] = {}
        self.operators = ["", "home"]
        self.countries = ["", ""]
        for space, own in (
            ("e164", home.global_titles),
            ("e214", home.e214),
            ("e212", home.imsi),
            ("msisdn", home.msisdn or home.global_titles),
        ):
            self.put((space,), own, HOME << 1)
            self.put((space,), own, OPERATOR_ITEM | 1)
        self.put(GT_SPACES, home.hosted_abroad, HOSTED_ABROAD << 1)
        self.put_operators(policy)
        for name, one in policy.lists.items():
            number = self.lists.setdefault(name, len(self.lists))
            for exclude in (False, True):
                prefixes = [row.prefix for row in one.listed.rows if row.exclude is exclude]
                self.put(SPACES_OF_KIND[one.kind], prefixes, number << 1 | exclude)
            for space in SPACES_OF_KIND[one.kind]:
                self.packed[space].append((one.listed.plain, number))

    def put(self, spaces: Iterable[str], prefixes: Iterable[str], item: int) -> None:
        prefixes = list(prefixes)
        for space in spaces:
            self.prefixes[space] += prefixes
            self.items[space].extend([item] * len(prefixes))

    def put_operators(self, policy: Policy) -> None:
        """Home is operator 1."""
        us = policy.home_tadig
        numbers = {"home": 1, us: 1}
        for one in policy.operators:
            if one.tadig == us:
                self.operators[1], self.countries[1] = one.tadig, one.country
            elif one.tadig not in numbers:
                numbers[one.tadig] = len(self.operators)
                self.operators.append(one.tadig)
                self.countries.append(one.country)
        if len(self.operators) > MAX_OPERATORS:
            raise ConfigError([f"operators: {len(self.operators)} are too many; at most {MAX_OPERATORS - 2}"])
        # What an operator names for a space goes before the global titles that stand for it.
        named = {key: {p for one in policy.operators for p in getattr(one, key)} for key in ("e214", "msisdn")}
        for one in policy.operators:
            items = {
                (s.key, s.prefix): self.also_number(sorted({numbers[also] for also in s.also})) for s in one.shared
            }
            for space, key in (("e164", "global_titles"), ("e212", "imsi"), ("e214", "e214"), ("msisdn", "msisdn")):
                self.put_owned(space, getattr(one, key), numbers[one.tadig], key, items)
            for space, first in named.items():
                titles = [prefix for prefix in one.global_titles if prefix not in first]
                self.put_owned(space, titles, numbers[one.tadig], "global_titles", items)

    def put_owned(
        self, space: str, prefixes: Iterable[str], operator: int, key: str, also: dict[tuple[str, str], int]
    ) -> None:
        by_item: dict[int, list[str]] = {}
        for prefix in prefixes:
            by_item.setdefault(OPERATOR_ITEM | also.get((key, prefix), 0) << 16 | operator, []).append(prefix)
        for item, some in by_item.items():
            self.put((space,), some, item)

    def also_number(self, others: list[int]) -> int:
        """Where a row of operators begins in `also`; 0: none."""
        row = tuple(others)
        if row and row not in self.also_rows:
            self.also_rows[row] = len(self.also)
            self.also.extend((*row, 0))
            if len(self.also) > MAX_ALSO:
                raise ConfigError([f"operators: `also` names too many sets of operators; at most {MAX_ALSO} in all"])
        return self.also_rows[row] if row else 0

    def list_number(self, operand: Operand, spaces: tuple[str, ...]) -> int:
        """The list that an operand names, or one made of the prefixes it writes out."""
        if operand.list is not None:
            if operand.list not in self.lists:
                raise Mistake(f"no list is called {operand.list!r}; add it under lists")
            return self.lists[operand.list]
        values = tuple(sorted({str(value) for value in operand.values}))
        known = self.lists.get((spaces, values))
        if known is None:
            known = self.lists[(spaces, values)] = len(self.lists)
            self.put(spaces, values, known << 1)
        return known

    def tables(self) -> tuple[PrefixTable | None, ...]:
        return (
            None,
            *(PrefixTable(self.prefixes[space], self.items[space], self.packed[space]) for space in ALL_SPACES),
        )


class Compiler:
    """One policy. `uses` is what each field is asked, `every` the rules as bits."""

    def __init__(self, policy: Policy, vocabulary: Vocabulary) -> None:
        self.policy = policy
        self.vocabulary = vocabulary
        self.rows = Rows(len(policy.rules))
        self.every = (1 << len(policy.rules)) - 1
        self.numbers = Numbers(policy)
        self.uses: dict[str, list[Uses]] = {}
        self.mistakes: list[str] = []
        self.spaces: tuple[PrefixTable | None, ...] = ()
        self.link_numbers = {one.name: i for i, one in enumerate(policy.links, 1)}
        for i, rule in enumerate(policy.rules):
            for condition in conditions(rule):
                self.uses.setdefault(condition.field, []).append(Uses(1 << i, condition))

    # rows -------------------------------------------------------------------------------------------------------------

    def row(self, uses: list[Uses], holds: Callable[[Operand], bool]) -> int:
        """The row of a value that is among an operand's where `holds` says so."""
        bits = self.every
        for bit, condition in uses:
            if (condition.within is not None and not holds(condition.within)) or (
                condition.without is not None and holds(condition.without)
            ):
                bits &= ~bit
        return self.rows.add(bits)

    def exact(self, name: str, number: Callable[[Scalar], Iterable[Any]]) -> tuple[dict[Any, int], int]:
        """Rows of the values that rules name, and that of all else; `number`: what a value written out stands for."""
        uses = self.uses[name]
        sets: dict[int, set[Any]] = {}
        for bit, condition in uses:
            for operand in (condition.within, condition.without):
                if operand is not None:
                    sets[id(operand)] = self.values(name, bit, operand, number)
        named = set().union(*sets.values())

        def row_of(value: Any) -> int:
            return self.row(uses, lambda operand: value in sets[id(operand)])

        return {value: row_of(value) for value in named}, self.row(uses, lambda operand: False)

    def values(self, name: str, bit: int, operand: Operand, number: Callable[[Scalar], Iterable[Any]]) -> set[Any]:
        found: set[Any] = set()
        if operand.list is not None:
            self.mistake(bit, f"{name}: a list of numbers cannot be asked here; write the values out")
        for value in operand.values:
            try:
                found.update(number(value))
            except Mistake as error:
                self.mistake(bit, f"{name}: {error}")
            except (ValueError, KeyError):
                self.mistake(bit, f"{name}: {value!r} is no value of this field")
        return found

    def mistake(self, bit: int, text: str) -> None:
        rule = self.policy.rules[bit.bit_length() - 1]
        self.mistakes.append(f"{rule.where or rule.id}: {text}")

    # fields -----------------------------------------------------------------------------------------------------------

    def small(self, name: str) -> "array[int]":
        known, other = self.exact(name, lambda value: [small_value(name, value, self.link_numbers)])
        return array("I", [known.get(value, other) for value in range(257)])  # the last: the message lacks the field

    def ints(self, name: str) -> "tuple[array[int], array[int]]":
        known, other = self.exact(name, lambda value: [] if is_oid(value) else [int32(value)])
        values = sorted(known)
        return array("i", values), array("I", [*(known[value] for value in values), other])

    def oids(self, name: str) -> "tuple[array[int], array[int], array[int]]":
        known, other = self.exact(name, lambda value: [oid_octets(str(value))] if is_oid(value) else [])
        starts = array("I", [0])
        for octets in known:
            starts.append(starts[-1] + len(octets))
        return array("B", b"".join(known)), starts, array("I", [*known.values(), other])

    def operation(self) -> "array[int]":
        by_name: dict[str, list[int]] = {}
        for number, (application, name) in enumerate(self.vocabulary.operations):
            if number and name:
                by_name.setdefault(name, []).append(number)
                by_name.setdefault(f"{application}:{name}", []).append(number)

        def number_of(value: Scalar) -> list[int]:
            if str(value) not in by_name:
                raise Mistake(f"no operation is called {value!r}; TS 29.002 and 29.078 have the ASN.1 names")
            return by_name[str(value)]

        known, other = self.exact("operation", number_of)
        return array("I", [known.get(number, other) for number in range(max(1, len(self.vocabulary.operations)))])

    def requested_info(self) -> "array[int]":
        known, other = self.exact("requested_info", lambda value: [self.vocabulary.requested_info.index(str(value))])
        return array("I", [*(known.get(bit, other) for bit in range(32)), other])

    def number_fields(self) -> list[tuple[str, int, int, "array[int]", str]]:
        """(name, source, selector, names, what is asked of the number), called and calling first."""
        found = []
        for name in self.uses:
            aspect = name.rpartition(".")[2]
            if name in ROLES:
                found.append((name, FROM_ROLE, ROLES[name], array("H"), "any"))
            elif name in ("imsi", "msisdn"):
                found.append((name, FROM_KIND, names.NUMBER_KINDS.index(name), array("H"), name))
            elif name.startswith(ADDRESSES):
                address = name.removeprefix(ADDRESSES).rpartition(".")[0]
                numbers = array("H", [i for i, one in enumerate(self.vocabulary.addresses) if one == address])
                if not numbers:
                    self.mistake(self.uses[name][0].bit, f"{name}: no address is called {address!r}")
                found.append((name, FROM_NAME, 0, numbers, aspect))
            elif aspect in ("gt", "operator", "country"):
                found.append((name, FROM_CALLED if name.startswith("called.") else FROM_CALLING, 0, array("H"), aspect))
        return sorted(found, key=lambda one: one[1])

    def number_rows(self, name: str, source: int, asked: str, tables: tuple[Any, ...]) -> tuple[int, list[Any]]:
        """The row of a number that is nothing to us, and the rows by class of each space."""
        uses = self.uses[name]
        tests: dict[int, Callable[[frozenset[int], int], bool]] = {}
        lists: set[int] = set()
        for _, condition in uses:
            for operand in (condition.within, condition.without):
                if operand is not None:
                    tests[id(operand)] = self.number_test(operand, source, asked, lists)
        rows: dict[tuple[frozenset[int], int], int] = {}

        def row_of(inside: frozenset[int], operator: int) -> int:
            key = (inside & lists, operator if asked in ("operator", "country") else 0)
            if key not in rows:
                rows[key] = self.row(uses, lambda operand: tests[id(operand)](*key))
            return rows[key]

        by_space = [array("I", [row_of(*one) for one in table.classes]) if table else None for table in tables]
        return row_of(frozenset(), 0), by_space

    def number_test(
        self, operand: Operand, source: int, asked: str, lists: set[int]
    ) -> Callable[[frozenset[int], int], bool]:
        if operand.list is None and asked in ("operator", "country"):
            have = self.numbers.operators if asked == "operator" else self.numbers.countries
            wanted = {i for i, one in enumerate(have) if one and one in operand.values}
            return lambda inside, operator: operator in wanted
        number = self.numbers.list_number(operand, written_spaces(source, asked))
        lists.add(number)
        return lambda inside, operator: number in inside

    def reserve_lists(self) -> None:
        """Values written out are prefixes too: all of them must be there before the tables are built."""
        for name, source, _, _, asked in self.number_fields():
            for bit, condition in self.uses[name]:
                for operand in (condition.within, condition.without):
                    try:
                        if operand is not None:
                            self.number_test(operand, source, asked, set())
                    except Mistake as error:
                        self.mistake(bit, f"{name}: {error}")

    # all together -----------------------------------------------------------------------------------------------------

    def fields(self, tables: tuple[Any, ...]) -> dict[str, Any]:
        numbers = [
            (name, source, selector, ids, *self.number_rows(name, source, asked, tables))
            for name, source, selector, ids, asked in self.number_fields()
        ]
        applications = [
            names.APPLICATIONS.index(application) if application else 0 for application, _ in self.vocabulary.operations
        ]
        return {
            "small": [(name, i, self.small(name)) for i, name in enumerate(SMALL) if name in self.uses],
            "ints": [(name, i, *self.ints(name)) for i, name in enumerate(INTS) if name in self.uses],
            "opcode": self.ints("opcode") if "opcode" in self.uses else None,
            "global_opcode": self.oids("opcode") if "opcode" in self.uses else None,
            "acn": self.oids("acn") if "acn" in self.uses else None,
            "numbers": numbers,
            "operation": self.operation() if "operation" in self.uses else None,
            "requested_info": self.requested_info() if "requested_info" in self.uses else None,
            "applications": array("B", applications),
        }

    def mask(self, wanted: Callable[[Rule], bool]) -> int:
        return self.rows.add(sum(1 << i for i, rule in enumerate(self.policy.rules) if wanted(rule)))

    def masks(self) -> dict[str, Any]:
        asked = [sum(1 << names.CHECKS.index(check) for check in rule.checks) for rule in self.policy.rules]
        used = [checks for rule, checks in zip(self.policy.rules, asked, strict=True) if rule.mode != "off"]
        shadow = any(rule.mode == "shadow" for rule in self.policy.rules)
        return {
            "enforced": self.mask(lambda rule: rule.mode == "enforce"),
            "with_shadow": self.mask(lambda rule: rule.mode != "off") if shadow else None,
            "deny": self.mask(lambda rule: rule.action != "allow"),
            "early": self.mask(is_early),
            "names_opcode": self.mask(names_an_opcode),
            "has_any": self.mask(lambda rule: bool(rule.checks) and not rule.checks_all),
            "has_checks": self.mask(lambda rule: bool(rule.checks)),
            "rule_checks": array("I", asked),
            "checks_used": reduce(or_, used, 0),
        }

    def tables(self) -> Tables:
        policy = self.policy
        known = {*SMALL, *INTS, "opcode", "acn", "operation", "requested_info"}
        known.update(one[0] for one in self.number_fields())
        for name in self.uses.keys() - known:
            self.mistake(self.uses[name][0].bit, f"{name}: no such field")
        self.reserve_lists()
        if self.mistakes:
            raise ConfigError(self.mistakes)
        compiled = policy.compiled
        ready = compiled is not None and compiled.fits(policy)
        self.spaces = spaces = compiled.tables(self.numbers) if ready else self.numbers.tables()
        fields = self.fields(spaces)
        masks = self.masks()
        if self.mistakes:
            raise ConfigError(self.mistakes)
        categories = list(dict.fromkeys(["", *(rule.category for rule in policy.rules)]))
        redirects = list(dict.fromkeys(["", *(rule.redirect for rule in policy.rules if rule.redirect)]))
        topics = {topic: 0 for link in policy.links for topic in link.topics}
        topics = {topic: i for i, topic in enumerate(topics, 1)}
        return Tables(
            names={
                "name": policy.name,
                "digest": policy.digest,
                "rule_ids": ("", *(rule.id for rule in policy.rules)),
                "rule_modes": ("", *(rule.mode for rule in policy.rules)),
                "categories": tuple(categories),
                "redirects": tuple(redirects),
                "operators": tuple(self.numbers.operators),
                "countries": tuple(self.numbers.countries),
                "links": ("", *(link.name for link in policy.links)),
                "topics": topics,
                "lists": tuple(one if isinstance(one, str) else "" for one in self.numbers.lists),
            },
            masks=masks,
            fields=fields,
            rules=[rule_parts(rule, categories, redirects) for rule in policy.rules],
            rows=self.rows.words(),
            links=[link_parts(policy, i, topics) for i in range(len(policy.links))],
            exceptions=[
                [0, *(names.ACTIONS.index(policy.exceptions[one][perimeter]) for perimeter in names.PERIMETERS[1:])]
                for one in names.EXCEPTIONS
            ],
            spaces=spaces,
            also=self.numbers.also,
            country_code=policy.home.country_code,
            point_codes=array("i", policy.home.point_codes),
            state=state_rules(policy, self.numbers, self.vocabulary, spaces, masks["checks_used"]),
        )


def conditions(rule: Rule) -> list[Condition]:
    """A rule's `when`; what has `operation` is about Invokes unless the rule says which component."""
    found = list(rule.when)
    asked = {one.field for one in found}
    if "operation" in asked and "component" not in asked:
        found.append(Condition(field="component", within=Operand(values=("invoke",))))
    return found


def names_an_opcode(rule: Rule) -> bool:
    """`not_in` names none: it would take `unknown_operation` away from every opcode that nobody thought of."""
    return any(one.field == "opcode" and one.within is not None for one in rule.when)


def is_early(rule: Rule) -> bool:
    return {one.field for one in rule.when} <= EARLY_FIELDS and set(rule.checks) <= EARLY_CHECKS


def written_spaces(source: int, asked: str) -> tuple[str, ...]:
    """Where digits written out in a rule stand."""
    if asked in ("imsi", "msisdn"):
        return SPACES_OF_KIND[asked]
    if source in (FROM_CALLED, FROM_CALLING):
        return GT_SPACES
    return (*GT_SPACES, "msisdn") if source == FROM_NAME else ALL_SPACES


SMALL_NAMES: dict[str, tuple[str, ...]] = {
    "perimeter": names.PERIMETERS,
    "direction": names.DIRECTIONS,
    "encapsulation": names.ENCAPSULATIONS,
    "tcap.type": names.TCAP_TYPES,
    "component": names.COMPONENT_TYPES,
    "opcode_form": names.OPCODE_FORMS,
    "application": names.APPLICATIONS,
}
CODE_NAMES: dict[str, dict[int, str]] = {
    "sccp.type": names.SCCP_TYPES,
    "management.type": names.MANAGEMENT_TYPES,
}


def small_value(name: str, value: Scalar, links: dict[str, int]) -> int:
    """The octet that a value written in a rule stands for. Raises ValueError or KeyError where it is none."""
    if name == "link":
        return links[str(value)]
    if name in SMALL_NAMES:
        if not value:
            raise ValueError(value)
        return SMALL_NAMES[name].index(str(value))
    if name in CODE_NAMES:
        return {one: code for code, one in CODE_NAMES[name].items()}[str(value)]
    number = int(value)
    if not 0 <= number <= 255:
        raise ValueError(value)
    return number


def int32(value: Scalar) -> int:
    number = int(value)
    if not -(1 << 31) <= number < 1 << 31:
        raise ValueError(value)
    return number


def is_oid(value: Scalar) -> bool:
    return isinstance(value, str) and "." in value


def oid_octets(dotted: str) -> bytes:
    """Content octets of an OBJECT IDENTIFIER (X.690 8.19)."""
    arcs = [int(arc) for arc in dotted.split(".")]
    if min(arcs) < 0 or arcs[0] > 2 or (arcs[0] < 2 and arcs[1] > 39):
        raise ValueError(dotted)
    octets = bytearray()
    for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        part = [arc & 0x7F]
        while arc := arc >> 7:
            part.append(arc & 0x7F | 0x80)
        octets += bytes(reversed(part))
    return bytes(octets)


def rule_parts(rule: Rule, categories: list[str], redirects: list[str]) -> tuple[int, ...]:
    return (
        names.ACTIONS.index(rule.action),
        categories.index(rule.category),
        rule.final,
        rule.alert,
        rule.return_cause,
        names.RULE_MODES.index(rule.mode),
        redirects.index(rule.redirect),
    )


def link_parts(policy: Policy, i: int, topics: dict[str, int]) -> tuple[Any, ...]:
    link = policy.links[i]
    return (
        array("H", [topics[topic] for topic in link.topics]),
        array("i", link.opc),
        array("i", link.dpc),
        sum(1 << ni for ni in set(link.ni)),
        names.PERIMETERS.index(link.perimeter),
        names.VARIANTS.index(link.variant),
        link.country_code,
    )


def compile_policy(policy: Policy, vocabulary: Vocabulary | None = None) -> Tables:
    """Make the tables of a checked policy.

    vocabulary: what the core calls operations and addresses; None: its own.
    Raises ConfigError as compiler_of does, and where a rule names an operation, address, list or value that is none.
    Cost: the prefixes' sort, if they are not in order, and one row a field and class of numbers; the rows alone where
    the policy was loaded from a compiled one.
    """
    return compiler_of(policy, vocabulary).tables()


def compiler_of(policy: Policy, vocabulary: Vocabulary | None = None) -> Compiler:
    """What makes the tables, and knows afterwards what it made them of.
    Raises ConfigError, all mistakes at once, where a policy is beyond a bound of the core.
    """
    too_much = [
        f"{policy.name}: {have} {what} are too many; at most {most}"
        for what, have, most in (
            ("rules", len(policy.rules), 1024),
            ("categories", len({rule.category for rule in policy.rules}), 16),
            ("links", len(policy.links), 255),
        )
        if have > most
    ]
    if too_much:
        raise ConfigError(too_much)
    return Compiler(policy, vocabulary or core_vocabulary())
