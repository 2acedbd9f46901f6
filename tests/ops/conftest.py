"""A real Prometheus that scrapes what a test tells it to."""

import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

ROOT = Path(__file__).parents[2]
START_SECONDS = 30


def needed(program: str) -> str:
    """The program's path. Fails loudly where it is not installed: its absence is no reason to pass."""
    found = shutil.which(program)
    if found is None:
        pytest.fail(f"{program} is not installed: apt-get install prometheus")
    return found


class Prometheus:
    """One server process, scraping each second; `job` is `sigfw` as in configs/prometheus."""

    def __init__(self, folder: Path, targets: list[str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        # JSON is YAML.
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(ROOT / "configs/prometheus/alerts.yaml")],
            "scrape_configs": [{"job_name": "sigfw", "static_configs": [{"targets": targets}]}],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))
        self._log = (folder / "prometheus.log").open("w+")
        command = [
            needed("prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--log.level=warn",
        ]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)

    def wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if self.get("/-/ready")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        self._log.seek(0)
        pytest.fail(f"prometheus does not start:\n{self._log.read()}")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def api(self, path: str, **parameters: str) -> object:
        status, body = self.get(f"/api/v1/{quote(path)}?{urlencode(parameters)}")
        answer = json.loads(body)
        assert status == 200, f"{parameters}: {answer}"
        return answer["data"]

    def series(self, expression: str, seconds: int | None = None) -> list[tuple[dict[str, str], list[float]]]:
        """Labels and values of each series: over the last `seconds`, or (None) at this instant."""
        now = time.time()
        if seconds is None:
            data = self.api("query", query=expression)
        else:
            data = self.api("query_range", query=expression, start=str(now - seconds), end=str(now), step="1")
        assert isinstance(data, dict)
        points = [(found["metric"], found.get("values") or [found["value"]]) for found in data["result"]]
        return [(labels, [float(value) for _, value in values]) for labels, values in points]


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Callable[[list[str]], Prometheus]]:
    """Start a Prometheus on given targets (host:port of each worker); it ends with the test."""
    servers: list[Prometheus] = []

    def start(targets: list[str]) -> Prometheus:
        folder = tmp_path / f"prometheus{len(servers)}"
        folder.mkdir()
        server = Prometheus(folder, targets)
        servers.append(server)
        server.wait()
        return server

    yield start
    for server in servers:
        server.stop()
