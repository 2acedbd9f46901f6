"""Dates of entries: what is in force on a day, when that changes, and the service that goes by it while it runs."""

import asyncio
import datetime
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog

from bench.dialogues import GERMAN_VLR, update
from sigfw._core.engine import Worker
from sigfw.pipeline.build import rules_of
from sigfw.pipeline.files import CaptureSource, FileSink
from sigfw.pipeline.partition import Partition
from sigfw.pipeline.protocol import Portion
from sigfw.pipeline.worker import Rules, Service
from sigfw.policy.dates import on
from sigfw.policy.loader import load
from sigfw.policy.model import Policy
from sigfw.telemetry.http import Health
from sigfw.telemetry.metrics import Metrics

POLICY = """\
schema: 1
name: days
home: {country_code: "44", global_titles: ["4477009"], imsi: ["00101"]}
lists:
  blocked: {kind: gt, file: blocked.csv}
exceptions: {default: allow}
rules:
  - {id: blocked, when: {calling.gt: {in: blocked}}, action: drop}
"""
BLOCKED = """\
prefix,owner,valid_from,valid_until
49171,a,,2026-11-24
49172,b,2026-11-26,2026-11-26
49172,c,2026-12-01,
49173,d,2026-11-01,9999-12-31
49174
"""


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    (tmp_path / "p.yaml").write_text(POLICY)
    (tmp_path / "blocked.csv").write_text(BLOCKED)
    return load(tmp_path / "p.yaml", today=day("2026-11-24"))


def test_each_day_has_its_entries_and_knows_the_next_change(policy: Policy) -> None:
    told = []
    today = "2026-11-24"
    while today:
        policy = on(policy, day(today))
        assert policy.day == today
        told.append((today, sorted(entry.prefix for entry in policy.lists["blocked"].entries)))
        today = policy.changes
    assert told == [
        ("2026-11-24", ["49171", "49173", "49174"]),
        ("2026-11-25", ["49173", "49174"]),
        ("2026-11-26", ["49172", "49173", "49174"]),
        ("2026-11-27", ["49173", "49174"]),
        ("2026-12-01", ["49172", "49173", "49174"]),
    ]


def test_digest_is_that_of_the_entries_in_force(policy: Policy, tmp_path: Path) -> None:
    later = on(policy, day("2026-11-25"))
    assert later.digest == on(policy, day("2026-11-27")).digest != policy.digest
    assert on(later, day("2026-11-24")).digest == policy.digest
    (tmp_path / "blocked.csv").write_text("49174\n49173\n")
    assert load(tmp_path / "p.yaml").digest == later.digest


class Source(CaptureSource):
    """A message a portion; the clock goes on between the first and the second, and the second waits for its rules."""

    def __init__(self, path: Path, make: Callable[[str], Partition], turn: Callable[[], Any]) -> None:
        super().__init__(path, make)
        self.turn = turn
        self.portions = 0

    async def fetch(self) -> list[Portion]:
        portions = await super().fetch()
        for portion in portions:
            self.portions += 1
            portion.limit = 1
            if self.portions == 2:
                await self.turn()
        return portions


async def test_service_goes_over_to_the_new_day_without_reading_files(policy: Policy, tmp_path: Path) -> None:
    clock = [day("2026-11-24")]
    before, after = policy.digest, on(policy, day("2026-11-25")).digest
    metrics = Metrics(dict)
    loads = [partial(rules_of, policy, {"international": "enforce"})]
    service = Service(Worker(), lambda: loads.pop()(), metrics, Health("start"), today=lambda: clock[0])
    (tmp_path / "m.hex").write_text(f"{update(GERMAN_VLR, b'1234').hex()}\n" * 2)
    sink = FileSink(tmp_path / "verdicts", tmp_path / "events", metrics)

    async def turn() -> None:
        clock[0] = day("2026-11-25")
        async with asyncio.timeout(30):
            while service._rules.tables.digest == before:  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0.01)

    def make(name: str) -> Partition:
        return Partition(name, 0, sink, service.fail, perimeter="international", is_capture=True)

    for file in ("p.yaml", "blocked.csv"):
        (tmp_path / file).unlink()
    with structlog.testing.capture_logs() as lines:
        await service.run(Source(tmp_path / "m.hex", make, turn), sink)
    verdicts = [orjson.loads(line) for line in (tmp_path / "verdicts").read_bytes().splitlines()]
    assert [(one["action"], one["policy"]["digest"]) for one in verdicts] == [("drop", before), ("allow", after)]
    (loaded,) = [line for line in lines if line["event"] == "policy_loaded"]
    assert (loaded["digest"], loaded["reason"]) == (after, "entries of lists begin or end by 2026-11-25")
    assert metrics._policy == ("days", after)


async def test_day_that_cannot_be_had_leaves_the_rules_and_is_tried_once(policy: Policy) -> None:
    tried = []

    def renew(today: datetime.date) -> Rules:
        tried.append(today)
        raise MemoryError

    made = rules_of(policy, {})
    rules = Rules(made.tables, {}, {}, changes="2026-11-25", renew=renew)
    clock = [day("2026-11-24")]
    service = Service(Worker(), lambda: rules, Metrics(dict), Health(), today=lambda: clock[0])
    for today in ("2026-11-24", "2026-11-25", "2026-11-25", "2026-11-26"):
        clock[0] = day(today)
        await service._turn_day()
    assert tried == [day("2026-11-25"), day("2026-11-26")]
    assert service._rules is rules


def test_policy_that_no_day_changes_is_not_kept(policy: Policy) -> None:
    assert rules_of(policy, {}).renew is not None
    assert rules_of(on(policy, day("2026-12-01")), {}).renew is None
