"""TCAP (Q.773): package types, transaction ids, dialogue portion, components; and what hides one."""

from typing import Any

import pytest
from tcapbytes import ATI, ATI_ACN, IMSI, Node, begin, dialogue, digits, encode, invoke, oid, open_info, result

from sigfw._core.mapop import parse

OTID: Node = (0x48, b"\0\0\x01\x2b")
DTID: Node = (0x49, b"\x0a\x0b")
LOCATE: Node = (0x6C, [invoke(71, ATI)])


def read(node: Node, called_ssn: int = 6, calling_ssn: int = 6) -> dict[str, Any]:
    return parse(encode(node), called_ssn, calling_ssn)


@pytest.mark.parametrize(
    ("node", "kind", "error"),
    [
        ((0x62, [OTID, dialogue(ATI_ACN), LOCATE]), "begin", None),
        ((0x65, [OTID, DTID, dialogue(ATI_ACN, pdu=0x61), LOCATE]), "continue", None),
        ((0x64, [DTID, dialogue(ATI_ACN, pdu=0x61), LOCATE]), "end", None),
        ((0x61, [LOCATE]), "unidirectional", None),
        ((0x67, [DTID, (0x4A, b"\x01")]), "abort", None),
        ((0x67, [DTID, LOCATE]), "abort", "bad_tag"),
        ((0x62, [LOCATE]), "begin", "missing"),
        ((0x65, [OTID, LOCATE]), "continue", "missing"),
        ((0x62, [OTID, LOCATE, LOCATE]), "begin", "duplicate"),
        ((0x62, [(0x48, b""), LOCATE]), "begin", "bad_length"),
        ((0x62, [(0x48, b"12345"), LOCATE]), "begin", "bad_length"),
        ((0x62, [OTID, (0x88, b"\x01"), LOCATE]), "begin", "bad_tag"),
    ],
)
def test_invoke_is_read_in_every_package(node: Node, kind: str, error: str | None) -> None:
    got = read(node)
    assert got["type"] == kind
    assert (got["error"] and got["error"][1]) == error
    if (0x4A, b"\x01") not in node[1]:
        assert got["components"][0]["opcode"] == 71
        assert {n["digits"] for n in got["numbers"] if n["kind"] == "imsi"} == {IMSI}


@pytest.mark.parametrize(
    "strange", ["bf802100", "bfffffffff7f020500", "bf8021800500 0000", "9fffffffff7f00"], ids=lambda one: one[:8]
)
def test_invoke_is_read_behind_an_identifier_that_is_none(strange: str) -> None:
    """tshark shows it; both in the component portion and in the package."""
    for parts in ([OTID, (0x6C, bytes.fromhex(strange) + encode(invoke(71, ATI)))], [OTID, LOCATE]):
        octets = encode((0x62, parts))
        if parts[1] is LOCATE:
            octets = encode((0x62, bytes.fromhex(strange) + octets[2:]))
        got = parse(octets, 6, 6)
        assert got["error"][1] == "bad_tag"
        assert [c["opcode"] for c in got["components"]] == [71]


def test_component_without_a_length_ends_where_it_does_whatever_identifiers_it_holds() -> None:
    first = bytes.fromhex("a180 020101 020105 bf802100 0000")
    got = read((0x62, [OTID, (0x6C, first + encode(invoke(71, ATI)))]))
    assert got["error"][1] == "bad_tag"
    assert [c["opcode"] for c in got["components"]] == [5, 71]


def test_invoke_is_read_behind_a_linked_identifier_that_is_constructed() -> None:
    number, *rest = invoke(71, ATI)[1]
    got = read((0x62, [OTID, (0x6C, [(0xA1, [number, (0xA0, [(0x02, b"\2")]), *rest])])]))
    assert got["error"][1] == "bad_tag"
    assert [c["opcode"] for c in got["components"]] == [71]
    assert {n["digits"] for n in got["numbers"] if n["kind"] == "imsi"} == {IMSI}


@pytest.mark.parametrize("octets", [1, 2, 3, 4])
def test_transaction_ids_keep_their_octets(octets: int) -> None:
    assert read((0x62, [(0x48, bytes(range(1, 1 + octets)))]))["otid"] == bytes(range(1, 1 + octets)).hex()


@pytest.mark.parametrize(
    ("code", "opcode", "form", "error"),
    [
        (b"\x02\x00\x47", 71, "local", None),
        (b"\x02\x00\x00\x00\x47", 71, "local", None),
        (b"\x06" + oid("1.2.3.71"), "1.2.3.71", "global", None),
        (b"\x02\xc7", -1, "local", "bad_value"),
        (b"\x02\x00\x00\x00\x00\x47", 71, "local", None),
        (b"\x02\x01\x00\x00\x00\x47", -1, "local", "bad_value"),
        (b"\x02\x01\x47", 327, "local", None),
        (b"\x82\x47", None, None, "bad_tag"),
        (b"\x06\x80\x47", "0.0.71", "global", "bad_value"),
    ],
)
def test_operation_code_forms(code: bytes, opcode: int | str | None, form: str | None, error: str | None) -> None:
    got = read(begin(invoke(code, ATI), acn=ATI_ACN))
    component = got["components"][0]
    assert component["opcode_form"] == form
    assert (got["error"] and got["error"][1]) == error
    if error is None:
        assert component["opcode"] == opcode
        assert component["readings"] == ([] if opcode == 327 else ["map:anyTimeInterrogation"])


def test_every_component_is_read_past_a_spoilt_one() -> None:
    unknown: Node = (0xA9, b"\x02\x01\x01")
    got = read(begin(invoke(59, (0x30, [(0x04, b"\x0f"), (0x04, b"\xaa")])), unknown, invoke(71, ATI), acn=ATI_ACN))
    assert [c["opcode"] for c in got["components"]] == [59, 71]
    assert got["error"][:2] == ("component", "bad_tag")
    assert got["components"][1]["readings"] == ["map:anyTimeInterrogation"]


def test_component_that_answers_nothing_is_malformed() -> None:
    got = read(begin(result(71, (0x30, [])), invoke(71, ATI)))
    assert [c["type"] for c in got["components"]] == ["returnResultLast", "invoke"]
    assert got["error"][:2] == ("component", "bad_value")


def test_components_beyond_the_bound_are_a_limit() -> None:
    got = read(begin(*[invoke(38)] * 40, acn="0.4.0.0.1.0.1.2"))
    assert len(got["components"]) == 32
    assert got["exceptions"] == ["limit_exceeded"]


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        ([(0xA3, [(0x02, b"\x05"), (0x02, b"\x1b")])], ("returnError", 5, 27)),
        ([(0xA4, [(0x05, b""), (0x81, b"\x01")])], ("reject", None, None)),
        ([(0xA7, [(0x02, b"\x80")])], ("returnResultNotLast", -128, None)),
    ],
)
def test_answers_of_every_kind(components: list[Node], expected: tuple[Any, ...]) -> None:
    got = read((0x65, [OTID, DTID, (0x6C, components)]))
    c = got["components"][0]
    assert got["error"] is None
    assert (c["type"], c["invoke_id"], c["error_code"]) == expected


@pytest.mark.parametrize(
    ("acn", "application", "error"),
    [
        (ATI_ACN, "map", None),
        ("0.4.0.0.1.0.29.3.1", "map", "bad_value"),
        ("0.4.0.0.1.0.99.3", "map", None),
        ("0.4.0.0.1.0.50.1", "cap", None),
        ("0.4.0.0.1.21.3.50", "cap", None),
        ("0.4.0.0.1.23.3.4", "cap", None),
        ("0.4.0.0.1.23.3.4.0", "cap", "bad_value"),
        ("1.2.826.0.1249.51.1.1.1.0.1", "", None),
    ],
)
def test_application_context_names(acn: str, application: str, error: str | None) -> None:
    got = read((0x62, [OTID, dialogue(acn, version=False)]))
    assert (got["acn"], got["acn_application"]) == (acn, application)
    assert (got["error"] and got["error"][1]) == error


def test_second_dialogue_portion_changes_no_acn() -> None:
    got = read((0x62, [OTID, dialogue("0.4.0.0.1.0.19.2"), dialogue(ATI_ACN), LOCATE]))
    assert got["acn"] == "0.4.0.0.1.0.19.2"
    assert got["error"][1] == "duplicate"
    assert got["components"][0]["acn_misfit"] == [True]


def test_map_open_names_a_subscriber() -> None:
    portion = dialogue(
        "0.4.0.0.1.0.19.2", user_information=open_info(b"\x96" + digits(IMSI), b"\x91" + digits("447700900"))
    )
    got = read((0x62, [OTID, portion]))
    assert [(n["kind"], n["digits"], n["name"], n["origin"]) for n in got["numbers"]] == [
        ("imsi", IMSI, "destinationReference", -1),
        ("address", "447700900", "originationReference", -1),
    ]


MAP_AS = (0x06, oid("0.4.0.0.1.1.1.1"))
REFERENCES: Node = (0xA0, [(0x80, b"\x96" + digits(IMSI)), (0x81, b"\x91" + digits("447700900"))])
ENCODED = encode(REFERENCES)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([MAP_AS, (0xA0, [REFERENCES])], None),
        ([MAP_AS, (0x02, b"\x01"), (0x07, b"map"), (0xA0, [REFERENCES])], None),  # X.690 8.18: all there may be
        ([MAP_AS, (0x81, ENCODED)], None),
        ([MAP_AS, (0x82, b"\0" + ENCODED)], None),
        ([MAP_AS, (0x82, b"\3" + ENCODED)], "bad_value"),
        ([(0xA0, [REFERENCES])], "missing"),
        ([(0xA0, [REFERENCES]), MAP_AS], "bad_tag"),
        ([(0x06, oid("1.2.3")), MAP_AS, (0xA0, [REFERENCES])], "duplicate"),
        ([MAP_AS, (0xA0, [REFERENCES]), (0xA0, [REFERENCES])], "duplicate"),
    ],
)
def test_map_open_is_read_from_every_external(parts: list[Node], code: str | None) -> None:
    got = read((0x62, [OTID, dialogue("0.4.0.0.1.0.19.2", user_information=[(0x28, parts)])]))
    assert [n["digits"] for n in got["numbers"]] == ([IMSI, "447700900"] if code != "bad_value" else [])
    assert (got["error"] and got["error"][1]) == code


def test_anothers_user_information_is_stepped_over() -> None:
    external: Node = (0x28, [(0x06, oid("1.2.826.0.1249.58.1.0")), (0xA0, [REFERENCES])])
    got = read((0x62, [OTID, dialogue("0.4.0.0.1.0.19.2", user_information=[external])]))
    assert (got["numbers"], got["error"]) == ([], None)


@pytest.mark.parametrize(
    ("called", "calling", "exceptions", "management"),
    [
        (254, 254, ["not_tcap"], 0),
        (1, 1, ["not_tcap"], 2),
        (-1, 1, ["not_tcap"], 2),
        (6, 254, ["malformed"], 0),
        (0, 254, ["malformed"], 0),
        (-1, -1, ["malformed"], 0),
        (146, 6, ["malformed"], 0),
    ],
)
def test_garbage_is_another_users_only_where_the_called_subsystem_is(
    called: int, calling: int, exceptions: list[str], management: int
) -> None:
    got = parse(bytes.fromhex("0208010200"), called, calling)
    assert (got["type"], got["exceptions"], got["management"]) == (None, exceptions, management)


def test_tcap_is_tried_first_whatever_the_subsystem_says() -> None:
    assert read(begin(invoke(71, ATI), acn=ATI_ACN), 254, 1)["components"][0]["readings"] == [
        "map:anyTimeInterrogation"
    ]


@pytest.mark.parametrize(
    "pdu", ["60", "61 a203020100 a305a103020100", "61 a203020101 a305a203020102"], ids=["AARQ", "AARE", "refused"]
)
@pytest.mark.parametrize("version", ["", "80020780"])
def test_usual_dialogue_portions_are_read_as_all_others(pdu: str, version: str) -> None:
    """Each, and each with any octet changed, beside the same with a length in two octets, which is not usual."""
    tag, _, behind = pdu.partition(" ")
    inner = bytes.fromhex(version + "a109060704000001000e02" + behind)
    parts = bytes.fromhex("060700118605010101") + bytes((0xA0, len(inner) + 2)) + bytes.fromhex(tag)
    parts += bytes((len(inner),)) + inner
    assert between(parts, b"")["acn"] == "0.4.0.0.1.0.14.2"
    assert between(parts, b"")["error"] is None
    for at in range(len(parts)):
        for value in range(256):
            changed = parts[:at] + bytes((value,)) + parts[at + 1 :]
            assert between(changed, b"") == between(changed, b"\x81"), (at, value)


def between(parts: bytes, length: bytes) -> dict[str, Any]:
    """What a message is read as whose dialogue portion has these parts; length: what stands before its length octet."""
    external = b"\x28" + length + bytes((len(parts),)) + parts
    got = read((0x65, [OTID, DTID, (0x6B, external), LOCATE]))
    return got | {"error": got["error"] and got["error"][:2]}


@pytest.mark.parametrize("value", range(256))
def test_usual_identifiers_and_codes_are_read_as_all_others(value: int) -> None:
    """Transaction and invoke identifiers and operation codes beside the same with lengths in two octets."""
    of = bytes((value,))
    for invoke_id, opcode in ((of, b"\x47"), (b"\x01", of)):
        parts = ((b"\x02", invoke_id), (b"\x02", opcode), (b"\x30", b"\x04\x00"))
        usual, other = (
            b"".join(tag + length + bytes((len(content),)) + content for tag, content in parts)
            for length in (b"", b"\x81")
        )
        found = [read((0x65, [OTID, DTID, (0x6C, [(0xA1, content)])])) for content in (usual, other)]
        assert found[0] | {"error": None} == found[1] | {"error": None}
        assert (found[0]["error"] or ())[:2] == (found[1]["error"] or ())[:2]
    behind = encode(LOCATE)
    short, long = (b"\x48" + length + b"\x04\x01\x02\x03" + of + behind for length in (b"", b"\x81"))
    assert read((0x62, short)) == read((0x62, long))
