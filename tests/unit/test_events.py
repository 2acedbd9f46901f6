"""Events say who, why and which technique; those of a flood are folded, and none is lost from the count."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from sigfw import schemas
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.verdicts import Asking
from sigfw.pipeline import events
from sigfw.pipeline.build import rules_of
from sigfw.pipeline.event import Teller
from sigfw.pipeline.events import Ended
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


def told_of(rules: Rules, *octets: bytes, worker: Worker | None = None, **given: Any) -> list[dict[str, Any]]:
    verdicts = (worker or Worker()).judge(rules.tables, Stream("t/0"), Batch(list(octets), "sccp"), **given)
    made = [json.loads(one) for one in events.Flood().admit(verdicts, rules.teller)]
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
    asked = Worker().judge(rules.tables, Stream("t/0"), Batch([b"\x09"], "sccp")).asking(0)
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
    (event,) = events.Flood().admit(events.of_ended(ended, rules.tables, {}), rules.teller)
    EVENT.validate(orjson.loads(event))
    assert orjson.loads(event)["ss7"]["whois"]["calling"]["operator"] == "DEUXX"
    assert list(events.of_ended(ended, rules.tables, {"international": "bypass"})) == []


# Floods.


def asking(number: int, calling: str, **changes: Any) -> Asking:
    made: dict[str, Any] = dict.fromkeys(
        ("time", "opc", "dpc", "ni", "tcap", "map", "error", "shadow", "category"), None
    )
    made |= {"id": f"in/0/{number}/1/0", "action": "drop", "reason": "rule", "rule": "r", "perimeter": "international"}
    made |= {"policy": {"name": "p", "digest": "0" * 16}, "sccp": {"type": "UDT", "calling": {"digits": calling}}}
    made |= changes
    return Asking((made["rule"], calling, str(changes)), orjson.dumps(made), "", calling, "", b"")


def counted(made: list[bytes]) -> int:
    return sum(orjson.loads(event)["ss7"]["count"] for event in made)


def test_flood_of_one_gt_is_folded_and_counted() -> None:
    flood = events.Flood()
    first = flood.admit(Ended([asking(n, "491710000001") for n in range(events.FIRST + 400)]), Teller())
    assert len(first) == events.FIRST
    assert flood.pending
    last = flood.close()
    assert len(last) == 1
    assert counted(first + last) == events.FIRST + 400
    assert orjson.loads(last[0])["event"]["id"] == f"in/0/{events.FIRST + 399}/1/0"
    assert orjson.loads(last[0])["message"].startswith("400 such messages were counted, this is the last. Dropped: ")
    assert not flood.pending
    assert flood.close() == []


def test_gts_are_counted_apart() -> None:
    flood = events.Flood()
    made = flood.admit(Ended([asking(n, f"4917100000{n % 2}") for n in range(2 * events.FIRST)]), Teller())
    assert len(made) == 2 * events.FIRST
    assert not flood.pending


def test_flood_from_ever_new_gts_stays_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_KEYS", 16)
    monkeypatch.setattr(events, "FIRST", 1)
    flood = events.Flood()
    made = [event for n in range(1000) for event in flood.admit(Ended([asking(n, f"{n % 500:012d}")] * 3), Teller())]
    assert len(flood._windows) <= 16
    assert counted(made + flood.close()) == 3000


def test_floods_in_one_portion_lose_no_count_where_windows_close_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_KEYS", 4)
    monkeypatch.setattr(events, "FIRST", 1)
    flood = events.Flood()
    made = flood.admit(Ended([asking(n, f"{n // 3 % 7:012d}") for n in range(1000)]), Teller())
    assert counted(made + flood.close()) == 1000


def test_beyond_its_budget_only_the_first_of_a_kind_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(events, "time", SimpleNamespace(monotonic=lambda: clock.now))
    flood = events.Flood(budget=5)
    many = Ended(asking(n, f"4917100000{n % 3}") for n in range(30))
    first = flood.admit(many, Teller())
    assert len(first) == 5
    assert len(flood.admit(Ended([asking(30, "467010000")]), Teller())) == 1
    clock.now += 2.5 / events.BUDGET_PER_SECOND
    assert len(flood.admit(many, Teller())) == 2
    assert counted(first + flood.close()) == 60 + 1 - 1 - 2


def test_verdicts_tell_what_their_events_tell(rules: Rules) -> None:
    many = [message(calling="467017400000")] * (events.FIRST + 3) + [message()] * 3
    verdicts = Worker(verdicts="packed").judge(rules.tables, Stream("t/0"), Batch(many, "sccp"), now_ns=1)
    one, other = events.Flood(), events.Flood()
    each = Ended(verdicts.asking(i) for _, i in verdicts.kinds())
    made = one.admit(verdicts, rules.teller), other.admit(each, rules.teller)
    assert [without_time(event) for event in made[0]] == [without_time(event) for event in made[1]]
    assert without_time(one.close()[0]) == without_time(other.close()[0])
    with pytest.raises(IndexError):
        verdicts.asking(len(many))


def without_time(event: bytes) -> dict[str, Any]:
    return orjson.loads(event) | {"@timestamp": None}


def test_flood_in_shadow_is_folded_apart_from_what_is_denied(rules: Rules) -> None:
    many = [message(calling="467017400000")] * (events.FIRST + 30) + [message()] * 3
    asked = Worker().judge(rules.tables, Stream("t/0"), Batch(many, "sccp"))
    flood = events.Flood()
    first = [orjson.loads(one) for one in flood.admit(asked, rules.teller)]
    assert [one["rule"]["id"] for one in first] == ["tried"] * events.FIRST + ["locate"] * 3
    (last,) = map(orjson.loads, flood.close())
    assert (last["ss7"]["count"], last["ss7"]["decided"]["rule"]) == (30, "tried")
    EVENT.validate(last)


def test_events_of_a_flood_are_those_of_the_policy_that_judged(rules: Rules) -> None:
    flood = events.Flood()
    asked = Worker().judge(rules.tables, Stream("t/0"), Batch([message()] * (events.FIRST + 1), "sccp"))
    flood.admit(asked, rules.teller)
    flood.admit(Ended([asking(1, "49")]), Teller())  # of the next policy, which does not know the rule
    assert orjson.loads(flood.close()[0])["threat"]["technique"]["id"] == ["MOT5012.501"]
