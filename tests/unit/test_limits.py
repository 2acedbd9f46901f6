"""Bounds: the table in docs/limits.md is that of the core, and what it says happens beyond each of them does."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sigfw import names
from sigfw._core import mapop, sccp
from sigfw._core.reassembly import Harness
from sigfw.policy import schema
from tests.unit.segments import segment
from tests.unit.tcapbytes import (
    ATI,
    ATI_ACN,
    Form,
    Node,
    address,
    begin,
    dialogue,
    digits,
    encode,
    indefinite,
    invoke,
    oid,
    short,
)

ROOT = Path(__file__).parents[2]
BOUNDS = {
    name: int(value)
    for name, value in re.findall(
        r"^    ([A-Z0-9_]+) = (\d+)$", (ROOT / "sigfw" / "_core" / "limits.pxd").read_text(), re.M
    )
}
ROWS = re.findall(r"^\| `([A-Z0-9_]+)` \| ([\d,]+) \|.*\| ([^|]+) \|$", (ROOT / "docs" / "limits.md").read_text(), re.M)


def test_table_holds_the_bounds_of_the_core_in_their_order() -> None:
    assert [(name, int(value.replace(",", ""))) for name, value, _ in ROWS] == list(BOUNDS.items())


def test_policy_is_held_to_the_bounds_of_the_core() -> None:
    here = {"MAX_RULES": schema.MAX_RULES, "MAX_CATEGORIES": schema.MAX_CATEGORIES}
    here["MAX_KEY_DIGITS"] = schema.MAX_PREFIX_DIGITS
    assert here.items() <= BOUNDS.items()


def unitdata(data: bytes, options: bytes = b"\0") -> bytes:
    """An LUDT (Q.713 4.20): its length of data is two octets wide."""
    parts = b"\x02\x42\x06\x02\x42\x08" + len(data).to_bytes(2, "little") + data
    pointers = b"".join(n.to_bytes(2, "little") for n in (7, 8, 9, 1 + len(parts)))
    return b"\x13\x00\x0f" + pointers + parts + options


def of_sccp(octets: bytes) -> str | None:
    error = sccp.parse(octets)["error"]
    return f"{names.LAYERS[error[0]]} {names.ERROR_CODES[error[1]]}" if error else None


def of_tcap(node: Node, form: Form = short) -> str | None:
    error = mapop.parse(encode(node, form))["error"]
    return f"{error[0]} {error[1]}" if error else None


def of_room(count: int) -> str | None:
    harness = Harness(BOUNDS["MAX_REASSEMBLIES"], 10)
    keys = (n.to_bytes(3, "big") for n in range(count))
    last = harness.feed([(segment(b"x", 1, first=True, reference=key), 1) for key in keys])[-1]
    return f"sccp {names.ERROR_CODES[last['error'][0]]}" if last["error"] else None


def nested(levels: int) -> Node:
    """A Begin with so many levels, those of an extension of its argument included; 62 6C A1 30 are the first four."""
    node: Node = (0x04, b"")
    for _ in range(levels - 4):
        node = (0xBE, [node])
    assert isinstance(ATI[1], list)
    return begin(invoke(71, (0x30, [*ATI[1], node])))


def tagged(number: int) -> Node:
    """A Begin whose argument has an extension with a private tag of this number."""
    tag = bytes([number & 0x7F])
    while number := number >> 7:
        tag = bytes([0x80 | number & 0x7F]) + tag
    assert isinstance(ATI[1], list)
    return begin(invoke(71, (0x30, [*ATI[1], (int.from_bytes(b"\xdf" + tag), b"")])), acn=ATI_ACN)


def numbered(count: int) -> Node:
    """ATI has two numbers; the MAP-OpenInfo one more."""
    reference: Node = (0xA0, [(0xA0, [(0x80, address("4917"))])])
    user: list[Node] = [(0x28, [(0x06, oid("0.4.0.0.1.1.1.1")), reference])]
    portion = dialogue(ATI_ACN, user_information=user if count % 2 else None)
    return begin(*[invoke(71, ATI)] * (count // 2), parts=[portion])


def sms(n: int) -> Node:
    """mo-forwardSM, the destination of its SMS-SUBMIT of so many digits."""
    tpdu = bytes([1, 1, n, 0x91]) + bytes((n + 1) // 2) + b"\0\0\0"
    return invoke(46, (0x30, [(0x84, b"\x91" + digits("49")), (0x82, b"\x91" + digits("49")), (0x04, tpdu)]))


BEYOND: dict[str, tuple[Callable[[int], str | None], str]] = {
    "MAX_OPTIONS": (lambda n: of_sccp(unitdata(b"\0", b"\xf0\0" * n + b"\0")), "sccp too_many"),
    "MAX_USER_OCTETS": (lambda n: of_sccp(unitdata(bytes(n))), "sccp bad_length"),
    "MAX_REASSEMBLIES": (of_room, "sccp no_room"),
    "MAX_DEPTH": (lambda n: of_tcap(nested(n), indefinite), "tcap too_deep"),
    "MAX_TAG_NUMBER": (lambda n: of_tcap(tagged(n)), "map bad_tag"),
    "MAX_NUMBERS": (lambda n: of_tcap(numbered(n)), "map too_many"),
    "MAX_COMPONENTS": (lambda n: of_tcap(begin(*[invoke(71, ATI)] * n, acn=ATI_ACN)), "component too_many"),
    "MAX_TRANSACTION_OCTETS": (
        lambda n: of_tcap((0x62, [(0x48, bytes(n)), dialogue(ATI_ACN), (0x6C, [invoke(71, ATI)])])),
        "tcap bad_length",
    ),
    "MAX_INTEGER_OCTETS": (
        lambda n: of_tcap(begin(invoke(b"\x02\x01" + bytes(n - 1), ATI), acn=ATI_ACN)),
        "component bad_value",
    ),
    "MAX_ARC_BITS": (
        lambda n: of_tcap(begin(invoke(b"\x06" + oid(f"1.2.{2**n - 1}"), ATI), acn=ATI_ACN)),
        "component bad_value",
    ),
    "MAX_TP_ADDRESS_DIGITS": (lambda n: of_tcap(begin(sms(n), acn="0.4.0.0.1.0.21.3")), "map bad_value"),
}


@pytest.mark.parametrize("name", BEYOND)
def test_bound_holds_and_one_beyond_has_its_code(name: str) -> None:
    ask, code = BEYOND[name]
    assert ask(BOUNDS[name]) is None
    assert ask(BOUNDS[name] + 1) == code
