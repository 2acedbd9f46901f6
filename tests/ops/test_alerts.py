"""The alert rules, by promtool: well formed, each fires on its cause, and each is needed for its test to pass."""

import shutil
import subprocess
from pathlib import Path

import yaml

from tests.ops.conftest import ROOT, needed

FOLDER = ROOT / "configs/prometheus"


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [needed("promtool"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_rules_and_sample_configuration_are_well_formed() -> None:
    for command in (
        ("check", "rules", "--lint-fatal", FOLDER / "alerts.yaml"),
        ("check", "config", FOLDER / "prometheus.yml"),
    ):
        done = promtool(*command)
        assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_on_their_causes_only() -> None:
    done = promtool("test", "rules", FOLDER / "alerts_test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_alert_that_is_gone_is_missed(tmp_path: Path) -> None:
    rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    alerts = rules["groups"][0]["rules"]
    shutil.copy(FOLDER / "alerts_test.yaml", tmp_path)
    for gone in alerts:
        others = [alert for alert in alerts if alert is not gone]
        (tmp_path / "alerts.yaml").write_text(yaml.safe_dump({"groups": [{"name": "sigfw", "rules": others}]}))
        done = promtool("test", "rules", tmp_path / "alerts_test.yaml")
        assert done.returncode == 1, f"no unit test needs {gone['alert']}"


def test_alerts_say_what_to_do() -> None:
    for alert in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]:
        assert alert["labels"]["severity"] in ("critical", "warning")
        assert alert["annotations"]["summary"].startswith(("sigfw", "no sigfw"))
        assert len(alert["annotations"]["description"]) > 100, alert["alert"]
