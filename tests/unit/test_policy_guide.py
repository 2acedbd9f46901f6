"""docs/policy.md says what the language is: its tables name everything, its examples load."""

import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from sigfw import names
from sigfw.cli.policy import command
from sigfw.messages import component, describe
from sigfw.policy import schema
from sigfw.policy.compiler import compile_policy
from sigfw.policy.lint import lint
from sigfw.policy.loader import TOP, load
from sigfw.policy.rules import KEYS
from sigfw.trial import cases

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
    read = yaml.safe_load(re.sub(r"(\d{4}-\d\d-\d\d)", r"'\1'", block))  # to editors (YAML 1.2) a date is text
    jsonschema.validate(read, schema.policy_schema())


@pytest.mark.parametrize("name", ["interconnect", "sample"])
def test_schema_for_editors_takes_the_shipped_policies(name: str) -> None:
    text = (Path(__file__).parents[2] / "configs" / "policies" / f"{name}.yaml").read_text()
    jsonschema.validate(yaml.safe_load(text), schema.policy_schema())


def test_case_tables_name_every_key() -> None:
    keys = {"name", "steps", *cases.STEP}
    assert set(named("in a case")) == keys
    last = rows("in a case")[-1][1]
    assert set(re.findall(r"`(\w+)`", last)) == {"name", *cases.SEQUENCE}
    told = {key for row in rows("in a message") for cell in row for key in re.findall(r"`(\w+)`", cell)}
    assert {*describe.KEYS, *component.KEYS, *describe.PARTY_KEYS} <= told
    assert set(named("in a message")) <= {*describe.KEYS, *component.KEYS, "imsi", "msisdn"}


@pytest.fixture
def worked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The worked example and its cases, as files."""
    monkeypatch.chdir(tmp_path)
    (policy,) = re.findall(r"^```yaml\n(schema: 1\nname: example\n.*?)^```", GUIDE, re.M | re.S)
    (tried,) = re.findall(r"^```yaml cases\n(.*?)^```", GUIDE, re.M | re.S)
    Path("example.yaml").write_text(policy)
    Path("example.tests.yaml").write_text(tried)
    return Path("example.tests.yaml")


def test_cases_of_the_guide_pass_and_show_every_rule(worked: Path) -> None:
    done = CliRunner().invoke(command, ["test", "example.yaml", "--require-coverage"])
    assert done.exit_code == 0, done.output


def test_failure_in_the_guide_is_what_is_told(worked: Path) -> None:
    expected = "expect: {action: drop, rule: location, category: cat1}"
    assert expected in worked.read_text()
    worked.write_text(worked.read_text().replace(expected, "expect: allow"))
    (told,) = re.findall(r"^    (example\.tests\.yaml:.*\n(?:        .*\n)+)", GUIDE, re.M)
    done = CliRunner().invoke(command, ["test", "example.yaml"])
    assert done.exit_code == 1
    for line, came in zip(told.splitlines(), done.output.splitlines(), strict=False):
        start, cut, _ = line.removeprefix("    ").partition("…")
        assert came.startswith(start) if cut else came == start
