"""The same cases under pytest-benchmark: `pytest bench --benchmark-json=FILE` for its statistics and comparisons."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.cases import Case, core, layers, peer


@pytest.mark.parametrize("case", [*core(), *layers(), *peer()], ids=lambda case: f"{case.layer}: {case.name}")
def test_case(case: Case, benchmark: BenchmarkFixture) -> None:
    benchmark.group = case.layer
    benchmark.extra_info["messages"] = case.messages
    benchmark.pedantic(case.call, rounds=5, warmup_rounds=1)  # type: ignore[no-untyped-call]
