"""Plain messages to start from: the demo's corpus, attacks and all, and the captures of other stacks."""

import gzip
import os
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from sigfw._core import framing
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from tests.property.message import Address, Message, read_message
from tests.property.tree import Tlv, Unreadable

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "configs" / "demo" / "corpus.pcap.gz"
CAPTURES = ROOT / "tests" / "captures"
OF_A_SHAPE = 12  # messages with the same package, context and operations


@dataclass(frozen=True)
class Seed:
    octets: bytes
    message: Message


def octets_of_corpora() -> list[bytes]:
    captures = [gzip.decompress(CORPUS.read_bytes()), *(path.read_bytes() for path in sorted(CAPTURES.glob("*.pcap")))]
    if MORE in os.environ:
        captures.append(Path(os.environ[MORE]).read_bytes())
    found = [one["octets"] for capture in captures for one in framing.frames(capture, "pcap") if one["kind"] == "sccp"]
    for path in sorted(CAPTURES.glob("*.hex")):
        for line in path.read_text().splitlines():
            label, _, digits = line.rpartition("\t")
            if label in ("", "sccp"):
                found.append(bytes.fromhex(digits))
    return found


def usable(one: Address) -> bool:
    """No GT, or one that is a number as it stands: what is none may become one by another encoding."""
    if one.raw is not None:
        return len(one.raw) > 0 and one.raw[0] >> 2 & 15 == 0
    return (
        one.np in (1, 7)
        and one.nai == 4
        and one.digits.isdecimal()
        and 5 < len(one.digits) < 16
        and one.digits[0] != "0"
    )


MORE = "SIGFW_SEEDS"  # environment: a pcap with more of them


@cache
def seeds() -> list[Seed]:
    """Well-formed messages of one meaning: no error, and one reading a component.

    What stands in two readings from the start means two things, and a mutation may rightly settle which.
    """
    octets = list(dict.fromkeys(octets_of_corpora()))
    lines = Worker().judge(None, Stream("seeds", offsets=False), Batch(octets, "sccp")).lines().splitlines()
    found: list[Seed] = []
    shapes: Counter[bytes] = Counter()
    for raw, line in zip(octets, lines, strict=True):
        one = msgspec.json.decode(line)
        if one["error"] or not one["tcap"]:
            continue
        components = one["tcap"]["components"]
        if any(len(component["readings"]) > 1 for component in components):
            continue
        operations = [(c["type"], c["readings"], bool(one["map"]["imsi"])) for c in components]
        shape = msgspec.json.encode((one["tcap"]["type"], one["tcap"]["acn"], operations))
        try:
            message = read_message(raw)
        except Unreadable:
            continue
        if shapes[shape] < OF_A_SHAPE and usable(message.called) and usable(message.calling):
            shapes[shape] += 1
            message.imsis = tuple(one["digits"] for one in one["map"]["identities"] if one["kind"] == "imsi")
            found.append(Seed(raw, message))
    return found


@cache
def donors() -> list[Tlv]:
    """Invokes with an argument."""
    every = [component for seed in seeds() for component in seed.message.components]
    return [one for one in every if one.tag == 0xA1 and len(one.parts) > 2]
