"""Messages of dialogues, one after the other, judged as they come: what the tests of state are told in."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from bench.encode import (
    Party,
    abort,
    address,
    bcd,
    begin,
    continue_,
    end,
    invoke,
    map_context,
    request,
    result,
    tlv,
    udt,
)
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.memory import State
from sigfw._core.tables import Tables
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load

IMSI, OTHER_IMSI = "234150000000001", "234150000000002"
MSISDN = "447700900501"
HLR, SMSC = Party("447700900001", 6), Party("447700900002", 8)
GERMAN_VLR, GERMAN_SMSC = Party("491710000001", 7), Party("491710000009", 8)
FRENCH_VLR, JAPANESE_VLR = Party("33600000001", 7), Party("81900000001", 7)
JAPANESE_SGSN = Party("81900000002", 149)
STRANGER = Party("23276000001", 8)
T0 = 1_764_000_000
NS = 1_000_000_000

POLICY = """
schema: 1
name: state
home:
  {{country_code: "44", global_titles: ["4477009000"], imsi: ["23415"], e214: ["4477009000"], msisdn: ["4477009005"]}}
operators:
  - {{tadig: DEUXX, country: DE, global_titles: ["49171"], imsi: ["26201"]}}
  - {{tadig: FRAXX, country: FR, global_titles: ["336"], imsi: ["20801"]}}
  - {{tadig: JPNXX, country: JP, global_titles: ["8190"], imsi: ["44010"]}}
lists:
  hubs: {{kind: gt, entries: ["23276"]}}
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


# -- messages ----------------------------------------------------------------------------------------------------------

LOCATION_UP, GPRS_UP, SHORT_GATEWAY, SHORT_MT, SHORT_MO = (1, 3), (32, 3), (20, 3), (25, 3), (21, 3)


def update(vlr: Party, tid: bytes, imsi: str = IMSI, *, to: Party = HLR) -> bytes:
    """updateLocation, or updateGprsLocation of an SGSN."""
    if vlr.ssn == 149:
        argument = tlv(0x30, tlv(4, bcd(imsi)), tlv(4, address(vlr.digits)), tlv(4, b"\x04\x7f\0\0\1"))
        return udt(to, vlr, begin(tid, request(map_context(*GPRS_UP)), invoke(23, argument)))
    argument = tlv(0x30, tlv(4, bcd(imsi)), tlv(0x81, address(vlr.digits)), tlv(4, address(vlr.digits)))
    return udt(to, vlr, begin(tid, request(map_context(*LOCATION_UP)), invoke(2, argument)))


def updated(vlr: Party, tid: bytes, *, by: Party = HLR) -> bytes:
    """The End that says it succeeded."""
    opcode = 23 if vlr.ssn == 149 else 2
    return udt(vlr, by, end(tid, b"", result(opcode, tlv(0x30, tlv(4, address(by.digits))))))


def profile(vlr: Party, tid: bytes, own: bytes, msisdn: str = MSISDN) -> bytes:
    """insertSubscriberData in the dialogue of an update: the IMSI is the dialogue's."""
    return udt(vlr, HLR, continue_(own, tid, b"", invoke(7, tlv(0x30, tlv(0x81, address(msisdn))))))


def refused(vlr: Party, tid: bytes) -> bytes:
    return udt(vlr, HLR, abort(tid, 0))


def register(story: Story, vlr: Party, tid: bytes, imsi: str = IMSI) -> str | None:
    """A whole registration; the rule that decided of its Begin."""
    rule = story.rule(update(vlr, tid, imsi))
    story.tell(updated(vlr, tid), perimeter="internal")
    return rule


def ask_for_routing(smsc: Party, tid: bytes, msisdn: str = MSISDN) -> bytes:
    argument = tlv(0x30, tlv(0x80, address(msisdn)), tlv(0x81, b"\xff"), tlv(0x82, address(smsc.digits)))
    return udt(HLR, smsc, begin(tid, request(map_context(*SHORT_GATEWAY)), invoke(45, argument)))


def tell_routing(smsc: Party, tid: bytes, imsi: str = IMSI, node: str = "491710000001") -> bytes:
    argument = tlv(0x30, tlv(4, bcd(imsi)), tlv(0xA0, tlv(0x81, address(node))))
    return udt(smsc, HLR, end(tid, b"", result(45, argument)))


DELIVER = bytes.fromhex("040b919471000000f00000421132518594000441e19008")
SUBMIT = bytes.fromhex("01000b919471000000f0000004d4f29c0e")


def deliver(smsc: Party, tid: bytes, imsi: str = IMSI, *, to: Party = GERMAN_VLR) -> bytes:
    argument = tlv(0x30, tlv(0x80, bcd(imsi)), tlv(0x84, address(smsc.digits)), tlv(4, DELIVER))
    return udt(to, smsc, begin(tid, request(map_context(*SHORT_MT)), invoke(44, argument)))


def submit(msc: Party, tid: bytes, *, msisdn: str = MSISDN, imsi: str = "") -> bytes:
    parts = [tlv(0x84, address(SMSC.digits)), tlv(0x82, address(msisdn)), tlv(4, SUBMIT)]
    argument = tlv(0x30, *parts, *([tlv(4, bcd(imsi))] if imsi else []))
    return udt(SMSC, msc, begin(tid, request(map_context(*SHORT_MO)), invoke(46, argument)))
