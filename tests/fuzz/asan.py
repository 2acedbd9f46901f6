"""Tests with the core under ASan and UBSan: `python -m tests.fuzz.asan [pytest's options]`.

They run in the tree of tests/fuzz/build.py, whose modules were compiled for it, and so do the processes that they
start; the first report of a sanitizer ends the process, and the run.
"""

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.fuzz import build
from tests.fuzz.clang import clang

# Half of them a process: CI has two cores.
HALVES = (("tests/unit",), ("tests/conformance", "tests/evasion", "tests/property", "tests/state"))
LEFT_OUT = (
    "tests/conformance/test_differential.py::test_reading_is_that_of_pycrate",  # most of it is pycrate's time
    # ASan keeps what was freed, so resident memory says nothing.
    "tests/unit/test_segments.py::test_memory_is_flat_for_a_million_reassemblies_that_never_finish",
)
OPTIONS = {
    "PYTHONMALLOC": "malloc",  # arenas hide an overrun from ASan
    "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:abort_on_error=1:malloc_context_size=8",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:abort_on_error=1",
}  # Python frees at its end what it likes: leaks are looked for by the fuzzer, where no Python runs an input


def runtime() -> str:
    """The sanitizers' shared library, to be loaded before Python."""
    command = [clang(), f"-print-file-name=libclang_rt.asan-{platform.machine()}.so"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def half(folders: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """One process of pytest, its end told by a sanitizer on stderr, which is therefore not captured.

    Hypothesis' own profile `ci` sets no deadline: examples run several times slower here.
    """
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--hypothesis-profile=ci",
        "-p",
        "no:cacheprovider",
        "--capture=sys",
    ]
    command += [f"--deselect={one}" for one in LEFT_OUT]
    env = os.environ | OPTIONS | {"LD_PRELOAD": runtime()}
    return subprocess.run(
        [*command, *folders, *sys.argv[1:]],
        cwd=build.TREE,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def main() -> int:
    build.main()
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(half, HALVES))
    for one in done:
        print(one.stdout, flush=True)
    return int(any(one.returncode for one in done))


if __name__ == "__main__":
    sys.exit(main())
