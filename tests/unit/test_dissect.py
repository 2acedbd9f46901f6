"""The dissector says what the core says, at the octets that say it, and takes any octets."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.tables import Tables
from sigfw.dissect import asn1_tables, ber, message
from sigfw.dissect.node import Node, nibbles
from sigfw.pipeline.capture import open_capture
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from tests.unit import ansitcap, sccpbytes
from tests.unit import tcapbytes as tcap

ROOT = Path(__file__).parents[2]
CAPTURES = sorted(p for p in (ROOT / "tests" / "captures").iterdir() if p.suffix in (".pcap", ".hex"))
ATI = tcap.begin(tcap.invoke(71, tcap.ATI), acn=tcap.ATI_ACN)
IDS = ("invoke ID", "component ID")
Object = dict[str, Any]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return compile_policy(load(ROOT / "configs" / "policies" / "interconnect.yaml"))


def taken_apart(
    batch: Batch, tables: Tables, every: int = 1, variant: str = "itu"
) -> Iterator[tuple[Object, Object, message.Dissection]]:
    """(verdict, facts, trees) of each message; with `every`, of one in so many, of broken ones and last segments."""
    stream, worker, count = Stream("x", offsets=False), Worker(), 0
    while not batch.done:
        line = worker.judge(tables, stream, batch, variant=variant, limit=1).lines()
        facts = worker.facts(tables)
        count += 1
        if line and facts is not None and facts["octets"] is not None:
            verdict = orjson.loads(line)
            if count % every and not verdict["error"] and facts["whole"] is None:
                continue
            yield verdict, facts, message.dissect(verdict, facts["octets"], facts["whole"], facts["variant"])


def check_shape(data: bytes, root: Node) -> None:
    """Nothing reaches out of what holds it, and every octet stands in some line."""
    assert (root.start, root.end) == (0, len(data))
    told = bytearray(len(data))
    for node in root.walk():
        assert 0 <= node.start <= node.end <= len(data)
        assert node.start <= node.body <= max(node.end, node.body)
        for child in node.children:
            assert node.start <= child.start <= child.end <= node.end
        spans = [(node.start, node.end)]
        if node.children:  # tag and length before, end-of-contents octets behind
            first, last = min(c.start for c in node.children), max(c.end for c in node.children)
            assert node is root or node.end - last in (0, 2)
            spans = [(node.start, first), (last, node.end)] if node is not root else []
        for start, end in spans:
            told[start:end] = b"\1" * (end - start)
        assert all(text.isprintable() for text in (node.name, node.value, node.stopped, *node.odd))
    assert all(told), told.index(0)


def check_values(verdict: Object, data: bytes, root: Node, *, sccp: Node) -> None:
    """What the core reports stands in the tree, at octets that say it."""
    nodes = list(root.walk())
    for node in nodes:
        if node.number and not any("pieces" in said for said in node.odd):
            content = data[node.body : node.end]
            assert node.number[1] in nibbles(content) or node.number[1] in content.hex()
    numbers = {(last(node.name), node.number[1]) for node in nodes if node.number}
    numbers |= {(last(node.name), one.number[1]) for node in nodes for one in node.children if one.number}  # … OF
    kinds = {node.number for node in nodes}
    found = verdict["map"] or {}
    for one in found.get("identities", ()):
        assert (one["kind"], one["digits"]) in kinds, one
    for name, digits in found.get("addresses", {}).items():
        for one in digits:
            assert (name, one) in numbers, (name, one)
    for side in ("called", "calling"):
        party = (verdict["sccp"] or {}).get(side)
        if party and party["digits"]:
            gts = [n.number for top in sccp.walk() if top.name == f"{side} party address" for n in top.children]
            assert ("gt", party["digits"]) in gts
    decoded = verdict["tcap"]
    if decoded is None:
        return
    for key, name in (("otid", "originating transaction ID"), ("dtid", "destination transaction ID")):
        if decoded[key]:
            assert decoded[key] in [data[n.body : n.end].hex() for n in nodes if n.name == name]
    if "." in str(decoded["acn"]):
        assert decoded["acn"] in [ber.oid(data[n.body : n.end]) for n in nodes if n.value.startswith(decoded["acn"])]
    components = [n for n in nodes if re.match(r"component \d+, ", n.name)]
    assert len(components) == len(decoded["components"])
    for node, one in zip(components, decoded["components"], strict=True):
        values = [n.value.split(" ")[0] for n in node.walk() if n.name.startswith("operation code")]
        assert one["opcode"] is None or str(one["opcode"]) in values
        ids = [n.value.split(",")[0].removeprefix("invoke ") for n in node.children if n.name in IDS]
        assert one["invoke_id"] is None or str(one["invoke_id"]) in ids


def last(name: str) -> str:
    return name.rpartition(" ")[2]


def check(verdict: Object, facts: Object, trees: message.Dissection) -> None:
    check_shape(trees.octets, trees.message)
    if facts["sms"] and not any("pieces" in said for n in (trees.whole or trees.message).walk() for said in n.odd):
        nodes = list((trees.whole or trees.message).walk())
        pid = [n.value[:4] for n in nodes if n.name == "TP-PID"]
        assert not pid or f"0x{facts['sms'][0]:02x}" in pid
        assert pid or any("STATUS-REPORT" in n.value for n in nodes if n.name == "TP-MTI")
    if trees.whole is None:
        check_values(verdict, trees.octets, trees.message, sccp=trees.message)
    else:
        check_shape(trees.whole_octets, trees.whole)
        check_values(verdict, trees.whole_octets, trees.whole, sccp=trees.message)
    if verdict["error"] and verdict["error"]["layer"] != "framing":
        assert verdict["error"]["offset"] <= max(len(trees.octets), len(trees.whole_octets))


@pytest.mark.parametrize("path", CAPTURES, ids=lambda p: p.name)
def test_tree_says_what_the_core_says_of_captures(path: Path, tables: Tables) -> None:
    count = 0
    for verdict, facts, trees in taken_apart(open_capture(path).batch, tables):
        check(verdict, facts, trees)
        count += 1
    assert count or path.name == "tcpdump_isup.pcap"


def test_tree_says_what_the_core_says_of_the_corpus(tables: Tables) -> None:
    batch = open_capture(ROOT / "configs" / "demo" / "corpus.pcap.gz").batch
    for verdict, facts, trees in taken_apart(batch, tables, every=20):
        check(verdict, facts, trees)


def mutated(octets: bytes, rng: random.Random) -> bytes:
    """As a hostile sender or a broken one would: octets changed, cut, doubled, lengths made indefinite or long."""
    data = bytearray(octets)
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(data)) if data else 0
        match rng.randrange(6):
            case 0:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del data[at : at + rng.randrange(1, 6)]
            case 2:
                data[at:at] = data[max(0, at - 5) : at]
            case 3:
                data[at : at + 1] = rng.choice((b"\x80", b"\x81\x05", b"\x00\x00", b"\xff", b"\x1f\x02", b"\x30\x80"))
            case 4:
                del data[rng.randrange(len(data) + 1) :]
            case _:
                data[at:at] = rng.randbytes(3)
    return bytes(data)


@pytest.mark.parametrize("seed", range(4))
def test_any_octets_give_a_tree_that_agrees_with_the_core(seed: int, tables: Tables) -> None:
    rng = random.Random(seed)
    seeds = [facts["octets"] for _, facts, _ in taken_apart(open_capture(CAPTURES[5]).batch, tables)]
    seeds += [unitdata(tcap.encode(ATI, form)) for form in (tcap.short, tcap.indefinite, tcap.long(3))]
    values = [mutated(rng.choice(seeds), rng) for _ in range(1000)] + [rng.randbytes(n) for n in range(40)]
    for verdict, facts, trees in taken_apart(Batch(values, "sccp"), tables):
        check(verdict, facts, trees)


@pytest.mark.parametrize("variant", ["ansi", "china"])
def test_any_octets_of_other_dialects_give_a_tree_that_agrees_with_the_core(variant: str, tables: Tables) -> None:
    rng = random.Random(variant)
    parts = (ansitcap.dialogue("1.2.840.1"),)
    data = [
        ansitcap.octets(tag, ansitcap.REGISTRATION_NOTIFICATION, ansitcap.error(129), parts=parts)
        for tag in ansitcap.PACKAGES
    ]
    data += [tcap.encode(ATI), bytes.fromhex("fd0601020300"), bytes.fromhex("020601020300")]
    title = sccpbytes.itu_gt if variant == "china" else sccpbytes.ansi_gt
    called = sccpbytes.address(variant, pc=0x010203, ssn=6, gt=title("2025550100"))
    calling = sccpbytes.address(variant, ssn=7, gt=title("3125550100"))
    plain = sccpbytes.address(variant, ssn=7, gt=sccpbytes.itu_gt("447700900012"), international=True)
    seeds = [sccpbytes.unitdata(called, one, octets) for octets in data for one in (calling, plain)]
    seeds += sccpbytes.segments(called, calling, data[0], 20)
    values = seeds + [mutated(rng.choice(seeds), rng) for _ in range(1500)]
    for verdict, facts, trees in taken_apart(Batch(values, "sccp"), tables, variant=variant):
        check(verdict, facts, trees)


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_any_octets_of_tcap_give_a_tree(tables: Tables, octets: bytes) -> None:
    for one in (unitdata(octets[:255]), octets):
        for verdict, facts, trees in taken_apart(Batch([one], "sccp"), tables):
            check(verdict, facts, trees)


def unitdata(data: bytes) -> bytes:
    """A plain UDT from 491713920014 to 447700900123."""
    head = bytes.fromhex("0900030e190b12060012044477000910320b1293001204947131290041")
    return head + bytes([len(data)]) + data


def test_table_of_names_is_what_its_maker_makes() -> None:
    assert Path(asn1_tables.__file__).with_name("asn1.json").read_text() == asn1_tables.render()


def test_nesting_ends_at_the_bound_and_costs_no_stack(tables: Tables) -> None:
    deep = b"\x30\x80" * 120
    for octets in (unitdata(deep), unitdata(b"\x62" + bytes([len(deep)]) + deep), unitdata(b"\x30\x00" * 127)):
        for verdict, facts, trees in taken_apart(Batch([octets], "sccp"), tables):
            check(verdict, facts, trees)
            assert max(depth(trees.message), 0) < 40


def depth(node: Node) -> int:
    return 1 + max((depth(child) for child in node.children), default=0)
