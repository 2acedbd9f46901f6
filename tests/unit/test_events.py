"""Events say who, why and which technique; those of a flood are folded, and none is lost from the count."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sigfw import schemas
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.flood import Flood, Telling
from sigfw.pipeline import events
from sigfw.pipeline.build import rules_of
from sigfw.pipeline.event import Teller
from sigfw.pipeline.sentence import REASONS
from sigfw.pipeline.worker import Rules
from sigfw.policy.loader import load
from tests.unit.test_engine import message, segment

EVENT = Draft202012Validator(schemas.event_schema())
POLICY = """
schema: 1
name: told
home: {country_code: "44", global_titles: ["4477009"], imsi: ["00101"]}
operators:
  - {tadig: DEUXX, country: DE, global_titles: ["49171"], imsi: ["26201"]}
  - {tadig: GBRXX, country: GB, global_titles: ["4477009"], imsi: ["00101"]}
lists:
  leased: {kind: gt, file: leases.csv}
exceptions: {default: {international: allow, national: drop, else: allow}}
rules:
  - id: watched
    category: watch
    when: {calling.gt: "491713920001"}
    action: allow
    alert: true
    labels: {team: fraud}
  - id: locate
    category: cat1
    when: {operation: anyTimeInterrogation, calling.gt: ["491713920000", "3363998"]}
    action: drop
    motif: MOT5012.501
    labels: {regime: uk-gt-leasing, ticket: "4711"}
  - id: tried
    category: cat2
    when: {calling.gt: "46701"}
    action: drop
    mode: shadow
    motif: MOT3006
"""
LEASES = "prefix,source,lessor,lessee,valid_until\n4917139,register,DEUXX,Someone Ltd,2099-12-31\n"


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    (tmp_path / "p.yaml").write_text(POLICY)
    (tmp_path / "leases.csv").write_text(LEASES)
    return rules_of(load(tmp_path / "p.yaml"), {})


def judged(
    rules: Rules, *octets: bytes, worker: Worker | None = None, flood: events.Flood | None = None, **given: Any
) -> events.Flood:
    flood = flood or events.Flood()
    flood.begin(rules.teller)
    batch = Batch(list(octets), "sccp")
    (worker or Worker()).judge(rules.tables, Stream("t/0"), batch, flood=flood.core, **given)
    return flood


def told_of(rules: Rules, *octets: bytes, worker: Worker | None = None, **given: Any) -> list[dict[str, Any]]:
    flood = judged(rules, *octets, worker=worker, **given)
    made = [json.loads(one) for one in flood.told()]
    for one in made:
        EVENT.validate(one)
    return made


def test_event_says_who_why_and_which_technique(rules: Rules) -> None:
    (event,) = told_of(rules, message())
    lease = {"lessor": "DEUXX", "lessee": "Someone Ltd", "valid_until": "2099-12-31", "source": "register"}
    assert event["ss7"]["whois"]["calling"] == {"operator": "DEUXX", "country": "DE", "lease": lease}
    assert event["ss7"]["whois"]["called"] == {"operator": "GBRXX", "country": "GB", "lease": None}
    assert event["source"] == {"address": "491713920000", "geo": {"country_iso_code": "DE"}}
    assert event["threat"] == {"framework": "GSMA MoTIF", "technique": {"id": ["MOT5012.501"]}}
    assert event["labels"] == {"regime": "uk-gt-leasing", "ticket": "4711"}
    assert event["ss7"]["regime"] == "uk-gt-leasing"
    assert (event["rule"]["id"], event["rule"]["category"]) == ("locate", "cat1")
    assert event["message"] == (
        "Dropped: anyTimeInterrogation from 491713920000 (DEUXX, DE, leased by DEUXX to Someone Ltd) to 447700900001 "
        "(GBRXX, GB) about 001010123456789, because rule locate (cat1, MOT5012.501). If it is wanted, allow it before "
        "locate in cat1; else show it to the GT's operator. A GT in a register under uk-gt-leasing is an indicator, "
        "not proof."
    )
    assert event["related"] == {"hosts": ["491713920000", "447700900001"], "user": ["001010123456789"]}


@pytest.mark.parametrize("form", ["json", "packed"])
def test_who_is_known_behind_a_pseudonym_and_no_number_leaves(rules: Rules, form: str) -> None:
    (event,) = told_of(rules, message(), worker=Worker(key=b"0123456789abcdef", verdicts=form))
    assert event["ss7"]["whois"]["calling"]["lease"]["lessee"] == "Someone Ltd"
    assert event["source"]["address"].startswith("49171hmac:")
    for number in ("491713920000", "447700900001", "001010123456789", "4917139"):
        assert number not in json.dumps(event)


def test_shadow_rule_names_its_technique_and_what_to_do(rules: Rules) -> None:
    (event,) = told_of(rules, message(calling="467017400000"))
    assert (event["event"]["action"], event["event"]["type"]) == ("allow", ["info"])
    assert event["ss7"]["decided"] == {"action": "drop", "rule": "tried", "reason": "rule"}
    assert event["threat"]["technique"]["id"] == ["MOT3006"]
    assert "a rule in shadow would have dropped it" in event["message"]
    assert event["message"].endswith("Give tried `mode: enforce` once all it names is unwanted.")


def test_monitor_is_told_as_let_through(rules: Rules) -> None:
    (event,) = told_of(rules, message(), modes={"international": "monitor"})
    assert event["message"].startswith("Let through by mode monitor: ")
    assert (event["event"]["reason"], event["ss7"]["decided"]["reason"]) == ("monitor", "rule")
    assert event["rule"]["id"] == "locate"


def test_alert_names_the_rule_that_asks_beside_the_one_that_denies(rules: Rules) -> None:
    (event,) = told_of(rules, message(calling="491713920001"))
    assert (event["rule"]["id"], event["ss7"]["alert"], event["labels"]) == ("watched", "watched", {"team": "fraud"})
    assert "asks for an event" in event["message"]
    (event,) = told_of(rules, message(calling="491713920001"), perimeter="national", modes={"national": "monitor"})
    assert (event["rule"]["id"], event["ss7"]["alert"]) == ("watched", "watched")


def test_denial_by_default_has_no_rule(rules: Rules) -> None:
    (event,) = told_of(rules, message(calling="999420000000"), perimeter="national")
    assert (event["rule"]["id"], event["event"]["reason"]) == (None, "default")
    assert "threat" not in event
    assert "999420000000 (nobody known)" in event["message"]


@pytest.mark.parametrize("reason", [*REASONS, "rule"])
def test_every_reason_has_a_sentence(rules: Rules, reason: str) -> None:
    (asked,) = judged(rules, b"\x09").core.told()
    verdict = orjson.loads(asked.line) | {"reason": reason, "rule": None}
    event = json.loads(rules.teller.event(verdict))
    EVENT.validate(event)
    assert event["message"].startswith("Dropped: UDT from no GT (nobody known)")
    assert event["message"].count(". ") == 1


def test_octets_are_there_only_where_they_are_asked_for(rules: Rules) -> None:
    assert "octets" not in told_of(rules, message())[0]["ss7"]
    made = told_of(rules, message(), message(calling="336399800000"), worker=Worker(octets=True))
    assert [one["ss7"]["octets"] for one in made] == [message().hex(), message(calling="336399800000").hex()]


def test_reassembly_that_ended_is_told_with_who_sent_it(rules: Rules) -> None:
    stream = Stream("t/0")
    batch = Batch([segment(b"begin", first=True, remaining=1, protocol_class=0x81)], "sccp", times_ns=[0])
    Worker().judge(rules.tables, stream, batch)
    ended = stream.expire(rules.tables, 11_000_000_000)
    flood = events.Flood()
    flood.begin(rules.teller)
    flood.ask(ended, rules.tables, {})
    (event,) = flood.told()
    EVENT.validate(orjson.loads(event))
    assert orjson.loads(event)["ss7"]["whois"]["calling"]["operator"] == "DEUXX"
    flood.ask(ended, rules.tables, {"international": "bypass"})
    assert flood.told() == []


# Floods.


class Asks:
    """Asks a core's Flood for events of dropped messages, numbered by their order."""

    def __init__(self, *, first: int = events.FIRST, most: int = events.MAX_KEYS, budget: float = 1e9) -> None:
        self.flood = Flood(first=first, most=most, budget=budget)
        self.n = 0

    def __call__(self, calling: str, count: int = 1, **changes: str) -> None:
        given = {"action": "drop", "reason": "rule", "perimeter": "international", "called": ""} | changes
        for _ in range(count):
            self.flood.ask(b"%d" % self.n, calling=calling, **given)
            self.n += 1

    def told(self) -> list[tuple[int, int]]:
        """The first message of each event, and how many it stands for."""
        return [(int(one.line), one.messages) for one in self.flood.told()]

    def closed(self) -> list[tuple[int, int]]:
        self.flood.close()
        return self.told()


def test_flood_of_one_gt_is_folded_and_counted() -> None:
    ask = Asks()
    ask("491710000001", events.FIRST + 400)
    assert (ask.flood.waiting, ask.flood.pending) == (events.FIRST, True)
    assert ask.told() == [(n, 1) for n in range(events.FIRST)]
    assert (ask.flood.waiting, ask.flood.pending, ask.flood.counted, ask.told()) == (0, True, 400, [])
    assert ask.closed() == [(events.FIRST, 400)]
    assert (ask.flood.pending, ask.flood.windows, ask.closed()) == (False, 0, [])


def test_kinds_are_counted_apart() -> None:
    ask = Asks(first=1)
    ask("49171", 2)
    ask("49172", 3)
    ask("49171", 4, reason="default")
    ask("49171", 5, action="allow")
    ask("49171", 6, perimeter="national")
    ask("49171" * 6, 7)
    ask("49171" * 6 + "1", 8)
    ask("0" + "49171", 9)
    assert len(ask.told()) == 8
    assert [count for _, count in ask.closed()] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_flood_from_ever_new_gts_stays_within_bounds_and_loses_no_count() -> None:
    ask, made = Asks(first=1, most=16), []
    for n in range(1000):
        ask(f"{n % 500:012d}", 3)
        if n % 100 == 0:
            made += ask.told()
        assert ask.flood.windows <= 16
    made += ask.closed()
    assert sum(count for _, count in made) == ask.n == 3000
    assert len({first for first, _ in made}) == len(made) == 2000


def test_beyond_its_budget_only_the_first_of_a_kind_is_told_at_once() -> None:
    ask = Asks(budget=5)
    for n in range(30):
        ask(f"4917100000{n % 3}")
    assert ask.told() == [(n, 1) for n in range(5)]
    ask("467010000")
    assert ask.told() == [(30, 1)]
    ask.flood.budget = 2.5
    for n in range(30):
        ask(f"4917100000{n % 3}")
    assert ask.told() == [(31, 1), (32, 1)]
    assert ask.closed() == [(5, 19), (6, 17), (7, 17)]


def test_budget_is_earned_by_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(events, "time", SimpleNamespace(monotonic=lambda: clock.now))
    flood = events.Flood(budget=5)
    flood.core.budget = 0
    clock.now += 2.5 / events.BUDGET_PER_SECOND
    flood.begin(Teller())
    assert flood.core.budget == pytest.approx(2.5)
    clock.now += 60
    flood.begin(Teller())
    assert flood.core.budget == 5


def test_first_event_is_told_at_once_and_those_behind_it_together(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(events, "time", SimpleNamespace(monotonic=lambda: clock.now))
    flood = judged(rules, message())
    assert (len(flood.told()), flood.core.pending) == (1, False)
    judged(rules, message(), message(calling="467017400000"), flood=flood)
    assert (flood.told(), flood.core.pending) == ([], True)
    clock.now += 2 * events.TOLD_EVERY_SECONDS
    assert (len(flood.told()), flood.core.pending) == (2, False)
    monkeypatch.setattr(events, "TOLD_AT_ONCE", 3)
    judged(rules, *[message()] * 2, flood=flood)
    assert flood.told() == []
    judged(rules, message(), flood=flood)
    assert len(flood.told()) == 3
    judged(rules, message(), flood=flood)
    assert (flood.told(), len(flood.close())) == ([], 1)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 30)), max_size=200),
    st.integers(1, 4),
    st.integers(1, 9),
    st.integers(0, 20),
)
def test_flood_is_that_of_a_model(series: list[tuple[int, int]], first: int, most: int, budget: int) -> None:
    ask = Asks(first=first, most=most, budget=budget)
    windows: dict[str, list[int]] = {}  # told, the first that was counted, how many were
    left, n, made, expected = budget, 0, [], []

    def close() -> list[tuple[int, int]]:
        ended = [(window[1], window[2]) for window in windows.values() if window[2]]
        windows.clear()
        return ended

    for gt, verb in series:
        calling = f"49171{gt:07d}"
        if verb == 0:
            made += ask.closed()
            expected += close()
            continue
        if calling not in windows and len(windows) == most:
            expected += close()
        window = windows.setdefault(calling, [0, 0, 0])
        if window[0] == 0 or (window[0] < first and left >= 1):
            left = max(left - 1, 0)
            window[0] += 1
            expected.append((n, 1))
        else:
            window[1] = window[1] if window[2] else n
            window[2] += 1
        ask(calling)
        n += 1
    assert (sorted(made + ask.closed()), ask.n) == (sorted(expected + close()), n)


def test_flood_of_messages_is_folded_with_what_the_first_of_them_says(rules: Rules) -> None:
    flood = judged(rules, *[message(calling="467017400000")] * (events.FIRST + 3), *[message()] * 3)
    told = [orjson.loads(one) for one in flood.told()]
    assert [one["rule"]["id"] for one in told] == ["tried"] * events.FIRST + ["locate"] * 3
    assert (flood.counted(), flood.counted()) == (3, 0)
    (last,) = map(orjson.loads, flood.close())
    EVENT.validate(last)
    assert (last["ss7"]["count"], last["ss7"]["decided"]["rule"], last["ss7"]["alert"]) == (3, "tried", None)
    assert last["message"].startswith("3 such messages were counted, this is the first. Let through: ")


@pytest.mark.parametrize("form", ["none", "json", "packed", "fields"])
@pytest.mark.parametrize("key", [None, b"0123456789abcdef"])
def test_events_are_the_same_whatever_form_verdicts_have(rules: Rules, form: str, key: bytes | None) -> None:
    def told(form: str) -> list[Telling]:
        worker = Worker(verdicts=form, key=key, octets=True)
        flood = judged(
            rules, *[message()] * (events.FIRST + 9), message(calling="491713920001"), worker=worker, now_ns=1
        )
        flood.core.close()
        return flood.core.told()

    verdict = Worker(key=key).judge(rules.tables, Stream("t/0"), Batch([message()], "sccp"), now_ns=1).values()[0]
    assert told(form) == told("packed")
    assert told(form)[0] == Telling(verdict, "", "491713920000", "447700900001", message(), 1)
    assert [one.messages for one in told(form)] == [1] * (events.FIRST + 1) + [9]
    assert told(form)[events.FIRST].alert == "watched"


def test_events_of_a_flood_are_those_of_the_policy_that_judged(rules: Rules) -> None:
    flood = judged(rules, *[message()] * (events.FIRST + 1))
    assert len(flood.told()) == events.FIRST
    other = replace(rules, teller=Teller())  # of the next policy, which does not know the rule
    judged(other, message(), flood=flood)
    last, first = map(orjson.loads, flood.told())
    assert (last["threat"]["technique"]["id"], last["ss7"]["count"]) == (["MOT5012.501"], 1)
    assert "threat" not in first
    assert flood.close() == []


def test_rules_are_not_changed_under_events_that_wait(rules: Rules, tmp_path: Path) -> None:
    other = rules_of(load(tmp_path / "p.yaml"), {})
    flood = judged(rules, message())
    with pytest.raises(ValueError, match="close the flood"):
        Worker().judge(other.tables, Stream("t/0"), Batch([message()], "sccp"), flood=flood.core)
    assert len(flood.told()) == 1
    Worker().judge(other.tables, Stream("t/0"), Batch([message()], "sccp"), flood=flood.core)
    assert flood.core.windows == 1


def test_core_gives_no_room_for_no_window() -> None:
    for most in (0, 2**20 + 1):
        with pytest.raises(ValueError, match="between 1 and 1048576 windows"):
            Flood(first=1, most=most, budget=0)
