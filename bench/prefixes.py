"""Time a message and memory by the number of prefixes: `python -m bench.prefixes [--short]`.

The corpus has some hundreds of calling GTs, whose places in a table stay in the cache. So beside it stand messages of
numbers strewn over all there are: what is asked of each lies where nothing was asked before.

bench/results/prefixes.json holds, in `taken`, for each number of prefixes N a case `prefixes/N`, of such messages, and
`prefixes/mix/N`, of the corpus.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable

from bench.cases import BATCH, Case, batches, prefixes, tables
from bench.dialogues import HLR, IMSI, LOCATION_UP
from bench.encode import Party, address, bcd, begin, invoke, map_context, request, tlv, udt
from bench.measure import AT_LEAST_SECONDS, ROUNDS, SHORT_ROUNDS, interleaved, keep, machine, ratio
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.gttable import PrefixTable
from sigfw._core.prefixes import Prefixes

COUNTS, SHORT_COUNTS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000), (1_000, 10_000)
MANY, SHORT_MANY = 128, 4  # batches of strewn numbers
LISTS = 4  # that share the prefixes of `several`
METHOD = (
    "decode and judge by bench.cases.tables(N), a random list of N prefixes of 6 to 10 digits; updateLocation with "
    "three random numbers, and the corpus; batches of 1,024; interleaved rounds, CPU time of the thread; of a table: "
    "the least of three"
)


def strewn(count: int) -> list[list[bytes]]:
    """updateLocation from nodes anywhere, each named once: three numbers a message, 12 digits each."""
    rng = random.Random(2)
    octets = []
    for i in range(count * BATCH):
        vlr, msc, caller = (str(rng.randrange(10**11, 10**12)) for _ in range(3))
        argument = tlv(0x30, tlv(4, bcd(IMSI)), tlv(0x81, address(msc)), tlv(4, address(vlr)))
        dialogue = begin(i.to_bytes(4, "big"), request(map_context(*LOCATION_UP)), invoke(2, argument))
        octets.append(udt(HLR, Party(caller, 7), dialogue))
    return [octets[at : at + BATCH] for at in range(0, len(octets), BATCH)]


def judging(values: list[list[bytes]], count: int) -> Callable[[], None]:
    worker, chosen = Worker(verdicts="none"), tables(count)

    def call() -> None:
        stream = Stream("bench", offsets=False)
        for batch in values:
            worker.judge(chosen, stream, Batch(batch, "sccp"), perimeter="international")

    return call


def growth(counts: tuple[int, ...], rounds: int, seconds: float, many: int) -> dict[str, list[float]]:
    inputs = {"prefixes": strewn(many), "prefixes/mix": batches()}
    cases = [
        Case(f"{what}/{n}", "core", len(values) * BATCH, judging(values, n))
        for what, values in inputs.items()
        for n in counts
    ]
    taken = interleaved(cases, rounds, seconds, time.thread_time_ns)
    for what, said in (("prefixes", "numbers strewn"), ("prefixes/mix", "the corpus")):
        least = statistics.median(taken[f"{what}/{counts[0]}"])
        print(f"\n{said:<15} {'prefixes':>12} {'ns/message':>11} {'min-max ns':>15} {'time':>7}")
        for n in counts:
            each = taken[f"{what}/{n}"]
            median = statistics.median(each)
            print(f"{n:>28,} {median:>11,.0f} {f'{min(each):,.0f}-{max(each):,.0f}':>15} {median / least:>6.2f}x")
    return taken


def built(packed: list[tuple[Prefixes, int]]) -> tuple[PrefixTable, float]:
    """A table of lists that are sorted, and the CPU time it takes."""
    times = []
    for _ in range(3):
        began = time.process_time()
        table = PrefixTable(packed=packed)
        times.append(time.process_time() - began)
    return table, min(times)


def memory(count: int) -> dict[str, float]:
    """Octets a prefix, index included, and seconds."""
    some = prefixes(count)
    lists = [(Prefixes(some[i::LISTS]), 2 + i) for i in range(LISTS)]
    long = Prefixes([one.ljust(10, "0") + f"{i % 1_000_000:06}" for i, one in enumerate(some)])
    tables = {
        "one list": [(Prefixes(some), 2)],
        f"{LISTS} lists": lists,
        "one list of 16 digits": [(long, 2)],
    }
    found = {}
    print(f"\n{'a table of as many, from sorted':<32} {'octets a prefix':>16} {'seconds':>9}")
    for what, packed in tables.items():
        table, seconds = built(packed)
        found[what] = table.octets / table.prefixes
        print(f"{what:<32} {found[what]:>16.1f} {seconds:>9.3f}")
        found.setdefault("sorted", seconds)
    return {
        "octets/one": found["one list"],
        "octets/several": max(found[f"{LISTS} lists"], found["one list of 16 digits"]),
        "sorted": found["sorted"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="few rounds and prefixes: does it run at all")
    short = parser.parse_args().short
    counts, rounds, seconds = (SHORT_COUNTS, SHORT_ROUNDS, 0.01) if short else (COUNTS, ROUNDS, AT_LEAST_SECONDS)
    print(machine())
    taken = growth(counts, rounds, seconds, SHORT_MANY if short else MANY)
    goals = memory(counts[-1])
    most, few = f"prefixes/{counts[-1]}", "prefixes/10000"
    goals["prefixes"] = ratio(taken[most], taken[few])
    print(f"\n{counts[-1]:,} prefixes to 10,000: {goals['prefixes']:.2f}x the time a message")
    keep("prefixes", goals, taken, method=METHOD, short=short)


if __name__ == "__main__":
    main()
