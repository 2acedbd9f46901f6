"""Metrics, the HTTP server and logs, each through what others see of it."""

import asyncio
import gzip
import io
import json
import logging
import re
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from sigfw import names
from sigfw.errors import StartError
from sigfw.telemetry import http, logs
from sigfw.telemetry.http import Health, HttpServer
from sigfw.telemetry.metrics import (
    CORE,
    GAUGES,
    HISTOGRAMS,
    PIPELINE,
    STATE,
    STATE_GAUGES,
    Counters,
    Histogram,
    Metrics,
)


@pytest.fixture(autouse=True)
def _fresh_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers = root.handlers.copy()
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers


@contextmanager
def serving(metrics: Metrics | None = None, health: Health | None = None) -> Iterator[HttpServer]:
    server = HttpServer(metrics or Metrics(dict), health or Health(), port=0)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def exchange(server: HttpServer, octets: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(octets)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def get(server: HttpServer, path: str, *headers: str) -> tuple[int, dict[str, str], bytes]:
    lines = [f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]
    head, _, body = exchange(server, "\r\n".join(lines).encode()).partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    return int(status.split()[1]), dict(field.split(": ", 1) for field in fields), body


def samples(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    families = list(metrics.collect())
    return {(s.name, tuple(s.labels.values())): s.value for family in families for s in family.samples}


def test_collect_core_counts_stand_over_zeros() -> None:
    counts: Counters = {
        "verdicts": {("drop", "rule", "cat1", "international"): 7, ("allow", "default", "", "national"): 2},
        "rule_matches": {("ati", "enforce"): 7},
        "unframed": {(): 3},
    }
    metrics = Metrics(lambda: counts)
    rules = [("ati", "enforce", "cat1", "drop"), ("new", "enforce", "cat2", "reject"), ("old", "off", "cat2", "drop")]
    metrics.set_policy("sample", "0123456789abcdef", 1.5, {"home": 4}, rules)
    seen = samples(metrics)
    assert seen["sigfw_verdicts_total", ("drop", "rule", "cat1", "international")] == 7
    assert seen["sigfw_verdicts_total", ("allow", "default", "", "national")] == 2
    assert seen["sigfw_unframed_total", ()] == 3
    # At 0 before they first happen: an expired verdict, a rule of the policy; but nothing for a rule that is off.
    assert seen["sigfw_verdicts_total", ("drop", "expired", "", "international")] == 0
    assert seen["sigfw_verdicts_total", ("reject", "rule", "cat2", "internal")] == 0
    assert seen["sigfw_rule_matches_total", ("new", "enforce")] == 0
    assert ("sigfw_rule_matches_total", ("old", "off")) not in seen
    assert seen["sigfw_policy_info", ("sample", "0123456789abcdef")] == 1
    assert seen["sigfw_gt_table_prefixes", ("home",)] == 4


def test_collect_new_policy_takes_the_place_of_the_old() -> None:
    metrics = Metrics(dict)
    metrics.set_policy("a", "a" * 16, 1.0, {"home": 1, "blocked": 2})
    metrics.set_policy("b", "b" * 16, 2.0, {"home": 3})
    seen = samples(metrics)
    assert {
        key: value for key, value in seen.items() if key[0] in ("sigfw_policy_info", "sigfw_gt_table_prefixes")
    } == {
        ("sigfw_policy_info", ("b", "b" * 16)): 1,
        ("sigfw_gt_table_prefixes", ("home",)): 3,
    }


def test_label_sets_stay_closed_whatever_is_counted() -> None:
    metrics = Metrics(dict)
    before = samples(metrics).keys()
    metrics.count_dead_letters("bad_tag", 2)
    metrics.count_dead_letters("frame 3 at 17: 4477009123", 5)
    metrics.count_reassembly_ended("reassembly_timeout", 1)
    metrics.count_policy_reload(ok=False)
    seen = samples(metrics)
    assert seen.keys() == before
    assert seen["sigfw_dead_letters_total", ("bad_tag",)] == 2
    assert seen["sigfw_dead_letters_total", ("other",)] == 5
    assert seen["sigfw_policy_reloads_total", ("refused",)] == 1


def test_modes_of_all_perimeters_are_shown_monitor_where_left_out() -> None:
    metrics = Metrics(dict)
    metrics.set_modes({"international": "enforce", "internal": "bypass"})
    modes = {labels: value for (name, labels), value in samples(metrics).items() if name == "sigfw_mode"}
    assert len(modes) == 9
    assert {labels for labels, value in modes.items() if value == 1} == {
        ("international", "enforce"),
        ("national", "monitor"),
        ("internal", "bypass"),
    }
    with pytest.raises(ValueError, match="forbid"):
        metrics.set_modes({"international": "forbid"})


def test_lag_of_a_revoked_partition_is_forgotten() -> None:
    metrics = Metrics(dict)
    metrics.set_lag("ss7.in", 0, 10, 1.5)
    metrics.set_lag("ss7.in", 1, 20, -3.0)
    metrics.drop_partition("ss7.in", 0)
    metrics.drop_partition("ss7.in", 7)
    lag = {key: value for key, value in samples(metrics).items() if "lag" in key[0]}
    assert lag == {
        ("sigfw_consumer_lag_records", ("ss7.in", "1")): 20,
        ("sigfw_consumer_lag_seconds", ("ss7.in", "1")): 0,
    }


def test_histogram_bounds_are_inclusive_and_cumulative() -> None:
    histogram = Histogram()
    histogram.observe(50e-6)
    histogram.observe(51e-6, 2)
    histogram.observe(-5.0)
    histogram.observe(1e6)
    buckets = dict(histogram.buckets())
    assert [buckets["5e-05"], buckets["0.0001"], buckets["60.0"], buckets["+Inf"]] == [2, 4, 4, 5]
    assert histogram.total_seconds == pytest.approx(1e6, abs=1e-3)


def test_docs_list_each_metric_with_its_labels() -> None:
    text = (Path(__file__).parents[2] / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| `(sigfw_\w+)` \| (.*?) \|", text, re.MULTILINE)
    documented = {(name, *re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    series = {
        **{f"sigfw_{name}_total": labels for name, (labels, _) in (CORE | STATE | PIPELINE).items()},
        **{f"sigfw_{name}": labels for name, (labels, _) in (GAUGES | STATE_GAUGES).items()},
        **{f"sigfw_{name}": () for name in HISTOGRAMS},
        "sigfw_policy_info": ("name", "digest"),
        "sigfw_build_info": ("version", "python"),
    }
    assert documented == {(name, *labels) for name, labels in series.items()}


def test_describe_names_what_collect_gives() -> None:
    metrics = Metrics(dict)
    metrics.set_policy("p", "0" * 16, 0.0, {})
    described = {family.name for family in metrics.describe()}
    assert described == {family.name for family in metrics.collect()}
    assert all(name.startswith("sigfw_") for name in described)
    assert all(not family.samples for family in metrics.describe())


def test_core_names_are_those_of_its_interface() -> None:
    zeros = samples(Metrics(dict))
    for name, (labels, _) in CORE.items():
        assert all(len(key[1]) == len(labels) for key in zeros if key[0] == f"sigfw_{name}_total")
    reasons = {key[1][1] for key in zeros if key[0] == "sigfw_verdicts_total"}
    assert reasons == set(names.REASONS) - {"", "rule"}


def test_metrics_are_served_in_the_format_asked_for() -> None:
    metrics = Metrics(lambda: {"not_sccp": {(): 9}})
    with serving(metrics) as server:
        status, headers, body = get(server, "/metrics")
        assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        plain = {family.name: family for family in text_string_to_metric_families(body.decode())}
        assert plain["sigfw_not_sccp"].samples[0].value == 9
        assert "process_resident_memory_bytes" in plain
        assert b"_created" not in body
        accept = "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
        status, headers, body = get(server, "/metrics?x=1", accept, "Accept-Encoding: gzip")
        assert headers["Content-Encoding"] == "gzip"
        assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        text = gzip.decompress(body).decode()
        open_names = {family.name for family in openmetrics_families(text)}  # type: ignore[no-untyped-call]
        assert {family.name for family in metrics.describe()} - open_names == {"sigfw_policy"}
        status, headers, _ = get(server, "/metrics", "Accept: application/openmetrics-text;version=none")
        assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")


def test_health_says_one_line_per_failing_condition() -> None:
    health = Health("policy", "partitions")
    metrics = Metrics(dict)
    with serving(metrics, health) as server:
        assert get(server, "/readyz")[::2] == (503, b"policy: not yet\npartitions: not yet\n")
        assert get(server, "/livez")[::2] == (200, b"live\n")
        health.ready("policy")
        health.not_ready("partitions", "broker\nlost")
        assert get(server, "/readyz")[::2] == (503, b"partitions: broker lost\n")
        assert samples(metrics)["sigfw_ready", ()] == 0
        health.ready("partitions")
        assert get(server, "/readyz")[::2] == (200, b"ready\n")
        assert samples(metrics)["sigfw_ready", ()] == 1
        health.dead("progress", "lag grows and nothing is judged")
        for path in ("/livez", "/readyz"):
            assert get(server, path)[::2] == (503, b"progress: lag grows and nothing is judged\n")


async def test_livez_tells_of_a_loop_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "SILENT_SECONDS", 0.2)
    health = Health()
    with serving(health=health) as server:
        beating = asyncio.create_task(health.beating())
        await asyncio.sleep(0)
        assert health.is_live
        time.sleep(0.5)  # noqa: ASYNC251  the hang
        # Asked from this blocked loop: the server has its own.
        status, _, body = get(server, "/livez")
        assert (status, body[:23]) == (503, b"event loop: silent for ")
        beating.cancel()


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 404),
        (b"GET /metrics/ HTTP/1.1\r\n\r\n", 404),
        (b"POST /metrics HTTP/1.1\r\n\r\n", 405),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        (b"GET /metrics\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;version=1.0.0\nX: y\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nX: " + b"a" * http.MAX_REQUEST_OCTETS + b"\r\n\r\n", 431),
        (b"GET /li", 408),
    ],
)
def test_bad_request_gets_one_line_and_the_server_goes_on(
    octets: bytes, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 0.5)
    with serving() as server:
        head, _, body = exchange(server, octets).partition(b"\r\n\r\n")
        assert int(head.split()[1]) == status
        assert body.count(b"\n") == 1
        assert get(server, "/livez")[0] == 200


def test_slow_clients_cannot_keep_a_scrape_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 1.0)
    with serving() as server:
        slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(http.MAX_CONNECTIONS + 10)]
        try:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                try:
                    if get(server, "/livez")[0] == 200:
                        break
                except (OSError, IndexError):
                    time.sleep(0.1)
            else:
                pytest.fail("no answer within 10 s")
        finally:
            for connection in slow:
                connection.close()


def test_fault_of_the_counters_is_500_and_no_trace_to_the_client(capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> Counters:
        raise RuntimeError("secret")

    logs.configure(console=False)
    with serving(Metrics(broken)) as server:
        status, _, body = get(server, "/metrics")
        assert (status, body) == (500, b"the metrics could not be read; see the log\n")
        assert get(server, "/livez")[0] == 200
    assert "http_fault" in capsys.readouterr().err


def test_head_has_the_length_and_no_body() -> None:
    with serving() as server:
        request = urllib.request.Request(f"http://127.0.0.1:{server.port}/livez", method="HEAD")
        with urllib.request.urlopen(request, timeout=10) as response:
            assert response.headers["Content-Length"] == "5"
            assert response.read() == b""


def test_port_in_use_is_one_line_that_says_what_to_do() -> None:
    with serving() as server:
        second = HttpServer(Metrics(dict), Health(), port=server.port)
        with pytest.raises(StartError, match=rf"127.0.0.1:{server.port} .*set http.port") as caught:
            second.start()
    assert "\n" not in str(caught.value)
    for host, port in (("no.such.host.invalid", 1), ("127.0.0.1", 70000)):
        with pytest.raises(StartError, match=r"^http: .*set http"):
            HttpServer(Metrics(dict), Health(), host, port).start()


def test_log_lines_are_json_with_fixed_keys_only() -> None:
    stream = io.StringIO()
    logs.configure(stream=stream)
    logs.get_logger("sigfw.x").warning("policy_refused", reason="config", imsi="234150000000001")
    logging.getLogger("aiokafka.consumer").warning("Heartbeat failed for group %s", "sigfw")
    logging.getLogger("aiokafka.consumer").info("chatter")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "warning",
        "event": "policy_refused",
        "reason": "config",
        "module": "sigfw.x",
        "left_out": ["imsi"],
    }
    assert (second["event"], second["module"]) == ("library_log", "aiokafka.consumer")
    assert second["error"] == "Heartbeat failed for group sigfw"


def test_log_for_people_shows_a_fault_without_its_variables() -> None:
    stream = io.StringIO()
    logs.configure(stream=stream, console=True)
    imsi = "234150000000001"
    try:
        raise RuntimeError(f"broken {len(imsi)}")
    except RuntimeError:
        logs.get_logger("sigfw.x").exception("fault", reason="test")
    assert "RuntimeError: broken" in stream.getvalue()
    assert imsi not in stream.getvalue()


def test_rate_limit_holds_back_per_event_and_reason_and_says_how_many() -> None:
    now = 0.0
    limit = logs.RateLimit(lambda: now)

    def passes(event: str, reason: str) -> dict[str, object] | None:
        try:
            return dict(limit(None, "warning", {"event": event, "reason": reason}))
        except structlog.DropEvent:
            return None

    assert sum(passes("broker_lost", "a") is not None for _ in range(20)) == logs.BURST
    assert passes("broker_lost", "b") is not None
    now = logs.WINDOW_SECONDS
    assert passes("broker_lost", "a") == {"event": "broker_lost", "reason": "a", "suppressed": 20 - logs.BURST}
    for n in range(logs.MAX_TRACKED * 2):
        passes("flood", str(n))
    assert len(limit._seen) == logs.MAX_TRACKED
