"""Everyone else on the same messages: `python -m bench.compare [--short]`. bench/README.md says how.

Builds what is to be built (cargo and Maven fetch the libraries); where one cannot be had it fails and says which.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import mixes
from bench.cases import BATCH, tables
from bench.goals import GOALS
from bench.measure import ROUNDS, SHORT_ROUNDS, keep, machine, ratio
from bench.peers import programs, pycrate
from bench.peers.programs import PeerError, Program
from bench.peers.tshark import Tshark
from bench.peers.tshark import version as tshark_version
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.tables import Tables

PASSES = 10  # of a program a round: of 30,000 messages
SAMPLE = 500  # messages a round for pycrate, spread over the mix
SHORT_MESSAGES = 3000
METHOD = (
    "processor time of all threads, every case once a round, interleaved; ratio: median over rounds; "
    "corpus/whole: the corpus's messages that all read whole"
)

RUST, JSS7, TSHARK = "Rust crates", "jSS7", "tshark"
FRESH, REUSED = "pycrate, fresh objects", "pycrate, used again"
DECODE, JUDGE = "sigfw, decode", "sigfw, decode and judge"

NOTES = {
    RUST: "types of SCCP, TCAP, MAP; numbers stay octets, no CAP, no MAP version 1, no reassembly, no TPDU",
    JSS7: "SCCP, TCAP, MAP and CAP as objects, numbers as strings; no anyTimeModification, no reassembly, no TPDU",
    FRESH: "SCCP and digits of UDT, TCAP and MAP as values; no CAP, no reassembly, no TPDU; judges nothing",
    REUSED: "the same, one SCCPUnitData for all",
    TSHARK: "the whole tree, a line of twelve fields; judges nothing",
    DECODE: "SCCP to MAP, CAP and TPDU, reassembly, numbers as digits; no policy",
    JUDGE: "the same, links, normalisation, look-up, every rule of interconnect.yaml",
}
AGAINST = {RUST: DECODE, JSS7: DECODE, FRESH: JUDGE, REUSED: JUDGE, TSHARK: JUDGE}
GOAL_OF = {
    RUST: "decode/rust",
    JSS7: "decode/jss7",
    FRESH: "core/pycrate",
    REUSED: "core/pycrate-reused",
    TSHARK: "core/tshark",
}

Round = Callable[[], float]  # nanoseconds of processor time a message


@dataclass
class Result:
    rounds: dict[str, list[float]]
    whole: dict[str, int]  # messages read whole
    messages: int


def ours(messages: Sequence[bytes], policy: Tables | None) -> Round:
    worker = Worker(verdicts="none")
    parts = [messages[at : at + BATCH] for at in range(0, len(messages), BATCH)]

    def once() -> float:
        before = time.process_time_ns()
        for _ in range(PASSES):
            stream = Stream("bench", offsets=False)
            for part in parts:
                worker.judge(policy, stream, Batch(part, "sccp"), perimeter="international")
        return (time.process_time_ns() - before) / (PASSES * len(messages))

    return once


def in_python(messages: Sequence[bytes], read: Callable[[bytes], object]) -> Round:
    sample = messages[:: max(1, len(messages) // SAMPLE)]

    def once() -> float:
        before = time.process_time_ns()
        for one in sample:
            pycrate.tried(read, one)
        return (time.process_time_ns() - before) / len(sample)

    return once


def read_whole(messages: Sequence[bytes]) -> list[bool]:
    """By our core: no error, and no segment, which alone is nothing to read."""
    worker, stream = Worker(verdicts="json"), Stream("bench", offsets=False)
    found = worker.judge(None, stream, Batch(messages, "sccp"), perimeter="international").values()
    return [b'"error":null}' in one and b'"segmentation":null' in one for one in found]


def measured(messages: Sequence[bytes], commands: dict[str, list[str]], rounds: int, *, all_peers: bool) -> Result:
    """Every case once a round. Without `all_peers` the compiled ones alone."""
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        mixes.write(folder / "messages", messages)
        running = {
            name: held.enter_context(Program(command, folder / "messages")) for name, command in commands.items()
        }
        cases: dict[str, Round] = {DECODE: ours(messages, None)}
        for name, program in running.items():
            program.warm()
            cases[name] = lambda program=program: program.passes(PASSES)  # type: ignore[misc]
        whole = {DECODE: sum(read_whole(messages))}
        whole |= {name: program.how.count("w") for name, program in running.items()}
        if all_peers:
            cases[JUDGE] = ours(messages, tables())
            cases[FRESH], cases[REUSED] = (in_python(messages, read) for read in (pycrate.natural, pycrate.reused()))
            cases[TSHARK] = Tshark(folder, messages).round
        for case in cases.values():  # warms up
            case()
        taken: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(rounds):
            for name, case in cases.items():
                taken[name].append(case())
    return Result(taken, whole, len(messages))


def whole_for_all(messages: Sequence[bytes], commands: dict[str, list[str]]) -> list[bytes]:
    """What every peer and our core read whole, so that none is fast by giving up."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "messages"
        mixes.write(path, messages)
        said = []
        for command in commands.values():
            with Program(command, path) as program:
                said.append(program.how)
    read = pycrate.reused()
    return [
        one
        for one, mine, letters in zip(messages, read_whole(messages), zip(*said, strict=True), strict=True)
        if mine and set(letters) == {"w"} and one[0] == pycrate.UDT and pycrate.tried(read, one)
    ]


def show(name: str, result: Result, versions: dict[str, str]) -> None:
    print(f"\n{name}: {result.messages:,} messages")
    print(
        f"{'who':<24} {'ns/message':>10} {'ratio':>7} {'floor':>6} {'target':>7} {'whole':>7}  version; what it reads"
    )
    goals = {goal.key: goal for goal in GOALS}
    for who, taken in result.rounds.items():
        whole = f"{result.whole[who] / result.messages:.1%}" if who in result.whole else ""
        line = f"{who:<24} {statistics.median(taken):>10,.0f} "
        if who in AGAINST:
            goal = goals[GOAL_OF[who]]
            found = ratio(taken, result.rounds[AGAINST[who]])
            line += f"{found:>6,.1f}x {goal.floor:>6,.0f} {goal.target or 0:>7,.0f} "
        else:
            line += f"{'':>7} {'':>6} {'':>7} "
        print(f"{line}{whole:>7}  {'; '.join(filter(None, (versions.get(who), NOTES[who])))}")


def compare(rounds: int, count: int, *, short: bool) -> None:
    commands = {RUST: programs.rust(), JSS7: programs.java()}
    versions = {
        RUST: programs.rust_version(),
        JSS7: programs.java_version(),
        TSHARK: tshark_version(),
        FRESH: f"pycrate {version('pycrate')}",
    }
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}")
    print(f"Median of {rounds} interleaved rounds; processor time, all threads; ratio to sigfw's row of the same work.")
    taken: dict[str, list[float]] = {}
    goals: dict[str, float] = {}
    corpus = mixes.mix("corpus", count)
    sets = {"corpus, read whole by all": whole_for_all(corpus, commands), "corpus": corpus}
    sets |= {name: mixes.mix(name, count) for name in mixes.MIXES if name != "corpus"}
    for name, messages in sets.items():
        result = measured(messages, commands, rounds, all_peers=messages is corpus or "whole" in name)
        show(name, result, versions)
        taken |= {f"{name}: {who}": each for who, each in result.rounds.items()}
        if "whole" in name:
            goals = {key: ratio(result.rounds[who], result.rounds[AGAINST[who]]) for who, key in GOAL_OF.items()}
    keep("peers", goals, taken, method=METHOD, short=short)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="two rounds of few messages: does it run at all")
    given = parser.parse_args()
    try:
        compare(
            SHORT_ROUNDS if given.short else ROUNDS,
            SHORT_MESSAGES if given.short else mixes.MESSAGES,
            short=given.short,
        )
    except PeerError as error:
        sys.exit(f"bench.compare: {error}")


if __name__ == "__main__":
    main()
