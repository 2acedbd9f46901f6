"""The day of script.py over a real Kafka: what becomes of every message, what the analyst is told, what is counted."""

import re
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from sigfw.policy.lint import lint
from sigfw.policy.loader import load
from tests.kafka.conftest import broker, topics  # noqa: F401  fixtures, here by their import
from tests.kafka.service import ROOT, Topics, Worker, consume, verdicts_of
from tests.story.script import HOURS, LEASED, Line, Script

HERE = Path(__file__).parent
DAY_SECONDS = 30 * HOURS
# scene -> the rules that stop it, and how many of its messages go on before one does
STOPPED = {
    "location: asks where she is": ({"locate-subscriber", "home-subscriber-managed-from-outside"}, 0),
    "location: one caller asks about many": ({"numbers-harvested"}, 110),
    "location: many callers ask about her": ({"numbers-harvested"}, 25),
    "interception: registers him elsewhere": ({"location-implausible"}, 0),
    "interception: a text in a bank's name": ({"sms-of-another-origin"}, 0),
    "interception: a text in his name": ({"sms-of-another-origin"}, 0),
    "interception: an answer to nothing": ({"dialogue-unknown"}, 0),
    "lease: a GT whose lease has ended": ({"lease-ended"}, 0),
}


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    for name in ("policy.yaml", "leases.csv"):
        shutil.copy(HERE / name, tmp_path / name)
    shipped = (ROOT / "configs/policies/interconnect.yaml").read_text()
    enforced, count = re.subn(r'mode: (shadow|"off")', "mode: enforce", shipped)
    assert count >= 5
    (tmp_path / "enforced.yaml").write_text(enforced)
    return tmp_path / "policy.yaml"


async def produce(bootstrap: str, topic: str, lines: list[Line], began: float) -> None:
    """Each with its own time."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=500_000)
    await producer.start()
    try:
        builder = producer.create_batch()
        for line in lines:
            made = builder.append(timestamp=int((began + line.seconds) * 1000), key=None, value=line.octets, headers=[])
            assert made is not None
        await (await producer.send_batch(builder, topic, partition=0))
    finally:
        await producer.stop()


@pytest.fixture
def end_workers() -> Iterator[None]:
    started = len(Worker.started)
    yield
    for worker in Worker.started[started:]:
        worker.kill()


async def test_campaigns_among_a_day_of_traffic(
    topics: Topics,  # noqa: F811
    tmp_path: Path,
    policy: Path,
    end_workers: None,
) -> None:
    assert lint(load(policy)) == []
    await topics.make()
    key = tmp_path / "key"
    key.write_text("a key for the tests of this file")
    key.chmod(0o600)
    config = topics.config(
        tmp_path,
        topic={"encapsulation": "m3ua"},
        policy=str(policy),
        mode={"international": "enforce", "internal": "enforce"},
        identities={"pseudonymise": True, "key_file": str(key)},
    )
    lines = Script().told()
    await produce(topics.bootstrap, topics.inputs, lines, time.time() - DAY_SECONDS)
    worker = await Worker(config).ready()
    verdicts = verdicts_of(await consume(topics.bootstrap, topics.verdicts, len(lines), 60))
    assert len(verdicts) == len(lines), worker.said()

    by_scene: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for line, verdict in zip(lines, verdicts, strict=True):
        by_scene[line.scene].append(verdict)
    assert {
        (one["action"], one["rule"]) for one in by_scene["normal"] if one["action"] not in ("allow", "hold")
    } == set()
    assert len(by_scene.pop("normal")) > 1_000
    denied: Counter[str] = Counter()
    for scene, (rules, before) in STOPPED.items():
        stopped = [one for one in by_scene.pop(scene) if one["action"] == "drop" or not before]
        assert {one["rule"] for one in stopped} == rules, scene
        denied.update(one["rule"] for one in stopped)
        if before:
            went_on = len([line for line in lines if line.scene == scene]) - len(stopped)
            assert 0 < went_on <= before, scene
    assert not by_scene

    # What the analyst reads: who, why, by which technique, and no subscriber by his number.
    events = [orjson.loads(record.value) for record in await consume(topics.bootstrap, topics.events, 10_000, 10)]
    told = Counter(event["rule"]["id"] for event in events for _ in range(event["ss7"]["count"]))
    assert told == denied
    lease = next(event for event in events if event["rule"]["id"] == "lease-ended")
    assert lease["ss7"]["whois"]["calling"]["operator"] == "DEUXX"
    assert lease["ss7"]["whois"]["calling"]["country"] == "DE"
    assert lease["ss7"]["whois"]["calling"]["lease"]["lessee"] == "a reseller of messages"
    assert lease["ss7"]["regime"] == "leases of DEUXX"
    assert "an indicator, not proof" in lease["message"]
    far = next(event for event in events if event["rule"]["id"] == "location-implausible")
    assert far["threat"]["technique"]["id"] == ["MOT1036.301"]
    assert far["ss7"]["whois"]["calling"]["operator"] == "USAXX"
    written = b"".join(record.value for record in await consume(topics.bootstrap, topics.events, 10_000, 5))
    assert b"001010000000901" not in written
    assert LEASED.encode() not in written

    # What is counted.
    for check in ("location_implausible", "sms_origin_mismatch", "dialogue_unknown", "target_scanned"):
        assert worker.metric(f'sigfw_checks_total{{check="{check}",outcome="true"}}') > 0, check
    for rule, count in denied.items():
        assert worker.metric(f'sigfw_rule_matches_total{{mode="enforce",rule="{rule}"}}') >= count, rule
    assert worker.metric('sigfw_state_entries{table="locations"}') > 60
    assert await worker.stop() == 0, worker.said()
