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


def record(*entries: tuple[int, int], blobs: bytes = b"") -> bytes:
    """Entries with their blobs' offset and octets, otherwise an `allow` by the first rule."""
    packed = [records.ENTRY.pack(1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, at, n, 0, 0) for at, n in entries]
    return records.HEADER.pack(b"SGV1", 32, 0, len(entries), 0, 0, 0) + b"".join(packed) + blobs


def test_unpack_takes_blobs_and_refuses_those_that_are_none() -> None:
    part = records.PART.pack(7, 1, 0)
    (verdict,) = records.unpack(record((64, 17), blobs=b"\x03\x0e\0" + part))["verdicts"]
    assert verdict["parts"] == [(7, 1, 0)]
    for blobs, refusal in (
        (b"\x03\x0d\0" + part[1:], "13 octets are no list of parts"),
        (b"\x00\x00\0", "a number that"),
        (b"\x05\x00\0", "a number that"),
        (b"\x01\x01\0", "do not fit"),
    ):
        with pytest.raises(ValueError, match=refusal):
            records.unpack(record((64, len(blobs)), blobs=blobs))


def test_unpack_reads_no_blob_for_two_entries() -> None:
    """Entries that all name the same blobs would take time and memory of their product."""
    blobs = b"\x01\xfc\xff" + bytes(0xFFFC)
    with pytest.raises(ValueError, match="octets of blobs so far"):
        records.unpack(record(*[(32 + 32 * 4000, 0xFFFF)] * 4000, blobs=blobs))


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda b: b"SGV1" + b))
def test_unpack_of_any_octets_reads_or_says_why(octets: bytes) -> None:
    try:
        read = records.unpack(octets)
    except ValueError as e:
        assert "\n" not in str(e)
    else:
        assert len(octets) >= 32 + 32 * len(read["verdicts"])
