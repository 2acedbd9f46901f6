"""A compiled policy: a file that holds a checked policy of a day and its prefix tables as they lie in memory.

Header, then the policy (MessagePack), then arrays at multiples of 64 octets, then 8 octets of checksum over all before:

    0   8  magic and format        16  8  octets of the file
    8   8  byte order              24  8  octets of the policy, which begins at 64

Whoever maps the file shares its memory. It is trusted as a policy is: whoever may write it decides; the checksum tells
accidents. Whatever the arrays hold, no look-up leaves them. It must be replaced whole, as `write` does: one that is
written to in place changes under those who map it, and one that is cut kills them.
"""

import datetime
import mmap
import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from sigfw import __version__, names
from sigfw._core.gttable import PrefixTable
from sigfw._core.mapped import checksum
from sigfw._core.prefixes import Prefixes
from sigfw.errors import ConfigError, StartError
from sigfw.policy.dates import on
from sigfw.policy.model import Listed, NumberList, Policy, Row

if TYPE_CHECKING:
    from sigfw.policy.compiler import Compiler, Numbers

__all__ = ["Mapped", "is_compiled", "load", "write"]

NAME: Final = b"SIGFWPC"
MAGIC: Final = NAME + b"\x01"  # the format of what follows
HEADER: Final = struct.Struct("=8s8sQQ")
ORDER: Final = struct.pack("=Q", 0x0102030405060708)
SUM: Final = struct.Struct("=Q")
ALIGN: Final = 64
POPULATE: Final = getattr(mmap, "MAP_POPULATE", 0)  # one call, where each page would be a fault
AGAIN: Final = "compile it again: sigfw policy compile POLICY -o FILE"
Section = tuple[int, int]  # where it begins behind the policy, its octets


class _List(msgspec.Struct, frozen=True):
    """A NumberList; its plain entries are a section."""

    kind: Literal["gt", "imsi", "msisdn"]
    plain: Section
    excluded: int
    rows: tuple[Row, ...]
    others: tuple[Row, ...]
    dated: bool
    where: str
    repeats: int
    repeated: str

    @classmethod
    def of(cls, one: NumberList, put: Callable[[memoryview], Section]) -> "_List":
        plain, rows = one.listed.plain, one.listed.rows
        more = (rows, one.others, one.dated, one.where, one.repeats, one.repeated)
        return cls(one.kind, put(plain.octets), plain.excluded, *more)

    def numbers(self, part: Callable[[Section], memoryview]) -> NumberList:
        return NumberList(
            kind=self.kind,
            entries=Listed(Prefixes.mapped(part(self.plain), self.excluded), self.rows),
            others=self.others,
            dated=self.dated,
            where=self.where,
            repeats=self.repeats,
            repeated=self.repeated,
        )


class _Table(msgspec.Struct, frozen=True):
    parts: tuple[Section, ...]
    shape: tuple[int, ...]
    found: list[tuple[tuple[int, ...], int]]  # of each class: lists, owner


class _Numbering(msgspec.Struct, frozen=True):
    """What the numbers in the classes of tables mean."""

    lists: tuple[str, ...]
    operators: tuple[str, ...]
    also: tuple[int, ...]


class _Stored(msgspec.Struct, frozen=True):
    version: str  # of sigfw: another one may number or mean things otherwise
    policy: Policy  # without lists
    lists: dict[str, _List]
    tables: tuple[_Table, ...]
    numbering: _Numbering


class Mapped:
    """The prefix tables of a compiled policy."""

    def __init__(self, numbering: _Numbering, tables: tuple[PrefixTable, ...], policy: Policy) -> None:
        self._numbering = numbering
        self._tables = tables
        self._of = _decides(policy)

    def fits(self, policy: Policy) -> bool:
        """Whether the policy is the one that was compiled, of whatever day; its very parts, none of them replaced."""
        return all(one is other for one, other in zip(_decides(policy), self._of, strict=True))

    def tables(self, numbers: "Numbers") -> tuple[PrefixTable | None, ...]:
        """Raises ConfigError where what the classes mean is not what it was."""
        if _numbering(numbers) != self._numbering or not all(map(self._within, self._tables)):
            raise ConfigError([f"the policy was compiled otherwise; {AGAIN}"])
        return (None, *self._tables)

    def _within(self, table: PrefixTable) -> bool:
        """Nothing points beyond the lists, the operators and those they count as."""
        lists, operators, also = (len(one) for one in msgspec.structs.astuple(self._numbering))
        return all(
            max(inside, default=0) < lists and owner & 0xFFFF < operators and owner >> 16 < also
            for (inside, _), owner in zip(table.classes, table.owners, strict=True)
        )


def _decides(policy: Policy) -> tuple[object, ...]:
    return policy.home, policy.operators, policy.lists, policy.rules


def _numbering(numbers: "Numbers") -> _Numbering:
    return _Numbering(tuple(map(str, numbers.lists)), tuple(numbers.operators), tuple(numbers.also))


# writing --------------------------------------------------------------------------------------------------------------


def write(compiler: "Compiler", path: Path) -> int:
    """Write what a compiler has compiled; whoever reads the path sees the file that was there, or this one.

    Returns its octets. Raises StartError where it cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as f:
            try:
                for part in _octets(compiler):
                    f.write(part)
                f.flush()
                with mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as written:
                    f.write(SUM.pack(checksum(memoryview(written))))
                f.flush()
                os.fsync(f.fileno())
                os.fchmod(f.fileno(), 0o644)
                os.replace(f.name, path)
                return f.tell()
            except BaseException:
                os.unlink(f.name)
                raise
    except OSError as e:
        raise StartError(f"{path} cannot be written ({e.strerror or e}); check the folder and its permissions") from e


def _octets(compiler: "Compiler") -> Iterator[bytes | memoryview]:
    policy, sections = compiler.policy, list[memoryview]()
    at = 0

    def put(octets: memoryview) -> Section:
        nonlocal at
        sections.append(octets)
        begin, at = at, _aligned(at + octets.nbytes)
        return begin, octets.nbytes

    stored = _Stored(
        version=__version__,
        policy=msgspec.structs.replace(policy, lists={}, compiled=None),
        lists={name: _List.of(numbers, put) for name, numbers in policy.lists.items()},
        tables=tuple(
            _Table(
                tuple(map(put, table.parts)),
                table.shape,
                [(tuple(sorted(lists)), owner) for (lists, _), owner in zip(table.classes, table.owners, strict=True)],
            )
            for table in compiler.spaces
            if table is not None
        ),
        numbering=_numbering(compiler.numbers),
    )
    meta = msgspec.msgpack.encode(stored)
    begin = _aligned(ALIGN + len(meta))
    yield HEADER.pack(MAGIC, ORDER, begin + at + SUM.size, len(meta)).ljust(ALIGN, b"\0")
    yield meta.ljust(begin - ALIGN, b"\0")
    for octets in sections:
        yield octets
        yield bytes(_aligned(octets.nbytes) - octets.nbytes)


def _aligned(octets: int) -> int:
    return -(-octets // ALIGN) * ALIGN


# reading --------------------------------------------------------------------------------------------------------------


def is_compiled(path: Path) -> bool:
    if not path.is_file():  # to open a pipe is to wait
        return False
    try:
        with path.open("rb") as f:
            return f.read(len(NAME)) == NAME
    except OSError:
        return False  # said by who reads it as a text


def load(path: Path, today: datetime.date) -> Policy:
    """Map a compiled policy. Where the day is not one of its own, its entries are those of the day and its tables idle.

    Raises ConfigError. Cost: the file is read once for its sum.
    """
    try:
        with path.open("rb") as f:
            octets = memoryview(mmap.mmap(f.fileno(), 0, flags=mmap.MAP_SHARED | POPULATE, prot=mmap.PROT_READ))
        policy = _policy(path, octets)
    except (OSError, ValueError) as e:  # what is empty cannot be mapped
        reason = e.strerror if isinstance(e, OSError) and e.strerror else e
        raise ConfigError([f"{path}: is no compiled policy of this version ({reason}); {AGAIN}"], [str(path)]) from None
    text = today.isoformat()
    if policy.day <= text and not (policy.changes and policy.changes <= text):
        return msgspec.structs.replace(policy, day=text)
    return on(policy, today)


def _policy(path: Path, octets: memoryview) -> Policy:
    """Raises ValueError, saying why, where it is not what `write` wrote."""
    if len(octets) < ALIGN + SUM.size:
        raise ValueError("cut short")
    magic, order, whole, length = HEADER.unpack_from(octets)
    if magic != MAGIC or order != ORDER:
        raise ValueError("of another format or byte order")
    if whole != len(octets):
        raise ValueError("cut short, or longer than it was")
    if checksum(octets[: -SUM.size]) != SUM.unpack(octets[-SUM.size :])[0]:
        raise ValueError("altered")
    if length > len(octets) - ALIGN - SUM.size:
        raise ValueError("altered")
    try:
        stored = msgspec.msgpack.decode(octets[ALIGN : ALIGN + length], type=_Stored)
    except msgspec.MsgspecError as e:
        version = _version(octets[ALIGN : ALIGN + length])
        raise ValueError(f"of sigfw {version}" if version != __version__ else str(e)) from None
    if stored.version != __version__:
        raise ValueError(f"of sigfw {stored.version}")
    data = octets[_aligned(ALIGN + length) : -SUM.size]

    def part(section: Section) -> memoryview:
        begin, size = section
        if begin < 0 or size < 0 or begin % ALIGN or begin + size > len(data):
            raise ValueError("altered")
        return data[begin : begin + size]

    try:
        lists = {name: one.numbers(part) for name, one in stored.lists.items()}
        tables = tuple(
            PrefixTable.mapped(
                tuple(map(part, one.parts)), one.shape, [(frozenset(lists), o) for lists, o in one.found]
            )
            for one in stored.tables
        )
    except OverflowError:
        raise ValueError("altered") from None
    if len(tables) != len(names.SPACES) - 1:
        raise ValueError("altered")
    policy = msgspec.structs.replace(stored.policy, lists=lists, files=(str(path),))
    return msgspec.structs.replace(policy, compiled=Mapped(stored.numbering, tables, policy))


def _version(meta: memoryview) -> str:
    """Whose it is, if nothing else of it can be read."""

    class Said(msgspec.Struct):
        version: str

    try:
        return msgspec.msgpack.decode(meta, type=Said).version
    except msgspec.MsgspecError:
        return "?"
