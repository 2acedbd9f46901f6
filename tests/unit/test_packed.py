"""The packed record: its tables in docs/packed.md, and what a reader does with anything that is none."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigfw import names, records

DOC = Path(__file__).parents[2] / "docs" / "packed.md"

TABLES = {
    "Actions": names.ACTIONS,
    "Reasons": names.REASONS,
    "Perimeters": names.PERIMETERS,
    "Layers": names.LAYERS,
    "Error codes": names.ERROR_CODES,
}


def tables() -> str:
    """The tables as docs/packed.md has them."""
    parts = []
    for title, members in TABLES.items():
        rows = "".join(f"| {i} | `{name}` |\n" for i, name in enumerate(members) if i)
        parts.append(f"## {title}\n\n| number | name |\n|---|---|\n{rows}")
    return "\n".join(parts)


def test_packed_doc_lists_the_numbers_of_names() -> None:
    assert DOC.read_text().endswith(tables()), f"docs/packed.md should end with:\n{tables()}"


@pytest.mark.parametrize(
    ("members", "released"),
    [
        (names.ACTIONS, ("allow", "hold", "redirect", "reject", "drop")),
        (names.PERIMETERS, ("international", "national", "internal")),
        (names.LAYERS, ("framing", "sccp", "tcap", "component", "map")),
        (names.REASONS[:5], ("rule", "default", "malformed", "unusable_gt")),
    ],
)
def test_released_numbers_do_not_change(members: tuple[str, ...], released: tuple[str, ...]) -> None:
    assert members[1:] == released


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda b: b"SGV1" + b))
def test_unpack_of_any_octets_reads_or_says_why(octets: bytes) -> None:
    try:
        read = records.unpack(octets)
    except ValueError as e:
        assert "\n" not in str(e)
    else:
        assert len(octets) >= 32 + 32 * len(read["verdicts"])
