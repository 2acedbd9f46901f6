"""SCCP messages of Q.713, made here octet by octet."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigfw._core import sccp
from sigfw.names import ERROR_CODES, LAYERS

TCAP = bytes.fromhex("6206480400000001")
SSN_8 = bytes.fromhex("4208")


def udt(called: bytes = SSN_8, calling: bytes = SSN_8, data: bytes = TCAP, protocol_class: int = 0) -> bytes:
    a, b = 3 + len(called), 3 + len(called) + len(calling)
    pointers = bytes([3, a, b])
    parts = b"".join(bytes([len(part)]) + part for part in (called, calling, data))
    return bytes([9, protocol_class]) + pointers + parts


def xudt(options: bytes, kind: int = 0x11, hops: int = 15, second: int = 0) -> bytes:
    fixed = bytes([kind, second, hops])
    parts = b"".join(bytes([len(part)]) + part for part in (SSN_8, SSN_8, TCAP))
    pointers = bytes([4, 6, 8, 1 + len(parts) if options else 0])
    return fixed + pointers + parts + options


def error(octets: bytes) -> tuple[str, str, int] | None:
    found = sccp.parse(octets)["error"]
    if found is None:
        return None
    layer, code, offset = found
    return LAYERS[layer], ERROR_CODES[code], offset


def party_of(**fields: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("tt", "np", "es", "nai", "digits", "ssn", "pc"))
    return {"route_on": "gt", "gti": 0, **nothing, **fields}


def party(address: str) -> dict[str, Any]:
    result = sccp.parse(udt(called=bytes.fromhex(address)))
    assert result["error"] is None
    called = result["called"]
    assert isinstance(called, dict)
    return called


def test_unitdata_is_read_whole() -> None:
    result = sccp.parse(udt(bytes.fromhex("120800120444770009103200"), SSN_8, TCAP, 0x81))
    assert result == {
        "type": 9,
        "class": 1,
        "return_on_error": True,
        "hop_counter": None,
        "return_cause": None,
        "called": party_of(route_on="gt", gti=4, tt=0, np=1, es=2, nai=4, digits="44770090012300", ssn=8),
        "calling": party_of(route_on="ssn", ssn=8),
        "segmentation": None,
        "management": None,
        "data": TCAP,
        "error": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("00", {"route_on": "gt", "gti": 0, "ssn": None, "pc": None, "digits": None}),
        ("434101fe", {"route_on": "ssn", "pc": 0x0141, "ssn": 0xFE}),
        (
            "c3ffff08",
            {"route_on": "ssn", "pc": 0x3FFF, "ssn": 8},
        ),  # the two bits above are spare
        ("0608844477", {"gti": 1, "nai": 4, "tt": None, "digits": "447"}),  # GTI 1: bit 8 of the NAI says odd
        ("0608044477", {"gti": 1, "nai": 4, "digits": "4477"}),
        ("0a08034477", {"gti": 2, "tt": 3, "nai": None, "digits": "4477"}),
        ("0a080344f7", {"gti": 2, "tt": 3, "digits": "447"}),
        ("0e080061" + "4477", {"gti": 3, "np": 6, "es": 1, "nai": None, "digits": "447"}),
        ("1208001104" + "44a7", {"es": 1, "digits": "447"}),
        ("1208001204" + "44f7", {"es": 2, "digits": "447"}),
        ("1208001204" + "44ff", {"es": 2, "digits": "44f"}),
        ("1208001204" + "f47f", {"es": 2, "digits": "4ff7"}),  # anywhere else it is a digit above 9
        ("1208001004" + "44f7", {"es": 0, "digits": "447"}),
        ("1208001404" + "4477", {"es": 4, "digits": "4477"}),
        ("1208001204" + "badc", {"digits": "abcd"}),
        ("1208001204", {"gti": 4, "nai": 4, "digits": ""}),
        ("1208001104" + "21436587092143658709214365870921", {"digits": "1234567890123456789012345678901"}),
        ("1208001204" + "21436587092143658709214365870921436587", {"digits": "12345678901234567890123456789012"}),
    ],
)
def test_address_is_read_as_its_indicator_says(address: str, expected: dict[str, Any]) -> None:
    called = party(address)
    assert {key: called[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"", ("sccp", "truncated", 0)),
        (b"\x00", ("sccp", "unknown_type", 0)),
        (b"\x15\x00\x00", ("sccp", "unknown_type", 0)),
        (udt()[:4], ("sccp", "truncated", 4)),
        (udt()[:-1], ("sccp", "length_overrun", 11)),
        (udt(protocol_class=2), ("sccp", "bad_value", 1)),
        (bytes.fromhex("0900000507024208024208016200"), ("sccp", "missing", 2)),
        (bytes.fromhex("0900010507024208024208016200"), ("sccp", "bad_pointer", 2)),  # into the pointers
        (bytes.fromhex("0900ff0507024208024208016200"), ("sccp", "bad_pointer", 2)),
        (bytes.fromhex("0900030207024208024208016200"), ("sccp", "bad_pointer", 3)),  # into the called party
        (udt(called=b""), ("sccp", "bad_length", 6)),
        (udt(called=bytes.fromhex("12080012")), ("sccp", "length_overrun", 6)),
        (udt(called=bytes.fromhex("4301")), ("sccp", "length_overrun", 6)),
        (udt(called=bytes.fromhex("1608")), ("sccp", "bad_value", 6)),  # GTI 5
        (xudt(b"", hops=0), ("sccp", "bad_hop_counter", 2)),
        (xudt(b"", hops=16), ("sccp", "bad_hop_counter", 2)),
        (xudt(b"\x12\x01\x05"), ("sccp", "truncated", 25)),  # no end of optional parameters
        (xudt(b"\x10\x03\x80\x01\x02\x00"), ("sccp", "bad_length", 24)),
        (xudt(b"\x10\x04\x80\x01\x02\x03\x10\x04\x80\x01\x02\x03\x00"), ("sccp", "duplicate", 30)),
        (xudt(b"\x04\x02\x42\x06\x00"), ("sccp", "bad_tag", 24)),  # a second calling party
        (xudt(b"\x12\x05\x05\x00"), ("sccp", "length_overrun", 23)),
        (xudt(b"\xf0\x00" * 17 + b"\x00"), ("sccp", "too_many", 54)),
    ],
)
def test_error_names_code_and_offset(octets: bytes, expected: tuple[str, str, int]) -> None:
    assert error(octets) == expected


@pytest.mark.parametrize("handling", range(16))
def test_return_is_asked_for_by_one_value_of_message_handling(handling: int) -> None:
    """Q.713 3.6: 0 and 8 mean something, the others are spare."""
    assert sccp.parse(udt(protocol_class=handling << 4 | 1))["return_on_error"] is (handling == 8)


def test_parts_before_and_after_an_error_are_still_read() -> None:
    result = sccp.parse(udt(called=bytes.fromhex("1608"), calling=bytes.fromhex("4206")))
    assert result["error"] is not None
    assert result["calling"]["ssn"] == 6
    assert result["data"] == TCAP


def test_pointers_in_any_order_give_the_same_message() -> None:
    plain = udt(called=bytes.fromhex("4206"), calling=bytes.fromhex("4208"))
    gap = b"\xaa"
    parts = bytes([len(TCAP)]) + TCAP + gap + b"\x02\x42\x08" + gap + b"\x02\x42\x06"
    turned = bytes([9, 0, 19 - 2, 15 - 3, 5 - 4]) + parts
    assert sccp.parse(turned) == sccp.parse(plain)


def test_segmentation_and_importance_in_either_order() -> None:
    for options in (b"\x10\x04\xc2\x01\x02\x03\x12\x01\x05\x00", b"\x12\x01\x05\x10\x04\xc2\x01\x02\x03\x00"):
        result = sccp.parse(xudt(options))
        assert result["segmentation"] == {"first": True, "remaining": 2, "local_reference": "010203", "class": 1}
        assert (result["hop_counter"], result["error"]) == (15, None)


def test_service_message_gives_its_return_cause() -> None:
    result = sccp.parse(xudt(b"", kind=0x12, hops=3, second=7))
    assert (result["class"], result["return_cause"], result["hop_counter"], result["data"]) == (None, 7, 3, TCAP)


def test_long_unitdata_has_wide_pointers_and_length() -> None:
    data = TCAP + bytes(1000)
    fixed = bytes([0x13, 0x01, 10, 7, 0, 8, 0, 9, 0, 0, 0])
    octets = fixed + b"\x02\x42\x06" + b"\x02\x42\x08" + len(data).to_bytes(2, "little") + data
    result = sccp.parse(octets)
    assert (result["error"], result["data"]) == (None, data)
    assert result["calling"]["ssn"] == 8


def test_connection_request_gives_class_and_addresses_but_no_data() -> None:
    octets = bytes.fromhex("01aabbcc02" + "0204" + "024208" + "0402420f" + "0f020102" + "11010c" + "00")
    result = sccp.parse(octets)
    assert (result["type"], result["class"], result["hop_counter"], result["data"]) == (1, 2, 12, None)
    assert result["called"]["ssn"] == 8
    assert result["calling"]["ssn"] == 15
    assert result["error"] is None


@pytest.mark.parametrize(("data", "management"), [
    ("0208ac0100", {"type": 2, "affected_ssn": 8, "affected_pc": 428}),
    ("0608ac010005", {"type": 6, "affected_ssn": 8, "affected_pc": 428}),
    ("0708ac0100", None),
    ("6206480400000001", None),
])  # fmt: skip
def test_management_is_read_for_ssn_1_alone(data: str, management: dict[str, int] | None) -> None:
    octets = bytes.fromhex(data)
    result = sccp.parse(udt(called=bytes.fromhex("4201"), data=octets))
    assert (result["management"], result["error"]) == (management, None)
    assert sccp.parse(udt(data=octets))["management"] is None


def test_management_of_wrong_length_is_an_error() -> None:
    assert error(udt(called=bytes.fromhex("4201"), data=bytes.fromhex("0208ac01"))) == ("sccp", "bad_length", 12)


@given(st.binary(max_size=80), st.sampled_from([*range(1, 0x15)]))
def test_any_octets_give_a_result(rest: bytes, kind: int) -> None:
    octets = bytes([kind]) + rest
    result = sccp.parse(octets)
    found = result["error"]
    assert found is None or 0 <= found[2] <= len(octets)
    assert result["data"] is None or result["data"] in octets


def test_usual_address_is_read_as_all_others() -> None:
    """Each octet changed to each value, beside the same as China reads it: alike where there is no point code."""
    usual = bytes.fromhex("120600110497")
    for address in (usual, usual + bytes.fromhex("214365"), usual + bytes.fromhex("21436587092143658709f1")):
        for at in range(len(address)):
            for value in range(256):
                changed = address[:at] + bytes((value,)) + address[at + 1 :]
                if not changed[0] & 1:
                    message = udt(called=changed, calling=changed)
                    assert sccp.parse(message, 1) == sccp.parse(message, 3), changed.hex()
    for octets in range(1, len(usual)):
        message = udt(called=usual[:octets], calling=usual[:octets])
        assert sccp.parse(message, 1) == sccp.parse(message, 3)
