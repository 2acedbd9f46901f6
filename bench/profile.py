"""Where the time goes: `python -m bench.profile [--kafka]`, into out/profile and on screen. bench/README.md says how.

callgrind counts the core's instructions by function; py-spy samples the worker, Python and C, over a capture, and with
--kafka over a Kafka of its own.
"""

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

import yaml

from bench import callgrind
from bench.cases import BATCH, POLICY, batches, capture_of, messages
from bench.measure import machine
from tests.kafka.broker import Broker, BrokerError
from tests.kafka.service import Topics, Worker, produce

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "out" / "profile"
CASES = ("judge", "packed verdicts", "JSON verdicts")
CAPTURED, RECORDS = 600_000, 1_500_000  # messages: seconds of work
SAMPLES, SECONDS = 250, 5  # a second; of a worker that goes on
ROWS = 30


def named(function: str) -> str:
    """`ber.ber_next`, `engine.Worker.judge` of what Cython makes of it, without what gcc adds."""
    found = re.match(r"__pyx_\w+?_5sigfw_5_core_(\d+)(\w+)", function)
    if found is None:
        return function
    module, rest = found[2][: int(found[1])], found[2][int(found[1]) :]
    return module + (re.sub(r"_(\d+)(?=[A-Za-z])", ".", rest) if rest[1:2].isdigit() else f".{rest[1:]}")


def sampled_as(frame: str) -> str:
    """Without the line, and an address without a name as the library that it lies in."""
    return re.sub(r"^0x[0-9a-f]+ \((?:.*/)?(.*)\)$", r"\1", re.sub(r":\d+\)$", ")", frame))


def table(title: str, form: str, own: Counter[str], by: float) -> str:
    """The functions that spend most by themselves. title says what `form` numbers are."""
    whole = own.total()
    lines = [f"{title.format(f'{whole / by:{form}}')}; own, share, sum", ""]
    spent = 0
    for function, count in own.most_common(ROWS):
        spent += count
        lines.append(f"{count / by:>10{form}} {count / whole:>7.1%} {spent / whole:>7.1%}  {function}")
    return "\n".join(lines) + "\n"


def core() -> None:
    count = len(batches()) * BATCH
    found = callgrind.run("bench.gated", "count", *CASES, cwd=ROOT, env=os.environ)
    for case in CASES:
        own: Counter[str] = Counter()
        for function, instructions in found[case].items():
            own[named(function)] += instructions
        tell(f"core-{case.replace(' ', '-')}.txt", table(f"{case}: {{}} instructions a message", ",.1f", own, count))


def tell(name: str, text: str) -> None:
    (OUT / name).write_text(text, encoding="utf-8")
    print(text)


def spy(form: str, path: Path, *target: str) -> None:
    """py-spy over a command to its end, or over a process that runs."""
    program = shutil.which("py-spy", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        raise SystemExit("bench.profile: py-spy is not installed: pip install py-spy")
    command = [program, "record", "--native", "-r", str(SAMPLES), "-f", form, "-o", str(path), *target]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode or not path.exists():
        said = (done.stderr.strip() or "py-spy wrote nothing").splitlines()[-1]
        raise SystemExit(f"bench.profile: {said}")


def sampled(name: str, *target: str) -> None:
    """A flame graph, and the table of functions: of two runs, for py-spy writes one form a run."""
    for form, end in (("flamegraph", "svg"), ("raw", "folded")):
        spy(form, OUT / f"{name}.{end}", *target)
    own: Counter[str] = Counter()
    for line in (OUT / f"{name}.folded").read_text(encoding="utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        own[sampled_as(stack.rpartition(";")[2])] += int(count)
    tell(f"{name}.txt", table(f"{name} (graph: {name}.svg): {{}} samples, {SAMPLES} a second", ",.0f", own, 1))


def capture(folder: Path) -> None:
    """The worker over a capture, JSON verdicts into a file."""
    pcap = folder / "corpus.pcap"
    pcap.write_bytes(capture_of(list(islice(cycle(messages()), CAPTURED))))
    config = folder / "capture.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "schema": 1,
                "policy": str(POLICY),
                "mode": {"international": "enforce"},
                "source": {"capture": {"path": str(pcap), "perimeter": "international"}},
                "sink": {"files": {"verdicts": str(folder / "verdicts"), "events": str(folder / "events")}},
                "verdicts": "json",
                "deadline_ms": 0,
                "identities": {"pseudonymise": False},
            }
        )
    )
    sampled("worker-capture", "--", sys.executable, "-m", "sigfw", "run", "--config", str(config))


async def kafka(folder: Path) -> None:
    """The worker over Kafka, a message a record, while it works off a backlog."""
    broker = Broker()
    try:
        await asyncio.to_thread(broker.start)
        for verdicts in ("packed", "json"):
            topics = await Topics(broker.bootstrap, verdicts).make()
            values = islice(cycle(messages()), RECORDS)
            await produce(topics.bootstrap, topics.inputs, 0, ((None, value, ()) for value in values))
            worker = Worker(topics.config(folder, policy=str(POLICY), verdicts=verdicts))
            await worker.ready()
            target = ("--pid", str(worker.process.pid), "-d", str(SECONDS))
            await asyncio.to_thread(sampled, f"worker-kafka-{verdicts}", *target)
            if await worker.stop():
                raise SystemExit(f"bench.profile: the worker failed: {worker.said()}")
    finally:
        await asyncio.to_thread(broker.close)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kafka", action="store_true", help="the worker over Kafka, too")
    given = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}\n")
    try:
        core()
        with tempfile.TemporaryDirectory() as name:
            capture(Path(name))
            if given.kafka:
                asyncio.run(kafka(Path(name)))
    except (callgrind.CannotCount, BrokerError) as error:
        raise SystemExit(f"bench.profile: {error}") from None


if __name__ == "__main__":
    main()
