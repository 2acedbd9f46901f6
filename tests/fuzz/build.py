"""Build the sanitized tree: `python -m tests.fuzz.build`.

build/sanitized/tree   a copy of the sources with the core, and the fuzz targets, compiled in place by clang with ASan,
                       UBSan and libFuzzer's counters: the normal build is not touched
build/sanitized/fuzz   the driver, one name a target

Both the fuzzer (the sanitizers' runtime is in the driver) and pytest (it is preloaded) run from it: a module leaves the
runtime's symbols to whoever loads it. What has not changed is not compiled again.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.clang import clang

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "build" / "sanitized"
TREE = BUILT / "tree"
DRIVERS = BUILT / "fuzz"
COPIED = (
    "sigfw", "tests", "bench", "configs", "docs", "setup.py", "pyproject.toml", "README.md", "CHANGELOG.md",
    "requirements-build.in", "CONTRIBUTING.md", "Makefile",
)  # fmt: skip
LEFT_OUT = ("__pycache__", ".so", ".pyc", ".html")
TARGETS = ("framing", "sccp", "tcap", "engine", "gttable", "packed", "kbatch")


def sources(top: Path) -> Iterator[Path]:
    """Files of a tree relative to it, without what is built."""
    for name in COPIED:
        path = top / name
        found = path.rglob("*") if path.is_dir() else [path] if path.exists() else []
        yield from (
            one.relative_to(top)
            for one in found
            if one.is_file() and not any(part.endswith(LEFT_OUT) for part in one.relative_to(top).parts)
        )


def mirror() -> None:
    """Copy what is newer, with its time; remove what is gone. Cython's C comes along, so that it is made once."""
    wanted = set(sources(ROOT))
    for gone in set(sources(TREE)) - wanted:
        if gone.suffix != ".c":
            (TREE / gone).unlink()
    for one in wanted:
        here, there = ROOT / one, TREE / one
        before, now = there.stat().st_mtime_ns if there.exists() else 0, here.stat().st_mtime_ns
        if before < now or (before != now and one.suffix != ".c"):  # what Cython made there may be newer than here
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(here, there)


def compile_core() -> None:
    flags = TREE / "setup.py"
    stamp = BUILT / f"{clang()}-{sysconfig.get_config_var('SOABI')}"
    if not stamp.exists() or stamp.stat().st_mtime_ns < flags.stat().st_mtime_ns:
        for old in (*TREE.rglob("*.so"), *BUILT.glob("clang*")):
            old.unlink()
        stamp.touch()
    env = os.environ | {"SIGFW_FUZZ": "1", "CC": clang()}
    env |= {"LDSHARED": f"{clang()} -shared"}
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "--parallel", str(os.cpu_count() or 1)]
    if subprocess.run(command, cwd=TREE, env=env).returncode:
        sys.exit("the core does not build under the sanitizers; what the compiler says stands above")


def link_driver() -> None:
    """Against the library of the Python that runs this, shared or not."""
    DRIVERS.mkdir(parents=True, exist_ok=True)
    driver, source = DRIVERS / "driver", TREE / "tests" / "fuzz" / "driver.c"
    if not driver.exists() or driver.stat().st_mtime_ns < source.stat().st_mtime_ns:
        var = sysconfig.get_config_var
        command = [clang(), "-O1", "-g", "-Wall", "-Wextra", "-fsanitize=fuzzer,address,undefined", "-rdynamic"]
        command += [
            f'-DSIGFW_PYTHON="{sys.executable}"',
            f'-DSIGFW_TREE="{TREE}"',
            f"-I{sysconfig.get_path('include')}",
        ]
        command += [
            str(source),
            "-o",
            str(driver),
            f"-L{var('LIBDIR')}",
            f"-L{var('LIBPL')}",
            f"-Wl,-rpath,{var('LIBDIR')}",
        ]
        command += [f"-lpython{var('LDVERSION')}", *var("LIBS").split(), *var("SYSLIBS").split()]
        if subprocess.run(command).returncode:
            sys.exit("the fuzz driver does not build; what the compiler says stands above")
    for target in TARGETS:
        (DRIVERS / target).unlink(missing_ok=True)
        (DRIVERS / target).symlink_to("driver")


def main() -> None:
    mirror()
    compile_core()
    link_driver()


if __name__ == "__main__":
    main()
