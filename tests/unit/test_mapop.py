"""MAP and CAP: readings of an operation code, what arguments and results name. Oracle: pycrate, and octets by hand."""

import random
from pathlib import Path
from typing import Any

import pytest
from tcapbytes import ATI, ATI_ACN, IMSI, Node, address, begin, dialogue, digits, encode, invoke, result

from sigfw import names
from sigfw._core import mapop, mapop_tables
from sigfw._core.mapop import parse

EVENT: Node = (0x30, [(0x80, b"\x07"), (0xA3, [(0x81, b"\x01")])])  # eventReportBCSM
SMS_DELIVER = bytes.fromhex("040b919471000000f17ff66280110000004002c834")
SMS_SUBMIT = bytes.fromhex("01050b919471000000f140f502c834")


def forward(da: Node, oa: Node, tpdu: bytes) -> Node:
    return (0x30, [da, oa, (0x04, tpdu)])


DA_IMSI: Node = (0x80, digits(IMSI))
DA_SC: Node = (0x84, address("447700900001"))
OA_SC: Node = (0x84, address("447700900001"))
OA_MSISDN: Node = (0x82, address("447700900002"))


def read(node: Node, called_ssn: int = 6, calling_ssn: int = 6) -> dict[str, Any]:
    return parse(encode(node), called_ssn, calling_ssn)


def numbers(got: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(n["kind"], n["name"], n["digits"]) for n in got["numbers"]}


def test_tables_are_those_that_the_generator_makes() -> None:
    assert Path(mapop_tables.__file__).with_suffix(".h").read_text() == mapop_tables.render()


def test_operations_are_numbered_as_in_names() -> None:
    assert [(application, name) for application, _, name, _ in names.OPERATIONS] == list(mapop.OPERATIONS)
    known = {(application, opcode) for application, opcode, _, _ in names.OPERATIONS}
    assert len(known) == len(names.OPERATIONS)
    assert {
        ("map", op) for _, versions in names.MAP_CONTEXTS.values() for ops in versions.values() for op in ops
    } <= known
    assert {("cap", op) for _, ops in names.CAP_CONTEXTS.values() for op in ops} <= known


def test_every_context_of_the_standard_is_known() -> None:
    from pycrate_asn1dir import TCAP_MAPv2v3  # type: ignore[import-untyped]

    for module in (TCAP_MAPv2v3.MAP_ApplicationContexts, TCAP_MAPv2v3.MAPv2_ApplicationContexts):
        for obj in module._all_:
            arcs = obj._val
            if len(arcs) == 8:
                assert arcs[7] in names.MAP_CONTEXTS[arcs[6]][1], obj._name


GPRS: Node = (0x30, [(4, digits(IMSI)), (4, address("49171000001")), (4, bytes(5)), (0xA0, [])])


@pytest.mark.parametrize(
    ("node", "ssns", "readings", "misfit"),
    [
        (begin(invoke(71, ATI), acn=ATI_ACN), (6, 6), ["map:anyTimeInterrogation"], [False]),
        (begin(invoke(71, ATI), acn="0.4.0.0.1.0.19.2"), (6, 6), ["map:anyTimeInterrogation"], [True]),
        (begin(invoke(71, ATI), acn="0.4.0.0.1.0.29.2"), (6, 6), ["map:anyTimeInterrogation"], [True]),
        (begin(invoke(24, EVENT), acn="0.4.0.0.1.23.3.4"), (146, 146), ["cap:eventReportBCSM"], [False]),
        # no name: version 1 of MAP, whatever CAP knows, and later operations as one that does not fit
        (
            begin(invoke(45, (0x30, [(0x80, address("4477")), (0x81, b"\1"), (0x82, address("44"))]))),
            (6, 8),
            ["map:sendRoutingInfoForSM"],
            [False],
        ),
        (begin(invoke(71, ATI)), (6, 6), ["map:anyTimeInterrogation"], [True]),
        (begin(invoke(31)), (146, 146), ["cap:continue", "map:provideSIWFSNumber"], [False, True]),
        # amid a dialogue the subsystem numbers decide, where they agree and the argument decodes
        (
            (0x65, [(0x48, b"1"), (0x49, b"2"), (0x6C, [invoke(24, EVENT)])]),
            (146, 146),
            ["cap:eventReportBCSM"],
            [False],
        ),
        # but take no operation away that decodes to the octet and names somebody
        (
            (0x65, [(0x48, b"1"), (0x49, b"2"), (0x6C, [invoke(23, GPRS)])]),
            (146, 146),
            ["cap:requestReportBCSMEvent", "map:updateGprsLocation"],
            [False, False],
        ),
        (
            (0x65, [(0x48, b"1"), (0x49, b"2"), (0x6C, [invoke(31)])]),
            (146, 146),
            ["cap:continue"],
            [False],
        ),
        # what a subsystem number names stays beside what decodes
        (
            (0x65, [(0x48, b"1"), (0x49, b"2"), (0x6C, [invoke(24, EVENT)])]),
            (6, 6),
            ["map:sendRoutingInfoForGprs", "cap:eventReportBCSM"],
            [False, False],
        ),
        (
            (0x65, [(0x48, b"1"), (0x49, b"2"), (0x6C, [invoke(31)])]),
            (6, 146),
            ["map:provideSIWFSNumber", "cap:continue"],
            [False, False],
        ),
        (begin(invoke(127), acn=ATI_ACN), (6, 6), [], []),
    ],
)
def test_readings(node: Node, ssns: tuple[int, int], readings: list[str], misfit: list[bool]) -> None:
    component = read(node, *ssns)["components"][0]
    assert component["readings"] == readings
    assert component["acn_misfit"] == misfit


@pytest.mark.parametrize(
    ("acn", "argument", "readings", "sms"),
    [
        ("0.4.0.0.1.0.25.2", forward(DA_IMSI, OA_SC, SMS_DELIVER), ["map:mt-forwardSM"], (0x7F, 0xF6)),
        ("0.4.0.0.1.0.21.3", forward(DA_SC, OA_MSISDN, SMS_SUBMIT), ["map:mo-forwardSM"], (0x40, 0xF5)),
        ("", forward(DA_IMSI, OA_SC, SMS_DELIVER), ["map:mt-forwardSM"], (0x7F, 0xF6)),
        ("", forward(DA_SC, OA_MSISDN, SMS_SUBMIT), ["map:mo-forwardSM"], (0x40, 0xF5)),
        ("0.4.0.0.1.0.21.1", forward(DA_IMSI, OA_SC, SMS_DELIVER), ["map:mt-forwardSM"], (0x7F, 0xF6)),
        ("", forward((0x85, b""), (0x85, b""), SMS_DELIVER), ["map:mo-forwardSM", "map:mt-forwardSM"], (0x7F, 0xF6)),
    ],
)
def test_opcode_46_goes_by_its_meaning(acn: str, argument: Node, readings: list[str], sms: tuple[int, int]) -> None:
    got = read(begin(invoke(46, argument), acn=acn), 8, 8)
    assert got["error"] is None
    assert got["components"][0]["readings"][: len(readings)] == readings
    assert got["sms"] == sms


def test_addresses_that_deny_the_context_and_each_other_add_a_reading() -> None:
    got = read(begin(invoke(46, forward(DA_IMSI, OA_MSISDN, SMS_SUBMIT)), acn="0.4.0.0.1.0.21.3"))
    assert got["components"][0]["readings"] == ["map:mo-forwardSM", "map:mt-forwardSM"]


def test_short_message_addresses_bear_their_names_and_roles() -> None:
    got = read(begin(invoke(44, forward(DA_IMSI, OA_SC, SMS_DELIVER)), acn="0.4.0.0.1.0.25.3"), 8, 8)
    assert [(n["kind"], n["name"], n["role"]) for n in got["numbers"]] == [
        ("imsi", "imsi", mapop_tables.ROLE_SM_RP_DA),
        ("address", "serviceCentreAddressOA", mapop_tables.ROLE_SM_RP_OA | mapop_tables.ROLE_NODE),
    ]


def test_lmsi_of_a_short_message_may_have_any_octets() -> None:
    got = read(begin(invoke(44, forward((0x81, b"\xff\x1d\x59\x3f"), OA_SC, SMS_DELIVER)), acn="0.4.0.0.1.0.25.3"))
    assert got["error"] is None
    assert ("lmsi", "lmsi", "ff1d593f") in numbers(got)


def test_interrogation_says_what_it_asks_and_for_whom() -> None:
    got = read(begin(invoke(71, ATI), acn=ATI_ACN))
    assert numbers(got) == {("imsi", "imsi", IMSI), ("address", "gsmSCF-Address", "49171000001")}
    assert got["requested_info"] == ["locationInformation", "subscriberState"]
    assert [n["role"] for n in got["numbers"] if n["name"] == "gsmSCF-Address"] == [mapop_tables.ROLE_NODE]


def test_position_tells_untagged_members_apart() -> None:
    argument: Node = (
        0x30,
        [(0x04, digits(IMSI)), (0x81, address("441")), (0x04, address("442")), (0xA6, [(0x80, b"\5\xe0")])],
    )
    got = read(begin(invoke(2, argument), acn="0.4.0.0.1.0.1.3"))
    assert numbers(got) == {("imsi", "imsi", IMSI), ("address", "msc-Number", "441"), ("address", "vlr-Number", "442")}


def test_untagged_member_out_of_its_place_is_malformed() -> None:
    argument: Node = (0x30, [(0x81, address("441")), (0x04, address("442")), (0x04, digits(IMSI))])
    assert read(begin(invoke(2, argument), acn="0.4.0.0.1.0.1.3"))["error"][:2] == ("map", "bad_tag")


def test_second_identity_is_kept_and_is_malformed() -> None:
    argument: Node = (0x30, [(0x80, digits(IMSI)), (0x80, digits("262011234567890")), (0x81, address("4477"))])
    got = read(begin(invoke(7, argument), acn="0.4.0.0.1.0.16.3"))
    assert {n["digits"] for n in got["numbers"] if n["kind"] == "imsi"} == {IMSI, "262011234567890"}
    assert got["error"][:2] == ("map", "duplicate")


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ((0x30, [(0xA1, []), (0x83, address("49"))]), "missing"),
        ((0x30, [(0x80, digits(IMSI)), (0xA1, []), (0x83, address("49"))]), "bad_tag"),
        ((0x31, [(0xA0, [(0x80, digits(IMSI))])]), "bad_tag"),
        ((0x30, [(0xA0, [(0x93, digits(IMSI))]), (0xA1, []), (0x83, address("49"))]), "bad_tag"),
        ((0x30, [(0xA0, []), (0xA1, []), (0x83, address("49"))]), "missing"),
        ((0x30, [(0xA0, [(0x80, digits(IMSI)), (0x81, address("1"))]), (0xA1, []), (0x83, address("49"))]), "trailing"),
        ((0x30, [(0xA0, [(0x80, b"")]), (0xA1, []), (0x83, address("49"))]), "bad_length"),
        ((0x30, [(0xA0, [(0x80, b"\xff\xff\xff")]), (0xA1, []), (0x83, address("49"))]), "bad_value"),
        ((0x30, b"\xa0\x05\x80\x08"), "length_overrun"),
        (None, "missing"),
    ],
)
def test_argument_that_does_not_decode_is_malformed(argument: Node | None, code: str) -> None:
    got = read(begin(invoke(71, argument), acn=ATI_ACN))
    assert got["error"][:2] == ("map", code)
    assert got["components"][0]["readings"] == ["map:anyTimeInterrogation"]
    if not any(n["kind"] == "imsi" for n in got["numbers"]):
        assert got["components"][0]["imsi_missing"] == [True]


def test_identity_is_missing_only_where_it_must_stand() -> None:
    profile: Node = (0x30, [(0x81, address("4477"))])
    insert = invoke(7, profile)
    acn = "0.4.0.0.1.0.16.3"
    assert read(begin(insert, acn=acn))["components"][0]["imsi_missing"] == [True]
    within: Node = (0x65, [(0x48, b"1"), (0x49, b"2"), (0x6C, [insert])])
    assert read(within)["components"][0]["imsi_missing"] == [False]


def test_overdecadic_digits_stay_and_fillers_go_at_the_end_only() -> None:
    argument: Node = (0x30, [(0xA0, [(0x80, bytes.fromhex("32f4c5ffff"))]), (0xA1, []), (0x83, address("49"))])
    got = read(begin(invoke(71, argument), acn=ATI_ACN))
    imsi = next(n for n in got["numbers"] if n["kind"] == "imsi")
    assert (imsi["digits"], imsi["overdecadic"]) == ("234f5c", True)


def test_unknown_extension_is_stepped_over() -> None:
    argument: Node = (0x30, [*ATI[1], (0xBF64, b"\x04\x00"), (0x9F65, b"\x01")])
    assert read(begin(invoke(71, argument), acn=ATI_ACN))["error"] is None


def test_result_names_where_the_subscriber_is() -> None:
    answer: Node = (0x30, [(0x04, digits(IMSI)), (0xA0, [(0x81, address("4477009"))])])
    end: Node = (0x64, [(0x49, b"12"), dialogue("0.4.0.0.1.0.20.3", pdu=0x61), (0x6C, [result(45, answer)])])
    got = read(end)
    assert got["components"][0]["readings"] == ["map:sendRoutingInfoForSM"]
    assert numbers(got) == {("imsi", "imsi", IMSI), ("address", "networkNode-Number", "4477009")}


@pytest.mark.parametrize(
    ("acn", "names"),
    [
        ("0.4.0.0.1.0.50.1", {"gmscAddress": "44770090"}),
        ("0.4.0.0.1.23.3.4", {"gmscAddress": "4477", "forwardingDestinationNumber": "77009"}),
    ],
)
def test_extension_of_initial_dp_goes_by_the_phase_of_the_context(acn: str, names: dict[str, str]) -> None:
    """TS 09.78: [0] naCarrierInformation, [1] gmscAddress; TS 29.078: gmscAddress, forwardingDestinationNumber."""
    first: Node = (0xA0, [(0x80, b"\x01")]) if acn.endswith("50.1") else (0x80, address("4477"))
    extension: Node = (0xBF3B, [first, (0x81, address("44770090"))])
    got = read(begin(invoke(0, (0x30, [(0x80, b"\1"), (0x9F32, digits(IMSI)), extension])), acn=acn), 146, 146)
    assert got["error"] is None
    assert {n["name"]: n["digits"] for n in got["numbers"] if n["kind"] == "address"} == names


def test_error_names_its_subscriber_and_is_not_held_to_its_type() -> None:
    parameter: Node = (0x30, [(0x81, digits(IMSI)), (0x83, digits("262011234567890")), (0x9E, b"")])
    for body, error in ((parameter, None), ((0x30, [(0x81, b"")]), None)):
        answer: Node = (0xA3, [(0x02, b"\1"), (0x02, b"\6"), body])
        got = read((0x64, [(0x49, b"12"), dialogue("0.4.0.0.1.0.25.3", pdu=0x61), (0x6C, [answer])]))
        assert got["error"] is error
        found = {(n["name"], n["digits"]) for n in got["numbers"]}
        assert found == ({("imsi", IMSI), ("userIdentifierAlert", "262011234567890")} if body is parameter else set())


def test_number_that_can_be_none_does_not_hide_those_of_the_older_form() -> None:
    """previousRoamingNumber is of version 2 of provideRoamingNumber alone; the IMSI has a digit above 9."""
    argument: Node = (0x30, [(0x80, b"\x82\xab" + digits(IMSI)[2:]), (0x81, address("49")), (0x83, address("4477"))])
    got = read(begin(invoke(4, argument), acn="0.4.0.0.1.0.3.2"))
    assert got["error"][:2] == ("map", "bad_value")
    assert ("address", "previousRoamingNumber", "4477") in numbers(got)


def test_older_form_may_be_extended_where_something_tells_it() -> None:
    """purgeMS is a SEQUENCE, then [3]; version 3 of provideRoamingNumber cannot do without msc-Number."""
    extension: Node = (0x9F5A, b"\x2a")
    purge: Node = (0x30, [(0x04, digits(IMSI)), (0x04, address("4477")), extension])
    roaming: Node = (0x30, [(0x80, digits(IMSI)), (0x83, address("4477")), extension])
    for acn, opcode, argument, name in (
        ("0.4.0.0.1.0.27.2", 67, purge, "vlr-Number"),
        ("0.4.0.0.1.0.3.2", 4, roaming, "previousRoamingNumber"),
    ):
        got = read(begin(invoke(opcode, argument), acn=acn))
        assert got["error"] is None
        assert numbers(got) == {("imsi", "imsi", IMSI), ("address", name, "4477")}


def test_camel_subscription_names_its_gsmscf() -> None:
    detection: Node = (0x30, [(0x0A, b"\2"), (0x02, b"\5"), (0x80, address("49171")), (0x81, b"\0")])
    csi: Node = (0xAD, [(0xA0, [(0x30, [detection])])])
    got = read(begin(invoke(7, (0x30, [(0x80, digits(IMSI)), csi])), acn="0.4.0.0.1.0.16.3"))
    assert [n["role"] for n in got["numbers"] if n["name"] == "gsmSCF-Address"] == [mapop_tables.ROLE_CAMEL_GSMSCF]


def test_call_control_reads_isup_numbers() -> None:
    parts: list[Node] = [
        (0x80, b"\1"),
        (0x82, bytes.fromhex("8490447700f9")),
        (0x9F32, digits(IMSI)),
        (0x9F37, address("44")),
    ]
    got = read(begin(invoke(0, (0x30, parts)), acn="0.4.0.0.1.23.3.4"), 146, 146)
    assert numbers(got) == {
        ("imsi", "iMSI", IMSI),
        ("address", "mscAddress", "44"),
        ("address", "calledPartyNumber", "4477009"),
    }
    assert not any(n["overdecadic"] for n in got["numbers"])  # the F is ST, the end of pulsing (Q.763 3.9)


def make(obj: Any, rnd: random.Random, found: list[tuple[str, str]], name: str = "", depth: int = 0) -> Any:
    """A value of the type, and the numbers that it holds."""
    types = mapop_tables.type_names(obj)
    if obj.TYPE == "OCTET STRING":
        text = "".join(str(rnd.randrange(10)) for _ in range(14))
        if "IMSI" in types:
            if "HLR-Id" not in types:
                found.append(("imsi", text))
            return digits(text)
        if "AddressString" in types:
            found.append(("number", text))
            return address(text)
        if name == "sm-RP-UI":
            return SMS_DELIVER
        low, high = (obj._const_sz.lb or 0, obj._const_sz.ub) if obj._const_sz is not None else (0, None)
        return b"\x83\x10\x21".ljust(max(low, min(3, high or 3)), b"\x21")[: high or None]
    if obj.TYPE == "INTEGER":
        return obj._const_val.lb if obj._const_val is not None and obj._const_val.lb is not None else 1
    if obj.TYPE == "BIT STRING":
        return (0, (obj._const_sz.lb if obj._const_sz is not None else 8) or 8)
    if obj.TYPE.endswith(" OF"):
        return [make(obj._cont, rnd, found, name, depth + 1)]
    if obj.TYPE == "CHOICE":
        choice = next(iter(obj._cont))
        return (choice, make(obj._cont[choice], rnd, found, choice, depth + 1))
    if obj.TYPE in ("SEQUENCE", "SET"):
        optional_ok = depth < 4
        return {
            key: make(part, rnd, found, key, depth + 1)
            for key, part in obj._cont.items()
            if not (part._opt or part._def is not None) or (optional_ok and "xtension" not in key)
        }
    if obj.TYPE == "ENUMERATED":
        return next(iter(obj._cont))
    return {"NULL": 0, "BOOLEAN": True}.get(obj.TYPE, "1234")


CASES = [
    (application, opcode, form)
    for application, opcode, *_ in names.OPERATIONS[1:]
    for form in ("ArgumentType", "ResultType")
]


@pytest.mark.parametrize(("application", "opcode", "form"), CASES)
def test_every_operation_reads_as_pycrate_writes_it(application: str, opcode: int, form: str) -> None:
    for variant in mapop_tables.operations().get((application, opcode), []):
        obj = variant.get(form)
        if obj is None:
            continue
        expected: list[tuple[str, str]] = []
        obj.set_val(make(obj, random.Random(opcode), expected))
        octets = obj.to_ber()
        code = encode((0x02, b"\1")) + encode((0x02, bytes([opcode]))) + octets
        acn = "0.4.0.0.1.0.1.3" if application == "map" else "0.4.0.0.1.23.3.4"
        if form == "ArgumentType":
            message: Node = (0x62, [(0x48, b"1"), dialogue(acn), (0x6C, [(0xA1, code)])])
        else:
            answer = encode((0x02, b"\1")) + encode((0x30, encode((0x02, bytes([opcode]))) + octets))
            message = (0x64, [(0x49, b"1"), dialogue(acn, pdu=0x61), (0x6C, [(0xA2, answer)])])
        got = read(message)
        assert got["error"] is None
        assert {r.split(":")[0] for r in got["components"][0]["readings"]} == {application}
        imsis = sorted(n["digits"] for n in got["numbers"] if n["kind"] == "imsi")
        others = {n["digits"] for n in got["numbers"] if n["kind"] in ("msisdn", "address")}
        assert imsis == sorted(text for kind, text in expected if kind == "imsi")
        assert {text for kind, text in expected if kind == "number"} <= others
