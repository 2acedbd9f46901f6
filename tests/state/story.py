"""Messages of dialogues, one after the other, judged as they come: what the tests of state are told in."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from bench.dialogues import IMSI, update, updated
from bench.encode import Party
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.memory import State
from sigfw._core.tables import Tables
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load

T0 = 1_764_000_000
NS = 1_000_000_000

POLICY = """
schema: 1
name: state
home:
  {{country_code: "44", global_titles: ["4477009000"], imsi: ["00101"], e214: ["4477009000"], msisdn: ["4477009005"]}}
operators:
  - {{tadig: DEUXX, country: DE, global_titles: ["4917139200"], imsi: ["00102"]}}
  - {{tadig: FRAXX, country: FR, global_titles: ["3363998"], imsi: ["00103"]}}
  - {{tadig: AUSXX, country: AU, global_titles: ["6149157015"], imsi: ["00106"]}}
lists:
  hubs: {{kind: gt, entries: ["99942"]}}
exceptions: {{default: allow}}
checks: {{{checks}}}
rules:
{rules}
"""


def policy(tmp_path: Path, *rules: str, checks: str = "") -> Tables:
    """rules: the inside of a rule's braces."""
    path = tmp_path / "state.yaml"
    path.write_text(POLICY.format(checks=checks, rules="\n".join(f"  - {{{rule}}}" for rule in rules)))
    return compile_policy(load(path))


@dataclass
class Story:
    tables: Tables
    now: float = T0
    state: State = field(default_factory=State)
    exchange: Any = None
    offsets: bool = True
    offset: int = 0
    partition: int = 0

    def __post_init__(self) -> None:
        self.worker = Worker(state=self.state, exchange=self.exchange)
        self.stream = Stream(f"ss7.in/{self.partition}", offsets=self.offsets, topic="ss7.in")

    def tell(self, *messages: bytes, perimeter: str = "international", at: int | None = None) -> list[dict[str, Any]]:
        """Judge messages, a record each, in one batch; at: the offset of the first, where they come again."""
        first = self.offset if at is None else at
        n = len(messages)
        batch = Batch(
            messages,
            "sccp",
            offsets=range(first, first + n),
            times_ns=[int(self.now * NS)] * n,
            meta=[(None, perimeter, None, None)] * n,
        )
        if at is None:
            self.offset += n
        return [orjson.loads(line) for line in self.worker.judge(self.tables, self.stream, batch).lines().splitlines()]

    def rule(self, *messages: bytes, perimeter: str = "international", at: int | None = None) -> str | None:
        """The rule that decided of the last message."""
        found: str | None = self.tell(*messages, perimeter=perimeter, at=at)[-1]["rule"]
        return found

    def outcome(self, check: str) -> dict[str, int]:
        counts = self.worker.counters()["checks"]
        return {
            outcome: counts[check, outcome] for outcome in ("true", "false", "unknown") if (check, outcome) in counts
        }


def register(story: Story, vlr: Party, tid: bytes, imsi: str = IMSI) -> str | None:
    """A whole registration; the rule that decided of its Begin."""
    rule = story.rule(update(vlr, tid, imsi))
    story.tell(updated(vlr, tid), perimeter="internal")
    return rule
