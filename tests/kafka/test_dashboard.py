"""The dashboard over the whole service: a real Prometheus scrapes a worker that judges the demo corpus from Kafka."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.kafka.service import Topics, Worker, sigfw
from tests.ops.conftest import ROOT, Prometheus, prometheus  # noqa: F401  the fixture, here by its import
from tests.ops.panels import wait_for_data
from tests.state.server import Server

CORPUS = ROOT / "configs/demo/corpus.pcap.gz"
MESSAGES = 30_000  # in the corpus
RATE = 2_000  # of the replay, a second: 15 s, so that rates have a slope to show


async def test_every_panel_has_data_when_a_worker_has_judged_the_demo_corpus(
    topics: Topics,
    prometheus: Callable[[list[str]], Prometheus],  # noqa: F811
    redis: Server,
    tmp_path: Path,
) -> None:
    await topics.make(partitions=2)
    state = {"store": "redis", "url": redis.url, "timeout_ms": 1000}
    config = topics.config(tmp_path, policy=str(ROOT / "configs/policies/interconnect.yaml"), state=state)
    worker = await Worker(config).ready()
    server = await asyncio.to_thread(prometheus, [f"127.0.0.1:{worker.port}"])
    done = await sigfw("replay", str(CORPUS), "--config", str(config), "--rate", str(RATE), "--wait")
    assert done.returncode == 0, done.stderr
    missing = await asyncio.to_thread(wait_for_data, server, 20)
    assert missing == [], worker.said()
    await asyncio.sleep(3)  # the last messages are in the next scrape: one a second
    for counter in ("sigfw_messages_total", "sigfw_verdicts_total", "sigfw_end_to_end_seconds_count"):
        (_, values), *_ = server.series(f"sum({counter})")
        assert (counter, values) == (counter, [MESSAGES])
    denied = server.series('sum by (category) (sigfw_verdicts_total{action="drop",reason="rule"}) > 0')
    assert len(denied) >= 2, "the corpus has attacks of several categories"
    assert await worker.stop() == 0, worker.said()
