"""Runs the cases of a policy, and counts what each rule had to do with them.

Every case begins with nothing remembered; its messages are judged one by one, as if enforcing unless it says otherwise.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from sigfw import names
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.memory import State
from sigfw._core.tables import Tables
from sigfw.errors import UsageError
from sigfw.pipeline.capture import open_capture
from sigfw.policy.model import Policy, Rule
from sigfw.trial.cases import Case, Step, Wish

Object = dict[str, Any]

START_NS: Final = 1_793_491_200_000_000_000  # of every case: 2026-11-01T00:00:00Z, so that runs are the same
SECRET: Final = bytes(16)  # keys of what is remembered, the same in every run
REMEMBERED: Final = 4096  # subscribers, dialogues and callers: more than a case has messages


@dataclass(frozen=True)
class Outcome:
    case: Case
    step: Step
    number: int  # of the step, from 1
    verdict: Object
    octets: bytes  # of the SCCP message judged last; none where it could not be framed
    wrong: tuple[str, ...]  # keys of the wish that are not so

    @property
    def ok(self) -> bool:
        return not self.wrong


@dataclass
class Coverage:
    """Of a rule: the messages that it matched, that it decided, and that went on for want of one of its conditions."""

    rule: Rule
    matched: int = 0
    decided: int = 0
    near: int = 0

    def lacks(self) -> str:
        """What no case shows; empty: everything is shown."""
        if not self.decided:
            return f"matches in {self.matched} cases and decides none" if self.matched else "matches in no case"
        if self.rule.action != "allow" and not self.near:
            return "no message that goes on comes near it: one that fails a single condition"
        return ""


@dataclass
class Report:
    outcomes: list[Outcome] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)

    @property
    def failed(self) -> list[Outcome]:
        return [one for one in self.outcomes if not one.ok]


def run(policy: Policy, tables: Tables, cases: list[Case]) -> Report:
    """Raises UsageError where a capture has no such message."""
    report = Report(coverage=[Coverage(rule) for rule in policy.rules])
    for case in cases:
        report.outcomes += Trial(tables, case, report.coverage).outcomes()
    return report


class Trial:
    """One case."""

    def __init__(self, tables: Tables, case: Case, coverage: list[Coverage]) -> None:
        self.tables = tables
        self.case = case
        self.coverage = coverage
        state = State(subscribers=REMEMBERED, dialogues=REMEMBERED, callers=REMEMBERED, secret=SECRET)
        self.worker = Worker(state=state)
        self.streams: dict[str, Stream] = {}
        self.facts: Object = {}  # of the message judged last
        self.now_ns = START_NS
        self.offset = 0

    def outcomes(self) -> Iterator[Outcome]:
        for number, step in enumerate(self.case.steps, 1):
            self.now_ns += step.after_ns
            verdict = self.in_capture(step) if step.capture else self.records(step)
            facts = self.facts
            if step.link and facts.get("link") != step.link:
                taken = facts.get("link") or "no link"
                raise UsageError(f"{step.where}: {taken} matches before {step.link}; say topic, opc, dpc, ni as well")
            yield Outcome(
                self.case, step, number, verdict, facts.get("octets") or b"", tuple(wrong(step.wish, verdict))
            )

    def records(self, step: Step) -> Object:
        """The verdict of the last record; each is judged and counted."""
        if step.topic not in self.streams:
            self.streams[step.topic] = Stream("case/0", topic=step.topic)
        n = len(step.records)
        batch = Batch(
            step.records,
            step.encapsulation,
            offsets=range(self.offset, self.offset + n),
            times_ns=[self.now_ns] * n,
            meta=[(None, None, *step.point_codes)] * n,
        )
        self.offset += n
        verdict: Object = {}
        while not batch.done:
            line = self.judge(self.streams[step.topic], batch, step)
            if line is not None:
                verdict = line
                self.count(verdict)
        return verdict

    def in_capture(self, step: Step) -> Object:
        """The verdict of a message in its capture: those before it are judged too, for their segments."""
        assert step.capture is not None
        path, frame, index = step.capture
        capture = open_capture(path)
        stream = Stream(capture.name, offsets=False, topic=step.topic)
        while not capture.batch.done:
            verdict = self.judge(stream, capture.batch, step)
            if verdict is not None and (verdict["frame"], verdict["index"]) == (frame, index):
                self.count(verdict)
                return verdict
            if verdict is not None and verdict["frame"] > frame:
                break
        raise UsageError(
            f"{step.where}: {path}#{frame}.{index}: no SCCP message there; `sigfw decode {path}` lists them"
        )

    def judge(self, stream: Stream, batch: Batch, step: Step) -> Object | None:
        modes = dict.fromkeys(names.PERIMETERS[1:], step.mode)
        line = self.worker.judge(
            self.tables, stream, batch, perimeter=step.perimeter, variant=step.variant, modes=modes, limit=1
        ).lines()
        if not line:  # the end
            return None
        self.facts = self.worker.facts(self.tables) or {}
        verdict: Object = orjson.loads(line)
        return verdict

    def count(self, verdict: Object) -> None:
        """What the rules had to do with the message judged last."""
        matched: set[int] = set()
        near: set[int] = set()
        for _, _, rules in self.worker.trace(self.tables):
            matched |= {number for number, matches, _, _ in rules if matches}
            near |= {number for number, _, failed, _ in rules if len(failed) == 1}
        deciding = {verdict["rule"], (verdict["shadow"] or {}).get("rule")}
        for number, coverage in enumerate(self.coverage, 1):
            coverage.matched += number in matched
            coverage.decided += coverage.rule.id in deciding
            coverage.near += number in near - matched and verdict["action"] == "allow"


def wrong(wish: Wish, verdict: Object) -> Iterator[str]:
    """The keys in which the verdict is not what was wished for."""
    for key, value in wish.items():
        if value != came(key, verdict):
            yield key


def came(key: str, verdict: Object) -> str | None:
    """The verdict's value for a key of a wish."""
    shadow = verdict["shadow"]
    if key == "shadow":
        return "a shadow" if shadow else None
    value = (shadow or {}).get(key.removeprefix("shadow.")) if key.startswith("shadow.") else verdict[key]
    return None if value is None else str(value)
