"""Descriptions become messages: what is named lands at its place, what is not is made up, mistakes are told by line."""

from typing import Any

import orjson
import pytest

from sigfw import names
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw.messages.describe import Defaults, describe
from sigfw.yamlfile import Mistakes, parse

VLR, HOME = "491713920012", "447700900011"
DEFAULTS = Defaults({}, HOME)
# No module of pycrate's has their arguments.
UNDEFINED = ("provideSIWFSNumber", "sIWFSSignallingModify", *(f"secureTransportClass{n}" for n in (1, 2, 3, 4)))


def made(text: str) -> dict[str, Any]:
    """Our reading of the last part of what is described; it comes from 491713920012 where it says nothing else."""
    mistakes = Mistakes()
    node = parse(f"{{calling: '{VLR}', {text}}}".encode(), "d.yaml", mistakes)
    assert node is not None, mistakes.lines()
    parts = describe(node, mistakes, DEFAULTS, 7)
    assert mistakes.lines() == []
    lines = Worker().judge(None, Stream("t"), Batch(parts, "sccp", offsets=range(len(parts)))).lines()
    found: dict[str, Any] = orjson.loads(lines.splitlines()[-1])
    return found


def mistakes_of(text: str) -> list[str]:
    mistakes = Mistakes()
    node = parse(text.encode(), "d.yaml", mistakes)
    assert node is not None
    assert describe(node, mistakes, DEFAULTS, 1) == ()
    return mistakes.lines()


@pytest.mark.parametrize(("application", "name"), [(a, n) for a, _, n, _ in names.OPERATIONS[1:]])
def test_operation_is_written_and_read_as_itself(application: str, name: str) -> None:
    seen = made(f"operation: {name}")
    assert seen["error"] is None or name in UNDEFINED
    (component,) = seen["tcap"]["components"]
    assert (component["application"], component["operation"]) == (application, name)
    assert seen["tcap"]["type"] == "begin"
    assert {seen["sccp"][side]["digits"] for side in ("calling", "called")} == {VLR, HOME}


@pytest.mark.parametrize(
    ("text", "imsi", "msisdn"),
    [
        ("operation: updateLocation, imsi: '001010000000009'", "001010000000009", None),
        ("operation: anyTimeInterrogation, imsi: '23415'", "23415", None),
        ("operation: anyTimeInterrogation, msisdn: '447700900555'", None, "447700900555"),
        ("operation: cancelLocation, imsi: '001010000000009', version: 1", "001010000000009", None),
        ("operation: sendAuthenticationInfo, imsi: '001010000000009', version: 2", "001010000000009", None),
        ("operation: sendIMSI, msisdn: '447700900555'", None, "447700900555"),
        ("operation: mt-forwardSM, imsi: '001010000000009'", "001010000000009", None),
        ("operation: mt-forwardSM, imsi: '001010000000009', version: 2", "001010000000009", None),
        ("operation: mo-forwardSM, msisdn: '447700900555'", None, "447700900555"),
        ("operation: initialDP, imsi: '001010000000009'", "001010000000009", None),
        ("operation: processUnstructuredSS-Request, imsi: '001010000000009'", "001010000000009", None),
        ("operation: registerSS, imsi: '001010000000009'", "001010000000009", None),
        ("operation: sendParameters, imsi: '001010000000009'", "001010000000009", None),
        ("operation: insertSubscriberData, tcap: continue", None, None),
        ("operation: insertSubscriberData, tcap: continue, msisdn: '447700900555'", None, "447700900555"),
    ],
)
def test_identity_lands_where_the_operation_has_it(text: str, imsi: str | None, msisdn: str | None) -> None:
    about = made(text)["map"]
    assert (about["imsi"], about["msisdn"]) == (imsi, msisdn)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("operation: updateLocation", {"msc-Number": [VLR], "vlr-Number": [VLR]}),
        ("operation: updateLocation, version: 2", {"msc-Number": [VLR], "vlr-Number": [VLR]}),
        ("operation: updateLocation, vlr-Number: '33639980001'", {"msc-Number": [VLR], "vlr-Number": ["33639980001"]}),
        ("operation: sendRoutingInfoForSM", {"serviceCentreAddress": [VLR]}),
        ("operation: mo-forwardSM", {"serviceCentreAddressDA": [HOME]}),
        ("operation: mt-forwardSM", {"serviceCentreAddressOA": [VLR]}),
        ("operation: insertSubscriberData, gsmSCF-Address: '999420000001'", {"gsmSCF-Address": ["999420000001"]}),
        ("operation: reset, hlr-Number: {digits: '7700900012', nai: national}", {"hlr-Number": ["7700900012"]}),
        ("operation: updateLocation, component: returnResultLast", {"hlr-Number": [VLR]}),
        ("operation: purgeMS, argument: {imsi: '001010000000001', vlr-Number: '49'}", {"vlr-Number": ["49"]}),
    ],
)  # fmt: skip
def test_address_is_the_one_named_or_the_partys(text: str, addresses: dict[str, list[str]]) -> None:
    assert made(text)["map"]["addresses"] == addresses


@pytest.mark.parametrize(
    ("text", "acn"),
    [
        ("operation: updateLocation", "0.4.0.0.1.0.1.3"),
        ("operation: updateLocation, version: 2", "0.4.0.0.1.0.1.2"),
        ("operation: updateLocation, version: 1", None),
        ("operation: updateLocation, acn: ", None),
        ("operation: updateLocation, acn: 0.4.0.0.1.0.20.3", "0.4.0.0.1.0.20.3"),
        ("operation: insertSubscriberData", "0.4.0.0.1.0.16.3"),
        ("operation: insertSubscriberData, tcap: continue", None),
        ("operation: insertSubscriberData, tcap: continue, acn: 0.4.0.0.1.0.1.3", "0.4.0.0.1.0.1.3"),
        ("operation: mt-forwardSM", "0.4.0.0.1.0.25.3"),
        ("operation: mt-forwardSM, version: 2", "0.4.0.0.1.0.25.2"),
        ("operation: mo-forwardSM, version: 2", "0.4.0.0.1.0.21.2"),
        ("operation: sendParameters", None),
        ("operation: initialDP", "0.4.0.0.1.23.3.4"),
        ("operation: initialDP, version: 1", "0.4.0.0.1.0.50.0"),
        ("operation: initialDP, version: 2", "0.4.0.0.1.0.50.1"),
        ("operation: anyTimeInterrogation, tcap: unidirectional", "0.4.0.0.1.0.29.3"),
    ],
)
def test_context_is_the_operations_own_in_its_newest_version(text: str, acn: str | None) -> None:
    assert made(text)["tcap"]["acn"] == acn


@pytest.mark.parametrize(
    ("text", "package", "kinds"),
    [
        ("tcap: end", "end", []),
        ("tcap: abort", "abort", []),
        ("component: reject", "end", ["reject"]),
        ("operation: updateLocation, error: unknownSubscriber", "end", ["returnError"]),
        ("operation: sendIMSI, component: returnResultNotLast, tcap: continue", "continue", ["returnResultNotLast"]),
        ("components: [{operation: unstructuredSS-Notify}, {component: reject}]", "begin", ["invoke", "reject"]),
    ],
)  # fmt: skip
def test_package_and_components_are_those_described(text: str, package: str, kinds: list[str]) -> None:
    tcap = made(text)["tcap"]
    assert (tcap["type"], [one["type"] for one in tcap["components"]]) == (package, kinds)


def test_transaction_ids_are_the_messages_number_or_as_written() -> None:
    assert made("operation: updateLocation")["tcap"]["otid"] == "00000007"
    tcap = made("operation: updateLocation, tcap: continue, otid: '0a', dtid: '0b0c'")["tcap"]
    assert (tcap["otid"], tcap["dtid"]) == ("0a", "0b0c")


def test_error_has_its_number() -> None:
    (component,) = made("operation: updateLocation, error: roamingNotAllowed")["tcap"]["components"]
    assert component["error_code"] == 8


def test_address_has_what_it_is_described_with() -> None:
    called = made("tcap: end, called: {gt: '00101000000001', np: e212, nai: unknown, tt: 9, ssn: vlr, pc: 5}")["sccp"][
        "called"
    ]
    assert called == {
        "route_on": "gt", "gti": 4, "tt": 9, "np": 6, "es": 2, "nai": 0, "digits": "00101000000001", "ssn": 7, "pc": 5,
    }  # fmt: skip
    assert made("tcap: end, called: {ssn: 8, pc: 5}")["sccp"]["called"]["route_on"] == "ssn"
    assert made("tcap: end, called_ssn: sgsn")["sccp"]["called"]["ssn"] == 149


@pytest.mark.parametrize(
    ("text", "kind"),
    [("sccp: LUDTS, return_cause: unqualified", "LUDTS"), ("segments: 4", "XUDT"), ("sccp: XUDT", "XUDT")],
)  # fmt: skip
def test_sccp_form_is_the_one_described(text: str, kind: str) -> None:
    seen = made(f"operation: updateLocation, imsi: '001010000000009', {text}")
    assert (seen["sccp"]["type"], seen["map"]["imsi"]) == (kind, "001010000000009")


def test_message_too_long_for_one_goes_in_segments() -> None:
    seen = made(f"operation: mt-forwardSM, sm-RP-UI: '{'00' * 180}'")
    assert len(seen["reassembly"]["parts"]) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{operation: updateLocation, calling: '49', msisdn: '1'}", 'updateLocation has no "msisdn"; did you'),
        ("{operation: updateLocation, calling: '49', vlrNumber: '1'}", "did you mean vlr-Number?"),
        ("{operation: updatelocation, calling: '49'}", "did you mean updateLocation?"),
        ("{operation: anyTimeInterrogation, calling: '49', version: 2}", "has no version 2; write 3, or `acn`"),
        ("{operation: initialDP, calling: '49', version: 9}", 'version "9" is not usable; write a number from 1 to 4'),
        ("{operation: updateLocation, calling: '49', imsi: '+44'}", 'imsi "+44" is not usable; write 1 to 20 digits'),
        ("{operation: purgeMS, calling: '49', imsi: '12345678901234567890'}", "purgeMS cannot be encoded ("),
        ("{operation: updateLocation, calling: '+49'}", 'calling "+49" is not usable; write digits only'),
        ("{operation: updateLocation}", "a message has no `calling`; add it"),
        ("{calling: '49'}", "a message has neither `operation`, `tcap` nor `data`"),
        ("{calling: '49', imsi: '1', tcap: end}", 'unknown key "imsi" in a message without `operation`'),
        ("{calling: '49', operation: secureTransportClass1, imsi: '1'}", "no argument that is known; give `argument`"),
        ("{calling: '49', operation: updateLocation, argument: '30', imsi: '1'}", '"imsi" stands beside `argument`'),
        ("{calling: '49', operation: updateLocation, sccp: UDT, return_cause: 1}", "a UDT has no return cause; write"),
        ("{calling: '49', data: '0102', called: [1]}", "called is a list"),
        ("{calling: '49', data: '0102', tcap: end}", "tcap stands beside `data`"),
    ],
)  # fmt: skip
def test_mistake_is_told_with_file_and_line(text: str, told: str) -> None:
    lines = mistakes_of(text)
    assert all(line.startswith("d.yaml:1: ") for line in lines)
    assert any(told in line for line in lines), lines


def test_all_mistakes_of_a_description_are_told() -> None:
    told = mistakes_of("{operation: updateLocation,\n calling: x,\n msisdn: '1',\n vlr-Number: '+',\n segments: 99}")
    assert [line.split(":")[1] for line in told] == ["2", "3", "4", "5"]


def test_left_out_on_purpose_is_left_out() -> None:
    seen = made("operation: provideSubscriberInfo, imsi: ")
    assert (seen["map"]["imsi"], seen["error"]["code"]) == (None, "missing")


def test_argument_may_be_given_in_octets_or_left_out() -> None:
    whole = made("operation: sendIMSI, argument: '040791447700905555'")
    assert whole["map"]["msisdn"] == "447700095555"
    assert made("operation: sendAuthenticationInfo, argument: ")["map"]["imsi"] is None
