"""The clang that fuzzing and the sanitized tests compile with: `python -m tests.fuzz.clang` says whether there is one.

CLANG names it; else `clang`, or the newest clang-N. It must have libFuzzer's and the sanitizers' runtime, which Debian
packs apart (libclang-rt-dev).
"""

import os
import shutil
import subprocess
import sys
import tempfile

VERSIONS = range(13, 30)  # the oldest with what the build asks for, and those to come


def clang() -> str:
    """Its name. Exits where there is none."""
    names = [os.environ["CLANG"]] if "CLANG" in os.environ else ["clang", *(f"clang-{v}" for v in reversed(VERSIONS))]
    for name in names:
        if shutil.which(name):
            return name
    sys.exit("no clang; on Debian: apt-get install clang libclang-rt-dev")


def main() -> None:
    source = "int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return p && n ? 0 : 0; }"
    with tempfile.TemporaryDirectory() as folder:
        command = [clang(), "-fsanitize=fuzzer,address,undefined", "-x", "c", "-", "-o", f"{folder}/probe"]
        done = subprocess.run(command, input=source, text=True, capture_output=True)
    if done.returncode:
        sys.exit(f"{clang()} cannot link libFuzzer; on Debian: apt-get install libclang-rt-dev\n{done.stderr}")


if __name__ == "__main__":
    main()
