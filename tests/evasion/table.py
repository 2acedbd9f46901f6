"""The table of techniques: cases/NN.yaml, one file a row, and how a case is judged.

A case holds the octets of an evasive message (or of several, in order), and names the plain one that it stands for
(plain.yaml). What it says of readings is what differs from the plain one's.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.tables import Tables
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from tests.evasion import readings

FOLDER = Path(__file__).parent / "cases"
POLICIES = Path(__file__).parent / "policies"
INTERCONNECT = Path(__file__).parents[2] / "configs" / "policies" / "interconnect.yaml"
REPEATED = re.compile(r"\(([0-9a-f]+)\)\*(\d+)")  # (3080)*40 is 3080 forty times
START_NS = 1_793_491_200_000_000_000

# Counters that a case may name, the most telling first.
TELLING = ("unusable_gts", "opcode_forms", "padded_opcodes", "segments")
FAMILIES = ("decode_errors", *TELLING, "exceptions", "rule_matches")

# What sigfw makes of a case -> what that means.
ANSWERS = {
    "plain": "read as its plain encoding, the same verdict",
    "same": "read as it stands, the same verdict",
    "rule": "read as it stands, another rule denies it",
    "worst": "every identity and reading counts, the worst decides",
    "malformed": "malformed, and judged by what could be read",
    "bounded": "stops at a bound, and is judged by what was read",
    "unusable": "an address that cannot be one",
    "unknown": "an operation that nobody knows",
    "reassembled": "put together, then judged as a whole",
    "refused": "no segment of what is held: refused",
    "held": "held, and never released",
    "unframed": "no message that could be framed: denied",
    "unread": "nothing in it is TCAP: denied for what it is",
    "passes": "let in",
}


@dataclass(frozen=True, eq=False)  # hashed as itself: what is judged once is not judged again
class Message:
    """A plain message, or the base of Case."""

    id: str
    does: str
    octets: tuple[bytes, ...]
    encapsulation: str
    seconds: tuple[float, ...]
    reads: dict[str, Any]
    verdict: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Case(Message):
    """A case of a row of the table."""

    row: int
    source: str
    plain: Message
    sigfw: str
    counters: tuple[str, ...]
    limit: str | None
    tshark: dict[str, Any] = field(default_factory=dict)
    pycrate: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.row:02}-{self.id}"


@dataclass(frozen=True, eq=False)
class Judged:
    """What came of a case: the line of every message, and the counters."""

    lines: list[dict[str, Any]]
    counters: dict[str, dict[tuple[str, ...], int]]

    @property
    def verdicts(self) -> list[str]:
        return [" ".join(filter(None, (one["action"], one["reason"], one["rule"]))) for one in self.lines]

    @property
    def reads(self) -> dict[str, Any]:
        """The Reading of the last message, with what only sigfw says of it."""
        line = self.lines[-1]
        tcap, about, error = line["tcap"] or {"components": ()}, line["map"] or {"identities": ()}, line["error"]
        return readings.ours(line) | {
            "operations": ["/".join(one["readings"]) or "-" for one in tcap["components"]],
            "identities": [f"{one['kind']} {one['digits']} {one['origin']}" for one in about["identities"]],
            "management": line["sccp"]["management"]["type"] if line["sccp"] and line["sccp"]["management"] else None,
            "error": error and f"{error['layer']} {error['code']} {error['offset']}",
        }

    def moved(self) -> list[str]:
        """Every counter that is not 0, as `metric label …`."""
        return [
            " ".join((metric, *filter(None, labels)))
            for metric, series in self.counters.items()
            for labels, count in series.items()
            if count
        ]


@cache
def tables(policy: Path = INTERCONNECT) -> Tables:
    return compile_policy(load(policy))


@cache
def judge(one: Message, policy: Path = INTERCONNECT) -> Judged:
    """Judge as the service would what comes in from the international side."""
    worker, times = Worker(), [START_NS + int(1e9 * seconds) for seconds in one.seconds]
    batch = Batch(list(one.octets), one.encapsulation, times_ns=times, offsets=list(range(len(times))))
    verdicts = worker.judge(tables(policy), Stream("case"), batch, perimeter="international")
    return Judged([json.loads(line) for line in verdicts.lines().splitlines()], worker.counters())


def _octets(text: str) -> bytes:
    return bytes.fromhex(REPEATED.sub(lambda found: found[1] * int(found[2]), text))


def message(entry: dict[str, Any]) -> dict[str, Any]:
    octets = tuple(_octets(text) for text in entry["octets"])
    return {
        "id": entry["id"],
        "does": entry["does"],
        "octets": octets,
        "encapsulation": entry.get("encapsulation", "sccp"),
        "seconds": tuple(entry.get("seconds", (0.0,) * len(octets))),
        "reads": entry.get("reads", {}),
        "verdict": tuple(entry.get("verdict", ())),
    }


def _read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    return loaded


@cache
def plains() -> dict[str, Message]:
    return {entry["id"]: Message(**message(entry)) for entry in _read(FOLDER / "plain.yaml")["messages"]}


@cache
def rows() -> dict[int, str]:
    """Number of a row -> its title."""
    return {int(path.stem): _read(path)["title"] for path in sorted(FOLDER.glob("[0-9]*.yaml"))}


@cache
def cases() -> tuple[Case, ...]:
    found = []
    for path in sorted(FOLDER.glob("[0-9]*.yaml")):
        row = _read(path)
        for entry in row["cases"]:
            own = {key: entry[key] for key in ("tshark", "pycrate") if key in entry}
            found.append(
                Case(
                    **message(entry),
                    **own,
                    row=int(path.stem),
                    source=entry.get("source", row["source"]),
                    plain=plains()[entry["plain"]],
                    sigfw=entry.get("sigfw", ""),  # not there: a new case, before `record`
                    counters=tuple(entry.get("counters", ())),
                    limit=entry.get("limit"),
                )
            )
    return tuple(found)
