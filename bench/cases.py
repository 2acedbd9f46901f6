"""What is measured: each case handles a number of messages a call; all handle messages of the demo's corpus."""

import gzip
import random
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from bench.corpus import FOLDER
from sigfw._core import framing, mapop, normalise, sccp
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.tables import Tables
from sigfw.policy import loader
from sigfw.policy.compiler import compile_policy

POLICY = Path(__file__).parent.parent / "configs" / "policies" / "interconnect.yaml"
BATCH = 1024
PREFIXES = 1_000_000
RULE = """
  - {id: bench-leased, category: cat0, when: {calling.gt: {in: bench-leased}}, action: drop}
"""
PEER_SAMPLE = 200  # messages a round that pycrate reads: it takes a thousandth of a second or so for one


@dataclass(frozen=True)
class Case:
    name: str
    layer: str
    messages: int  # a call
    call: Callable[[], object]


@cache
def messages() -> list[bytes]:
    """All SCCP messages of the corpus: 3.2 MB of them, beyond L2."""
    capture = gzip.decompress((FOLDER / "corpus.pcap.gz").read_bytes())
    return [frame["octets"] for frame in framing.frames(capture, "pcap") if frame["kind"] == "sccp"]


def prefixes(count: int) -> list[str]:
    """So many of 6 to 10 digits, most of them of 10, of which none is the corpus's operators'."""
    policy = loader.load(POLICY)
    ours = {prefix for one in policy.operators for prefix in one.global_titles} | set(policy.home.global_titles)
    lengths, within = {len(one) for one in ours}, {one[:n] for one in ours for n in range(1, len(one) + 1)}
    some = map(str, random.Random(1).sample(range(10**5, 10**10), count + count // 10 + 1000))
    free = (one for one in some if one not in within and not any(one[:n] in ours for n in lengths))
    return list(islice(free, count))


@cache
def tables(count: int = PREFIXES) -> Tables:
    """The interconnect policy and a rule over a list of so many prefixes."""
    with tempfile.TemporaryDirectory() as folder:  # as a user would write it, which trees of before read as well
        path = Path(folder) / "policy.yaml"
        (path.parent / "leased.csv").write_text("\n".join(prefixes(count)))
        lists, text = "\nlists:\n", POLICY.read_text().rstrip()
        path.write_text(text.replace(lists, f"{lists}  bench-leased: {{kind: gt, file: leased.csv}}\n") + RULE)
        return compile_policy(loader.load(path))


def batches() -> list[list[bytes]]:
    """The corpus in lists of 1,024 messages; what remains is left out."""
    corpus = messages()
    return [corpus[at : at + BATCH] for at in range(0, len(corpus) - BATCH + 1, BATCH)]


def capture_of(octets: list[bytes]) -> bytes:
    """Classic pcap of SCCP messages, link type 142."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 142)]
    for n, message in enumerate(octets):
        out.append(struct.pack("<IIII", 1_793_491_200, n, len(message), len(message)) + message)
    return b"".join(out)


def judging(verdicts: str, *, policy: bool = True, packed: bool = False, out: str = "") -> Callable[[], object]:
    """Judge the corpus batch by batch; packed: a batch is one pcap record. out: what is asked of the verdicts."""
    worker, chosen = Worker(verdicts=verdicts), tables() if policy else None
    values = [[capture_of(batch)] for batch in batches()] if packed else batches()
    encapsulation = "pcap" if packed else "sccp"

    def call() -> int:
        octets, stream = 0, Stream("bench", offsets=False)
        for batch in values:
            verdict = worker.judge(chosen, stream, Batch(batch, encapsulation), perimeter="international")
            octets += len(verdict.lines()) if out == "lines" else len(verdict.values()) if out else len(verdict)
        return octets

    return call


def core() -> list[Case]:
    """The core in batches of 1,024, from octets to verdicts."""
    count = len(batches()) * BATCH
    return [
        Case("decode", "core", count, judging("none", policy=False)),
        Case("decode, judge", "core", count, judging("none")),
        Case("decode, judge; 1,024 a pcap record", "core", count, judging("none", packed=True)),
        Case("decode, judge, write packed", "core", count, judging("packed", out="values")),
        Case("decode, judge, write packed; pcap record", "core", count, judging("packed", packed=True, out="values")),
        Case("decode, judge, write JSON", "core", count, judging("json", out="values")),
    ]


def layers() -> list[Case]:
    """Single layers as far as Python reaches them; all but the second make Python objects; the core never does."""
    some = messages()[:BATCH]
    capture = capture_of(some)
    parsed = [one for one in map(sccp.parse, some) if one["data"]]
    users = [bytes(one["data"]) for one in parsed][:32]
    titles = [one["calling"] for one in parsed if one["calling"] and one["calling"]["digits"]]
    return [
        Case("framing, as dicts", "layer", len(some), lambda: framing.frames(capture, "pcap")),
        Case("TCAP, MAP and CAP", "layer", 32 * 100, lambda: mapop.repeat(users, 100)),
        Case("SCCP, as dicts", "layer", len(some), lambda: [sccp.parse(one) for one in some]),
        Case("TCAP, MAP and CAP, as dicts", "layer", len(users), lambda: [mapop.parse(one) for one in users]),
        Case(
            "GT normalised, as list",
            "layer",
            len(titles),
            lambda: [
                normalise.gt_readings(one["digits"], np=one["np"], nai=one["nai"], es=one["es"]) for one in titles
            ],
        ),
        Case("GT looked up, as dict", "layer", len(titles), lambda: [_lookup(one["digits"]) for one in titles]),
    ]


def _lookup(digits: str) -> object:
    return tables().lookup(digits) if digits.isdecimal() and len(digits) <= 16 else None


def peer() -> list[Case]:
    """pycrate, and the core on the very messages that pycrate reads."""
    from bench.peers import pycrate  # here: its modules take the better part of a second, and nothing else needs them

    sample = pycrate.readable(messages(), PEER_SAMPLE)
    reuse, worker = pycrate.reused(), Worker(verdicts="none")
    many = (sample * (BATCH * 4 // len(sample) + 1))[: BATCH * 4]
    parts = [many[at : at + BATCH] for at in range(0, len(many), BATCH)]

    def ours() -> None:
        stream = Stream("bench", offsets=False)
        for part in parts:
            worker.judge(tables(), stream, Batch(part, "sccp"), perimeter="international")

    return [
        Case("pycrate, fresh objects", "peer", len(sample), lambda: [pycrate.natural(one) for one in sample]),
        Case("pycrate, objects used again", "peer", len(sample), lambda: [reuse(one) for one in sample]),
        Case("sigfw on the same messages", "peer", len(many), ours),
    ]
