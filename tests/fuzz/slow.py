"""Fuzz targets that need Python: the whole way of a record, the loading of GT lists, the reading of packed records.

Each takes an input's octets and returns nothing; an exception is a finding. `traced` targets run Python of ours, whose
lines the driver counts as coverage.
"""

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from sigfw import names, records
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.framing import frames
from sigfw._core.gttable import OPERATOR_ITEM, PrefixTable
from sigfw._core.memory import State
from sigfw._core.tables import Tables
from sigfw.policy.compiler import compile_policy
from sigfw.policy.dates import in_force
from sigfw.policy.entries import Entries
from sigfw.policy.loader import load
from sigfw.yamlfile import Mistakes, Node

HERE = Path(__file__).parent
ENCAPSULATIONS = names.ENCAPSULATIONS[1:]
VARIANTS = ("itu", *names.VARIANTS[1:])  # by two bits
STEPS_NS = (0, 1_000_000, 6_000_000_000, 11_000_000_000)  # of record time; a reassembly may take ten seconds
MAX_RECORDS = 12
UNITDATA = ("UDT", "UDTS", "XUDT", "XUDTS", "LUDT", "LUDTS")


def traced(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    target.traced = True  # type: ignore[attr-defined]
    return target


# ---- engine

TABLES = (
    compile_policy(load(HERE / "policy.yaml")),
    compile_policy(load(HERE.parents[1] / "configs" / "policies" / "interconnect.yaml")),
)
JSON = [Worker(verdicts="json") for _ in TABLES]  # one a policy: a change of tables costs more than a message
PACKED = [Worker(verdicts="packed") for _ in TABLES]
TURNS = itertools.count(1)  # of judging: replies are limited a second, and each turn has all of them
TURN_NS = 2_000_000_000
REMEMBERING = compile_policy(load(HERE / "state.yaml"))
SECRET = bytes(16)


class Records:
    """An input as records: (how octet, length u16, octets) each, the last as long as it may be.

    how: bits 0-1 the encapsulation, bits 2-3 the step of record time, bit 4: a header says `national`.
    """

    def __init__(self, data: bytes) -> None:
        self.values: list[bytes] = []
        self.meta: list[tuple[str, str | None, None, None]] = []
        self.times: list[int] = []
        at, time = 0, 0
        while len(data) - at > 3 and len(self.values) < MAX_RECORDS:
            how, n = data[at], data[at + 1] << 8 | data[at + 2]
            time += STEPS_NS[how >> 2 & 3]
            self.values.append(data[at + 3 : at + 3 + n])
            self.meta.append((ENCAPSULATIONS[how & 3], "national" if how & 16 else None, None, None))
            self.times.append(time)
            at += 3 + n

    def batch(self) -> Batch:
        return Batch(self.values, "sccp", offsets=range(len(self.values)), times_ns=self.times, meta=self.meta)


def engine(data: bytes) -> None:
    """First octet: bit 0 the policy; bit 1: packed too, which must agree; bit 2: again in pieces, which must agree;
    bits 3-4 the variant; bit 5: by the checks that remember, too.
    """
    if not data:
        return
    how, given = data[0], Records(data[1:])
    tables, worker = TABLES[how & 1], JSON[how & 1]
    stream = Stream("fuzz/0", max_reassemblies=4)
    variant = VARIANTS[how >> 3 & 3]
    judged = worker.judge(tables, stream, given.batch(), variant=variant, now_ns=next(TURNS) * TURN_NS)
    values = judged.values()
    lines = [[orjson.loads(line) for line in value.split(b"\n")] for value in values]
    found = [line for of_record in lines for line in of_record]
    assert len(found) == len(judged), "one line a message"
    assert len({line["id"] for line in found}) == len(found), "each its id"
    for of_record, value, meta in zip(lines, given.values, given.meta, strict=True):
        expected = (
            sum(one["kind"] != "other" for one in frames(value, "pcap", how >> 3 & 3)) if meta[0] == "pcap" else 1
        )
        assert len(of_record) == (expected or 1), f"{expected} messages in the record, {len(of_record)} verdicts"
    for line in found:
        verdict_holds(line, default_allow=not how & 1)
    if how & 2:
        packed_agrees(given, tables, PACKED[how & 1], variant, lines)
    if how & 4:
        assert pieces(given, tables, worker, variant) == judged.lines(), "judged in pieces, the same"
    if how & 32:
        remembered(given, variant)
    for ended in stream.expire(tables, 2**63 - 1):
        assert records.timeout_line(ended, tables)["action"] == "drop"
    assert stream.in_flight == 0


def pieces(given: Records, tables: Tables, worker: Worker, variant: str) -> bytes:
    batch, stream, lines = given.batch(), Stream("fuzz/0", max_reassemblies=4), b""
    now_ns = next(TURNS) * TURN_NS
    while not batch.done:
        lines += worker.judge(tables, stream, batch, variant=variant, limit=1, now_ns=now_ns).lines()
    return lines


def remembered(given: Records, variant: str) -> None:
    """Records that come again are judged as the first time, by memory and by what a store has of it."""
    store: dict[bytes, bytes] = {}

    def exchange(changes: dict[bytes, bytes], wanted: list[bytes]) -> list[bytes | None]:
        store.update(changes)
        return [store.get(name) or None for name in wanted]

    def judge(worker: Worker) -> bytes:
        stream = Stream("fuzz/0", max_reassemblies=4)
        return worker.judge(REMEMBERING, stream, given.batch(), variant=variant).lines()

    worker = Worker(state=State(subscribers=64, dialogues=1024, callers=64, secret=SECRET))
    first = judge(worker)
    assert judge(worker) == first, "judged again, the same"
    assert all(n <= 4096 for n in worker.state.sizes().values())
    shared = State(subscribers=64, dialogues=1024, callers=64, secret=SECRET, shared=True)
    assert judge(Worker(state=shared, exchange=exchange)) == first, "shared, the same"


def packed_agrees(
    given: Records, tables: Tables, worker: Worker, variant: str, lines: list[list[dict[str, Any]]]
) -> None:
    stream, now_ns = Stream("fuzz/0", max_reassemblies=4), next(TURNS) * TURN_NS
    values = worker.judge(tables, stream, given.batch(), variant=variant, now_ns=now_ns).values()
    for offset, (value, of_record) in enumerate(zip(values, lines, strict=True)):
        read = records.unpack(value)
        assert read["base_offset"] == offset
        assert read["digest"] == tables.digest
        for entry, line in zip(read["verdicts"], of_record, strict=True):
            for key in ("frame", "index", "action", "reason", "perimeter", "error"):
                assert entry[key] == line[key], key
            assert (tables.rule_ids[entry["rule"]] or None) == line["rule"]
            assert (tables.categories[entry["category"]] or None) == line["category"]
            assert entry.get("reply", b"").hex() == line.get("reply", "")
            assert entry.get("redirect") == line.get("redirect")
            assert (entry["reassembly"] or None) == (line["reassembly"] and int(line["reassembly"]["id"].split("#")[1]))


def verdict_holds(line: dict[str, Any], *, default_allow: bool) -> None:
    """What must be true of every verdict object."""
    action, reason, error, sccp = line["action"], line["reason"], line["error"], line["sccp"]
    assert action in names.ACTIONS[1:]
    assert reason in names.REASONS[1:]
    assert line["perimeter"] in ("international", "national")
    assert (line["rule"] is None) == (reason not in ("rule", "reject_not_permitted"))
    assert (action == "hold") == (reason == "segment_held")
    assert ("reply" in line) == (action == "reject")
    assert ("redirect" in line) == (action == "redirect")
    assert line["encapsulation"] in ENCAPSULATIONS
    segment, tcap = sccp and sccp["segmentation"], line["tcap"]
    if error is not None:
        assert error["layer"] in names.LAYERS[1:]
        assert error["code"] in names.ERROR_CODES[1:]
    if error is not None and (default_allow or line["perimeter"] == "international"):
        assert action != "allow", "nothing malformed passes"
    if action == "reject":
        assert sccp["return_on_error"]
        assert sccp["type"] in ("UDT", "XUDT", "LUDT")
        assert len(line["reply"]) > 8
    if sccp is None:
        assert error is not None or reason in ("not_sccp", "expired"), "no SCCP, and nothing said of it"
    elif reason == "default" and segment is None and sccp["type"] in UNITDATA:
        assert tcap is not None, "what is no TCAP has its own reason"
    for component in (tcap or {}).get("components", ()):
        assert component["type"] in names.COMPONENT_TYPES[1:] or error is not None
        if component["type"] == "invoke" and default_allow and action == "allow" and not component["readings"]:
            raise AssertionError("an operation that no table knows passes")
    if line["reassembly"] is not None and line["reassembly"]["final"]:
        assert line["id"] in line["reassembly"]["parts"], "the whole names all its parts"


# ---- GT lists

TEXT = Path(f"/proc/self/fd/{os.memfd_create('list.csv')}")
FD = int(TEXT.name)
DAY = "2026-11-24"  # of which dated entries are judged
NODE = Node("scalar", "policy.yaml", 1, "list.csv")


@traced
def gttable(data: bytes) -> None:
    """First octet: bit 0 entries as they stand (prefix:item), else a list's CSV file; the rest is text."""
    if not data:
        return
    entries = written(data[1:]) if data[0] & 1 else loaded(data[1:], zero=bool(data[0] & 2))
    table = PrefixTable([prefix for prefix, _ in entries], [item for _, item in entries])
    assert table.prefixes == len({prefix for prefix, _ in entries})
    by_prefix: dict[str, set[int]] = {}
    for prefix, item in entries:
        by_prefix.setdefault(prefix, set()).add(item)
    for prefix, _ in entries[:40]:
        for number in {prefix, prefix[:-1] or "9", (prefix + "0")[:16], (prefix + "9")[:16], neighbour(prefix)}:
            longest, found = reference(by_prefix, number)
            assert table.classes[table.find(number)] == found, number
            match = table.match(number)
            assert (match[0] if match else "") == longest, number
            assert match is None or table.classes[match[1]] == found, number
    damaged(table, data)


def damaged(table: PrefixTable, data: bytes) -> None:
    """Its arrays as a file might hold them: refused, or read without leaving them."""
    parts = [bytearray(part) for part in table.parts]
    for i, octet in enumerate(data[:64]):
        part = parts[i & 3]
        part[int.from_bytes(data[i : i + 3], "little") % len(part)] ^= octet
    found = [(lists, owner) for (lists, _), owner in zip(table.classes, table.owners, strict=True)]
    try:
        mapped = PrefixTable.mapped(tuple(map(memoryview, parts)), table.shape, found)
    except ValueError:
        return
    for digit in range(10):
        for number in (f"{digit}", f"{digit}" * 16):
            assert mapped.find(number) < len(found)
            mapped.match(number)


def loaded(text: bytes, *, zero: bool) -> list[tuple[str, int]]:
    """By the loader, as a policy's `file:`; where a row is wrong, it says so and takes the others."""
    os.ftruncate(FD, 0)
    os.pwrite(FD, text, 0)
    mistakes = Mistakes()
    entries = Entries(mistakes, {}, zero=zero)
    entries.take_file(TEXT, NODE)
    assert all("\n" not in line for line in mistakes.lines())
    return [(one.prefix, 2 << 1 | one.exclude) for one in entries.all if in_force(one, DAY)]


def written(text: bytes) -> list[tuple[str, int]]:
    """Several lists and operators at one prefix, which no file can say."""
    entries = []
    for word in text.split()[:400]:
        prefix, _, item = word.partition(b":")
        if prefix.isdigit() and len(prefix) <= 16:
            number = item[0] if item else 0
            entries.append((prefix.decode(), OPERATOR_ITEM | 1 + number % 8 if number & 128 else number % 16))
    return entries


def neighbour(prefix: str) -> str:
    return str(int(prefix) + 1).zfill(len(prefix))[:16]


def reference(by_prefix: dict[str, set[int]], number: str) -> tuple[str, tuple[frozenset[int], int]]:
    """Every prefix of the number, shortest first: what stands at a longer one replaces what a shorter one said."""
    lists: set[int] = set()
    operator, longest = 0, ""
    for n in range(1, len(number) + 1):
        items = by_prefix.get(number[:n])
        if items is None:
            continue
        longest = number[:n]
        operator = min((item ^ OPERATOR_ITEM for item in items if item & OPERATOR_ITEM), default=operator)
        listed = {item for item in items if not item & OPERATOR_ITEM}
        lists |= {item >> 1 for item in listed}
        lists -= {item >> 1 for item in listed if item & 1}
    return longest, (frozenset(lists), operator)


# ---- packed records


@traced
def packed(data: bytes) -> None:
    """A packed verdict record: read, or refused with a ValueError of one line, in time and memory of its size."""
    try:
        read = records.unpack(data)
    except ValueError as e:
        assert "\n" not in str(e)
        return
    assert len(data) >= 32 + 32 * len(read["verdicts"])
    octets = sum(len(one.get("reply", b"")) + 14 * len(one.get("parts", ())) for one in read["verdicts"])
    assert octets <= len(data), "no octet is given out twice"
    for one in read["verdicts"]:
        assert one["action"] in names.ACTIONS
        assert one["reason"] in names.REASONS
