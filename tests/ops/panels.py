"""What the dashboard asks Prometheus, read from its JSON, with the variables filled in as Grafana would."""

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

DASHBOARD = Path(__file__).parents[2] / "configs/grafana/sigfw.json"
RANGE_SECONDS = 60
VARIABLES = {
    # Four scrapes and more, as Grafana does.
    "$__rate_interval": "6s",
    "$__range": f"{RANGE_SECONDS}s",
    "$job": "sigfw",
    "$instance": ".+",
}


class Server(Protocol):
    def series(self, expression: str, seconds: int | None = None) -> list[tuple[dict[str, str], list[float]]]: ...


@dataclass(frozen=True)
class Query:
    panel: str
    expression: str
    instant: bool


def queries() -> list[Query]:
    panels = [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]
    assert all(panel["targets"] for panel in panels)
    return [
        Query(panel["title"], filled(target["expr"]), target["instant"])
        for panel in panels
        for target in panel["targets"]
    ]


def filled(expression: str) -> str:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    return expression


def without_data(server: Server, asked: list[Query]) -> list[Query]:
    """Queries that give no series, or nothing but NaN."""

    def has_data(query: Query) -> bool:
        found = server.series(query.expression, None if query.instant else RANGE_SECONDS)
        return any(not math.isnan(value) for _, values in found for value in values)

    return [query for query in asked if not has_data(query)]


def wait_for_data(server: Server, seconds: float) -> list[Query]:
    """Ask until every query has given data; returns those that gave none in the time."""
    deadline = time.monotonic() + seconds
    missing = without_data(server, queries())
    while missing and time.monotonic() < deadline:
        time.sleep(1)
        missing = without_data(server, missing)
    return missing
