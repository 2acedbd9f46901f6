"""Two threads against one on one policy: `python -m bench.threads [--short]`.

It needs two CPUs that have nothing else to do. Where they have, the CPU time a message still tells what the threads
take from each other: more of it than one alone takes is caches and locks that they share.
"""

import argparse
import statistics
import threading
import time
from collections.abc import Callable

from bench.cases import BATCH, batches, judging
from bench.measure import ROUNDS, SHORT_ROUNDS, keep, machine, ratio

THREADS = 2
CALLS, SHORT_CALLS = 40, 2  # of the whole corpus, each thread, a round
METHOD = (
    "decode and judge by bench.cases.tables(), 1,000,000 prefixes; batches of 1,024; a Worker and Stream a thread; "
    "wall time of a round; messages a second of two threads to those of one, the median of interleaved rounds"
)


def together(calls: list[Callable[[], object]], times: int) -> tuple[float, float]:
    """Seconds until each has been called so many times, each on a thread of its own; and of CPU."""

    def work(call: Callable[[], object]) -> None:
        for _ in range(times):
            call()

    threads = [threading.Thread(target=work, args=(call,)) for call in calls]
    began, used = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, time.process_time() - used


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="few rounds: does it run at all")
    short = parser.parse_args().short
    rounds, times = (SHORT_ROUNDS, SHORT_CALLS) if short else (ROUNDS, CALLS)
    calls = [judging("none") for _ in range(THREADS)]
    messages = len(batches()) * BATCH * times
    together(calls, 1)
    taken: dict[str, list[float]] = {f"threads/{n}{of}": [] for n in (1, THREADS) for of in ("", "/cpu")}
    for _ in range(rounds):
        for n in (1, THREADS):
            wall, cpu = together(calls[:n], times)
            taken[f"threads/{n}"].append(wall / (messages * n) * 1e9)
            taken[f"threads/{n}/cpu"].append(cpu / (messages * n) * 1e9)
    gain = ratio(taken["threads/1"], taken[f"threads/{THREADS}"])
    print(machine())
    for name, each in taken.items():
        print(f"{name:<14} {statistics.median(each):>7,.0f} ns/message ({min(each):,.0f}-{max(each):,.0f})")
    print(f"{THREADS} threads to one: {gain:.2f}x the messages")
    keep("threads", {"threads": gain}, taken, method=METHOD, short=short)


if __name__ == "__main__":
    main()
