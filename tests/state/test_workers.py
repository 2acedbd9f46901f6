"""`sigfw run` and the checks that workers have to share."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sigfw.config import load
from sigfw.errors import ConfigError
from sigfw.pipeline.build import load_rules, warn_of_key

CONFIG = """
schema: 1
policy: p.yaml
source: {{capture: {{path: c.pcap}}}}
sink: {{files: {{verdicts: v.jsonl, events: e.jsonl}}}}
identities: {{pseudonymise: false}}
workers: {workers}
state: {state}
"""
POLICY = "schema: 1\nname: p\nrules:\n  - {{id: far, when: {{check: {check}}}, action: drop, mode: {mode}}}\n"


def config(
    tmp_path: Path,
    workers: int,
    state: str = "{store: memory}",
    check: str = "location_implausible",
    mode: str = "shadow",
) -> Path:
    (tmp_path / "p.yaml").write_text(POLICY.format(check=check, mode=mode))
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG.format(workers=workers, state=state))
    return path


def test_workers_that_cannot_share_what_a_check_asks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load_rules(config(tmp_path, 2))
    (line,) = refused.value.mistakes
    assert line.startswith(f"{tmp_path}/c.yaml:1: each of 2 workers with the memory store")
    assert "`location_implausible`" in line
    assert "rule far" in line
    assert line.endswith("write state: {store: redis, url: redis://…}, or workers: 1")


@pytest.mark.parametrize(
    ("workers", "state", "check", "mode"),
    [
        (1, "{store: memory}", "location_implausible", "enforce"),
        (2, "{store: redis, url: redis://127.0.0.1:6379}", "location_implausible", "enforce"),
        (2, "{store: memory}", "rate_exceeded", "enforce"),  # each worker counts what it sees
        (2, "{store: memory}", "location_implausible", "off"),
    ],
)
def test_workers_that_can_are_not(tmp_path: Path, workers: int, state: str, check: str, mode: str) -> None:
    assert load_rules(config(tmp_path, workers, state, check, mode)).tables.rule_ids == ("", "far")


@pytest.mark.parametrize(("mode", "said"), [(0o600, []), (0o644, ["key_file_open"])])
def test_key_that_others_may_read_is_told(tmp_path: Path, mode: int, said: list[str]) -> None:
    path, key = config(tmp_path, 1), tmp_path / "key"
    key.write_text("a key for the tests of this file")
    key.chmod(mode)
    path.write_text(path.read_text().replace("pseudonymise: false", f"key_file: {key}"))
    with capture_logs() as lines:
        warn_of_key(load(path))
    assert [line["event"] for line in lines] == said
