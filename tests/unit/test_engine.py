"""The line from octets to verdicts, as Python sees it."""

import hashlib
import hmac
import json
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pycrate_mobile.SCCP import SCCPUnitDataService, parse_SCCP

from sigfw import records, schemas
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.mapop import FIELD_NAMES
from sigfw._core.tables import Tables
from sigfw._core.verdicts import Verdicts
from sigfw.pipeline.event import Teller
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load

ROOT = Path(__file__).parents[2]
VERDICT = Draft202012Validator(schemas.verdict_schema())
EVENT = Draft202012Validator(schemas.event_schema())


def party(digits: str, ssn: int) -> bytes:
    """GTI 4, international E.164, even number of digits."""
    swapped = bytes(int(digits[i + 1] + digits[i], 16) for i in range(0, len(digits), 2))
    return bytes((0x12, ssn, 0x00, 0x12, 0x04)) + swapped


def unitdata(called: bytes, calling: bytes, data: bytes, *, protocol_class: int = 0x81) -> bytes:
    pointers = (3, 3 + len(called), 3 + len(called) + len(calling))
    return b"".join(
        (bytes((0x09, protocol_class, *pointers)), *(bytes((len(part),)) + part for part in (called, calling, data)))
    )


def begin(invoke: bytes) -> bytes:
    """A Begin with anyTimeInfoEnquiryContext (0.4.0.0.1.0.29.3) and one component."""
    dialogue = bytes.fromhex("6b1e281c060700118605010101a011600f80020780a109060704000001001d03")
    body = bytes.fromhex("480400000001") + dialogue + bytes((0x6C, len(invoke))) + invoke
    return bytes((0x62, len(body))) + body


# anyTimeInterrogation of IMSI 001010123456789, requested location and state, gsmSCF-Address 491713920000.
INVOKE_ATI = bytes.fromhex("a123 020101 020147 301b a00a 80080001012143 6587f9 a104 80008100 8307 91947131290000")


def message(*, called: str = "447700900001", calling: str = "491713920000", invoke: bytes = INVOKE_ATI) -> bytes:
    return unitdata(party(called, 6), party(calling, 147), begin(invoke))


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    path = tmp_path_factory.mktemp("policy") / "p.yaml"
    path.write_text("""
schema: 1
name: engine
home: {country_code: "44", global_titles: ["4477009"], imsi: ["00101"]}
operators:
  - {tadig: DEUXX, country: DE, global_titles: ["49171"], imsi: ["26201"]}
exceptions: {default: allow}
rules:
  - id: locate
    category: cat1
    when: {operation: anyTimeInterrogation, calling.gt: ["49171"]}
    action: {reject: {return_cause: unqualified}}
  - id: elsewhere
    category: cat1
    when: {operation: anyTimeInterrogation, calling.gt: ["3363998"]}
    action: {redirect: "447700900999"}
  - id: watched
    category: cat2
    when: {calling.gt: ["46701"]}
    action: drop
    mode: shadow
""")
    return compile_policy(load(path))


def judge(tables: Tables | None, *values: bytes | None, worker: Worker | None = None, encapsulation: str = "sccp",
          **given: object) -> Verdicts:  # fmt: skip
    batch = Batch(list(values), encapsulation, offsets=list(range(10, 10 + len(values))))
    return (worker or Worker()).judge(tables, Stream("t/0"), batch, **given)  # type: ignore[arg-type]


def test_rejected_message_has_the_reply_pycrate_reads(policy: Tables) -> None:
    verdict = json.loads(judge(policy, message()).values()[0])
    VERDICT.validate(verdict)
    assert (verdict["action"], verdict["reason"], verdict["rule"]) == ("reject", "rule", "locate")
    reply = SCCPUnitDataService()
    reply.from_bytes(bytes.fromhex(verdict["reply"]))
    original = message()
    assert reply["Type"].get_val() == 0x0A
    assert reply["RetCause"].get_val() == 7
    assert reply[3].to_bytes()[1:] == party("491713920000", 147)
    assert reply[4].to_bytes()[1:] == party("447700900001", 6)
    assert bytes.fromhex(verdict["reply"]).endswith(original[-len(begin(INVOKE_ATI)) - 1 :])


def test_redirected_message_names_the_gt(policy: Tables) -> None:
    verdict = json.loads(judge(policy, message(calling="336399800000")).values()[0])
    assert (verdict["action"], verdict["redirect"]) == ("redirect", "447700900999")


def test_shadow_rule_changes_nothing_and_says_so(policy: Tables) -> None:
    verdicts = judge(policy, message(calling="467017400000"))
    verdict = json.loads(verdicts.values()[0])
    assert verdict["action"] == "allow"
    assert verdict["shadow"] == {"action": "drop", "rule": "watched", "reason": "rule"}


def test_monitor_allows_and_says_what_enforcing_would_do(policy: Tables) -> None:
    verdict = json.loads(judge(policy, message(), modes={"international": "monitor"}).values()[0])
    assert (verdict["action"], verdict["reason"]) == ("allow", "monitor")
    assert verdict["shadow"] == {"action": "reject", "rule": "locate", "reason": "rule"}


def test_packed_record_says_what_json_says(policy: Tables) -> None:
    values = [message(), message(calling="336399800000"), message(calling="467017400000"), b"\x09", None]
    plain = [json.loads(v) for v in judge(policy, *values).values()]
    packed = [records.unpack(v) for v in judge(policy, *values, worker=Worker(verdicts="packed")).values()]
    assert [p["base_offset"] for p in packed] == [10, 11, 12, 13, 14]
    for one, record in zip(plain, packed, strict=True):
        (entry,) = record["verdicts"]
        assert record["digest"] == one["policy"]["digest"]
        assert (entry["action"], entry["reason"], entry["error"]) == (one["action"], one["reason"], one["error"])
        assert (policy.rule_ids[entry["rule"]] or None) == one["rule"]
        assert (policy.categories[entry["category"]] or None) == one["category"]
        assert entry.get("redirect") == one.get("redirect")
        assert entry.get("reply", b"").hex() == one.get("reply", "")
        assert (entry["shadow"] or {}).get("action") == (one["shadow"] or {}).get("action")


def test_null_value_is_unframed_and_dead(policy: Tables) -> None:
    verdicts = judge(policy, None, message())
    first = json.loads(verdicts.values()[0])
    VERDICT.validate(first)
    assert (first["reason"], first["action"], first["sccp"]) == ("unframed", "drop", None)
    assert [record for record, _ in verdicts.dead()] == [0]


def pcap(*messages: bytes) -> bytes:
    """Classic pcap of link type 142 (SCCP), microseconds."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 142)
    packets = (struct.pack("<IIII", 1_700_000_000 + i, i, len(m), len(m)) + m for i, m in enumerate(messages))
    return head + b"".join(packets)


def test_pcap_record_has_a_line_a_message(policy: Tables) -> None:
    lines = (
        judge(policy, pcap(message(), message(calling="467017400000")), encapsulation="pcap").values()[0].split(b"\n")
    )
    verdicts = [json.loads(line) for line in lines]
    assert [v["id"] for v in verdicts] == ["t/0/10/1/0", "t/0/10/2/0"]
    assert [v["action"] for v in verdicts] == ["reject", "allow"]
    assert verdicts[1]["time"] == "2023-11-14T22:13:21.000001Z"


def test_record_with_nothing_to_judge_has_one_line(policy: Tables) -> None:
    verdict = json.loads(judge(policy, pcap(), encapsulation="pcap").values()[0])
    VERDICT.validate(verdict)
    assert (verdict["reason"], verdict["action"]) == ("not_sccp", "allow")


def test_judging_in_pieces_equals_judging_at_once(policy: Tables) -> None:
    messages = [message(calling=c) for c in ("491713920000", "467017400000", "336399800000", "999420000000")] * 20
    whole = judge(policy, pcap(*messages), encapsulation="pcap").lines()
    stream, batch, worker = Stream("t/0"), Batch([pcap(*messages)], "pcap", offsets=[10]), Worker()
    pieces = b""
    while not batch.done:
        pieces += worker.judge(policy, stream, batch, limit=7).lines()
    assert pieces == whole


def test_expired_message_is_dropped_by_policy(policy: Tables) -> None:
    batch = Batch([message(), message()], "sccp", times_ns=[1_000, 5_000_000_000])
    verdicts = Worker().judge(policy, Stream("t/0"), batch, now_ns=5_500_000_000, deadline_ns=1_000_000_000)
    assert [json.loads(v)["reason"] for v in verdicts.values()] == ["expired", "rule"]


def test_pseudonyms_replace_identities(policy: Tables) -> None:
    key = b"0123456789abcdef"
    text = judge(policy, message(), worker=Worker(key=key)).lines().decode()
    verdict = json.loads(text)
    VERDICT.validate(verdict)
    expected = hmac.new(key, b"491713920000", hashlib.sha256).hexdigest()[:16]
    assert verdict["sccp"]["calling"]["digits"] == f"49171hmac:{expected}"
    imsi = hmac.new(key, b"001010123456789", hashlib.sha256).hexdigest()[:16]
    assert verdict["map"]["imsi"] == f"hmac:{imsi}"
    without_reply = text.replace(verdict["reply"], "")
    for identity in ("491713920000", "447700900001", "001010123456789"):
        assert identity not in without_reply


def test_counters_never_fall_across_tables(policy: Tables, tmp_path: Path) -> None:
    worker = Worker()
    judge(policy, message(), worker=worker)
    other = tmp_path / "other.yaml"
    other.write_text('schema: 1\nname: other\nhome: {country_code: "44"}\nrules: []\n')
    judge(compile_policy(load(other)), message(), worker=worker)
    counters = worker.counters()
    assert counters["rule_matches"]["locate", "enforce"] == 1
    assert counters["verdicts"]["reject", "rule", "cat1", "international"] == 1
    assert counters["verdicts"]["drop", "default", "", "international"] == 1
    assert counters["messages"]["sccp", "international"] == 2


@given(st.lists(st.binary(max_size=300), max_size=5), st.sampled_from(["sccp", "mtp3", "m3ua", "pcap"]))
def test_any_octets_give_one_record_each(policy: Tables, values: list[bytes], encapsulation: str) -> None:
    out = judge(policy, *values, encapsulation=encapsulation).values()
    assert len(out) == len(values)
    for value in out:
        for line in value.split(b"\n"):
            VERDICT.validate(json.loads(line))


@given(st.integers(0, 2**62))
def test_time_is_that_of_datetime(time_ns: int) -> None:
    line = Worker().judge(None, Stream("x"), Batch([b"\x09"], "sccp", times_ns=[time_ns])).lines()
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_ns // 1000)
    assert json.loads(line)["time"] == expected.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize("given", [{"offsets": [1, 2]}, {"encapsulation": "m2ua"}, {"meta": [("x", None, None, None)]}])
def test_batch_that_does_not_fit_is_refused(given: dict[str, object]) -> None:
    arguments = {"encapsulation": "sccp"} | given
    with pytest.raises(ValueError, match=r"items|none of"):
        Batch([b""], **arguments)  # type: ignore[arg-type]


def segment(data: bytes, *, first: bool, remaining: int, protocol_class: int) -> bytes:
    """XUDT (Q.713 4.18) with a segmentation parameter, local reference 0000ab."""
    called, calling = party("447700900001", 6), party("491713920000", 147)
    pointers = (4, 4 + len(called), 4 + len(called) + len(calling), 4 + len(called) + len(calling) + len(data))
    parts = b"".join(bytes((len(part),)) + part for part in (called, calling, data))
    option = bytes((0x10, 4, (0x80 if first else 0) | remaining, 0, 0, 0xAB, 0))
    return bytes((0x11, protocol_class, 15, *pointers)) + parts + option


def test_reply_to_a_segmented_message_answers_its_first_segment(policy: Tables) -> None:
    whole = begin(INVOKE_ATI)
    first = segment(whole[:30], first=True, remaining=1, protocol_class=0x81)
    last = segment(whole[30:], first=False, remaining=0, protocol_class=0x01)
    held, final = (json.loads(v) for v in judge(policy, first, last).values())
    assert (held["action"], held["reason"]) == ("hold", "segment_held")
    assert (final["action"], final["rule"]) == ("reject", "locate")
    assert final["reassembly"]["parts"] == ["t/0/10/1/0", "t/0/11/1/0"]
    reply, _ = parse_SCCP(bytes.fromhex(final["reply"]))
    assert reply["Type"].get_val() == 0x12
    assert bytes.fromhex(final["reply"]).endswith(bytes((30,)) + whole[:30] + bytes((0x10, 4, 0x81, 0, 0, 0xAB, 0)))


def test_reply_is_refused_where_the_first_segment_asked_for_none(policy: Tables) -> None:
    whole = begin(INVOKE_ATI)
    first = segment(whole[:30], first=True, remaining=1, protocol_class=0x01)
    last = segment(whole[30:], first=False, remaining=0, protocol_class=0x81)
    final = json.loads(judge(policy, first, last).values()[1])
    assert (final["action"], final["reason"]) == ("drop", "reject_not_permitted")


def test_failed_reassembly_lists_what_was_held(policy: Tables) -> None:
    whole = begin(INVOKE_ATI)
    first = segment(whole[:30], first=True, remaining=2, protocol_class=0x81)
    wrong = segment(whole[30:], first=False, remaining=0, protocol_class=0x81)
    failed = json.loads(judge(policy, first, wrong).values()[1])
    VERDICT.validate(failed)
    assert (failed["action"], failed["reason"]) == ("drop", "reassembly_failed")
    assert (failed["reassembly"]["part"], failed["reassembly"]["parts"]) == (None, ["t/0/10/1/0"])


@pytest.mark.parametrize("octets", ["dead", "0000"])
def test_octets_behind_the_message_are_malformed(policy: Tables, octets: str) -> None:
    verdict = json.loads(judge(policy, message(calling="999420000000") + bytes.fromhex(octets)).values()[0])
    assert (verdict["action"], verdict["reason"]) == ("drop", "malformed")
    assert verdict["error"] == {"layer": "sccp", "code": "trailing", "offset": len(message())}


def test_record_that_is_no_capture_stands_as_frame_one(policy: Tables) -> None:
    verdict = json.loads(judge(policy, b"no capture", encapsulation="pcap").values()[0])
    assert (verdict["reason"], verdict["frame"]) == ("unframed", 1)


def test_one_point_code_of_the_headers_leaves_the_other_unknown(policy: Tables) -> None:
    batch = Batch([message()], "sccp", meta=[(None, None, 100, None)])
    verdict = json.loads(Worker().judge(policy, Stream("t/0"), batch).values()[0])
    assert (verdict["opc"], verdict["dpc"], verdict["ni"]) == (100, None, None)


@pytest.mark.parametrize(
    ("mode", "action", "reason", "shadow"),
    [
        ("enforce", "drop", "reassembly_timeout", None),
        ("monitor", "allow", "monitor", {"action": "drop", "rule": None, "reason": "reassembly_timeout"}),
        ("bypass", "allow", "bypass", None),
    ],
)
def test_reassembly_that_times_out_is_told_as_the_mode_says(
    policy: Tables, mode: str, action: str, reason: str, shadow: object
) -> None:
    stream = Stream("t/0")
    batch = Batch([segment(b"begin", first=True, remaining=1, protocol_class=0x81)], "sccp", times_ns=[0])
    Worker().judge(policy, stream, batch)
    (ended,) = stream.expire(policy, 11_000_000_000)
    line = records.timeout_line(ended, policy, {"international": mode})
    VERDICT.validate(line)
    assert (line["action"], line["reason"], line["shadow"]) == (action, reason, shadow)
    EVENT.validate(json.loads(Teller().event(line)))


def test_worker_that_writes_nothing_still_counts(policy: Tables) -> None:
    verdicts = judge(policy, message(), worker=Worker(verdicts="none"))
    assert (verdicts.lines(), verdicts.values()) == (b"", [b""])
    assert verdicts.counts == {("reject", "rule", "locate"): 1}


def test_facts_outlive_the_batch_that_they_are_of(policy: Tables) -> None:
    worker = Worker()
    worker.judge(policy, Stream("x", offsets=False), Batch([bytearray(message())], "sccp"))
    of_ours = worker.facts(policy)
    filler = [bytearray(b"\xff" * 300) for _ in range(2000)]  # would take the octets' place, were they free
    assert worker.facts(policy) == of_ours
    assert len(filler) == 2000


def test_rules_over_more_addresses_than_a_word_has_bits_find_theirs(tmp_path: Path) -> None:
    names = [name for name in FIELD_NAMES if name not in ("", "gsmSCF-Address")][:70]
    asked = {**{f"map.addresses.{name}.gt": "999" for name in names}, "map.addresses.gsmSCF-Address.gt": "49171"}
    rules = "\n".join(
        f'  - {{id: r{i}, category: cat1, when: {{{field}: ["{prefix}"]}}, action: drop}}'
        for i, (field, prefix) in enumerate(asked.items())
    )
    path = tmp_path / "p.yaml"
    home = 'home: {country_code: "44", global_titles: ["4477009"]}'
    path.write_text(f"schema: 1\nname: many\n{home}\nexceptions: {{default: allow}}\nrules:\n{rules}\n")
    verdict = json.loads(judge(compile_policy(load(path)), message()).values()[0])
    assert (verdict["action"], verdict["rule"]) == ("drop", "r70")


def test_record_of_more_octets_than_a_packet_may_have_is_no_message(policy: Tables) -> None:
    most = 262_144
    whole, more = (json.loads(one) for one in judge(policy, message().ljust(most, b"\0"), bytes(most + 1)).values())
    assert whole["error"]["layer"] != "framing"
    assert (more["error"]["layer"], more["error"]["code"], more["reason"]) == ("framing", "bad_length", "unframed")


def test_component_without_an_address_has_none_of_another_in_a_policy_of_any_size(tmp_path: Path) -> None:
    """Where fields are more than are gathered once a message, each component asks for the rest by itself."""
    routing = bytes.fromhex("a11e 020102 02012d 3016 8007 914477009010f1 8101ff 8208 9194713129001020")  # of no gsmSCF
    both = begin(INVOKE_ATI + routing)
    names = [name for name in FIELD_NAMES if name not in ("", "gsmSCF-Address")][:70]
    verdicts = []
    for count in (0, 140):
        fields = [f"map.addresses.{names[i // 2]}.{('gt', 'operator')[i % 2]}" for i in range(count)]
        asked = "".join(
            f"  - {{id: r{i}, category: cat1, when: {{{field}: [{('999', 'DEUXX')[i % 2]!r}], perimeter: national}}, "
            "action: drop}\n"
            for i, field in enumerate(fields)
        )
        path = tmp_path / f"p{count}.yaml"
        path.write_text(
            'schema: 1\nname: many\nhome: {country_code: "44", global_titles: ["4477009"]}\n'
            'operators: [{tadig: DEUXX, country: DE, global_titles: ["49171"]}]\n'
            f"exceptions: {{default: drop}}\nrules:\n{asked}"
            '  - {id: ours, category: cat1, when: {map.addresses.gsmSCF-Address.gt: ["49171"]}, action: allow}\n'
        )
        tables = compile_policy(load(path))
        for data in (begin(INVOKE_ATI), both):
            found = json.loads(
                judge(tables, unitdata(party("447700900001", 6), party("491713920000", 147), data)).values()[0]
            )
            verdicts.append((found["action"], found["reason"]))
    assert verdicts == [("allow", "rule"), ("drop", "default")] * 2
