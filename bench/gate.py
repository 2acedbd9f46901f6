"""Is HEAD slower than its first parent? `python -m bench.gate [--base REV]`. bench/README.md says how it decides.

Exit status: 0 no slower than the bounds, or nothing to compare with; 1 slower; 2 it cannot run.
"""

import argparse
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import callgrind
from bench.measure import machine, trained

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "gate"
KEPT = ROOT / "out" / "gate.json"
CORE = Path("sigfw/_core")
INSTRUCTIONS = 3.0  # per cent more that fail
TIME = 5.0  # the same; wider, because where code comes to lie moves a loop by some per cent
TRUST = 0.99  # that the median lies in its interval
PAIRS, ROUNDS = 12, 8  # processes of each tree, rounds in each pair
FEWEST = 8  # pairs: seven all on one side are chance once in 64 times
TURN_SECONDS = 0.02
COSTS = re.compile(r"(\d+(?:\.\d+)?) ?%[:,]? +\S")


class CannotRun(Exception):
    """One line: what to do."""


# ---- What is compared


@dataclass
class Tree:
    """A folder with one tree's sigfw, and the bench and configurations that both share."""

    folder: Path
    messages: dict[str, int] = field(default_factory=dict)  # case -> messages a call
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.folder), "PYTHONHASHSEED": "0"}


def git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise CannotRun("git is not installed: apt-get install git") from None
    if done.returncode:
        raise CannotRun(f"git {arguments[0]}: {(done.stderr.strip() or 'it failed').splitlines()[-1]}")
    return done.stdout.strip()


def parent() -> str | None:
    """HEAD's first parent; None where there is none: no repository, its first commit, a shallow clone."""
    if not (ROOT / ".git").exists():
        return None
    found = git("rev-list", "--parents", "--max-count=1", "HEAD").split()
    return found[1] if len(found) > 1 else None


def allowed(base: str) -> tuple[float, list[str]]:
    """Per cent that the commits since `base` say they cost, and their words: trailers `Costs: 4 %: why`."""
    found = git("log", "--format=%(trailers:key=Costs,valueonly,unfold)", f"{base}..HEAD")
    said = [line for line in found.splitlines() if line]
    total = 0.0
    for one in said:
        number = COSTS.match(one)
        if not number:
            raise CannotRun(f'the commit message says "Costs: {one}": write `Costs: 4 %: why`')
        total += float(number[1])
    return total, said


def run(command: Sequence[str], cwd: Path) -> None:
    env = dict(os.environ)
    if shutil.which("ccache"):
        env = {"CC": "ccache gcc", "CCACHE_NOHASHDIR": "1", **env}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotRun(f"{' '.join(command)} in {cwd}: {(done.stderr.strip() or 'it failed').splitlines()[-1]}")


def built(base: str) -> Path:
    """The base's files with its core. Where its core has the same sources as ours, ours is taken."""
    place = FOLDER / base[:12]
    if (place / ".built").exists():
        return place
    shutil.rmtree(FOLDER, ignore_errors=True)
    place.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", base], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", str(place)], input=archive, check=True)
    if git("diff", "--name-only", base, "--", str(CORE), "setup.py"):
        run([sys.executable, "setup.py", "build_ext", "--inplace"], place)
    else:
        for one in (ROOT / CORE).glob("*.so"):
            shutil.copy2(one, place / CORE)
    (place / ".built").touch()
    return place


def current() -> None:
    """Our own core is that of our sources: make build made it, as it makes the base's."""
    if trained():
        raise CannotRun("the core is that of make pgo: rm sigfw/_core/*.so, then touch setup.py and make build")
    made = [one.stat().st_mtime for one in (ROOT / CORE).glob("*.so")]
    sources = [one.stat().st_mtime for pattern in ("*.pyx", "*.pxd", "*.h") for one in (ROOT / CORE).glob(pattern)]
    if not made or max(sources) > max(made):
        raise CannotRun("the core is older than its sources: run make build")


def laid(name: str, code: Path, configs: Path) -> Tree:
    """Links to what a tree runs: its own sigfw, our bench."""
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for link, target in (("sigfw", code / "sigfw"), ("bench", ROOT / "bench"), ("configs", configs / "configs")):
        (folder / link).symlink_to(target)
    return Tree(folder)


def both(place: Path) -> tuple[Tree, Tree]:
    """Base and HEAD judge by HEAD's policy; by the base's where it refuses that, since HEAD reads older ones."""
    for configs in (ROOT, place):
        old, new = laid("base", place, configs), laid("head", ROOT, configs)
        for tree in (old, new):
            try:
                with Process(tree) as process:
                    tree.messages, tree.wrong = process.said["messages"], process.said["wrong"]
            except CannotRun as error:
                tree.wrong = {"all cases": str(error)}
        if not old.wrong or new.wrong:
            break
    if new.wrong:
        raise CannotRun(f"HEAD does not run all cases: {'; '.join(f'{k}: {v}' for k, v in new.wrong.items())}")
    return old, new


# ---- Time


class Process:
    """bench.gated in a tree, waiting for what to measure."""

    def __init__(self, tree: Tree) -> None:
        command = [sys.executable, "-m", "bench.gated", "time"]
        pipe = subprocess.PIPE
        self.tree = tree
        self.process = subprocess.Popen(
            command, cwd=tree.folder, env=tree.env, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

    def __enter__(self) -> "Process":
        self.said: dict[str, Any] = json.loads(self.answer())
        if not Path(self.said["sigfw"]).is_relative_to(self.tree.folder):
            raise CannotRun(f"{self.tree.folder.name} runs {self.said['sigfw']}, not its own: unset what leads there")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def answer(self) -> str:
        assert self.process.stdout is not None and self.process.stderr is not None
        line = self.process.stdout.readline()
        if not line:
            said = self.process.stderr.read().strip() or "it ended"
            raise CannotRun(f"{self.tree.folder.name}: {said.splitlines()[-1]}")
        return line

    def turn(self, case: str, calls: int) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{calls} {case}\n")
        self.process.stdin.flush()
        return int(self.answer())


def pair(trees: Sequence[Tree], cases: Sequence[str], number: int) -> dict[str, float]:
    """Of two fresh processes: the median over rounds of HEAD's time to the base's in the same round."""
    ratios: dict[str, list[float]] = {case: [] for case in cases}
    cpus = sorted(os.sched_getaffinity(0))
    first = number // len(cpus) % 2  # who starts first has first choice of memory, and who measures first of caches
    started = {n: Process(trees[n]) for n in (first, 1 - first)}
    with started[0] as before, started[1] as after:
        for one in (before, after):  # by turns on one CPU: what slows it meets both
            os.sched_setaffinity(one.process.pid, {cpus[number % len(cpus)]})
        calls = {case: max(1, round(TURN_SECONDS * 1e9 / before.turn(case, 1))) for case in cases}
        for round_ in range(ROUNDS):
            for case in cases:
                order = (before, after) if round_ % 2 == first else (after, before)
                took = {one: one.turn(case, calls[case]) for one in order}
                ratios[case].append(took[after] / took[before])
    return {case: statistics.median(each) for case, each in ratios.items()}


def timed(trees: Sequence[Tree], cases: Sequence[str], pairs: int) -> dict[str, list[float]]:
    """A ratio of each pair of processes. A process keeps the memory it was given, so its rounds share their luck."""
    found = [pair(trees, cases, number) for number in range(pairs)]
    return {case: [one[case] for one in found] for case in cases}


def interval(values: Sequence[float], trust: float = TRUST) -> tuple[float, float]:
    """Where the median lies, with that trust, by the signs alone: nothing is assumed of the noise's shape."""
    ordered, n, cut, outside = sorted(values), len(values), 0, 0.0
    while cut < n // 2:
        outside += 2 * math.comb(n, cut) / 2**n
        if outside > 1 - trust:
            break
        cut += 1
    if not cut:
        raise ValueError(f"{n} values do not tell with a trust of {trust}")
    return ordered[cut - 1], ordered[n - cut]


def slower(values: Sequence[float], bound: float) -> bool:
    """Beyond noise: the whole interval lies above the bound, in per cent."""
    return interval(values)[0] > 1 + bound / 100


# ---- Instructions


def instructions(trees: Sequence[Tree]) -> list[dict[str, float]]:
    """Instructions a message of each case; side by side, for counts do not mind company."""

    def one(tree: Tree) -> dict[str, float]:
        found = callgrind.run("bench.gated", "count", cwd=tree.folder, env=tree.env)
        return {case: own.total() / tree.messages[case] for case, own in found.items()}

    with ThreadPoolExecutor() as pool:
        return list(pool.map(one, trees))


# ---- The verdict


@dataclass
class Found:
    """Of one case."""

    before: float  # instructions a message
    after: float
    ratios: list[float]  # HEAD's time to the base's, of each pair of processes
    again: list[float] = field(default_factory=list)  # of a second, longer run, where the first says slower

    @property
    def more(self) -> float:
        return (self.after - self.before) / self.before * 100

    def row(self, case: str) -> str:
        line = f"{case:<20} {self.before:>12,.1f} {self.after:>12,.1f} {self.more:>+8.2f} %"
        for values in filter(None, (self.ratios, self.again)):
            low, high = interval(values)
            line += f" {statistics.median(values):>9.3f}  {low:.3f}-{high:.3f}"
        return line

    def faults(self, costs: float) -> list[str]:
        """What is beyond the bounds, or beyond what the commit says it costs."""
        found = []
        if self.more > max(INSTRUCTIONS, costs):
            found.append(f"{self.more:.1f} % more instructions a message; the bound is {max(INSTRUCTIONS, costs):g} %")
        if self.again and slower(self.again, max(TIME, costs)):
            took = (statistics.median(self.again) - 1) * 100
            found.append(f"{took:.1f} % more time, twice beyond noise; the bound is {max(TIME, costs):g} %")
        return found


def compare(old: Tree, new: Tree, costs: float, pairs: int) -> dict[str, Found]:
    cases = [case for case in new.messages if case in old.messages]
    before, after = instructions((old, new))
    ratios = timed((old, new), cases, pairs)
    found = {case: Found(before[case], after[case], ratios[case]) for case in cases}
    doubted = [case for case in cases if slower(ratios[case], max(TIME, costs))]
    for case, again in timed((old, new), doubted, 2 * pairs).items() if doubted else ():
        found[case].again = again
    return found


def keep(**found: Any) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    found = {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "machine": machine(), **found}
    KEPT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def alone() -> None:
    """HEAD's own counts: those of another day, compiler or machine are no bound."""
    print("HEAD has no parent here (no repository, its first commit, a shallow clone): it is counted, nothing compared")
    tree = laid("head", ROOT, ROOT)
    with Process(tree) as process:
        tree.messages = process.said["messages"]
    (counts,) = instructions((tree,))
    for case, count in counts.items():
        print(f"{case:<20} {count:>12,.1f} instructions a message")
    keep(base=None, cases={case: {"after": count} for case, count in counts.items()}, failed=[])


def gate(base: str, pairs: int) -> bool:
    costs, said = allowed(base)
    head = git("rev-parse", "HEAD")
    changed = bool(git("status", "--porcelain", "--untracked-files=no"))
    print(f"HEAD {head[:12]}{', with changes that are not committed,' if changed else ''} beside {base[:12]}")
    for one in said:
        print(f"Costs: {one}")
    old, new = both(built(base))
    for case, why in old.wrong.items():
        print(f"{case}: not compared, the base does not run it: {why}")
    found = compare(old, new, costs, pairs) if old.messages else {}
    print(f"{'':<20} {'instructions a message: base, HEAD':>36}  HEAD's time, {TRUST:.0%} interval")
    for case, one in found.items():
        print(one.row(case))
    failed = [f"{case}: {fault}" for case, one in found.items() for fault in one.faults(costs)]
    cases = {case: asdict(one) for case, one in found.items()}
    keep(base=base, head=head, changed=changed, costs=said, cases=cases, failed=failed)
    for one in failed:
        print(f"SLOWER  {one}")
    if failed:
        print("If that is the price of something, say so in the commit message: `Costs: 4 %: why`")
    return not failed


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base", metavar="REV", help="compare with this commit; default: HEAD's first parent")
    parser.add_argument("--pairs", type=int, default=PAIRS, help=f"pairs of processes ({PAIRS})")
    given = parser.parse_args()
    if given.pairs < FEWEST:
        parser.error(f"--pairs {given.pairs} tell nothing with a trust of {TRUST:.0%}: {FEWEST} or more")
    try:
        current()
        base = git("rev-parse", "--verify", f"{given.base}^{{commit}}") if given.base else parent()
        if base is None:
            alone()
        elif not gate(base, given.pairs):
            raise SystemExit(1)
    except (CannotRun, callgrind.CannotCount) as error:
        print(f"bench.gate: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
