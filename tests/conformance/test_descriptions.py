"""Described messages read by tshark: the operation and the numbers that the description names."""

import shutil
import struct
from pathlib import Path
from typing import Any

import pytest

from sigfw import names
from sigfw.messages.component import Operation, form_of
from sigfw.messages.describe import Defaults, describe
from sigfw.messages.fill import every
from sigfw.messages.forms import bare_name, kind_of
from sigfw.policy.loader import load
from sigfw.yamlfile import Mistakes, parse
from tests.captures.truth import make_truth

IMSI, MSISDN = "001010900000007", "447700900707"
POLICY = Path(__file__).parents[2] / "configs" / "policies" / "interconnect.yaml"

# Whose identities stand in members of a later release than tshark 4.0 knows.
PASSED_OVER = ("reset",)  # subscriptionData, subscriptionDataDeletion
# No module of pycrate's has their arguments.
UNDEFINED = [
    name for _, _, name, _ in names.OPERATIONS if name.startswith(("secureTransport", "provideSIWFS", "sIWFS"))
]


def named_operations() -> list[str]:
    """Every operation that interconnect.yaml speaks of."""
    conditions = [c for rule in load(POLICY).rules for c in rule.when if c.field == "operation"]
    return sorted({str(value) for c in conditions if c.within for value in c.within.values})


def identities(name: str) -> list[str]:
    """Which of imsi and msisdn the argument of an operation can carry."""
    application, opcode = next((a, o) for a, o, n, _ in names.OPERATIONS if n == name)
    form = form_of(Operation(application, opcode, name, 0, terminated=name != "mo-forwardSM"), "argument")
    if form is None or form.type is None:
        return []
    there = {
        kind_of(route[-1] if route else bare_name(form), one)
        for route, one in every(form.type, bare_name(form), name != "mo-forwardSM")
        if len(route) <= 2
    }
    return sorted(there & {"imsi", "msisdn"})


def encoded(text: str) -> tuple[bytes, ...]:
    mistakes = Mistakes()
    node = parse(text.encode(), "d.yaml", mistakes)
    assert node is not None
    parts = describe(node, mistakes, Defaults({}, "447700900011"), 1)
    assert mistakes.lines() == []
    return parts


def read(messages: list[tuple[bytes, ...]], path: Path) -> list[dict[str, Any]]:
    """What tshark says of the last part of each."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 142)]
    finals, frame = [], 0
    for parts in messages:
        for part in parts:
            out += [struct.pack("<IIII", frame, 0, len(part), len(part)), part]
            frame += 1
        finals.append(frame)
    path.write_bytes(b"".join(out))
    truths = {truth["frame"]: truth for truth in make_truth(path)}
    return [truths[frame] for frame in finals]


@pytest.fixture(autouse=True)
def tshark() -> None:
    assert shutil.which("tshark"), "tshark is not there: apt-get install tshark (make test does it)"


def test_operations_of_the_policy_are_read_with_their_identities(tmp_path: Path) -> None:
    asked: list[tuple[str, str, str]] = []
    for name in named_operations():
        asked += [(name, kind, {"imsi": IMSI, "msisdn": MSISDN}[kind]) for kind in identities(name)] or [(name, "", "")]
    texts = [f"{{operation: {n}, calling: '491713920012'{f', {k}: {d!r}' if k else ''}}}" for n, k, d in asked]
    seen = read([encoded(text) for text in texts], tmp_path / "described.pcap")
    opcodes = {name: opcode for _, opcode, name, _ in names.OPERATIONS}
    found = []
    for (name, kind, digits), truth in zip(asked, seen, strict=True):
        found += [(name, "malformed", truth["malformed"])] if truth["malformed"] else []
        found += [(name, "opcode", truth["components"])] if truth["components"][0]["opcode"] != opcodes[name] else []
        if kind and digits not in [*(truth[kind] or ()), *(truth["e164"] or ())] and name not in PASSED_OVER:
            found.append((name, kind, truth[kind]))
        found += [(name, "calling", truth["calling"])] if truth["calling"]["digits"] != "491713920012" else []
    assert not found, found
    assert sum(1 for _, kind, _ in asked if kind == "imsi") > 30


@pytest.mark.parametrize("version", [1, 2, 3])
def test_versions_are_read(tmp_path: Path, version: int) -> None:
    of = {o for _, versions in names.MAP_CONTEXTS.values() for o in versions.get(version, ())}
    operations = [(o, n) for a, o, n, _ in names.OPERATIONS if a == "map" and o in of and n != "mt-forwardSM"]
    operations = [(o, n) for o, n in operations if n not in UNDEFINED]
    texts = [f"{{operation: {n}, calling: '491713920012', version: {version}}}" for _, n in operations]
    seen = read([encoded(text) for text in texts], tmp_path / "described.pcap")
    wrong = [
        (name, truth["acn"], truth["components"], truth["malformed"])
        for (opcode, name), truth in zip(operations, seen, strict=True)
        if truth["malformed"] or truth["components"][0]["opcode"] != opcode
    ]
    assert not wrong, wrong
    contexts = {truth["acn"] and int(truth["acn"][-1]) for truth in seen}
    assert contexts == ({None} if version == 1 else {version})


@pytest.mark.parametrize("kind", ["XUDT", "LUDT", "UDTS", "XUDTS", "LUDTS", "3 segments"])
def test_sccp_forms_are_read(tmp_path: Path, kind: str) -> None:
    form = "segments: 3" if kind == "3 segments" else f"sccp: {kind}"
    text = f"{{operation: updateLocation, calling: '491713920012', imsi: '{IMSI}', {form}}}"
    (truth,) = read([encoded(text)], tmp_path / "described.pcap")
    assert truth["sccp_type"] == ("XUDT" if kind == "3 segments" else kind)
    assert (truth["imsi"], truth["components"][0]["opcode"]) == ([IMSI], 2)
    assert truth["malformed"] in (None, False)


def test_address_is_as_it_is_described(tmp_path: Path) -> None:
    called = "{gt: '447700900000001', np: e214, nai: international, tt: 5, ssn: hlr, pc: 300}"
    (truth,) = read([encoded(f"{{tcap: end, calling: '491713920012', called: {called}}}")], tmp_path / "described.pcap")
    seen = truth["called"]
    assert {key: seen[key] for key in ("digits", "np", "nai", "tt", "ssn", "pc", "gti", "ri")} == {
        "digits": "447700900000001",
        "np": 7,
        "nai": 4,
        "tt": 5,
        "ssn": 6,
        "pc": 300,
        "gti": 4,
        "ri": 0,
    }
