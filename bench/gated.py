"""What bench.gate runs in each of the two trees: the cases, timed in turns or counted by callgrind.

`python -m bench.gated time` says which cases it has, reads lines `CALLS CASE`, and answers each with nanoseconds of
this thread's CPU time; `count [CASE…]` counts every case, or those, once.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence

import sigfw
from bench import worst
from bench.callgrind import counted
from bench.cases import BATCH, Case, batches, judging
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load

SUBSCRIBERS = 2_000


def mix(verdicts: str, *, policy: bool = True, packed: bool = False, out: str = "") -> Case:
    return Case("", "core", len(batches()) * BATCH, judging(verdicts, policy=policy, packed=packed, out=out))


def remembering() -> Case:
    from bench import state  # here: a tree without memory runs the other cases
    from sigfw._core.memory import State

    judge = state.Judge(compile_policy(load(state.POLICY)), SUBSCRIBERS, State(subscribers=SUBSCRIBERS))
    return Case("", "state", sum(map(len, judge.batches)), judge)


def bad(values: list[bytes]) -> Case:
    return Case("", "worst", len(values), worst.judging(values))


MAKERS: dict[str, Callable[[], Case]] = {
    "decode": lambda: mix("none", policy=False),
    "judge": lambda: mix("none"),
    "judge, pcap records": lambda: mix("none", packed=True),
    "packed verdicts": lambda: mix("packed", out="values"),
    "JSON verdicts": lambda: mix("json", out="values"),
    "memory": remembering,
    "many components": lambda: bad([worst.shapes(worst.ROOM - 60)["components of two readings"]] * BATCH),
    "long message": lambda: bad([worst.shapes(worst.LONG_ROOM)["identities"]] * BATCH),
    "segments": lambda: bad(worst.segments(BATCH * 8)["segments, sixteen a message"]),
}


def made(names: Sequence[str]) -> tuple[dict[str, Case], dict[str, str]]:
    """The cases that run here, and why others do not: an older tree need not know all that is asked."""
    cases, wrong = {}, {}
    for name in names:
        try:
            case = MAKERS[name]()
            case.call()
            cases[name] = case
        except Exception as error:  # noqa: BLE001  (of any older version: it is reported, and the gate decides)
            wrong[name] = f"{type(error).__name__}: {error}".splitlines()[0]
    return cases, wrong


def main() -> None:
    what, names = sys.argv[1], sys.argv[2:] or list(MAKERS)
    cases, wrong = made(names)
    said = {"sigfw": sigfw.__file__, "messages": {name: case.messages for name, case in cases.items()}, "wrong": wrong}
    print(json.dumps(said), flush=True)
    if what == "count":
        for name, case in cases.items():
            counted(name, case.call)
        return
    for line in sys.stdin:
        calls, _, name = line.rstrip("\n").partition(" ")
        call = cases[name].call
        start = time.thread_time_ns()
        for _ in range(int(calls)):
            call()
        print(time.thread_time_ns() - start, flush=True)


if __name__ == "__main__":
    main()
