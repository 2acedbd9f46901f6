"""TCAP of T1.114.3: told from Q.773 by its tags, on whatever link."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigfw._core import mapop
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from tests.unit.ansitcap import (
    IDS,
    NATIONAL,
    NOTHING,
    PACKAGES,
    PRIVATE,
    REGISTRATION_NOTIFICATION,
    dialogue,
    error,
    invoke,
    octets,
    package,
    reject,
    result,
)
from tests.unit.sccpbytes import ANSI, CHINA, ITU, address, unitdata
from tests.unit.tcapbytes import ATI, ATI_ACN, Node, begin, encode, indefinite, long
from tests.unit.tcapbytes import invoke as itu_invoke

QUERY, RESPONSE, CONVERSATION, ABORT, UNIDIRECTIONAL = 0xE2, 0xE4, 0xE5, 0xF6, 0xE1


def read(tag: int, *components: Node, parts: tuple[Node, ...] = ()) -> dict[str, Any]:
    return mapop.parse(octets(tag, *components, parts=parts))


def components(*parts: Node) -> list[tuple[Any, ...]]:
    """Of a Conversation, which may hold any."""
    found = read(CONVERSATION, *parts)
    assert found["error"] is None
    keys = ("type", "invoke_id", "opcode", "opcode_form", "error_code")
    return [tuple(c[key] for key in keys) for c in found["components"]]


@pytest.mark.parametrize("tag", PACKAGES)
def test_package_has_its_name_and_its_transaction_ids(tag: int) -> None:
    name, n = PACKAGES[tag]
    parts: tuple[Node, ...] = ((0xD7, b"\x02"),) if tag == ABORT else ()
    found = read(tag, *([] if tag == ABORT else [invoke(0x0935)]), parts=parts)
    ids = IDS[:n].hex()
    first = name.startswith(("query", "conversation"))
    assert (found["type"], found["error"]) == (name, None)
    assert (found["otid"], found["dtid"]) == (
        ids[:8] if first and n else None,
        (ids[8:] if n > 4 else "" if first else ids) or None,
    )
    for wrong in {0, 3, 4, 5, 8, 9} - {n}:
        broken = mapop.parse(encode((tag, [(0xC7, bytes(wrong)), *package(tag, invoke(1), parts=parts)[1][1:]])))  # type: ignore[list-item]
        assert broken["error"][:2] == ("tcap", "bad_length")
        assert broken["otid"] is broken["dtid"] is None


def test_components_of_every_type() -> None:
    assert components(
        invoke(0x0935),
        invoke(0x0935, last=False, ids=b"\x02\x01"),
        invoke(0x0501, form=NATIONAL, ids=b""),
        result(id_=2),
        result(last=False, id_=3),
        error(0x85),
        error(3, form=0xD3),
        reject(0x0202),
        reject(0x0101, ids=b""),
    ) == [
        ("invoke", 1, 0x0935, "private", None),
        ("invoke", 2, 0x0935, "private", None),
        ("invoke", None, 0x0501, "national", None),
        ("returnResultLast", 2, None, None, None),
        ("returnResultNotLast", 3, None, None, None),
        ("returnError", 1, None, None, 0x85),
        ("returnError", 1, None, None, 3),
        ("reject", 1, None, None, None),
        ("reject", None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("code", "opcode", "form", "wrong"),
    [
        ((PRIVATE, b"\x09\x35"), 0x0935, "private", None),
        ((PRIVATE, b"\0\0\x09\x35"), 0x0935, "private", None),  # padded: the same number
        ((PRIVATE, b"\x0c"), 12, "private", None),
        ((PRIVATE, b"\x89\x35"), 0x8935, "private", None),
        ((PRIVATE, b"\xff\x89\x35"), 0x8935, "private", None),
        ((PRIVATE, b"\x01\0\0"), 0x10000, "private", None),
        ((NATIONAL, b"\x05\x01"), 0x0501, "national", None),
        ((NATIONAL, b"\x85\x01"), 0x0501, "national", None),  # a reply is asked for: the same operation
        ((NATIONAL, b"\0\x05\x01"), 0x0501, "national", "bad_length"),
        ((NATIONAL, b"\x05"), 5, "national", "bad_length"),
        ((NATIONAL, b""), -1, "national", "bad_length"),
        ((PRIVATE, b"\x80\0\0\0"), -1, "private", "bad_value"),
        ((PRIVATE, b"\0\0\0\x09\x35"), 0x0935, "private", None),
        ((PRIVATE, b"\1\0\0\x09\x35"), -1, "private", "bad_value"),
        ((0x02, b"\x47"), None, None, "bad_tag"),  # Q.773's local code is none here
    ],
)
def test_operation_code_is_family_and_specifier(code: Node, opcode: int, form: str, wrong: str | None) -> None:
    found = read(QUERY, (0xE9, [(0xCF, b"\x01"), code, NOTHING]))
    (only,) = found["components"]
    assert (only["opcode"], only["opcode_form"]) == (opcode, form)
    assert (found["error"] and found["error"][1]) == wrong
    assert only["readings"] == []


def test_no_operation_of_map_is_read_into_a_number_of_t1_114() -> None:
    """Private 71 is no anyTimeInterrogation."""
    (only,) = read(QUERY, invoke(71))["components"]
    assert (only["opcode"], only["readings"]) == (71, [])


@pytest.mark.parametrize(("context", "acn"), [("1.2.840.10013.1", "1.2.840.10013.1"), (66, "66"), (None, None)])
def test_application_context_is_an_oid_or_a_number(context: str | int | None, acn: str | None) -> None:
    (line,) = judged(octets(QUERY, invoke(0x0935), parts=(dialogue(context),)))
    assert (line["tcap"]["acn"], line["error"]) == (acn, None)


@pytest.mark.parametrize(
    ("message", "layer", "code"),
    [
        (octets(QUERY, result()), "component", "bad_value"),  # nothing was asked yet
        (octets(UNIDIRECTIONAL, error(1)), "component", "bad_value"),
        (octets(UNIDIRECTIONAL), "tcap", "missing"),
        (encode((QUERY, [(0xE8, [invoke(1)])])), "tcap", "missing"),
        (encode((QUERY, [(0xC7, IDS[:4]), (0xE8, b"")])), "component", "missing"),
        (encode((QUERY, [(0xC7, IDS[:4]), (0xC7, IDS[4:]), (0xE8, [invoke(1)])])), "tcap", "duplicate"),
        (encode((QUERY, [(0xC7, IDS[:4]), (0x6C, [invoke(1)])])), "tcap", "bad_tag"),
        (octets(QUERY, invoke(1)) + b"\0", "tcap", "trailing"),
        (octets(QUERY, (0xE9, [(0xCF, b"\x01")])), "component", "missing"),
        (octets(QUERY, (0xE9, [(0xCF, b"\1\2\3"), (PRIVATE, b"\1\2")])), "component", "bad_length"),
        (octets(QUERY, (0xE9, [(PRIVATE, b"\1\2"), (PRIVATE, b"\1\3")])), "component", "duplicate"),
        (octets(QUERY, (0xEF, [])), "component", "bad_tag"),
        (octets(RESPONSE, (0xEA, [])), "component", "missing"),
        (octets(RESPONSE, (0xEB, [(0xCF, b"\1")])), "component", "missing"),
        (octets(RESPONSE, (0xEB, [(0xCF, b"\1"), (0xD4, b"\1\2\3")])), "component", "bad_length"),
        (octets(RESPONSE, (0xEC, [(0xCF, b"\1")])), "component", "missing"),
        (octets(RESPONSE, (0xEA, [(0xCF, b"")])), "component", "bad_length"),
        (octets(RESPONSE, (0xEA, [(0xCF, b"\1"), (PRIVATE, b"\1\1")])), "component", "bad_tag"),
        (octets(QUERY, invoke(1), parts=((0xF9, [(0xDC, b"")]),)), "tcap", "bad_length"),
        (octets(QUERY, invoke(1), parts=((0xF9, [(0xDC, b"\x80")]),)), "tcap", "bad_value"),
        (octets(QUERY, invoke(1), parts=((0xF9, [(0xDB, b"\1"), (0xDC, b"\x2a")]),)), "tcap", "duplicate"),
        (octets(QUERY, invoke(1), parts=((0xF9, [(0xDA, b"\1\1")]),)), "tcap", "bad_length"),
        (octets(QUERY, invoke(1), parts=((0xF9, [(0xFD, [(0x30, b"")])]),)), "tcap", "bad_tag"),
        (octets(QUERY, invoke(1), parts=((0xF9, [(0x06, b"\1")]),)), "tcap", "bad_tag"),
        (octets(ABORT, parts=((0xF8, b""),)), "tcap", "missing"),
        (octets(ABORT, parts=((0xF8, [(0x30, b"")]),)), "tcap", "bad_tag"),
        (b"\xe2\x05", "tcap", "length_overrun"),
        (b"\xe2", "tcap", "truncated"),
    ],
)
def test_what_breaks_the_standard_is_named(message: bytes, layer: str, code: str) -> None:
    assert mapop.parse(message)["error"][:2] == (layer, code)


def test_invoke_behind_a_spoilt_component_is_seen() -> None:
    found = read(QUERY, (0xEF, b"\1"), (0xE9, b"\xcf"), invoke(0x0935))
    assert [c["opcode"] for c in found["components"]] == [None, 0x0935]
    assert read(ABORT, invoke(0x0935))["components"][0]["opcode"] == 0x0935


@pytest.mark.parametrize("form", [long(1), long(2), long(4), indefinite])
def test_form_of_lengths_changes_nothing(form: Any) -> None:
    node = package(QUERY, REGISTRATION_NOTIFICATION, invoke(0x0935), parts=(dialogue("1.2.840.10013.1"),))
    assert mapop.parse(encode(node, form)) == mapop.parse(encode(node))


def test_long_form_of_a_tag_is_its_short_one() -> None:
    plain = octets(QUERY, invoke(0x0935))
    assert mapop.parse(b"\xff\x02" + plain[1:])["components"] == mapop.parse(plain)["components"]


def test_too_many_components_are_a_limit() -> None:
    found = mapop.parse(encode(package(QUERY, *[invoke(i) for i in range(33)]), long(2)))
    assert (len(found["components"]), found["error"][1], found["exceptions"]) == (32, "too_many", ["limit_exceeded"])


def judged(data: bytes, variant: str = ANSI, policy: Path | None = None) -> list[Any]:
    hlr = address(variant, ssn=6)
    tables = None if policy is None else compile_policy(load(policy))
    verdicts = Worker().judge(tables, Stream("t"), Batch([unitdata(hlr, hlr, data)], "sccp"), variant=variant)
    return [json.loads(line) for line in verdicts.lines().splitlines()]


@pytest.mark.parametrize("variant", [ITU, ANSI, CHINA])
def test_tag_tells_the_dialect_on_every_link(variant: str, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "schema: 1\nname: p\nexceptions: {default: allow, unknown_operation: allow}\nrules:\n"
        "  - {id: ansi41, when: {opcode: 2357, opcode_form: private, component: invoke}, action: drop}\n"
        "  - {id: ati, when: {operation: anyTimeInterrogation}, action: drop}\n"
    )
    for last in (True, False):
        (line,) = judged(octets(QUERY, invoke(1), invoke(0x0935, last=last)), variant, path)
        assert (line["rule"], line["tcap"]["type"]) == ("ansi41", "queryWithPerm")
    itu = encode(begin(itu_invoke(71, ATI), acn=ATI_ACN))
    (line,) = judged(itu, variant, path)
    assert (line["rule"], line["tcap"]["type"]) == ("ati", "begin")


def test_invoke_that_no_rule_names_is_an_unknown_operation(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "schema: 1\nname: p\nexceptions: {default: allow}\n"
        "rules: [{id: known, when: {opcode: 2357, opcode_form: private}, action: allow}]\n"
    )
    lines = [
        judged(octets(QUERY, invoke(code, form=form)), ANSI, path)[0]
        for code, form in (
            (0x0935, PRIVATE),
            (0x0935, NATIONAL),
            (0x0936, PRIVATE),
        )
    ]
    assert [(line["action"], line["reason"]) for line in lines] == [
        ("allow", "rule"), ("drop", "unknown_operation"), ("drop", "unknown_operation"),
    ]  # fmt: skip


def test_integer_application_context_is_no_oid_to_a_rule(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "schema: 1\nname: p\nexceptions: {default: allow, unknown_operation: allow}\n"
        "rules: [{id: acn, when: {acn: 1.2.3}, action: drop}]\n"
    )
    number = (0xF9, [(0xDB, b"\x2a\x03")])  # the octets of 1.2.3
    assert judged(octets(QUERY, invoke(1), parts=(number,)), ANSI, path)[0]["action"] == "allow"
    assert judged(octets(QUERY, invoke(1), parts=(dialogue("1.2.3"),)), ANSI, path)[0]["action"] == "drop"


WHOLE = octets(
    CONVERSATION, REGISTRATION_NOTIFICATION, result(), error(0x85), reject(0x0101), parts=(dialogue("1.2.840.10013.1"),)
)


def test_message_cut_anywhere_is_malformed() -> None:
    assert mapop.parse(WHOLE)["error"] is None
    for n in range(len(WHOLE)):
        assert mapop.parse(WHOLE[:n])["error"] is not None


def test_message_changed_at_any_bit_gives_a_verdict() -> None:
    for n in range(len(WHOLE)):
        for bit in range(8):
            changed = WHOLE[:n] + bytes((WHOLE[n] ^ 1 << bit,)) + WHOLE[n + 1 :]
            (line,) = judged(changed)
            assert line["frame"] == 1


@given(st.sampled_from([*PACKAGES]), st.binary(max_size=60))
def test_any_octets_give_a_result(tag: int, rest: bytes) -> None:
    found = mapop.parse(bytes((tag,)) + rest)
    assert found["error"] is None or found["error"][2] <= len(rest) + 1
