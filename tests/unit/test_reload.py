"""SIGHUP: whatever is wrong with the new rules, the old ones decide on, and the log says each mistake."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from sigfw._core.engine import Worker
from sigfw.errors import ConfigError
from sigfw.pipeline.build import list_sizes
from sigfw.pipeline.worker import Rules, Service
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from sigfw.policy.model import Policy
from sigfw.telemetry.http import Health
from sigfw.telemetry.metrics import Metrics

POLICY = """\
schema: 1
name: NAME
home: {country_code: "44", global_titles: ["4477"], imsi: ["23415"], hosted_abroad: ["44781"]}
operators: [{tadig: DEUXX, country: DE, global_titles: ["49171", "49172"], imsi: ["26201"]}]
lists: {blocked: {kind: gt, entries: ["23276"]}}
"""


@pytest.fixture
def policy(tmp_path: Any) -> Callable[[str], Policy]:
    def write(name: str) -> Policy:
        (tmp_path / "p.yaml").write_text(POLICY.replace("NAME", name))
        return load(tmp_path / "p.yaml")

    return write


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        pytest.param(ConfigError([f"p.yaml:{n}: no" for n in range(20)]), 20, id="mistakes"),
        pytest.param(MemoryError(), 1, id="fault of our own"),
    ],
)
async def test_rules_that_cannot_be_had_leave_the_old_ones(
    policy: Callable[[str], Policy], fault: Exception, told: int
) -> None:
    old = Rules(compile_policy(policy("old")), {}, {})
    answers: list[Rules | Exception] = [old, fault, fault]

    def read() -> Rules:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    service = Service(Worker(), read, Metrics(dict), Health())
    with structlog.testing.capture_logs() as lines:
        for _ in range(5):  # more than can be read at a time are one
            service._hup()
        await asyncio.gather(*service._reloads)
    assert service._rules is old
    assert not service._reloads
    refused = [line for line in lines if line["event"] != "policy_kept"]
    assert len({line["reason"] for line in refused}) == told
    assert len(refused) == 2 * told
    assert len(lines) - len(refused) == 2


def test_list_sizes_hold_home_and_operators(policy: Callable[[str], Policy]) -> None:
    assert list_sizes(policy("p")) == {"blocked": 1, "home": 2, "hosted_abroad": 1, "operators": 3}
