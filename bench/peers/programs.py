"""The peers that are programs: built with cargo and Maven, run one pass after the other, by processor time."""

import re
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

HERE = Path(__file__).parent
BUILT = HERE.parent.parent / ".cache" / "peers"
JVM = ("-XX:+UseSerialGC", "-Xms1g", "-Xmx1g")  # of its collectors the one that takes the least processor time
WARM_AT_LEAST, WARM_AT_MOST, WARM_STEADY = 20, 200, 5  # passes
STEADY = 0.97  # of the best pass so far: what is no faster than this is no faster


class PeerError(Exception):
    """A peer cannot be built or run: what is missing, in one line and its output."""


def _run(tool: str, command: list[str], what: str, install: str, folder: Path) -> None:
    if shutil.which(tool) is None:
        raise PeerError(f"{tool} is not installed, which builds {what}: {install}")
    done = subprocess.run(command, cwd=folder, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise PeerError(f"{tool} could not fetch or build {what}:\n{done.stdout[-3000:]}")


def rust() -> list[str]:
    """Build, where it is not, and say how to start it."""
    target = BUILT / "rust"
    _run(
        "cargo",
        ["cargo", "build", "--quiet", "--release", "--target-dir", str(target)],
        "the crates sccp, tcap and gsm_map",
        "see rustup.rs",
        HERE / "rust",
    )
    return [str(target / "release" / "sigfw-peer")]


def java() -> list[str]:
    target, jars = BUILT / "java", BUILT / "java" / "jars"
    goals = ["compile", "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
    _run(
        "mvn", ["mvn", "-q", "-B", f"-Dfolder={target}", *goals], "jSS7", "apt install default-jdk maven", HERE / "java"
    )
    return ["java", *JVM, "-cp", f"{target / 'classes'}:{jars / '*'}", "Peer"]


def rust_version() -> str:
    found = re.findall(r'^(sccp|tcap|gsm_map) = "=([\d.]+)"', (HERE / "rust" / "Cargo.toml").read_text(), re.MULTILINE)
    return ", ".join(f"{name} {version}" for name, version in found)


def java_version() -> str:
    found = re.search(r"<jss7.version>(.+)</jss7.version>", (HERE / "java" / "pom.xml").read_text())
    assert found is not None
    return f"jSS7 {found[1]}"


class Program:
    """One peer with one message file. `how`: a letter a message (bench/peers/__init__.py)."""

    def __init__(self, command: list[str], path: Path) -> None:
        self.name = command[0]
        self.process = subprocess.Popen([*command, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.clock = ~self.process.pid << 3 | 2  # Linux: the processor time of a process, all its threads
        self.how = self._line()

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            self.close()
            raise PeerError(f"{self.name} ended with status {status}")
        return line.strip()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()  # and closes the pipes

    def passes(self, count: int) -> float:
        """Nanoseconds of processor time a message, collector and compiler included."""
        assert self.process.stdin is not None
        before = time.clock_gettime_ns(self.clock)
        for _ in range(count):
            with suppress(BrokenPipeError):  # the line that does not come says that it ended
                self.process.stdin.write("\n")
                self.process.stdin.flush()
            self._line()
        return (time.clock_gettime_ns(self.clock) - before) / (count * len(self.how))

    def warm(self) -> None:
        """Passes until the last few were no faster than those before."""
        best, steady = float("inf"), 0
        for n in range(WARM_AT_MOST):
            taken = self.passes(1)
            steady = 0 if taken < STEADY * best else steady + 1
            best = min(best, taken)
            if n >= WARM_AT_LEAST and steady >= WARM_STEADY:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
