"""Which dialect a message is read in, and how ANSI's and China's SCCP differ from Q.713's."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigfw import config, names, records
from sigfw._core import sccp
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw.errors import ConfigError
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from tests.unit.sccpbytes import (
    ANSI,
    CHINA,
    ITU,
    address,
    ansi_gt,
    extended,
    gt_digits,
    itu_gt,
    m3ua,
    segments,
    unitdata,
)

HLR = bytes((0xC1, 6))  # an ANSI address: routed on SSN, SSN 6
BEGIN = bytes.fromhex("6206480400000001")
NOTHING: dict[str, Any] = dict.fromkeys(("tt", "np", "es", "nai", "digits", "ssn", "pc"))


def parsed(message: bytes, variant: str) -> dict[str, Any]:
    return sccp.parse(message, names.VARIANTS.index(variant))


def party(octets: bytes, variant: str) -> dict[str, Any]:
    result = parsed(unitdata(octets, HLR if variant == ANSI else bytes((0x42, 6)), BEGIN), variant)
    assert result["error"] is None
    called: dict[str, Any] = result["called"]
    return called


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("c106", {"route_on": "ssn", "gti": 0, "ssn": 6}),
        ("c201ad05", {"route_on": "ssn", "gti": 0, "pc": 0x05AD01}),  # member 1, cluster 173, network 5
        ("c30601ad05", {"route_on": "ssn", "gti": 0, "ssn": 6, "pc": 0x05AD01}),  # the SSN comes first
        ("880e" + "2143658709", {"route_on": "gt", "gti": 2, "tt": 14, "digits": "1234567890"}),
        ("89060e" + "21f3", {"route_on": "gt", "gti": 2, "ssn": 6, "tt": 14, "digits": "123"}),
        ("85060a11" + "214365f7", {"gti": 1, "ssn": 6, "tt": 10, "np": 1, "es": 1, "digits": "1234567"}),
        ("85060a1221436587", {"gti": 1, "ssn": 6, "tt": 10, "np": 1, "es": 2, "digits": "12345678"}),
        ("85060a62badc", {"gti": 1, "ssn": 6, "tt": 10, "np": 6, "es": 2, "digits": "abcd"}),
        ("8f0601ad050e2143", {"gti": 3}),
        ("80", {"route_on": "gt", "gti": 0}),
    ],
)
def test_ansi_address_is_read_as_its_indicator_says(octets: str, expected: dict[str, Any]) -> None:
    message = unitdata(bytes.fromhex(octets), HLR, BEGIN)
    found = parsed(message, ANSI)
    if expected["gti"] > 2:  # T1.112.3 assigns none of them
        assert names.ERROR_CODES[found["error"][1]] == "bad_value"
    else:
        assert found["error"] is None
        assert found["called"] == {"route_on": "gt", "gti": 0, **NOTHING, **expected}


def test_ansi_address_coded_to_international_standards_is_one_of_q713() -> None:
    octets = address(ANSI, pc=0x0141, ssn=8, gt=itu_gt("447700900"), international=True)
    assert party(octets, ANSI) == party(octets, ITU)
    assert party(octets, ANSI)["pc"] == 0x0141


def test_chinese_address_is_that_of_q713_with_a_wide_point_code() -> None:
    octets = address(CHINA, pc=0x123456, ssn=8, gt=itu_gt("8613800000000"))
    found = party(octets, CHINA)
    assert (found["pc"], found["ssn"], found["digits"], found["nai"]) == (0x123456, 8, "8613800000000", 4)


@pytest.mark.parametrize("variant", [ANSI, CHINA])
@pytest.mark.parametrize("kind", range(1, 7))
def test_management_has_a_wide_point_code(variant: str, kind: int) -> None:
    data = bytes((kind, 8, 0x56, 0x34, 0x12, 0)) + bytes(kind == 6)
    scmg = address(variant, ssn=1)
    result = parsed(unitdata(scmg, scmg, data), variant)
    assert result["management"] == {"type": kind, "affected_ssn": 8, "affected_pc": 0x123456}
    assert result["error"] is None
    short = parsed(unitdata(scmg, scmg, data[:-1]), variant)
    assert names.ERROR_CODES[short["error"][1]] == "bad_length"


def test_management_of_ansi_alone_is_named_there_alone() -> None:
    for kind, name in ((0xFD, "SBR"), (0xFE, "SNR"), (0xFF, "SRT")):
        message = unitdata(address(ANSI, ssn=1), HLR, bytes((kind, 8, 1, 2, 3, 0)))
        (line,) = judged([message], ANSI)
        assert line["sccp"]["management"] == {"type": name, "affected_ssn": 8, "affected_pc": 0x030201}
        message = unitdata(address(CHINA, ssn=1), address(CHINA, ssn=1), bytes((kind, 8, 1, 2, 3, 0)))
        (line,) = judged([message], CHINA)
        assert (line["sccp"]["management"], line["error"]) == (None, None)


def test_isni_is_stepped_over_as_any_option_that_is_not_read() -> None:
    """T1.112.3: 250, intermediate signalling network identification."""
    result = parsed(extended(HLR, HLR, BEGIN, bytes.fromhex("fa03010203" + "1004c0aabbcc")), ANSI)
    assert (result["error"], result["segmentation"]["local_reference"]) == (None, "aabbcc")


def test_ansi_segments_are_put_together() -> None:
    data = BEGIN[:1] + bytes((len(BEGIN) - 2,)) + BEGIN[2:]
    lines = judged(segments(address(ANSI, ssn=6, pc=0x010203), HLR, data, 3), ANSI)
    assert [line["tcap"] and line["tcap"]["otid"] for line in lines] == [None, None, "00000001"]


def judged(messages: list[bytes], variant: str, encapsulation: str = "sccp", policy: Path | None = None) -> list[Any]:
    tables = None if policy is None else compile_policy(load(policy))
    verdicts = Worker().judge(tables, Stream("t", topic="ss7.in"), Batch(messages, encapsulation), variant=variant)
    return [json.loads(line) for line in verdicts.lines().splitlines()]


POLICY = """
schema: 1
name: p
exceptions: {default: allow}
links:
  - {name: us, match: {opc: [7]}, perimeter: international, variant: ansi}
  - {name: cn, match: {opc: [8]}, perimeter: international, variant: china}
  - {name: rest, match: {dpc: [9]}, perimeter: international}
rules:
  - {id: own, when: {calling.gt: {in: ["1415555"]}}, action: drop}
  - {id: node, when: {calling.pc: 1193046}, action: drop}
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "p.yaml"
    path.write_text(POLICY)
    return path


def test_link_says_how_a_message_is_read_before_it_is_read(policy: Path) -> None:
    def sent(variant: str, opc: int, dpc: int = 2) -> bytes:
        title = ansi_gt("14155550100") if variant == ANSI else itu_gt("14155550100")
        return m3ua(unitdata(address(variant, ssn=6), address(variant, ssn=6, gt=title), BEGIN), opc=opc, dpc=dpc)

    lines = judged([sent(ANSI, 7), sent(CHINA, 8), sent(ITU, 9, 9), sent(ANSI, 10)], ANSI, "m3ua", policy)
    assert [line["rule"] for line in lines] == ["own"] * 4  # the last by the topic's variant
    lines = judged([sent(ANSI, 9, 9)], ANSI, "m3ua", policy)  # a link without a variant is ITU's
    assert lines[0]["error"] is not None


def test_ten_digits_on_an_ansi_link_hide_no_number_of_country_code_1(policy: Path) -> None:
    policy.write_text(POLICY.replace("name: p\n", 'name: p\nhome: {country_code: "1"}\n'))
    for gt in (ansi_gt("4155550100"), ansi_gt("4155550100", np=None), ansi_gt("14155550100")):
        (line,) = judged([unitdata(HLR, address(ANSI, ssn=6, gt=gt), BEGIN)], ANSI, policy=policy)
        assert (line["rule"], line["sccp"]["calling"]["digits"][-10:]) == ("own", "4155550100")


def test_point_code_of_an_address_has_24_bits_for_rules(policy: Path) -> None:
    for variant, opc in ((ANSI, 7), (CHINA, 8)):
        message = m3ua(unitdata(address(variant, ssn=6), address(variant, ssn=6, pc=0x123456), BEGIN), opc=opc)
        assert judged([message], ITU, "m3ua", policy)[0]["rule"] == "node"


def test_reply_to_an_ansi_message_turns_its_addresses_round(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("schema: 1\nname: p\nrules: [{id: all, when: {}, action: reject}]\n")
    called, calling = address(ANSI, ssn=6, pc=0x0A0B0C), address(ANSI, ssn=8, gt=ansi_gt("14155550100"))
    (line,) = judged([unitdata(called, calling, BEGIN, second=0x80)], ANSI, policy=path)
    assert line["action"] == "reject"
    assert bytes.fromhex(line["reply"]) == unitdata(calling, called, BEGIN, kind=0x0A, second=7)


def test_ttc_is_refused_by_name(tmp_path: Path, policy: Path) -> None:
    policy.write_text(POLICY.replace("variant: china", "variant: ttc"))
    with pytest.raises(ConfigError, match=r'p\.yaml:7: variant "ttc" is not built yet; write itu, ansi, china$'):
        load(policy)
    (tmp_path / "c.yaml").write_text(
        "schema: 1\npolicy: p.yaml\nsource: {capture: {path: a.pcap, variant: ttc}}\n"
        "sink: {files: {verdicts: v, events: e}}\nidentities: {pseudonymise: false}\n"
    )
    with pytest.raises(ConfigError, match=r'source\.capture\.variant "ttc" is not built yet; write itu, ansi, china$'):
        config.load(tmp_path / "c.yaml", {})


def test_variant_of_a_capture_is_said_in_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        "schema: 1\npolicy: p.yaml\nsource: {capture: {path: a.pcap, variant: china}}\n"
        "sink: {files: {verdicts: v, events: e}}\nidentities: {pseudonymise: false}\n"
    )
    loaded = config.load(path, {})
    assert loaded.source.capture is not None
    assert loaded.source.capture.variant == "china"
    loaded = config.load(path, {"SIGFW_SOURCE_CAPTURE_VARIANT": "ansi"})
    assert loaded.source.capture is not None
    assert loaded.source.capture.variant == "ansi"


def test_tcap_line_of_a_hex_file_reads_the_same_in_every_variant(tmp_path: Path) -> None:
    path = tmp_path / "a.hex"
    path.write_text(f"tcap\t{BEGIN.hex()}\ntcap\te213c70400000001e80be909cf010ad1020935f000\n")
    lines = {variant: list(records.decode(path, variant=variant)) for variant in (ITU, ANSI, CHINA)}
    assert lines[ITU] == lines[ANSI] == lines[CHINA]
    assert [line["tcap"]["type"] for line in lines[ANSI]] == ["begin", "queryWithPerm"]


@given(st.binary(max_size=40), st.sampled_from([ITU, ANSI, CHINA]), st.sampled_from([*range(1, 0x15)]))
def test_any_octets_give_a_result_in_every_variant(rest: bytes, variant: str, kind: int) -> None:
    octets = bytes([kind]) + rest
    found = parsed(octets, variant)["error"]
    assert found is None or 0 <= found[2] <= len(octets)


@pytest.mark.parametrize("variant", [ANSI, CHINA])
def test_message_cut_or_changed_at_any_octet_is_read_as_far_as_it_goes(variant: str) -> None:
    gt = ansi_gt("14155550100") if variant == ANSI else itu_gt("8613800000000")
    whole = extended(
        address(variant, ssn=6, pc=0x010203, gt=gt), address(variant, ssn=8), BEGIN, bytes.fromhex("1004c0aabbcc")
    )
    assert parsed(whole, variant)["error"] is None
    for n in range(len(whole)):
        assert parsed(whole[:n], variant)["error"] is not None
    for n in range(len(whole)):
        for bit in range(8):
            changed = whole[:n] + bytes((whole[n] ^ 1 << bit,)) + whole[n + 1 :]
            assert isinstance(parsed(changed, variant), dict)


def test_digits_of_both_indicators_are_read_alike() -> None:
    assert gt_digits("14155550100")[-1] == 0
    for np in (1, None):
        octets = address(ANSI, gt=ansi_gt("1415555010", np=np))
        assert party(octets, ANSI)["digits"] == "1415555010"
