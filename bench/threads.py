"""Two threads against one on one policy: `python -m bench.threads [--short]`."""

import argparse
import statistics
import threading
import time
from collections.abc import Callable

from bench.cases import BATCH, batches, judging
from bench.measure import ROUNDS, SHORT_ROUNDS, keep, machine

THREADS = 2
CALLS, SHORT_CALLS = 40, 2  # of the whole corpus, each thread, a round
METHOD = (
    "decode and judge by bench.cases.tables(), 1,000,000 prefixes; batches of 1,024; a Worker and Stream a thread; "
    "wall time of a round; messages a second of two threads to those of one, the median of interleaved rounds"
)


def together(calls: list[Callable[[], object]], times: int) -> float:
    """Seconds until each has been called so many times, each on a thread of its own."""

    def work(call: Callable[[], object]) -> None:
        for _ in range(times):
            call()

    threads = [threading.Thread(target=work, args=(call,)) for call in calls]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="few rounds: does it run at all")
    short = parser.parse_args().short
    rounds, times = (SHORT_ROUNDS, SHORT_CALLS) if short else (ROUNDS, CALLS)
    calls = [judging("none") for _ in range(THREADS)]
    messages = len(batches()) * BATCH * times
    together(calls, 1)
    taken: dict[str, list[float]] = {"1": [], str(THREADS): []}
    for _ in range(rounds):
        taken["1"].append(together(calls[:1], times) / messages * 1e9)
        taken[str(THREADS)].append(together(calls, times) / (messages * THREADS) * 1e9)
    gain = statistics.median(one / both for one, both in zip(*taken.values(), strict=True))
    print(machine())
    for name, each in taken.items():
        print(f"{name} threads: {statistics.median(each):,.0f} ns/message ({min(each):,.0f}-{max(each):,.0f})")
    print(f"{THREADS} threads to one: {gain:.2f}x the messages")
    named = {f"threads/{name}": each for name, each in taken.items()}
    keep("threads", {"threads": gain}, named, method=METHOD, short=short)


if __name__ == "__main__":
    main()
