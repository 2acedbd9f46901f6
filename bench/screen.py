"""sigfw screen against tshark -T fields, and its memory: `python -m bench.screen [--short]`. bench/README.md says how.

Both read one capture of the corpus again and again and write the same fields to a file.
"""

import argparse
import os
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.cases import POLICY, messages
from bench.measure import SHORT_ROUNDS, keep, machine, ratio
from bench.peers import tshark
from bench.peers.programs import PeerError

ROUNDS = 5
FRAMES, SHORT_FRAMES = 500_000, 5000
MILLIONS, SHORT_MILLIONS = (1_000_000, 10_000_000), (10_000, 100_000)
START, STEP = 1_793_491_200_000_000, 1000  # microseconds: a message a millisecond
AT_ONCE = 10_000  # frames written at a time
METHOD = (
    "processor time of the whole command, start included, byte code compiled as by an installation, both to files, "
    "interleaved; peak resident memory"
)

FIELDS, JSON, TSHARK = "sigfw screen --format tsv", "sigfw screen --format jsonl", "tshark -T fields"


def write_capture(path: Path, frames: int) -> None:
    """The corpus again and again, link type 142; never held whole."""
    corpus = messages()
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 142))
        for first in range(0, frames, AT_ONCE):
            part = []
            for n in range(first, min(first + AT_ONCE, frames)):
                one, now = corpus[n % len(corpus)], START + STEP * n
                part.append(struct.pack("<IIII", now // 1_000_000, now % 1_000_000, len(one), len(one)) + one)
            out.write(b"".join(part))


def keep_byte_code(folder: Path) -> None:
    """As where sigfw is installed: Python compiles nothing at each start, whatever the shell says of byte code."""
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def screening(capture: Path, form: str) -> list[str]:
    return [sys.executable, "-m", "sigfw", "screen", str(capture), "--policy", str(POLICY), "--format", form]


def speed(folder: Path, frames: int, rounds: int) -> dict[str, list[float]]:
    """Nanoseconds a frame, of each command in each round; a first one is not counted: byte code, and files to cache."""
    capture, out = folder / "capture.pcap", folder / "out"
    write_capture(capture, frames)
    commands = {
        FIELDS: screening(capture, "tsv"),
        JSON: screening(capture, "jsonl"),
        TSHARK: tshark.command(capture),
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for n in range(rounds + 1):
        for name, command in commands.items():
            used = tshark.processor_ns(command, out)
            if n:
                taken[name].append(used / frames)
            out.unlink()
    capture.unlink()
    return taken


def peak_octets(command: Sequence[str]) -> int:
    """Most resident octets of a command. Looked up while it runs: what wait4 tells counts who started it as well."""
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
            peak = max(peak, int(found[1]) * 1024 if found else 0)
            time.sleep(0.005)
    if process.returncode:
        raise PeerError(f"{' '.join(command)} ended with status {process.returncode}")
    return peak


def memory(folder: Path, counts: Sequence[int]) -> list[int]:
    """Peak resident octets, by how many messages there are."""
    capture, peaks = folder / "capture.pcap", []
    for count in counts:
        write_capture(capture, count)
        peaks.append(peak_octets(screening(capture, "tsv")))
        capture.unlink()
    return peaks


def show(taken: dict[str, list[float]]) -> None:
    print(f"{'what':<30} {'ns/frame':>9} {'frames/s':>10} {'to tshark':>10}")
    for name, each in taken.items():
        median = statistics.median(each)
        print(f"{name:<30} {median:>9,.0f} {1e9 / median:>10,.0f} {ratio(taken[TSHARK], each):>9.1f}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="two rounds of few frames: does it run at all")
    given = parser.parse_args()
    frames, rounds, counts = (SHORT_FRAMES, SHORT_ROUNDS, SHORT_MILLIONS) if given.short else (FRAMES, ROUNDS, MILLIONS)
    try:
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}, {tshark.version()}")
        print(f"Median of {rounds} interleaved rounds; {frames:,} frames; processor time, start included.\n")
        with tempfile.TemporaryDirectory() as name:
            keep_byte_code(Path(name) / "byte-code")
            taken = speed(Path(name), frames, rounds)
            show(taken)
            peaks = memory(Path(name), counts)
    except PeerError as error:
        sys.exit(f"bench.screen: {error}")
    print()
    for count, peak in zip(counts, peaks, strict=True):
        print(f"{count:>10,} messages: {peak / 1e6:,.1f} MB at most")
    goals = {"screen/tshark": ratio(taken[TSHARK], taken[FIELDS]), "screen/memory": peaks[1] / peaks[0]}
    keep("screen", goals, taken, method=METHOD, short=given.short)


if __name__ == "__main__":
    main()
