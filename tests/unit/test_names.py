"""One fact in one place: the core's tables and enums are those of sigfw/names.py."""

import re
from pathlib import Path

import pytest

from sigfw import names
from sigfw._core import encode

MSG = (Path(__file__).parents[2] / "sigfw" / "_core" / "msg.pxd").read_text()


def enum_members(name: str) -> list[str]:
    """Members of an enum of msg.pxd, in order."""
    body = re.search(rf"cdef enum {name}:.*?\n((?:    .*\n)+)", MSG)
    assert body, name
    return re.findall(r"^    ([A-Z_0-9]+)", body[1], re.M)


@pytest.mark.parametrize("table", [name for name in encode.names() if name not in ("SCCP_TYPES", "MANAGEMENT_TYPES")])
def test_core_names_are_those_of_names(table: str) -> None:
    assert tuple(encode.names()[table]) == tuple(getattr(names, table))


def test_core_sccp_names_are_those_of_names() -> None:
    core = encode.names()
    assert {i: name for i, name in enumerate(core["SCCP_TYPES"]) if name} == names.SCCP_TYPES
    assert {i: name for i, name in enumerate(core["MANAGEMENT_TYPES"]) if name} == names.MANAGEMENT_TYPES


@pytest.mark.parametrize(
    ("enum", "members", "prefix"),
    [
        ("Action", names.ACTIONS[1:], ""),
        ("Reason", names.REASONS[1:], "REASON_"),
        ("Layer", names.LAYERS[1:], "LAYER_"),
        ("Perimeter", names.PERIMETERS[1:], "PERIMETER_"),
        ("Direction", names.DIRECTIONS[1:], "DIRECTION_"),
        ("Mode", names.MODES[1:], "MODE_"),
        ("RuleMode", names.RULE_MODES[1:], "RULE_"),
        ("Encapsulation", names.ENCAPSULATIONS[1:], "ENCAP_"),
        ("Status", ("OK", *names.ERROR_CODES[1:]), "E_"),
        ("Application", names.APPLICATIONS[1:], "APP_"),
        ("Variant", names.VARIANTS[1:], "VARIANT_"),
        ("OpcodeForm", names.OPCODE_FORMS[1:], "OPCODE_"),
        ("GtTrouble", names.GT_TROUBLES[1:], ""),
    ],
)
def test_core_enum_follows_names(enum: str, members: tuple[str, ...], prefix: str) -> None:
    found = [m if m == "OK" else m.removeprefix(prefix) for m in enum_members(enum)]
    assert found == [m if m == "OK" else m.upper() for m in members]
