"""Measure and print: `python -m bench.run [--short]`. bench/README.md says how."""

import argparse
import asyncio
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime

from bench import kafka
from bench.cases import BATCH, Case, batches, core, layers, peer, tables
from bench.measure import AT_LEAST_SECONDS, ROUNDS, SHORT_ROUNDS, interleaved, keep, machine
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker, _count_again
from sigfw.telemetry.metrics import Metrics

GROUP = 32  # messages that the core handles at once
METHOD = (
    "ns a message: from octets to verdicts, one thread, batches of 1,024 of the demo's corpus; interconnect.yaml and a "
    f"list of 1,000,000 prefixes; median of {ROUNDS} interleaved rounds; counters: what the core counts of a message, "
    "and what a portion of 1,024 adds to histograms"
)


def counting() -> list[Case]:
    """What the core counts of a message, and what a portion of 1,024 adds to histograms. Scrapes are seconds apart."""
    worker = Worker(verdicts="none")
    metrics = Metrics(worker.counters)
    some = Batch(batches()[0], "sccp")
    worker.judge(tables(), Stream("bench", offsets=False), some, perimeter="international", limit=GROUP)

    def portion() -> None:
        metrics.batch_seconds.observe(0.001)
        metrics.end_to_end_seconds.observe(0.01, BATCH)
        metrics.verdict_age_seconds.observe(0.1, BATCH)

    return [
        Case("counters of the core", "count", GROUP * 1000, lambda: _count_again(worker, 1000)),
        Case("histograms of a portion", "count", BATCH, portion),
    ]


def table(cases: Sequence[Case], taken: dict[str, list[float]]) -> None:
    slowest = max(statistics.median(taken[case.name]) for case in cases if case.layer == "peer")
    print(f"{'layer':<7} {'what':<42} {'ns/message':>11} {'messages/s':>12} {'min-max ns':>19} {'to pycrate':>11}")
    for case in cases:
        median = statistics.median(taken[case.name])
        spread = f"{min(taken[case.name]):,.0f}-{max(taken[case.name]):,.0f}"
        rate, ratio = f"{1e9 / median:,.0f}", f"{slowest / median:,.0f}x"
        print(f"{case.layer:<7} {case.name:<42} {median:>11,.0f} {rate:>12} {spread:>19} {ratio:>11}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="few rounds: does it run at all")
    parser.add_argument("--no-kafka", action="store_true", help="leave out the worker over Kafka")
    given = parser.parse_args()
    rounds, seconds = (SHORT_ROUNDS, 0.01) if given.short else (ROUNDS, AT_LEAST_SECONDS)
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}")
    print(f"Median of {rounds} interleaved rounds; one thread; messages of the demo's corpus, 106 octets on average;")
    print(
        "interconnect.yaml and a list of 1,000,000 prefixes; batches of 1,024. Ratios to pycrate with fresh objects.\n"
    )
    cases = [*core(), *counting(), *layers(), *peer()]
    taken = interleaved(cases, rounds, seconds)
    table(cases, taken)
    counted = sum(statistics.median(taken[case.name]) for case in cases if case.layer == "count")
    goals = {"core": 1e3 / statistics.median(taken["decode, judge"]), "counters": counted}
    keep("core", goals, taken, method=METHOD, short=given.short)
    if not given.no_kafka:
        print()
        asyncio.run(kafka.run(short=given.short))


if __name__ == "__main__":
    main()
