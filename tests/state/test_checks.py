"""What each check on state says, told as dialogues; and what it must not say."""

from pathlib import Path

import pytest

from bench.dialogues import (
    AUSTRALIAN_SGSN,
    AUSTRALIAN_VLR,
    FRENCH_VLR,
    GERMAN_SMSC,
    GERMAN_VLR,
    HLR,
    IMSI,
    MSISDN,
    OTHER_IMSI,
    SMSC,
    STRANGER,
    ask_for_routing,
    deliver,
    profile,
    refused,
    submit,
    tell_routing,
    update,
    updated,
)
from bench.encode import Party, address, bcd, begin, continue_, end, invoke, map_context, request, tlv, udt
from sigfw._core.memory import State
from tests.state.story import Story, policy, register

LOCATION = "id: far, when: {check: location_implausible}, action: drop"
SMS = "id: forged, when: {check: sms_origin_mismatch}, action: drop"
DIALOGUE = "id: stray, when: {perimeter: international, check: dialogue_unknown}, action: drop"
RATE = "id: flood, when: {perimeter: international, tcap.type: begin, check: rate_exceeded}, action: drop"
SCAN = (
    "id: scan, when: {perimeter: international, operation: sendRoutingInfoForSM, check: target_scanned}, action: drop"
)


# location_implausible -------------------------------------------------------------------------------------------------


def test_registration_half_an_hour_later_in_australia_is_implausible_and_a_day_later_is_not(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    assert register(story, GERMAN_VLR, b"\1") is None
    story.now += 1_800
    assert story.rule(update(AUSTRALIAN_VLR, b"\2")) == "far"
    story.now += 86_400
    assert register(story, AUSTRALIAN_VLR, b"\3") is None
    assert story.outcome("location_implausible") == {"true": 1, "false": 3, "unknown": 1}


def test_same_vlr_and_a_neighbouring_country_are_plausible_at_once(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    register(story, GERMAN_VLR, b"\1")
    assert register(story, GERMAN_VLR, b"\2") is None
    assert register(story, FRENCH_VLR, b"\3") is None


def test_location_is_learned_only_from_a_registration_that_succeeded(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    register(story, GERMAN_VLR, b"\1")
    story.now += 86_400
    story.tell(update(AUSTRALIAN_VLR, b"\2"))
    story.tell(refused(AUSTRALIAN_VLR, b"\2"), perimeter="internal")
    story.now += 60
    assert register(story, GERMAN_VLR, b"\3") is None  # he never left
    story.tell(updated(AUSTRALIAN_VLR, b"\4"), perimeter="internal")  # an End of no dialogue
    assert register(story, GERMAN_VLR, b"\5") is None


def test_denied_registration_teaches_nothing(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    register(story, GERMAN_VLR, b"\1")
    assert register(story, AUSTRALIAN_VLR, b"\2") == "far"
    assert register(story, GERMAN_VLR, b"\3") is None


def test_success_is_for_our_hlr_to_say(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    register(story, GERMAN_VLR, b"\1")
    story.now += 86_400
    story.tell(update(AUSTRALIAN_VLR, b"\2"), updated(AUSTRALIAN_VLR, b"\2", by=Party("999420000001", 6)))
    story.now += 60
    assert register(story, GERMAN_VLR, b"\3") is None


def test_vlr_and_sgsn_are_apart(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    register(story, GERMAN_VLR, b"\1")
    assert register(story, AUSTRALIAN_SGSN, b"\2") is None  # nothing is known of the packet domain
    assert register(story, GERMAN_VLR, b"\3") is None


def test_registration_from_the_internal_perimeter_is_believed_at_once(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    story.tell(update(Party("447700900003", 7), b"\1"), perimeter="internal")
    assert story.rule(update(AUSTRALIAN_VLR, b"\2")) == "far"


def test_foreign_subscribers_are_not_remembered(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    assert register(story, GERMAN_VLR, b"\1", "001020000000001") is None
    assert register(story, AUSTRALIAN_VLR, b"\2", "001020000000001") is None
    assert story.state.sizes()[("locations",)] == 0


@pytest.mark.parametrize(("said", "rule"), [("unknown", None), ("false", None), ("true", "far")])
def test_unknown_subscriber_is_the_policys_to_judge(tmp_path: Path, said: str, rule: str | None) -> None:
    checks = f"location_implausible: {{unknown_subscriber: {said}}}"
    assert Story(policy(tmp_path, LOCATION, checks=checks)).rule(update(GERMAN_VLR, b"\1")) == rule


def test_journeys_of_the_operator_go_before_the_countries(tmp_path: Path) -> None:
    (tmp_path / "travel.csv").write_text("old_prefix,new_prefix,minutes\n49171,336,30\n49,61,0\n49171,6149,0\n")
    story = Story(policy(tmp_path, LOCATION, checks="location_implausible: {travel: travel.csv}"))
    register(story, GERMAN_VLR, b"\1")
    assert story.rule(update(FRENCH_VLR, b"\2")) == "far"
    assert story.rule(update(AUSTRALIAN_VLR, b"\3")) is None


def test_networks_in_the_air_and_at_sea_are_near_to_all(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    register(story, AUSTRALIAN_VLR, b"\1")
    assert register(story, Party("870700000001", 7), b"\2") is None
    assert register(story, GERMAN_VLR, b"\3") is None


# sms_origin_mismatch --------------------------------------------------------------------------------------------------


def told(story: Story, smsc: Party, tid: bytes) -> None:
    story.tell(ask_for_routing(smsc, tid))
    story.tell(tell_routing(smsc, tid), perimeter="internal")


def test_short_message_from_another_than_who_asked_is_a_mismatch(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, SMS))
    told(story, GERMAN_SMSC, b"\1")
    assert story.rule(deliver(STRANGER, b"\2")) == "forged"
    assert story.rule(deliver(GERMAN_SMSC, b"\3")) is None
    assert story.rule(deliver(Party("491713920077", 8), b"\4")) is None  # another node of the same operator


def test_short_message_after_the_window_is_unknown(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, SMS, checks="sms_origin_mismatch: {window_seconds: 30}"))
    told(story, GERMAN_SMSC, b"\1")
    story.now += 31
    assert story.rule(deliver(STRANGER, b"\2")) is None
    assert story.outcome("sms_origin_mismatch") == {"false": 2, "unknown": 1}


def test_two_operators_that_asked_may_both_deliver(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, SMS))
    french = Party("33639980009", 8)
    told(story, GERMAN_SMSC, b"\1")
    told(story, french, b"\2")
    assert story.rule(deliver(GERMAN_SMSC, b"\3")) is None
    assert story.rule(deliver(french, b"\4")) is None
    assert story.rule(deliver(STRANGER, b"\5")) == "forged"


def test_hub_may_deliver_for_others(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, SMS, checks="sms_origin_mismatch: {hubs: hubs}"))
    told(story, GERMAN_SMSC, b"\1")
    assert story.rule(deliver(STRANGER, b"\2")) is None


def test_short_message_of_a_subscriber_who_is_registered_elsewhere(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, SMS))
    register(story, GERMAN_VLR, b"\1")
    assert story.rule(submit(GERMAN_VLR.on(ssn=8), b"\2", imsi=IMSI)) is None
    assert story.rule(submit(STRANGER, b"\3", imsi=IMSI)) == "forged"
    assert story.rule(submit(STRANGER, b"\4", imsi=OTHER_IMSI)) is None  # of whom nothing is known


def test_msisdn_is_learned_from_the_profile(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, SMS))
    story.tell(update(GERMAN_VLR, b"\1"))
    story.tell(profile(GERMAN_VLR, b"\1", b"\x0a"), updated(GERMAN_VLR, b"\1"), perimeter="internal")
    assert story.rule(submit(STRANGER, b"\2", msisdn=MSISDN)) == "forged"
    assert story.rule(submit(GERMAN_VLR.on(ssn=8), b"\3", msisdn=MSISDN)) is None


def test_msisdn_of_a_profile_from_outside_is_not_learned(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, SMS))
    story.tell(update(GERMAN_VLR, b"\1"))
    forged = tlv(0x30, tlv(0x81, bytes.fromhex("91449977000009f5")))
    story.tell(udt(GERMAN_VLR, STRANGER, continue_(b"\x0a", b"\1", b"", invoke(7, forged))))
    assert story.state.sizes()[("locations",)] == 0


# dialogue_unknown -----------------------------------------------------------------------------------------------------

WARM = "dialogue_unknown: {warm_up_seconds: 60}"
OUT = Party("447700900003", 7)


def ours(tid: bytes, to: Party = GERMAN_VLR) -> bytes:
    """A Begin of ours: sendAuthenticationInfo of a roamer, to his network."""
    argument = tlv(0x30, tlv(0x80, bcd("001020000000001")), tlv(2, b"\1"))
    return udt(to, OUT, begin(tid, request(map_context(14, 3)), invoke(56, argument)))


def warm(tmp_path: Path, *rules: str, checks: str = WARM) -> Story:
    """A story in which both directions were seen, and long enough."""
    story = Story(policy(tmp_path, *(rules or (DIALOGUE,)), checks=checks))
    story.tell(ours(b"\xf0"), perimeter="internal")
    story.tell(update(GERMAN_VLR, b"\xf1"))
    story.now += 61
    return story


def answer(by: Party, tid: bytes, *, to: Party = OUT) -> bytes:
    return udt(to, by, end(tid, b""))


def test_answer_to_our_question_passes_and_one_to_nothing_does_not(tmp_path: Path) -> None:
    story = warm(tmp_path)
    story.tell(ours(b"\1"), perimeter="internal")
    assert story.rule(answer(GERMAN_VLR, b"\1")) is None
    assert story.rule(answer(GERMAN_VLR, b"\1")) == "stray"  # it ended
    assert story.rule(answer(GERMAN_VLR, b"\2")) == "stray"


def test_answer_by_another_operator_than_the_one_asked_is_unknown(tmp_path: Path) -> None:
    story = warm(tmp_path)
    story.tell(ours(b"\1"), perimeter="internal")
    assert story.rule(answer(FRENCH_VLR, b"\1")) == "stray"
    assert story.rule(answer(Party("491713920055", 7), b"\1")) is None  # a physical node of the operator asked


def test_dialogue_goes_on_by_both_transaction_ids(tmp_path: Path) -> None:
    story = warm(tmp_path)
    story.tell(ours(b"\1"), perimeter="internal")
    assert story.rule(udt(OUT, GERMAN_VLR, continue_(b"\xaa", b"\1", b""))) is None
    story.tell(udt(GERMAN_VLR, OUT, continue_(b"\1", b"\xaa", b"")), perimeter="internal")
    assert story.rule(answer(GERMAN_VLR, b"\1")) is None


def test_transaction_id_is_its_givers(tmp_path: Path) -> None:
    story = warm(tmp_path)
    story.tell(ours(b"\1"), perimeter="internal")
    assert story.rule(answer(GERMAN_VLR, b"\1", to=Party("447700900004", 7))) == "stray"
    assert story.rule(answer(GERMAN_VLR, b"\0\1")) == "stray"  # the same value in other octets is another id


def test_one_asked_by_a_subscribers_number_may_be_ported(tmp_path: Path) -> None:
    story = warm(tmp_path)
    number = Party("491713920034", 6)
    argument = tlv(0x30, tlv(0x80, address(number.digits)), tlv(0x81, b"\xff"), tlv(0x82, address(SMSC.digits)))
    asked = udt(number, OUT, begin(b"\1", request(map_context(20, 3)), invoke(45, argument)))
    assert story.tell(asked, perimeter="internal")[0]["map"]["msisdn"] == "491713920034"
    assert story.rule(answer(FRENCH_VLR, b"\1")) is None


def test_nothing_is_unknown_until_both_directions_are_seen_and_long_enough(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, DIALOGUE, checks=WARM))
    story.tell(update(GERMAN_VLR, b"\xf1"))
    story.now += 61
    assert story.rule(answer(GERMAN_VLR, b"\1")) is None  # one direction
    story = Story(policy(tmp_path, DIALOGUE, checks=WARM))
    story.tell(ours(b"\xf0"), perimeter="internal")
    story.tell(update(GERMAN_VLR, b"\xf1"))
    story.now += 59
    assert story.rule(answer(GERMAN_VLR, b"\1")) is None  # warming up
    assert story.outcome("dialogue_unknown") == {"false": 1, "unknown": 1}


def test_dialogue_that_may_have_been_pushed_out_is_not_called_unknown(tmp_path: Path) -> None:
    small = Story(policy(tmp_path, DIALOGUE, checks=WARM), state=State(dialogues=1))
    small.tell(ours(b"\xf0"), update(GERMAN_VLR, b"\xf1"), perimeter="internal")
    small.now += 61
    small.tell(*(ours(bytes([1, n])) for n in range(200)), perimeter="internal")
    assert small.rule(answer(GERMAN_VLR, b"\7\7")) is None
    assert small.state.counters()["dialogues", "evicted"] > 0


# rate_exceeded --------------------------------------------------------------------------------------------------------

LIMIT = "rate_exceeded: {limits: [{by: calling.gt, per_second: 2, burst: 3}]}"


def test_rate_is_a_bucket_of_its_own_for_each_caller(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, RATE, checks=LIMIT))
    rules = [v["rule"] for v in story.tell(*(update(GERMAN_VLR, bytes([n])) for n in range(5)))]
    assert rules == [None, None, None, "flood", "flood"]
    assert story.rule(update(FRENCH_VLR, b"\1")) is None
    story.now += 1
    rules = [v["rule"] for v in story.tell(*(update(GERMAN_VLR, bytes([n])) for n in range(3)))]
    assert rules == [None, None, "flood"]


def test_rate_counts_by_what_the_limit_names(tmp_path: Path) -> None:
    counted = "operation: [updateLocation, sendRoutingInfoForSM]"
    limit = f"{{by: [calling.operator, operation], {counted}, per_second: 1, burst: 1}}"
    story = Story(policy(tmp_path, RATE, checks=f"rate_exceeded: {{limits: [{limit}]}}"))
    assert story.rule(update(GERMAN_VLR, b"\1")) is None
    assert story.rule(update(Party("491713920002", 7), b"\2")) == "flood"  # the same operator
    assert story.rule(ask_for_routing(GERMAN_SMSC, b"\3")) is None  # another operation
    assert story.rule(deliver(GERMAN_SMSC, b"\4")) is None  # one that the limit does not count
    assert story.outcome("rate_exceeded") == {"true": 1, "false": 3}


def test_rate_counts_only_where_the_rest_of_the_rule_holds(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, RATE, checks=LIMIT))
    story.tell(*(update(GERMAN_VLR, bytes([n])) for n in range(9)), perimeter="internal")
    assert story.rule(update(GERMAN_VLR, b"\1")) is None


# target_scanned -------------------------------------------------------------------------------------------------------


def test_caller_that_asks_about_many_subscribers_is_a_scanner(tmp_path: Path) -> None:
    story = Story(
        policy(tmp_path, SCAN, checks="target_scanned: {subscribers_per_caller: 50, callers_per_subscriber: 0}")
    )
    asked = [ask_for_routing(STRANGER, bytes([n]), f"44770090{n:04d}") for n in range(120)]
    rules = [v["rule"] for v in story.tell(*asked)]
    first = rules.index("scan")
    assert 45 <= first <= 55
    assert set(rules[first + 3 :]) == {"scan"}
    same = [ask_for_routing(GERMAN_SMSC, bytes([n])) for n in range(120)]
    assert {v["rule"] for v in story.tell(*same)} == {None}


def test_subscriber_asked_about_by_many_callers_is_a_target(tmp_path: Path) -> None:
    story = Story(
        policy(tmp_path, SCAN, checks="target_scanned: {subscribers_per_caller: 0, callers_per_subscriber: 10}")
    )
    asked = [ask_for_routing(Party(f"999420{n:06d}", 8), bytes([n])) for n in range(40)]
    first = [v["rule"] for v in story.tell(*asked)].index("scan")
    assert 8 <= first <= 12


def test_scan_is_forgotten_after_its_window(tmp_path: Path) -> None:
    checks = "target_scanned: {window_seconds: 100, subscribers_per_caller: 20, callers_per_subscriber: 0}"
    story = Story(policy(tmp_path, SCAN, checks=checks))
    for n in range(60):
        verdict = story.rule(ask_for_routing(STRANGER, bytes([n]), f"44770090{n:04d}"))
        story.now += 10  # 10 in a window
        assert verdict is None


# the record that comes again ------------------------------------------------------------------------------------------


def test_records_that_come_again_are_judged_as_the_first_time(tmp_path: Path) -> None:
    rules = (LOCATION, RATE, DIALOGUE)
    story = warm(tmp_path, *rules, checks=f"{LIMIT}, {WARM}")
    story.tell(update(GERMAN_VLR, b"\1"))
    story.tell(updated(GERMAN_VLR, b"\1"), perimeter="internal")
    story.now += 3600
    first = story.offset
    messages = [
        update(AUSTRALIAN_VLR, b"\2"),
        *(update(FRENCH_VLR, bytes([n])) for n in range(5)),
        answer(GERMAN_VLR, b"\x99"),
    ]
    before = [v["rule"] for v in story.tell(*messages)]
    assert before == ["far", None, None, None, "flood", "flood", "stray"]
    story.tell(updated(FRENCH_VLR, b"\0"), perimeter="internal")
    assert [v["rule"] for v in story.tell(*messages, at=first)] == before
    assert story.rule(update(FRENCH_VLR, b"\x77")) == "flood"  # none of them spent a token again


def test_another_record_under_the_same_id_is_judged_anew(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    register(story, GERMAN_VLR, b"\1")
    assert story.rule(update(AUSTRALIAN_VLR, b"\2"), at=50) == "far"
    story.now += 86_400
    assert story.rule(update(AUSTRALIAN_VLR, b"\2"), at=50) is None


def test_expired_and_malformed_messages_teach_nothing(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    register(story, GERMAN_VLR, b"\1")
    story.now += 86_400
    broken = update(AUSTRALIAN_VLR, b"\2") + b"\0"
    story.tell(broken)
    story.tell(updated(AUSTRALIAN_VLR, b"\2"), perimeter="internal")
    story.now += 60
    assert register(story, GERMAN_VLR, b"\3") is None


def test_hlr_number_is_not_needed_to_answer(tmp_path: Path) -> None:
    """An updateLocation sent to an E.214 address is answered by whichever HLR has the subscriber."""
    story = Story(policy(tmp_path, LOCATION))
    story.tell(update(GERMAN_VLR, b"\1", to=Party("447700900099", 6, np=7)))
    story.tell(updated(GERMAN_VLR, b"\1", by=HLR), perimeter="internal")
    assert story.rule(update(AUSTRALIAN_VLR, b"\2")) == "far"


def test_where_no_side_is_told_apart_our_hlr_is_known_by_its_gt(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    story.tell(update(GERMAN_VLR, b"\1"), updated(GERMAN_VLR, b"\1"))
    assert story.rule(update(AUSTRALIAN_VLR, b"\2")) == "far"


def test_where_they_are_nobody_outside_says_that_a_registration_succeeded(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    story.tell(updated(FRENCH_VLR, b"\7"), perimeter="internal")
    story.tell(update(GERMAN_VLR, b"\1"), updated(GERMAN_VLR, b"\1"))
    assert story.rule(update(AUSTRALIAN_VLR, b"\2")) is None
