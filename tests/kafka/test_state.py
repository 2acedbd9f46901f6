"""Two workers over a real Kafka that share a real redis-server: what one learns the other knows."""

from pathlib import Path
from typing import Any

from bench.dialogues import AUSTRALIAN_VLR, GERMAN_VLR, update, updated
from tests.kafka.service import Topics, Worker, change, consume, produce, verdicts_of
from tests.state.server import Server
from tests.state.story import POLICY

FAR = "  - {id: far, when: {perimeter: international, check: location_implausible}, action: drop}"
HOME, ABROAD = [("sigfw-perimeter", b"internal")], [("sigfw-perimeter", b"international")]


class Pair:
    """Two workers by ordinal, a partition each."""

    def __init__(self, topics: Topics, folder: Path, redis: Server) -> None:
        self.topics = topics
        self.seen = 0
        (folder / "policy.yaml").write_text(POLICY.format(checks="", rules=FAR))
        key = folder / "key"
        key.write_text("a key for the tests of this file")
        key.chmod(0o600)
        state = {"store": "redis", "url": redis.url, "timeout_ms": 1000}
        self.configs = []
        for ordinal in range(2):
            path = topics.config(
                folder, workers=2, state=state, identities={"key_file": str(key), "pseudonymise": True}
            )
            of = {
                "encapsulation": "sccp",
                "verdicts": topics.verdicts,
            }  # the perimeter is for each record's header to say
            change(path, "source", "kafka", "topics", topics.inputs, value=of)
            self.configs.append(change(path, "source", "kafka", "worker", value=ordinal))
        self.workers: list[Worker] = []

    async def start(self) -> "Pair":
        self.workers = [await Worker(config).ready() for config in self.configs]
        return self

    async def tell(self, partition: int, message: bytes, headers: list[tuple[str, bytes]]) -> dict[str, Any]:
        """A message to the worker of a partition, and its verdict."""
        before = {
            one["id"] for one in verdicts_of(await consume(self.topics.bootstrap, self.topics.verdicts, self.seen))
        }
        await produce(self.topics.bootstrap, self.topics.inputs, partition, [(None, message, headers)])
        self.seen += 1
        after = verdicts_of(await consume(self.topics.bootstrap, self.topics.verdicts, self.seen))
        (new,) = [one for one in after if one["id"] not in before]
        return new


async def test_registration_seen_by_two_workers_is_known_to_both(topics: Topics, tmp_path: Path, redis: Server) -> None:
    pair = await Pair(await topics.make(partitions=2), tmp_path, redis).start()
    assert (await pair.tell(0, update(GERMAN_VLR, b"\1"), ABROAD))["action"] == "allow"
    assert (await pair.tell(1, updated(GERMAN_VLR, b"\1"), HOME))["perimeter"] == "internal"
    far = await pair.tell(0, update(AUSTRALIAN_VLR, b"\2"), ABROAD)
    assert (far["action"], far["rule"]) == ("drop", "far")
    assert pair.workers[0].metric('sigfw_checks_total{check="location_implausible",outcome="true"}') == 1
    redis.kill()
    gone = await pair.tell(1, update(AUSTRALIAN_VLR, b"\3"), ABROAD)
    assert gone["action"] == "allow"  # nothing is known, and nothing waits
    assert pair.workers[1].metric('sigfw_store_exchanges_total{outcome="failed"}') >= 1
    assert pair.workers[1].metric('sigfw_checks_total{check="location_implausible",outcome="unknown"}') == 1
    redis.start()
    assert [await worker.stop() for worker in pair.workers] == [0, 0]
