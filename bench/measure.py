"""How every suite measures, and where its figures stay: bench/results/SUITE.json, one file a suite."""

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.cases import Case
from sigfw._core import engine

ROUNDS, SHORT_ROUNDS = 9, 2
AT_LEAST_SECONDS = 0.1  # a measurement: shorter calls are repeated
RESULTS = Path(__file__).parent / "results"


def measure(case: Case, calls: int, clock: Callable[[], int] = time.perf_counter_ns) -> float:
    """Nanoseconds a message."""
    start = clock()
    for _ in range(calls):
        case.call()
    return (clock() - start) / (calls * case.messages)


def interleaved(
    cases: Sequence[Case], rounds: int, seconds: float, clock: Callable[[], int] = time.perf_counter_ns
) -> dict[str, list[float]]:
    """Every case once a round, so that what disturbs the machine meets them all; clock: thread_time_ns for CPU time."""
    calls: dict[str, int] = {}
    for case in cases:  # the first call also warms up
        once = measure(case, 1, clock) * case.messages / 1e9
        calls[case.name] = max(1, round(seconds / max(once, 1e-9)))
    taken: dict[str, list[float]] = {case.name: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            taken[case.name].append(measure(case, calls[case.name], clock))
    return taken


def trained() -> bool:
    return bool(getattr(engine, "TRAINED", False))  # the gate runs this beside trees of before, which know of none


def machine() -> str:
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), model)
    except OSError as error:
        model += f" ({error.strerror})"
    return (
        f"{model}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}, Python {platform.python_version()}"
        f", core {'trained (make pgo)' if trained() else 'as make build makes it'}"
    )


def ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """How many times slower: the median over rounds of what the two took in the same round."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def keep(
    suite: str,
    goals: Mapping[str, float],
    taken: Mapping[str, Sequence[float]],
    *,
    method: str,
    short: bool,
    **more: object,
) -> None:
    """Write the suite's figures. goals: key of bench.goals -> measured; taken: case -> each round, ns a message.

    A short run shows that the suite runs, and its figures are none: it overwrites nothing.
    """
    if short:
        return
    RESULTS.mkdir(exist_ok=True)
    found = {
        "suite": suite,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": machine(),
        "commit": subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],
            cwd=RESULTS.parent,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip(),
        "method": method,
        "goals": dict(goals),
        "taken": {name: [round(one, 3) for one in each] for name, each in taken.items()},
        **more,
    }
    (RESULTS / f"{suite}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
