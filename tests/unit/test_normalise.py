"""docs/normalisation.md, a test a row."""

import pytest

from sigfw import names
from sigfw._core.normalise import gt_readings, number_readings

E164, E214, E212, MSISDN = (names.SPACES.index(name) for name in ("e164", "e214", "e212", "msisdn"))


@pytest.mark.parametrize(
    ("np", "space"),
    [(1, E164), (2, E164), (0, E164), (None, E164), (7, E214), (6, E212)]
    + [(np, None) for np in (3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15)],
)
def test_numbering_plan_decides_the_space(np: int | None, space: int | None) -> None:
    expected = [] if space is None else [(space, "447700900123")]
    assert gt_readings("447700900123", np=np, nai=4, home_country_code="49") == expected


GT_ROWS = [
    # NAI, CC, digits, looked up as
    (4, "44", "491711234567", ["491711234567"]),
    (None, "44", "491711234567", ["491711234567"]),
    (4, "44", "00491711234567", ["491711234567"]),
    (4, "44", "0491711234567", []),
    (4, "44", "000491711234567", []),
    (4, "44", "00", []),
    (3, "44", "7700900123", ["447700900123"]),
    (3, "44", "447700900123", ["44447700900123", "447700900123"]),
    (3, "44", "44", ["4444"]),
    (3, "44", "07700900123", ["447700900123", "4407700900123"]),
    (3, "44", "00491711234567", ["491711234567"]),
    (3, "", "491711234567", ["491711234567"]),
    (3, "", "00491711234567", ["491711234567"]),
    (3, "", "01711234567", []),
    (0, "44", "491711234567", ["491711234567", "44491711234567"]),
    (0, "44", "07700900123", ["447700900123"]),
    (0, "44", "00491711234567", ["491711234567"]),
    (0, "44", "0", []),
    (0, "", "491711234567", ["491711234567"]),
    (0, "", "00491711234567", ["491711234567"]),
    (0, "", "01711234567", []),
    *[(nai, "44", "447700900123", []) for nai in (1, 2, 5, 6, 127)],
    # in every space
    (4, "44", "", []),
    (4, "44", "44770090012f", ["44770090012"]),
    (4, "44", "f", []),
    (4, "44", "44770a900123", []),
    (4, "44", "4477009001ff", []),
    (4, "44", "447700900123456", ["447700900123456"]),
    (4, "44", "4477009001234560", ["447700900123456"]),
    (4, "44", "4477009001234561", []),
    (4, "44", "44770090012345601", []),
    (4, "44", "4" * 33, []),
    (0, "44", "491711234567890", ["491711234567890"]),
    (3, "44", "44770090012345", ["44770090012345"]),
]


@pytest.mark.parametrize(("nai", "cc", "digits", "expected"), GT_ROWS)
@pytest.mark.parametrize(("np", "space"), [(1, E164), (7, E214)])
def test_gt_is_read_by_its_nature_of_address(
    np: int, space: int, nai: int | None, cc: str, digits: str, expected: list[str]
) -> None:
    assert gt_readings(digits, np=np, nai=nai, es=2, home_country_code=cc) == [(space, one) for one in expected]


@pytest.mark.parametrize(("es", "expected"), [(None, ["447700900123456"]), (2, ["447700900123456"]), (1, [])])
def test_sixteenth_zero_is_a_filler_unless_odd(es: int | None, expected: list[str]) -> None:
    assert [one for _, one in gt_readings("4477009001234560", np=1, nai=4, es=es)] == expected


@pytest.mark.parametrize("nai", [0, 3, 4, None])
def test_e212_stands_as_it_is_whatever_the_nature(nai: int | None) -> None:
    assert gt_readings("001011234567890", np=6, nai=nai, home_country_code="44") == [(E212, "001011234567890")]


@pytest.mark.parametrize("nai", [1, 2, 5, 127])
def test_e212_of_an_unknown_nature_is_unusable(nai: int) -> None:
    assert gt_readings("234151234567890", np=6, nai=nai) == []


@pytest.mark.parametrize(
    ("kind", "plan", "space"),
    [
        ("imsi", 0, E212),
        ("msisdn", 1, MSISDN),
        ("msisdn", 6, MSISDN),
        ("address", 1, E164),
        ("address", 0, E164),
        ("address", 3, E164),
        ("address", 6, E212),
        ("address", 7, E214),
        ("imei", 1, None),
        ("lmsi", 1, None),
        ("tmsi", 1, None),
    ],
)
def test_kind_and_plan_decide_the_space_of_a_number(kind: str, plan: int, space: int | None) -> None:
    expected = [] if space is None else [(space, "234157700900123")]
    assert number_readings("234157700900123", names.NUMBER_KINDS.index(kind), nature=1, plan=plan) == expected


@pytest.mark.parametrize(
    ("nature", "digits", "expected"),
    [
        (1, "491711234567", ["491711234567"]),
        (1, "00491711234567", ["491711234567"]),
        (2, "7700900123", ["447700900123"]),
        (2, "447700900123", ["44447700900123", "447700900123"]),
        (0, "491711234567", ["491711234567", "44491711234567"]),
        (0, "07700900123", ["447700900123"]),
        (3, "491711234567", ["491711234567"]),
        (1, "", []),
        (1, "a9", []),
        (1, "49171a", ["49171"]),
        (1, "4" * 33, ["4" * 16]),
        (2, "7700900123456789", ["4477009001234567"]),
    ],
)
def test_address_is_read_by_its_nature(nature: int, digits: str, expected: list[str]) -> None:
    address = names.NUMBER_KINDS.index("address")
    readings = number_readings(digits, address, nature=nature, plan=1, home_country_code="44")
    assert readings == [(E164, one) for one in expected]


def test_imsi_with_a_digit_too_many_is_still_looked_up() -> None:
    imsi = names.NUMBER_KINDS.index("imsi")
    assert number_readings("2341512345678901f", imsi) == [(E212, "2341512345678901")]


@pytest.mark.parametrize(
    ("cc", "np", "nai", "digits", "expected"),
    [
        ("1", 1, None, "4155550100", ["4155550100", "14155550100"]),
        ("1", None, None, "4155550100", ["4155550100", "14155550100"]),
        ("1", 7, None, "4155550100", ["4155550100", "14155550100"]),
        ("1", 1, None, "14155550100", ["14155550100"]),
        ("1", 1, None, "447700900123", ["447700900123"]),
        ("1", 1, None, "1155550100", ["1155550100"]),
        ("1", 1, None, "415555010", ["415555010"]),
        ("1", 1, None, "0014155550100", ["14155550100"]),
        ("1", 1, None, "0155550100", []),
        ("1", 6, None, "3101501234", ["3101501234"]),
        ("1", 1, 4, "4155550100", ["4155550100"]),
        ("1", 15, None, "4155550100", []),
        ("44", 1, None, "4155550100", ["4155550100"]),
        ("", 1, None, "4155550100", ["4155550100"]),
    ],
)
def test_gt_of_ansi_is_looked_up_as_the_table_says(
    cc: str, np: int | None, nai: int | None, digits: str, expected: list[str]
) -> None:
    found = gt_readings(digits, np=np, nai=nai, home_country_code=cc, ansi=True)
    assert [number for _, number in found] == expected
