"""Instructions by valgrind's callgrind: which function spent how many, between `start` and `stop` alone.

Start-up runs uninstrumented: it costs little time and is in no count. Whatever else the machine does, a count repeats
itself to a few parts in a thousand, and most to a millionth: the hash seed is fixed, and large memory is mapped, since
whether a heap grows in place or is copied hangs on what lies behind it (5 % of JSON's count).
"""

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

CLIENT = r"""
#include <valgrind/callgrind.h>
void start(void) { CALLGRIND_START_INSTRUMENTATION; CALLGRIND_ZERO_STATS; }
void stop(const char *name) { CALLGRIND_DUMP_STATS_AT(name); CALLGRIND_STOP_INSTRUMENTATION; }
"""


STEADY = {"PYTHONHASHSEED": "0", "MALLOC_MMAP_THRESHOLD_": "16384", "MALLOC_MMAP_MAX_": "1000000"}  # glibc's mallopt(3)


class CannotCount(Exception):
    """One line: what is missing, or what the program said."""


def counted(name: str, call: Callable[[], object]) -> None:
    """Within a process that `run` started: count one call, after one that warms up."""
    client = ctypes.CDLL(os.environ["SIGFW_CALLGRIND_CLIENT"])
    call()
    client.start()
    call()
    client.stop(name.encode())


def run(module: str, *arguments: str, cwd: Path, env: Mapping[str, str]) -> dict[str, Counter[str]]:
    """Run a Python module that calls `counted`: instructions by name and function, the functions' own."""
    if shutil.which("valgrind") is None:
        raise CannotCount("valgrind is not installed: apt-get install valgrind")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        client = folder / "client.so"
        compiler = ["gcc", "-shared", "-fPIC", "-O1", "-x", "c", "-", "-o", str(client)]
        made = subprocess.run(compiler, input=CLIENT, text=True, capture_output=True, check=False)
        if made.returncode:
            raise CannotCount(f"gcc with valgrind's headers: {(made.stderr.strip() or 'it failed').splitlines()[0]}")
        valgrind = ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out"]
        done = subprocess.run(
            [*valgrind, sys.executable, "-m", module, *arguments],
            cwd=cwd,
            env={**env, **STEADY, "SIGFW_CALLGRIND_CLIENT": str(client)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CannotCount(f"{module} under valgrind: {(done.stderr.strip() or 'no word').splitlines()[-1]}")
        return dict(read(path.read_text(encoding="utf-8")) for path in folder.glob("out.*"))


def read(text: str) -> tuple[str, Counter[str]]:
    """One dump of callgrind, as its manual describes the format: its name, and the functions' own instructions.

    A name is written once, `fn=(3) name`, and then as `fn=(3)`. The line after `calls=` is the callee's cost.
    """
    name, function, called = "", "", False
    names: dict[str, str] = {}
    own: Counter[str] = Counter()
    for line in text.splitlines():
        if line.startswith("desc: Trigger: Client Request: "):
            name = line.rpartition("Client Request: ")[2]
        elif found := re.match(r"c?fn=\((\d+)\)(?: (.*))?", line):
            if found[2]:
                names[found[1]] = found[2]
            if line.startswith("fn="):
                function = names[found[1]]
        elif line.startswith("calls="):
            called = True
        elif line[:1] in "0123456789+-*" and line:
            if not called:
                own[function] += int(line.split()[1])
            called = False
    return name, own
