"""What is aimed at, as a table: `python -m bench.goals` prints each goal beside what bench/results holds.

Below its floor a figure is a defect, the target is what we aim at. A goal is measured by the suite that keeps its key.
"""

import argparse
import json
from dataclasses import dataclass
from typing import Any

from bench.measure import RESULTS


@dataclass(frozen=True)
class Goal:
    key: str
    what: str
    unit: str  # "M/s", "x": times something else, "s", "octets", "ns"
    floor: float
    target: float | None
    at_least: bool  # else at most


def _more(key: str, what: str, unit: str, floor: float, target: float | None = None) -> Goal:
    return Goal(key, what, unit, floor, target, at_least=True)


def _less(key: str, what: str, unit: str, floor: float, target: float | None = None) -> Goal:
    return Goal(key, what, unit, floor, target, at_least=False)


GOALS = (
    _more("core", "core, batches of 1,024, 1 M prefixes, every check without state", "M/s", 2.5, 4),
    _more("core/pycrate", "the same to pycrate, fresh objects", "x", 2500, 4000),
    _more("core/pycrate-reused", "the same to pycrate, objects used again", "x", 800, 1200),
    _more("core/tshark", "the same to tshark", "x", 130, 200),
    _more("decode/rust", "decode to the Rust crates sccp, tcap, gsm_map", "x", 3, 5),
    _more("decode/jss7", "decode to jSS7, JIT warm", "x", 5, 10),
    _less("rules", "1,024 rules to 10, half the messages matching none", "x", 1.4, 1.15),
    _less("prefixes", "10 M prefixes to 10 k", "x", 2.5, 2),
    _less("octets/one", "memory a prefix, one list", "octets", 17),
    _less("octets/several", "memory a prefix, several lists or above 14 digits", "octets", 24),
    _less("mapped", "10 M prefixes mapped", "s", 0.1),
    _less("sorted", "10 M prefixes built from sorted", "s", 3),
    _less("csv", "10 M prefixes from CSV", "s", 60),
    _more("threads", "two threads to one, 1 M prefixes", "x", 1.5, 1.7),
    _less("worst", "worst input of 64 octets or more to the mix, an octet", "x", 4, 2),
    _more("kafka/1000", "worker, a message a record, packed, producer batches of 1,000", "M/s", 0.8, 1.2),
    _more("kafka/64", "the same, producer batches of 64", "M/s", 0.2),
    _more("kafka/public", "the first to the public aiokafka path", "x", 2.5),
    _more("kafka/json", "worker, a message a record, JSON", "M/s", 0.25, 0.5),
    _more("kafka/packed64", "worker, 64 messages a record, packed", "M/s", 1.2, 1.8),
    _more("screen/tshark", "sigfw screen to tshark -T fields, 500,000 frames", "x", 20, 50),
    _less("screen/memory", "sigfw screen, peak memory of 10 M messages to 1 M", "x", 1.1),
    _less("counters", "counters and metrics a message", "ns", 10, 3),
)


def measured() -> dict[str, tuple[float, dict[str, Any]]]:
    """By key: the figure, and the file it stands in."""
    found: dict[str, tuple[float, dict[str, Any]]] = {}
    for path in sorted(RESULTS.glob("*.json")):
        suite = json.loads(path.read_text(encoding="utf-8"))
        found.update({key: (value, suite) for key, value in suite["goals"].items()})
    return found


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _met(goal: Goal, value: float) -> str:
    def reaches(bound: float) -> bool:
        return value >= bound if goal.at_least else value <= bound

    if goal.target is not None and reaches(goal.target):
        return "target"
    return "floor" if reaches(goal.floor) else "MISSED"


def main() -> None:
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    found = measured()
    print(f"{'what':<68} {'unit':<6} {'floor':>8} {'target':>8} {'measured':>9}  {'met':<7} when, commit")
    for goal in GOALS:
        line = f"{goal.what:<68} {goal.unit:<6} {_number(goal.floor):>8} {_number(goal.target):>8}"
        if goal.key in found:
            value, suite = found[goal.key]
            line += f" {_number(value):>9}  {_met(goal, value):<7} {suite['date']}, {suite['commit']}"
        print(line)
    for one in sorted({suite["machine"] for _, suite in found.values()}):
        print(f"\nmachine: {one}")


if __name__ == "__main__":
    main()
