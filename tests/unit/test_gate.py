"""The gate's statistics and bounds, on made-up measurements; and what it reads."""

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import callgrind, gate
from bench.gate import PAIRS, Found, interval, slower


def rounds(r: random.Random, slowdown: float, noise: float, pairs: int = PAIRS) -> list[float]:
    return [slowdown * r.lognormvariate(0, noise) for _ in range(pairs)]


def test_interval_holds_the_median_as_often_as_it_says() -> None:
    r = random.Random(1)
    lows_highs = [interval(rounds(r, 1.0, 0.1)) for _ in range(2000)]
    assert sum(low <= 1 <= high for low, high in lows_highs) >= 0.985 * 2000


def test_interval_leaves_out_as_many_as_the_signs_allow() -> None:
    # twelve tosses of a coin: none or one head, or tail, 26 times in 4,096; two of them 158 times
    assert interval(list(range(12))) == (1, 10)
    assert interval(list(range(8))) == (0, 7)
    with pytest.raises(ValueError, match="7 values"):
        interval(list(range(7)))


def test_equal_trees_are_not_slower_whatever_the_noise() -> None:
    r = random.Random(2)
    assert not any(slower(rounds(r, 1.0, noise), 5) for noise in (0.01, 0.05, 0.2) for _ in range(1000))


def test_slower_by_a_tenth_is_found_where_the_noise_is_less() -> None:
    r = random.Random(3)
    assert sum(slower(rounds(r, 1.1, 0.02), 5) for _ in range(1000)) > 950


def test_slower_within_the_bound_is_let_through() -> None:
    r = random.Random(4)
    assert not any(slower(rounds(r, 1.04, 0.02), 5) for _ in range(1000))


QUICK, SLOW = [1.0] * PAIRS, [1.2] * PAIRS


@pytest.mark.parametrize(
    ("found", "costs", "faults"),
    [
        (Found(1000, 1030, QUICK), 0, 0),
        (Found(1000, 1031, QUICK), 0, 1),
        (Found(1000, 1031, QUICK), 4, 0),
        (Found(1000, 900, SLOW), 0, 0),  # the second run decides
        (Found(1000, 900, SLOW, QUICK), 0, 0),
        (Found(1000, 900, SLOW, SLOW), 0, 1),
        (Found(1000, 900, SLOW, SLOW), 21, 0),
        (Found(1000, 2000, SLOW, SLOW), 21, 1),
        (Found(1000, 2000, SLOW, SLOW), 2, 2),
    ],
)
def test_fault_where_a_bound_is_passed(found: Found, costs: float, faults: int) -> None:
    assert len(found.faults(costs)) == faults


def log(monkeypatch: pytest.MonkeyPatch, said: str) -> Callable[[], tuple[float, list[str]]]:
    monkeypatch.setattr(gate, "git", lambda *_: said)
    return lambda: gate.allowed("base")


def test_costs_of_all_commits_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert log(monkeypatch, "4 %: a check more\n\n2.5 %, a field more\n")() == (
        6.5,
        ["4 %: a check more", "2.5 %, a field more"],
    )
    assert log(monkeypatch, "")() == (0, [])


@pytest.mark.parametrize("said", ["some", "4", "4 %", "4 %:", "a check more"])
def test_costs_without_number_or_reason_are_refused(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    with pytest.raises(gate.CannotRun, match="write `Costs: 4 %: why`"):
        log(monkeypatch, said)()


def repository(folder: Path, *commits: str) -> None:
    author = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    subprocess.run(["git", "init", "-q", folder], check=True)
    for message in commits:
        subprocess.run(["git", *author, "commit", "-q", "--allow-empty", "-m", message], cwd=folder, check=True)


def test_no_parent_without_repository_or_with_one_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gate, "ROOT", tmp_path)
    assert gate.parent() is None
    repository(tmp_path, "first")
    assert gate.parent() is None


def test_parent_and_costs_of_a_real_history(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gate, "ROOT", tmp_path)
    repository(
        tmp_path, "first", "second\n\nCosts: 4 %: a check\n  more", "third\n\nCosts: nothing is said here\n\nMore."
    )
    base = gate.git("rev-parse", "HEAD^1")
    assert gate.parent() == base
    assert gate.allowed(base) == (0, [])  # no trailer: it is not the last paragraph
    assert gate.allowed(gate.git("rev-parse", "HEAD^1^1")) == (4, ["4 %: a check more"])


def test_repository_that_git_cannot_read_is_no_missing_parent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gate, "ROOT", tmp_path)
    (tmp_path / ".git").mkdir()
    with pytest.raises(gate.CannotRun, match="git rev-list"):
        gate.parent()


DUMP = """\
# callgrind format
version: 1
desc: Trigger: Client Request: judge
positions: line
events: Ir
fl=(1) engine.c
fn=(1) run
10 100
+2 5
cfn=(2) decode
calls=3 20
* 7000
-1 1
fn=(2)
20 900
fn=(1)
11 4
totals: 1010
"""


def test_callgrind_own_instructions_without_those_of_callees() -> None:
    assert callgrind.read(DUMP) == ("judge", {"run": 110, "decode": 900})
