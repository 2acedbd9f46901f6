"""Tests with the core under ASan and UBSan: `python -m tests.fuzz.asan [pytest's options]`.

They run in the tree of tests/fuzz/build.py, whose modules were compiled for it, and so do the processes that they
start; the first report of a sanitizer ends the process, and the run.
"""

import os
import platform
import subprocess
import sys

from tests.fuzz import build
from tests.fuzz.clang import clang

FOLDERS = ("tests/unit", "tests/conformance", "tests/evasion", "tests/property")
OPTIONS = {
    "PYTHONMALLOC": "malloc",  # arenas hide an overrun from ASan
    "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:abort_on_error=1:malloc_context_size=8",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:abort_on_error=1",
}  # Python frees at its end what it likes: leaks are looked for by the fuzzer, where no Python runs an input


def runtime() -> str:
    """The sanitizers' shared library, to be loaded before Python."""
    command = [clang(), f"-print-file-name=libclang_rt.asan-{platform.machine()}.so"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> int:
    build.main()
    # Hypothesis' own profile `ci` has no deadline for an example: these run several times slower.
    folders = [folder for folder in FOLDERS if (build.TREE / folder).exists()]
    command = [sys.executable, "-m", "pytest", "-q", "--hypothesis-profile=ci", *folders, *sys.argv[1:]]
    env = os.environ | OPTIONS | {"LD_PRELOAD": runtime()}
    return subprocess.run(command, cwd=build.TREE, env=env).returncode


if __name__ == "__main__":
    sys.exit(main())
