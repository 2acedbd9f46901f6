"""docs/policy.md says what the language is: its tables name everything, its examples load."""

import re
from pathlib import Path

import pytest

from sigfw import names
from sigfw.policy import schema
from sigfw.policy.compiler import compile_policy
from sigfw.policy.lint import lint
from sigfw.policy.loader import TOP, load
from sigfw.policy.rules import KEYS

GUIDE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text()


def rows(head: str) -> list[list[str]]:
    """Cells of the table whose first column is called so."""
    table = re.search(rf"^\| {head} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", GUIDE, re.M)
    assert table, head
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table[1].splitlines()]


def named(head: str) -> list[str]:
    return [name for row in rows(head) for name in re.findall(r"`([^`]+)`", row[0])]


def test_field_table_names_every_field_of_the_schema() -> None:
    addresses = ["map.addresses.NAME.gt", "map.addresses.NAME.operator"]
    assert sorted(named("field")) == sorted([*schema.FIELDS, *addresses])


def test_check_table_names_every_check() -> None:
    assert named("check") == list(names.CHECKS[1:])


def test_exception_table_names_every_exception_with_its_default() -> None:
    assert {row[0].strip("`"): row[1] for row in rows("exception")} == names.EXCEPTIONS


def test_key_tables_name_every_key() -> None:
    sections, rule = re.findall(r"^\| key \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", GUIDE, re.M)
    assert set(re.findall(r"^\| `(\w+)`", sections, re.M)) == set(TOP)
    assert set(re.findall(r"^\| `(\w+)`", rule, re.M)) == set(KEYS)


@pytest.mark.parametrize("block", re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.M | re.S))
def test_example_of_the_guide_loads(tmp_path: Path, block: str) -> None:
    (tmp_path / "p.yaml").write_text(block)
    policy = load(tmp_path / "p.yaml")
    compile_policy(policy)
    assert policy.rules
    assert lint(policy) == []
