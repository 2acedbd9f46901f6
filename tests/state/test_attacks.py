"""What somebody outside cannot teach, and which honest messages must not be called false."""

from pathlib import Path

from bench.dialogues import (
    AUSTRALIAN_VLR,
    FRENCH_VLR,
    GERMAN_SMSC,
    GERMAN_VLR,
    HLR,
    IMSI,
    MSISDN,
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
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream
from tests.state.story import NS, Story, policy, register
from tests.state.test_checks import DIALOGUE, LIMIT, LOCATION, RATE, SMS, answer, ours, told, warm

# location -------------------------------------------------------------------------------------------------------------


def test_success_said_from_outside_in_our_hlrs_name_teaches_nothing(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    register(story, GERMAN_VLR, b"\1")
    story.now += 86_400
    story.tell(update(AUSTRALIAN_VLR, b"\2"), updated(AUSTRALIAN_VLR, b"\2"))
    story.now += 60
    assert register(story, GERMAN_VLR, b"\3") is None


def test_msc_elsewhere_is_implausible_though_the_vlr_is_the_one_known(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    register(story, GERMAN_VLR, b"\1")
    numbers = [tlv(0x81, address(AUSTRALIAN_VLR.digits)), tlv(4, address(GERMAN_VLR.digits))]
    argument = tlv(0x30, tlv(4, bcd(IMSI)), *numbers)
    taken = udt(HLR, AUSTRALIAN_VLR, begin(b"\2", request(map_context(1, 3)), invoke(2, argument)))
    assert story.rule(taken) == "far"


def test_registration_that_comes_late_is_judged_by_the_time_between(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, LOCATION))
    story.now += 86_400
    register(story, AUSTRALIAN_VLR, b"\1")
    story.now -= 86_400  # another partition, behind
    assert register(story, GERMAN_VLR, b"\2") is None
    story.now += 86_400 - 60
    assert story.rule(update(GERMAN_VLR, b"\3")) == "far"


def test_profile_of_a_registration_that_failed_teaches_no_msisdn(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, SMS))
    story.tell(update(STRANGER, b"\1"))
    story.tell(profile(STRANGER, b"\1", b"\x0a"), perimeter="internal")
    story.tell(refused(STRANGER, b"\1"), perimeter="internal")
    assert story.rule(submit(GERMAN_VLR.on(ssn=8), b"\2", msisdn=MSISDN)) is None


# short messages -------------------------------------------------------------------------------------------------------


def test_many_who_ask_make_no_forger_of_one_who_asked_before(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, SMS))
    told(story, GERMAN_SMSC, b"\1")
    for n in range(3):
        told(story, Party(f"99942000000{n}", 8), bytes([2, n]))
    assert story.rule(deliver(GERMAN_SMSC, b"\3")) is None
    assert story.rule(deliver(STRANGER, b"\4")) is None  # others were told: nothing is known
    story.now += 61
    told(story, GERMAN_SMSC, b"\5")
    assert story.rule(deliver(STRANGER, b"\6")) == "forged"


def test_three_who_ask_in_turn_are_three(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, SMS))
    for n in range(9):
        told(story, (GERMAN_SMSC, Party("33639980009", 8), Party("61491570159", 8))[n % 3], bytes([n]))
    assert story.rule(deliver(STRANGER, b"\x0f")) == "forged"


def test_answer_to_a_question_from_outside_in_our_hlrs_name_tells_nobody(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, SMS))
    told(story, GERMAN_SMSC, b"\1")
    story.tell(ask_for_routing(STRANGER, b"\2"), tell_routing(STRANGER, b"\2"))
    assert story.rule(deliver(STRANGER, b"\3")) == "forged"


# dialogues ------------------------------------------------------------------------------------------------------------

SHADOW = DIALOGUE + ", mode: shadow"


def test_forged_end_does_not_end_the_dialogue_of_others(tmp_path: Path) -> None:
    story = warm(tmp_path, SHADOW)
    story.tell(ours(b"\1"), perimeter="internal")
    (forged,) = story.tell(answer(FRENCH_VLR, b"\1"))
    assert (forged["action"], forged["shadow"]["rule"]) == ("allow", "stray")
    (real,) = story.tell(answer(GERMAN_VLR, b"\1"))
    assert real["shadow"] is None


def test_redirected_begin_opens_a_dialogue(tmp_path: Path) -> None:
    routed = "id: router, when: {tcap.type: begin, operation: sendRoutingInfoForSM}, action: {redirect: '44770090077'}"
    story = warm(tmp_path, routed, DIALOGUE)
    router = Party("44770090077", 6)
    assert story.rule(ask_for_routing(GERMAN_SMSC, b"\1")) == "router"
    story.tell(udt(GERMAN_SMSC, router, continue_(b"\xaa", b"\1", b"")), perimeter="internal")
    assert story.rule(udt(router, GERMAN_SMSC, continue_(b"\1", b"\xaa", b""))) is None


def test_warm_up_begins_anew_with_each_partition(tmp_path: Path) -> None:
    story = warm(tmp_path)
    assert story.rule(answer(GERMAN_VLR, b"\1")) == "stray"
    story.stream = Stream("ss7.in/1", topic="ss7.in")  # what was asked before is not known of it
    assert story.rule(answer(GERMAN_VLR, b"\2")) is None
    story.now += 61
    assert story.rule(answer(GERMAN_VLR, b"\3")) == "stray"


def test_first_record_of_time_0_does_not_end_the_warm_up(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, DIALOGUE))
    messages = [ours(b"\xf0"), update(GERMAN_VLR, b"\xf1"), answer(GERMAN_VLR, b"\1")]
    meta = [(None, "internal", None, None), *[(None, "international", None, None)] * 2]
    batch = Batch(messages, "sccp", offsets=range(3), times_ns=[0, int(story.now * NS), int(story.now * NS)], meta=meta)
    story.worker.judge(story.tables, story.stream, batch, now_ns=int(story.now * NS) + NS)
    assert story.outcome("dialogue_unknown")["unknown"] == 1


def test_continue_of_a_registration_goes_on_after_the_profile(tmp_path: Path) -> None:
    story = warm(tmp_path, DIALOGUE, SMS)
    story.tell(update(GERMAN_VLR, b"\1"))
    story.tell(profile(GERMAN_VLR, b"\1", b"\x0a"), perimeter="internal")
    assert story.rule(udt(HLR, GERMAN_VLR, continue_(b"\1", b"\x0a", b""))) is None
    story.tell(updated(GERMAN_VLR, b"\1"), perimeter="internal")
    assert story.rule(submit(STRANGER, b"\2", msisdn=MSISDN)) == "forged"


# rates ----------------------------------------------------------------------------------------------------------------


def test_partition_that_is_behind_fills_no_bucket(tmp_path: Path) -> None:
    story = Story(policy(tmp_path, RATE, checks=LIMIT))
    rules = []
    for n in range(8):
        story.now += 3_000 if n % 2 else -3_000
        rules.append(story.rule(update(GERMAN_VLR, bytes([n]))))
    assert rules[4:] == ["flood"] * 4


def test_retransmitted_begin_is_one_dialogue(tmp_path: Path) -> None:
    story = warm(tmp_path)
    story.tell(ours(b"\1"), ours(b"\1"), perimeter="internal")
    assert story.rule(answer(GERMAN_VLR, b"\1")) is None
    story.tell(ours(b"\1"), perimeter="internal")  # the id again, once it is free
    assert story.rule(udt(Party("447700900003", 7), GERMAN_VLR, end(b"\1", b""))) is None
