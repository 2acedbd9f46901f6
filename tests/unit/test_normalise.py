"""docs/normalisation.md, a test a row: each address as octets of a message, judged, and what it was looked up as."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from sigfw import names
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.tables import Tables
from sigfw.policy.compiler import compile_policy
from sigfw.policy.model import Home, Link
from tests.unit.rule_reference import make_policy
from tests.unit.tcapbytes import Node, begin, encode, invoke

DOC = (Path(__file__).parents[2] / "docs" / "normalisation.md").read_text()
LINK_OPC = 100
GT_HEAD = ["GTI", "NP", "NAI", "odd or even", "digits", "country code", "looked up as"]
ANSI_HEAD = ["ANSI GTI", "NP", "digits", "country code", "looked up as"]
NUMBER_HEAD = ["kind", "nature", "plan", "digits", "country code", "looked up as"]


def rows(head: list[str]) -> list[list[str]]:
    """The rows of every table with this head."""
    found: list[list[str]] = []
    for table in re.findall(r"(?:^\|.*\n)+", DOC, re.M):
        lines = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines(keepends=True)]
        if lines[0] == head:
            found += lines[2:]
    return found


@cache
def tables(country: str, variant: str = "itu") -> Tables:
    """`home CC`, `link CC, home CC` or `none`."""
    codes = dict(part.split() for part in country.split(", ")) if country != "none" else {}
    home = codes.get("home", "none")
    links: tuple[Link, ...] = ()
    if "link" in codes:
        links = (
            Link(name="that", opc=(LINK_OPC,), perimeter="international", variant=variant, country_code=codes["link"]),
        )
    return compile_policy(make_policy((), home=Home(country_code="" if home == "none" else home), links=links))


def judged(octets: bytes, country: str, variant: str = "itu") -> tuple[Worker, dict[str, Any], dict[str, Any]]:
    """The worker, the verdict, and what was found of the message beside it."""
    worker = Worker()
    batch = Batch([octets], "sccp", meta=[(None, None, LINK_OPC, None)])
    line = worker.judge(tables(country, variant), Stream("s"), batch, variant=variant, limit=1).lines()
    facts = worker.facts(tables(country, variant))
    assert facts is not None
    return worker, orjson.loads(line), facts


def packed(digits: str) -> bytes:
    """Two an octet, the low nibble first; `-`: none."""
    return bytes.fromhex(
        "".join(b + a for a, b in zip(digits[::2], digits[1::2], strict=True)) if digits != "-" else ""
    )


def party(gti: str, np: str, nai: str, scheme: str, digits: str) -> bytes:
    """With SSN 6 and, where there is one, translation type 9 (Q.713 3.4.2.3.1 to 3.4.2.3.4)."""
    es = {"odd": 1, "even": 2, "-": 0}.get(scheme) if not scheme.isdecimal() else int(scheme)
    assert es is not None
    head = {
        "0": b"",
        "1": bytes([(es == 1) << 7 | int(nai)]) if gti == "1" else b"",
        "2": b"\x09",
        "3": bytes([9, int(np) << 4 | es]) if gti == "3" else b"",
        "4": bytes([9, int(np) << 4 | es, int(nai)]) if gti == "4" else b"",
    }.get(gti, b"")
    return bytes([int(gti) << 2 | 2, 6]) + head + packed(digits)


def unitdata(called: bytes, calling: bytes, data: bytes) -> bytes:
    pointers = bytes([3, 3 + len(called), 3 + len(called) + len(calling)])
    return b"\x09\x00" + pointers + b"".join(bytes([len(part)]) + part for part in (called, calling, data))


def shown(readings: list[tuple[str, str]]) -> str:
    return ", ".join(f"{space} {digits}" for space, digits in readings) or "nothing"


def test_tables_have_rows_of_every_kind() -> None:
    gts = rows(GT_HEAD)
    assert {row[1] for row in gts if row[0] == "4"} == {str(np) for np in range(16)}
    assert {row[0] for row in gts} >= {"0", "1", "2", "3", "4", "5"}
    assert {row[2] for row in gts} >= {"-", "0", "1", "2", "3", "4", "127"}
    assert {row[6] for row in gts} >= set(names.GT_TROUBLES[1:])
    assert {row[0] for row in rows(NUMBER_HEAD)} == {"imsi", "msisdn", "address", "imei", "lmsi"}
    lines = re.findall(r"^\| .*\|$", DOC, re.M)
    heads = [line for line in lines if line.strip("| ").split(" | ") in (GT_HEAD, ANSI_HEAD, NUMBER_HEAD)]
    assert len(gts) + len(rows(ANSI_HEAD)) + len(rows(NUMBER_HEAD)) == len(lines) - len(heads)


@pytest.mark.parametrize("side", ["called", "calling"])
@pytest.mark.parametrize("row", rows(GT_HEAD), ids=" ".join)
def test_gt_is_looked_up_as_its_row_says(row: list[str], side: str) -> None:
    *address, country, expected = row
    other = b"\x42\x06"
    parties = (party(*address), other) if side == "called" else (other, party(*address))
    worker, verdict, facts = judged(unitdata(*parties, encode((0x62, [(0x48, b"\0\0\0\1")]))), country)
    looked_up(worker, verdict, facts, side, expected)
    if expected in names.ERROR_CODES:  # of an indicator that Q.713 does not have
        assert (verdict["reason"], verdict["error"]["code"], facts[side]) == ("malformed", expected, [])


@pytest.mark.parametrize("row", rows(ANSI_HEAD), ids=" ".join)
def test_gt_of_an_ansi_link_is_looked_up_as_its_row_says(row: list[str]) -> None:
    gti, np, digits, country, expected = row
    head = bytes([9, int(np) << 4 | 2]) if gti == "1" else b"\x09"
    address = bytes([0x81 | int(gti) << 2, 6]) + head + packed(digits)
    octets = unitdata(b"\xc1\x06", address, encode((0x62, [(0x48, b"\0\0\0\1")])))
    looked_up(*judged(octets, country, "ansi"), "calling", expected)


def looked_up(worker: Worker, verdict: dict[str, Any], facts: dict[str, Any], side: str, expected: str) -> None:
    if expected in names.ERROR_CODES:
        return
    trouble = expected in names.GT_TROUBLES
    assert shown(facts[side]) == ("nothing" if trouble else expected)
    assert facts["trouble"][side] == (expected if trouble else "")
    assert (verdict["reason"] == "unusable_gt", verdict["error"]) == (trouble, None)
    assert worker.counters()["unusable_gts"] == {(why,): int(why == expected) for why in names.GT_TROUBLES[1:]}


def argument(kind: str, nature: str, plan: str, digits: str) -> tuple[Node, int]:
    """An Invoke that carries the number, and which of its numbers that is."""
    octets = packed(digits)
    address = bytes([0x80 | int(nature) << 4 | int(plan)]) + octets if nature != "-" else octets
    if kind == "imsi":
        return invoke(71, (0x30, [(0xA0, [(0x80, octets)]), (0xA1, [(0x80, b"")]), (0x83, b"\x91\x44")])), 0
    if kind == "msisdn":
        return invoke(71, (0x30, [(0xA0, [(0x81, address)]), (0xA1, [(0x80, b"")]), (0x83, b"\x91\x44")])), 0
    if kind == "address":
        subscriber: Node = (0xA0, [(0x80, b"\x32\x14\x05")])
        return invoke(71, (0x30, [subscriber, (0xA1, [(0x80, b"")]), (0x83, address)])), 1
    if kind == "imei":
        return invoke(43, (0x04, octets)), 0
    return invoke(70, (0x30, [(0x80, b"\x32\x14\x05"), (0x81, octets), (0xA2, [(0x80, b"")])])), 1


@pytest.mark.parametrize("row", rows(NUMBER_HEAD), ids=" ".join)
def test_number_inside_map_is_looked_up_as_its_row_says(row: list[str]) -> None:
    kind, nature, plan, digits, country, expected = row
    component, index = argument(kind, nature, plan, digits)
    _, verdict, facts = judged(unitdata(b"\x42\x06", b"\x42\x07", encode(begin(component))), country)
    assert verdict["reason"] != "unusable_gt"
    assert shown(facts["numbers"][index]["readings"]) == expected
