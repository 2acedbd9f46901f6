"""What state costs: `python -m bench.state [--short]`. bench/README.md says how.

The same messages under the same rules, judged without memory, with it, and with what workers share in a real
redis-server.
"""

import argparse
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import redis

from bench import dialogues as d
from bench.cases import BATCH, Case
from bench.encode import Party
from bench.measure import AT_LEAST_SECONDS, ROUNDS, SHORT_ROUNDS, interleaved, machine
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.gttable import PrefixTable
from sigfw._core.memory import State
from sigfw._core.tables import Tables
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from sigfw.state.store import Store
from sigfw.telemetry.metrics import Metrics

POLICY = Path(__file__).parent / "state.yaml"
SUBSCRIBERS, SHORT_SUBSCRIBERS = 20_000, 2_000
START_NS, STEP_NS = 1_793_491_200_000_000_000, 1_000_000  # a message a millisecond

Message = tuple[bytes, str]


def lives(subscribers: int) -> Iterator[Message]:
    """Each is registered, asked about and sent a short message: six messages with their perimeters."""
    for n in range(subscribers):
        imsi, tid = f"00101{n:010d}", n.to_bytes(4, "big")
        vlr, centre = Party(f"4917139200{n % 100:02d}", 7), Party(f"3363998{n % 9000 + 1000}", 8)
        yield d.update(vlr, tid, imsi), "international"
        yield d.updated(vlr, tid), "internal"
        yield d.ask_for_routing(centre, tid), "international"
        yield d.tell_routing(centre, tid, imsi), "internal"
        yield d.deliver(centre, tid, imsi, to=Party("447700900020", 8)), "international"
        yield d.delivered(centre, tid, by=Party("447700900020", 8)), "internal"


class Judge:
    """The messages over and over, each time at later offsets and times: nothing repeats itself."""

    def __init__(self, tables: Tables, subscribers: int, state: State | None, store: Store | None = None) -> None:
        self.tables = tables
        self.worker = Worker(verdicts="none", state=state, exchange=store.exchange if store else None)
        self.stream = Stream("bench/0", offsets=True, topic="bench")
        messages = list(lives(subscribers))
        self.batches = [messages[at : at + BATCH] for at in range(0, len(messages) - BATCH + 1, BATCH)]
        self.offset = 0

    def __call__(self) -> None:
        for batch in self.batches:
            offsets = range(self.offset, self.offset + len(batch))
            self.offset += len(batch)
            octets = [message for message, _ in batch]
            made = Batch(
                octets,
                "sccp",
                offsets=offsets,
                times_ns=[START_NS + n * STEP_NS for n in offsets],
                meta=[(None, perimeter, None, None) for _, perimeter in batch],
            )
            self.worker.judge(self.tables, self.stream, made)


@contextmanager
def server() -> Iterator[str]:
    """The address of a redis-server that ends with this."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise SystemExit("redis-server is not installed: apt-get install redis-server")
    with tempfile.TemporaryDirectory() as folder:
        address = Path(folder) / "socket"
        command = [program, "--port", "0", "--unixsocket", str(address), "--dir", folder, "--save", ""]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            client = redis.Redis(unix_socket_path=str(address))
            while True:
                try:
                    client.ping()
                    break
                except redis.RedisError:
                    if process.poll() is not None:
                        raise SystemExit("redis-server ended") from None
                    time.sleep(0.05)
            client.close()
            try:
                yield f"unix://{address}"
            finally:
                process.terminate()


def memory() -> None:
    """Octets of a subscriber, a dialogue, a caller and a prefix, where there are a million of them."""
    many = 1_000_000
    rng = random.Random(1)
    prefixes = list({str(rng.randrange(10**5, 10**10)) for _ in range(many)})
    table = PrefixTable(prefixes, array("I", bytes(4 * len(prefixes))))
    least = State(subscribers=1, dialogues=1, callers=1).octets
    taken = {
        "subscriber of ours": (State(subscribers=many, dialogues=1, callers=1).octets - least) / many,
        "dialogue": (State(subscribers=1, dialogues=many, callers=1).octets - least) / many,
        "calling GT": (State(subscribers=1, dialogues=1, callers=many).octets - least) / many,
        "prefix of 6 to 10 digits": table.octets / len(prefixes),
    }
    print(f"{'room for a million of each, full or not':<42} {'octets each':>11}")
    for what, octets in taken.items():
        print(f"{what:<42} {octets:>11,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="few rounds: does it run at all")
    given = parser.parse_args()
    rounds, seconds = (SHORT_ROUNDS, 0.01) if given.short else (ROUNDS, AT_LEAST_SECONDS)
    subscribers = SHORT_SUBSCRIBERS if given.short else SUBSCRIBERS
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}")
    tables = compile_policy(load(POLICY))
    with server() as url:
        shared = State(shared=True, secret=bytes(16))
        metrics = Metrics(dict, shared)
        store = Store(url, 1000, shared.lifetime_seconds, metrics)
        judges: dict[str, Callable[[], None]] = {
            "without memory: the checks are unknown": Judge(tables, subscribers, None),
            "memory": Judge(tables, subscribers, State(subscribers=subscribers)),
            "shared by redis, a round trip a batch": Judge(tables, subscribers, shared, store),
        }
        count = subscribers * 6 // BATCH * BATCH
        cases = [Case(name, "state", count, judge) for name, judge in judges.items()]
        taken = interleaved(cases, rounds, seconds)
        store.close()
    print(f"Median of {rounds} interleaved rounds; one thread; {count:,} messages of {subscribers:,} subscribers")
    print(f"in two directions; {POLICY.name}; batches of {BATCH:,}.\n")
    first = statistics.median(taken[cases[0].name])
    print(f"{'what':<42} {'ns/message':>11} {'messages/s':>12} {'min-max ns':>19} {'time':>7}")
    for case in cases:
        median = statistics.median(taken[case.name])
        spread = f"{min(taken[case.name]):,.0f}-{max(taken[case.name]):,.0f}"
        print(f"{case.name:<42} {median:>11,.0f} {1e9 / median:>12,.0f} {spread:>19} {median / first:>6.2f}x")
    print()
    memory()


if __name__ == "__main__":
    main()
