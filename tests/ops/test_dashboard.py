"""The dashboard: generated from its code, and every panel has data once a worker is scraped."""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sigfw.telemetry.http import Health, HttpServer
from sigfw.telemetry.metrics import CORE, Metrics
from tests.ops.conftest import ROOT, Prometheus
from tests.ops.panels import DASHBOARD, RANGE_SECONDS, queries, wait_for_data

OWN_METRIC = re.compile(r"\bsigfw_[a-z_]+")


def metric_names() -> set[str]:
    """Names of the samples that a scrape can hold."""
    metrics = Metrics(dict)
    metrics.set_policy("p", "0" * 16, 0.0, {"home": 1})
    metrics.set_modes({})
    metrics.set_lag("t", 0, 0, 0.0)
    return {sample.name for family in metrics.collect() for sample in family.samples} | {"sigfw_rule_matches_total"}


@contextmanager
def served_traffic() -> Iterator[int]:
    """A port with the metrics of a worker that judges about 1,000 messages a second and can decode them all."""
    counts: dict[str, dict[tuple[str, ...], int]] = {
        "messages": {("pcap", "international"): 0},
        "verdicts": {("allow", "rule", "cat0", "international"): 0, ("drop", "rule", "cat1", "international"): 0},
        "rule_matches": {("interconnect-operations", "enforce"): 0},
        "opcode_forms": {("local",): 0},
    }
    metrics = Metrics(lambda: counts)
    metrics.set_policy("sample", "0123456789abcdef", time.time(), {"home": 12, "blocked": 3})
    metrics.set_modes({"international": "enforce"})
    health = Health()
    server = HttpServer(metrics, health, port=0)
    done = threading.Event()

    def judge() -> None:
        while not done.wait(0.1):
            for series in counts.values():
                for labels in series:
                    series[labels] += 100
            metrics.batch_seconds.observe(200e-6)
            metrics.end_to_end_seconds.observe(4e-3, 100)
            metrics.store_seconds.observe(1e-3)
            metrics.verdict_age_seconds.observe(20e-3, 100)
            metrics.set_lag("ss7.in", 0, 3, 0.01)

    worker = threading.Thread(target=judge)
    server.start()
    worker.start()
    try:
        yield server.port
    finally:
        done.set()
        worker.join()
        server.stop()


def test_json_is_what_the_code_generates() -> None:
    script = ROOT / "configs/grafana/sigfw.py"
    made = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr
    fresh = made.stdout == DASHBOARD.read_text()
    assert fresh, "stale: python configs/grafana/sigfw.py > configs/grafana/sigfw.json"


def test_panels_say_what_they_mean_in_which_unit() -> None:
    panels = [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]


def test_queries_and_alerts_name_metrics_that_exist() -> None:
    known = metric_names()
    asked = [query.expression for query in queries()]
    alerts = (ROOT / "configs/prometheus/alerts.yaml").read_text()
    named = {name for text in [*asked, alerts] for name in OWN_METRIC.findall(text)}
    assert named - known == set()
    assert all("vector(" not in text for text in [*asked, alerts])
    # The other way: a core metric that no panel shows is one that nobody will see at night.
    shown = {name for text in asked for name in OWN_METRIC.findall(text)}
    assert {f"sigfw_{name}_total" for name in CORE} - shown == set()


def test_every_panel_has_data_when_metrics_are_scraped(prometheus: Callable[[list[str]], Prometheus]) -> None:
    with served_traffic() as port:
        server = prometheus([f"127.0.0.1:{port}"])
        missing = wait_for_data(server, 30)
        assert missing == []
        (_, ratios), *_ = server.series(next(q.expression for q in queries() if q.panel == "Deny ratio"), RANGE_SECONDS)
        assert ratios[-1] == 0.5
        (_, ages), *_ = server.series(next(q.expression for q in queries() if q.panel == "Verdict age"), RANGE_SECONDS)
        assert 10e-3 < ages[-1] <= 25e-3


def test_scrape_is_taken_without_a_warning(prometheus: Callable[[list[str]], Prometheus], tmp_path: Path) -> None:
    with served_traffic() as port:
        server = prometheus([f"127.0.0.1:{port}"])
        deadline = time.monotonic() + 20
        while not server.series('up{job="sigfw"} == 1') and time.monotonic() < deadline:
            time.sleep(0.2)
        targets = server.api("targets")
        assert isinstance(targets, dict)
        assert [target["lastError"] for target in targets["activeTargets"]] == [""]
        (_, values), *_ = server.series("scrape_samples_post_metric_relabeling")
        # One worker with a small policy: what a series costs, Prometheus pays for years.
        assert 100 < values[0] < 1000
    assert (tmp_path / "prometheus0/prometheus.log").read_text() == ""
