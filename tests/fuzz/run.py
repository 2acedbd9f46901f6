"""Run fuzz targets: `python -m tests.fuzz.run [--seconds 60] [--jobs 2] [TARGET …]`, or `--totals`.

The working corpus grows in .cache/fuzz/TARGET from sitting to sitting, beginning with the seeds of the repository; each
sitting adds a line to .cache/fuzz/totals.jsonl, which --totals sums up. A finding leaves its input in out/fuzz/ and the
exit status is 1.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from tests.fuzz import build
from tests.fuzz.seeds import DICTIONARIES, read_seeds

CORPUS = build.ROOT / ".cache" / "fuzz"
FOUND = build.ROOT / "out" / "fuzz"
TOTALS = CORPUS / "totals.jsonl"
# Octets of an input. A framing record may be a capture of many messages; a LUDT ends at 3,952 octets (Q.713 4.20).
MAX_OCTETS = {
    "framing": 8192,
    "sccp": 4400,
    "tcap": 4400,
    "engine": 8192,
    "gttable": 512,
    "packed": 65536,
    "kbatch": 4096,
}
IN_PYTHON = ("engine", "gttable", "packed")  # an interpreter never frees all it took: no leak is to be told there
LIMITS = (  # of a process
    "-timeout=10",  # seconds an input; the slowest of these takes milliseconds
    "-rss_limit_mb=3072",
    "-malloc_limit_mb=512",
    "-print_final_stats=1",
    "-reload=0",
    "-verbosity=1",
)
ENVIRONMENT = os.environ | {"ASAN_OPTIONS": "malloc_context_size=2:quarantine_size_mb=64"}  # half of ASan's time
NOISE = re.compile(
    r"INFO|\s*#|\s*NEW_FUNC|\s*Combine|Dictionary|NOTE|stat::|(=>|  )0x|Shadow| +\w[\w ]+: +(f\w|\d\d)|$"
)
STATUS = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")

Sitting = dict[str, Any]


def fuzz(target: str, seconds: int) -> Sitting:
    """One sitting of one target."""
    corpus, log = CORPUS / target, FOUND / f"{target}.log"
    seeds = build.BUILT / "seeds" / target
    for folder in (corpus, FOUND):
        folder.mkdir(parents=True, exist_ok=True)
    read_seeds(target, seeds)
    before = set(findings(target))
    command = [str(build.DRIVERS / target), *LIMITS, f"-max_total_time={seconds}", f"-max_len={MAX_OCTETS[target]}"]
    command += [f"-detect_leaks={int(target not in IN_PYTHON)}", f"-artifact_prefix={FOUND / target}-"]
    if target in DICTIONARIES:
        command += [f"-dict={build.TREE / 'tests' / 'fuzz' / DICTIONARIES[target]}"]
    begun = time.monotonic()
    with log.open("wb") as out:
        run = subprocess.run([*command, str(corpus), str(seeds)], stdout=out, stderr=subprocess.STDOUT, env=ENVIRONMENT)
    text = log.read_text(errors="replace")
    states = STATUS.findall(text)
    cov, ft, corp = map(int, states[-1]) if states else (0, 0, 0)
    executions = re.search(r"number_of_executed_units: (\d+)", text) or re.search(
        r"#(\d+)\t[^\n]*\n(?![\s\S]*\n#\d)", text
    )
    sitting = {
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": commit(),
        "target": target,
        "seconds": round(time.monotonic() - begun),
        "executions": int(executions[1]) if executions else 0,
        "cov": cov,
        "ft": ft,
        "corpus": corp,
        "status": run.returncode,
        "findings": sorted(set(findings(target)) - before),
    }
    with TOTALS.open("a") as totals:
        totals.write(json.dumps(sitting) + "\n")
    return sitting


def findings(target: str) -> list[str]:
    return [one.name for one in FOUND.glob(f"{target}-*") if not one.name.startswith(f"{target}-slow-unit")]


def commit() -> str:
    asked = subprocess.run(["git", "-C", build.ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return asked.stdout.strip()


def tell(sitting: Sitting) -> bool:
    """One line, and how to see a finding again; True where nothing was found."""
    rate = sitting["executions"] // max(sitting["seconds"], 1)
    print(
        f"{sitting['target']:8} {sitting['seconds']:6} s {sitting['executions']:12,} executions {rate:8,}/s"
        f"  cov {sitting['cov']:5} ft {sitting['ft']:6} corpus {sitting['corpus']:5}"
        f"  findings {len(sitting['findings'])}",
        flush=True,
    )
    if sitting["status"] == 0 and not sitting["findings"]:
        return True
    log = FOUND / f"{sitting['target']}.log"
    said = [line for line in log.read_text(errors="replace").splitlines() if not NOISE.match(line)]
    print("\n".join(said[:30]), f"\nall of it: {log.relative_to(build.ROOT)}", flush=True)
    for name in sitting["findings"]:
        driver = (build.DRIVERS / sitting["target"]).relative_to(build.ROOT)
        print(f"again: {driver} {FOUND.relative_to(build.ROOT) / name}", flush=True)
    return False


def totals() -> None:
    """What all sittings come to; coverage is that of the last."""
    sums: dict[str, Sitting] = {}
    for line in TOTALS.read_text().splitlines():
        one = json.loads(line)
        so_far = sums.setdefault(one["target"], one | {"seconds": 0, "executions": 0, "findings": []})
        so_far |= {key: one[key] for key in ("cov", "ft", "corpus")} | {"status": 0}
        so_far["seconds"] += one["seconds"]
        so_far["executions"] += one["executions"]
        so_far["findings"] = so_far["findings"] + one["findings"]
    for target in sorted(sums):
        one = sums[target]
        print(
            f"{target:8} {one['seconds'] / 3600:7.2f} h {one['executions']:15,} executions  cov {one['cov']:5}"
            f" ft {one['ft']:6} corpus {one['corpus']:5}  findings {len(one['findings'])}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(build.TARGETS)}; none: all")
    parser.add_argument("--seconds", type=int, default=60, help="each (60)")
    parser.add_argument("--jobs", type=int, default=1, help="targets at a time (1)")
    parser.add_argument("--totals", action="store_true", help="sum up the sittings so far, and run nothing")
    given = parser.parse_args()
    if unknown := set(given.targets) - set(build.TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(build.TARGETS)}")
    if given.totals:
        totals()
        return 0
    build.main()
    with ThreadPoolExecutor(given.jobs) as pool:
        clean = [
            tell(sitting) for sitting in pool.map(lambda t: fuzz(t, given.seconds), given.targets or build.TARGETS)
        ]
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
