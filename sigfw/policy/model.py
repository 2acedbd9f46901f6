"""A policy as the loader hands it to the compiler: checked, includes in place, defaults filled in.

Nothing here reads YAML.
"""

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from typing import Any, Literal, overload

import msgspec

from sigfw._core.prefixes import Prefixes

Scalar = str | int | bool
Perimeter = Literal["international", "national", "internal"]
Variant = Literal["itu", "ansi", "china"]
ExceptionAction = Literal["allow", "drop", "reject"]


class Base(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Home(Base, frozen=True, kw_only=True):
    country_code: str = ""
    global_titles: tuple[str, ...] = ()  # E.164 prefixes of our nodes
    imsi: tuple[str, ...] = ()  # MCC+MNC
    e214: tuple[str, ...] = ()  # CC+NDC that stands for our MCC+MNC
    msisdn: tuple[str, ...] = ()  # subscribers' ranges; empty: those of global_titles
    point_codes: tuple[int, ...] = ()
    hosted_abroad: tuple[str, ...] = ()


class Link(Base, frozen=True, kw_only=True):
    """Which traffic is which side; the first that matches. An empty match matches all."""

    name: str
    perimeter: Perimeter
    topics: tuple[str, ...] = ()
    ni: tuple[int, ...] = ()
    opc: tuple[int, ...] = ()
    dpc: tuple[int, ...] = ()
    variant: Variant = "itu"
    country_code: str = ""  # for national numbers on this link; empty: home's


class Shared(Base, frozen=True, kw_only=True):
    """A number of an operator that counts as others', too, wherever checks compare operators."""

    key: str  # where it stands: global_titles, imsi, e214, msisdn
    prefix: str
    also: tuple[str, ...]  # TADIG codes, or home; (): it was said that there are none


class Operator(Base, frozen=True, kw_only=True):
    """What a TADIG code owns."""

    tadig: str
    country: str  # ISO 3166 alpha 2; "": not given
    global_titles: tuple[str, ...] = ()
    imsi: tuple[str, ...] = ()
    e214: tuple[str, ...] = ()  # beside global_titles, which stand in E.214 too
    msisdn: tuple[str, ...] = ()  # beside global_titles, and before another's: ported numbers
    shared: tuple[Shared, ...] = ()  # of those above
    where: str = ""  # file:line


class Entry(Base, frozen=True, kw_only=True, gc=False):
    prefix: str  # 1 to 16 digits
    exclude: bool = False  # "!": an exception inside; the longest prefix decides

    @property
    def marked(self) -> str:
        return f"!{self.prefix}" if self.exclude else self.prefix


class Row(Entry, frozen=True, kw_only=True, gc=False):
    """An entry of which more is said. Nothing of it but its days decides."""

    note: str = ""
    source: str = ""
    owner: str = ""
    valid_from: str = ""  # first and last day, UTC, as 2026-11-23; "": ever
    valid_until: str = ""
    lessor: str = ""  # of a lease: whose the GT is, who uses it
    lessee: str = ""
    file: str = ""
    line: int = 0

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


class Listed(Sequence[Entry]):
    """Entries of a list: the plain ones packed, in order, exceptions first; behind them those of which more is said."""

    __slots__ = ("plain", "rows")

    def __init__(self, plain: Prefixes, rows: Iterable[Row] = ()) -> None:
        self.plain = plain
        self.rows = tuple(rows)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Listed":
        if isinstance(entries, cls):
            return entries
        entries = tuple(entries)
        plain = [entry for entry in entries if not isinstance(entry, Row)]
        return cls(
            Prefixes([one.prefix for one in plain if not one.exclude], [one.prefix for one in plain if one.exclude]),
            (entry for entry in entries if isinstance(entry, Row)),
        )

    def __len__(self) -> int:
        return len(self.plain) + len(self.rows)

    @overload
    def __getitem__(self, i: int, /) -> Entry: ...
    @overload
    def __getitem__(self, i: slice, /) -> Sequence[Entry]: ...
    def __getitem__(self, i: int | slice, /) -> Entry | Sequence[Entry]:
        if isinstance(i, slice):
            return [self[one] for one in range(*i.indices(len(self)))]
        i += len(self) if i < 0 else 0
        return self._plain(i) if i < len(self.plain) else self.rows[i - len(self.plain)]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Listed):
            return NotImplemented
        same = self.plain.excluded == other.plain.excluded and self.rows == other.rows
        return same and self.plain.octets == other.plain.octets

    def by_prefix(self) -> Iterator[Entry]:
        """As they sort by their digits; none is kept."""
        exceptions = map(self._plain, range(self.plain.excluded))
        others = map(self._plain, range(self.plain.excluded, len(self.plain)))
        rows = sorted(self.rows, key=lambda row: row.prefix)
        return merge(exceptions, others, rows, key=lambda entry: entry.prefix)

    def _plain(self, i: int) -> Entry:
        return Entry(prefix=self.plain[i], exclude=i < self.plain.excluded)


class NumberList(Base, frozen=True, kw_only=True):
    """`home` and `hosted_abroad` are lists too; the compiler makes them of Home."""

    kind: Literal["gt", "imsi", "msisdn"]
    entries: Sequence[Entry]  # in force on the policy's day; a prefix twice where two periods of it meet
    others: tuple[Row, ...] = ()  # ended, or not yet begun
    dated: bool = False  # whether any has a day
    where: str = ""  # file:line
    repeats: int = 0  # entries left out: one before says the same
    repeated: str = ""  # file:line of the first

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "entries", Listed.of(self.entries))

    @property
    def listed(self) -> Listed:
        """The entries by what they are made of."""
        return Listed.of(self.entries)


class Operand(Base, frozen=True, kw_only=True):
    """What `in` or `not_in` names: one list, or values written out."""

    list: str | None = None
    values: tuple[Scalar, ...] = ()


class Condition(Base, frozen=True, kw_only=True):
    """One key of `when`. A plain value or list of values is `within`; where both stand, both must hold."""

    field: str
    within: Operand | None = None
    without: Operand | None = None


class Rule(Base, frozen=True, kw_only=True):
    id: str
    category: str
    when: tuple[Condition, ...]
    checks: tuple[str, ...] = ()
    checks_all: bool = False  # {all: […]}; else any of them
    action: Literal["allow", "drop", "reject", "redirect"]
    return_cause: int = 7  # of a reject: 7 is unqualified (Q.713 3.12)
    redirect: str = ""  # the GT, international E.164 digits
    alert: bool = False
    mode: Literal["enforce", "shadow", "off"] = "enforce"
    final: bool = False
    motif: str = ""
    labels: dict[str, str] = {}
    where: str = ""  # file:line


class Journey(Base, frozen=True, kw_only=True):
    """The least time from a node of one prefix to one of another."""

    old: str  # GT prefixes
    new: str
    minutes: int


class RateLimit(Base, frozen=True, kw_only=True):
    """A token bucket for each value of what `by` names."""

    by: tuple[str, ...]  # of names.LIMIT_BY
    operation: tuple[str, ...] = ()  # that count; empty: every message does
    per_second: float
    burst: int


class Checks(Base, frozen=True, kw_only=True):
    """What the checks on state go by: `checks` of a policy, a key for each check."""

    journeys: tuple[Journey, ...] = ()  # before the times from country to country
    unknown_subscriber: Literal["unknown", "true", "false"] = "unknown"
    sms_window_seconds: int = 60  # Oracle's SMS proxy waits as long by default; 30 to 120 are usual
    hubs: str = ""  # a list; "": none
    dialogue_seconds: int = 600
    warm_up_seconds: int = 600
    limits: tuple[RateLimit, ...] = ()
    scan_window_seconds: int = 3600
    subscribers_per_caller: int = 100  # 0: not asked
    callers_per_subscriber: int = 10


class Policy(Base, frozen=True, kw_only=True):
    name: str
    digest: str  # 16 hex digits over all that decides: equal digests, equal verdicts
    home: Home
    links: tuple[Link, ...]
    operators: tuple[Operator, ...]
    lists: dict[str, NumberList]
    exceptions: dict[str, dict[Perimeter, ExceptionAction]]  # every key of names.EXCEPTIONS, every perimeter
    rules: tuple[Rule, ...]
    checks: Checks = Checks()
    exceptions_where: dict[str, str] = {}  # file:line of those that are written
    lists_where: dict[str, str] = {}
    files: tuple[str, ...] = ()  # all that was read, for reload
    day: str = ""  # UTC; the lists hold what is in force on it
    as_of: dict[str, str] = {}  # file:line of a date that a file bears -> the date
    changes: str = ""  # the first day after it on which they hold something else; "": none is known
    compiled: Any = None  # its prefix tables as policy/compiled.py has them, where it was loaded from such a file

    @property
    def home_tadig(self) -> str:
        """Home is the operator that lists one of home's own prefixes; "home" where none does."""
        titles, imsis = set(self.home.global_titles), set(self.home.imsi)
        of_home = (o for o in self.operators if not (titles.isdisjoint(o.global_titles) and imsis.isdisjoint(o.imsi)))
        return next((one.tadig for one in of_home), "home")
