"""Regimes: national rules on global titles, dated data that nothing includes by itself."""

import datetime
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.dialogues import update
from bench.encode import Party
from sigfw.cli import cli
from sigfw.policy.compiler import compile_policy
from sigfw.policy.lint import lint
from sigfw.policy.loader import load
from sigfw.policy.whois import Whois
from tests.state.story import Story

CONFIGS = Path(__file__).parents[2] / "configs"
POLICY = """\
schema: 1
name: uk
home: {country_code: "44", global_titles: ["4477009000"], imsi: ["99942"]}
exceptions: {default: allow}
include: regimes/uk-gt-leasing.yaml
"""
REGISTER = """\
prefix,lessor,lessee,valid_from,valid_until,source,note
4477009001,Lessor A,Lessee A,2026-04-22,,a register,
4477009002,Lessor A,Lessee B,2026-10-22,,a register,a use case with more time
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    shutil.copytree(CONFIGS / "regimes", tmp_path / "regimes")
    (tmp_path / "regimes" / "uk-gt-leasing.csv").write_text(REGISTER)
    (tmp_path / "p.yaml").write_text(POLICY)
    return tmp_path / "p.yaml"


@pytest.mark.parametrize(
    ("calling", "day", "found"),
    [
        ("447700900111", "2026-04-21", False),
        ("447700900111", "2026-04-22", True),
        ("447700900222", "2026-10-21", False),
        ("447700900222", "2026-10-22", True),
        ("447700900333", "2026-11-28", False),  # a node of a UK operator, by right
    ],
)
def test_uk_leases_are_told_from_their_day_on_and_nodes_of_operators_never(
    policy: Path, calling: str, day: str, found: bool
) -> None:
    story = Story(compile_policy(load(policy, today=datetime.date.fromisoformat(day))))
    verdict = story.tell(update(Party(calling, 7), b"1234", to=Party("447700900001", 6)))[0]
    assert (verdict["action"], verdict["rule"]) == ("allow", None)
    told = {"action": "drop", "rule": "uk-gt-leasing", "reason": "rule"}
    assert verdict["shadow"] == (told if found else None)


def test_regime_is_named_with_source_and_date(policy: Path) -> None:
    loaded = load(policy, today=datetime.date(2026, 11, 28))
    (rule,) = loaded.rules
    assert rule.labels == {
        "regime": "uk-gt-leasing",
        "source": "Ofcom's statement of 2025-04-22",
        "since": "2025-04-22",
    }
    said = ", ".join(f"{name} {text}" for name, text in rule.labels.items())
    message = update(Party("447700900111", 7), b"1234", to=Party("447700900001", 6)).hex()
    for command in (["policy", "show", str(policy)], ["explain", message, "--policy", str(policy)]):
        assert said in CliRunner().invoke(cli, command).output
    assert Whois(loaded).of("447700900222")["lease"]["lessee"] == "Lessee B"


@pytest.mark.parametrize("path", sorted((CONFIGS / "regimes").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_regimes_are_clean_and_only_watch(path: Path, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(POLICY.replace("regimes/uk-gt-leasing.yaml", str(path)))
    policy = load(tmp_path / "p.yaml")
    assert lint(policy) == []
    assert {(rule.mode, rule.labels["regime"]) for rule in policy.rules} == {("shadow", path.stem)}


def test_no_shipped_policy_includes_a_regime() -> None:
    for path in (path for path in (CONFIGS / "policies").glob("*.yaml") if ".tests" not in path.suffixes):
        assert not any("regimes" in Path(file).parts for file in load(path).files)
