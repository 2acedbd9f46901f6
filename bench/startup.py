"""What a start takes, and a policy by its prefixes, from CSV and compiled: `python -m bench.startup [--short]`.

bench/results/startup.json holds, in `taken`, in ns: `start/WHAT` for each command, and `csv/N` and `mapped/N` for each
number of prefixes N.
"""

import argparse
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.cases import POLICY, prefixes
from bench.measure import keep, machine
from sigfw.policy import compiled
from sigfw.policy.compiler import compiler_of
from sigfw.policy.loader import load

COUNTS, SHORT_COUNTS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000), (1_000,)
TIMES, SHORT_TIMES = 5, 1
STARTS = {
    "python alone": ["-c", ""],
    "import of the core": ["-c", "import sigfw._core.engine"],
    "sigfw --help": ["-m", "sigfw", "--help"],
    "sigfw policy --help": ["-m", "sigfw", "policy", "--help"],
    "sigfw screen --help": ["-m", "sigfw", "screen", "--help"],
    "sigfw run --help": ["-m", "sigfw", "run", "--help"],
}
METHOD = (
    "processes of their own, CPU time, the median; interconnect.yaml and a random list of N prefixes of 6 to 10 "
    "digits: reading, checking and the tables of all numbering plans, files in the page cache, imports not counted"
)


def started(arguments: list[str]) -> float:
    """Seconds of CPU."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def one(path: Path, out: Path | None) -> None:
    """In a process of its own: load and compile, say what it took, stay until stdin ends."""
    compiler_of(load(POLICY)).tables()  # what is imported and cached on the way is not counted
    began = time.process_time()
    compiler = compiler_of(load(path))
    compiler.tables()
    seconds = time.process_time() - began
    # Not ru_maxrss, which a process takes over from the one that started it.
    peak = int(Path("/proc/self/status").read_text(encoding="utf-8").split("VmHWM:")[1].split()[0]) / 1024
    if out is not None:
        compiled.write(compiler, out)
    print(json.dumps({"seconds": seconds, "peak": peak}), flush=True)
    sys.stdin.read()


def child(path: Path, out: Path | None = None) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "bench.startup", "--one", str(path), *(["--out", str(out)] if out else [])]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def answer(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found


def once(path: Path, out: Path | None = None) -> dict[str, Any]:
    with child(path, out) as process:
        found = answer(process)
        process.communicate()
    return found


def shared(path: Path) -> tuple[float, float, float]:
    """MB of a file, and of two processes that have it mapped: resident in each, and theirs where it is divided."""
    with child(path) as first, child(path) as second:
        answer(first)
        answer(second)
        smaps = Path(f"/proc/{first.pid}/smaps").read_text(encoding="utf-8")
        first.communicate()
        second.communicate()
    at = smaps.index(str(path))
    rss, pss = (int(re.search(rf"^{key}: +(\d+) kB", smaps[at:], re.M)[1]) / 1024 for key in ("Rss", "Pss"))  # type: ignore[index]
    return path.stat().st_size / (1 << 20), rss, pss


def policies(folder: Path, counts: tuple[int, ...], times: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {}
    print(f"\n{'prefixes':>12} {'from CSV':>10} {'peak MB':>8} {'mapped':>10} {'peak MB':>8}")
    for n in counts:
        path, file = folder / "policy.yaml", folder / f"{n}.compiled"
        path.write_text(f"include: {POLICY}\nlists: {{leased: {{kind: gt, file: leased.csv}}}}\n", encoding="utf-8")
        (folder / "leased.csv").write_text("".join(f"{one}\n" for one in prefixes(n)), encoding="utf-8")
        read = [once(path, file) for _ in range(times)]
        mapped = [once(file) for _ in range(times)]
        taken[f"csv/{n}"], taken[f"mapped/{n}"] = ([1e9 * run["seconds"] for run in runs] for runs in (read, mapped))
        seconds = [statistics.median(taken[f"{what}/{n}"]) / 1e9 for what in ("csv", "mapped")]
        peaks = [statistics.median(run["peak"] for run in runs) for runs in (read, mapped)]
        print(f"{n:>12,} {seconds[0]:>8.3f} s {peaks[0]:>8,.0f} {seconds[1]:>8.3f} s {peaks[1]:>8,.0f}", flush=True)
    octets, rss, pss = shared(file)
    print(f"\n{counts[-1]:,} prefixes, a file of {octets:,.0f} MB, mapped by two processes:")
    print(f"resident in each {rss:,.0f} MB, counted for each {pss:,.0f} MB")
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="few times and prefixes: does it run at all")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one is not None:
        one(given.one, given.out)
        return
    counts, times = (SHORT_COUNTS, SHORT_TIMES) if given.short else (COUNTS, TIMES)
    print(machine())
    taken = {f"start/{what}": [1e9 * started(how) for _ in range(times)] for what, how in STARTS.items()}
    for what, each in taken.items():
        print(f"{what.removeprefix('start/'):<24} {statistics.median(each) / 1e9:>8.3f} s")
    with tempfile.TemporaryDirectory() as folder:
        taken |= policies(Path(folder), counts, times)
    goals = {what: statistics.median(taken[f"{what}/{counts[-1]}"]) / 1e9 for what in ("csv", "mapped")}
    keep("startup", goals, taken, method=METHOD, short=given.short)


if __name__ == "__main__":
    main()
