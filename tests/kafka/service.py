"""What the Kafka tests share: a worker as a process, records in and out, and messages to judge."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import orjson
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient

from tests.kafka.broker import ROOT, create_topic, free_port

POLICY = """\
schema: 1
name: kafka-tests
home: {country_code: "44", global_titles: ["4477009"], imsi: ["23415"], e214: ["4477009"]}
exceptions: {default: allow, unknown_operation: drop, malformed: drop}
rules:
  - id: location
    category: cat1
    when: {perimeter: international, operation: [anyTimeInterrogation, provideSubscriberInfo]}
    action: drop
  - id: foreign-update
    category: cat2
    when: {operation: updateLocation, imsi: {not_in: home}}
    action: {reject: {return_cause: unqualified}}
  - id: watched
    category: watch
    when: {calling.gt: "49171"}
    action: allow
    alert: true
"""


@dataclass
class Topics:
    """The topics of one test, made by `make`."""

    bootstrap: str
    name: str
    inputs: str = field(init=False)
    verdicts: str = field(init=False)
    events: str = field(init=False)
    dead: str = field(init=False)

    def __post_init__(self) -> None:
        self.inputs, self.verdicts = f"{self.name}.in", f"{self.name}.verdicts"
        self.events, self.dead = f"{self.name}.events", f"{self.name}.dead"

    async def make(self, partitions: int = 1, verdict_partitions: int = 0) -> "Topics":
        await create_topic(self.bootstrap, self.inputs, partitions)
        await create_topic(self.bootstrap, self.verdicts, verdict_partitions or partitions)
        await create_topic(self.bootstrap, self.events, 2)
        await create_topic(self.bootstrap, self.dead)
        return self

    def config(self, folder: Path, *, topic: dict[str, Any] | None = None, **changes: Any) -> Path:
        """Write the configuration of a worker over these topics; changes replace keys of the top."""
        policy = folder / "policy.yaml"
        if not policy.exists():
            policy.write_text(POLICY)
        of = {"perimeter": "international", "encapsulation": "sccp", "verdicts": self.verdicts, **(topic or {})}
        config: dict[str, Any] = {
            "schema": 1,
            "policy": str(policy),
            "mode": {"international": "enforce"},
            "source": {"kafka": {"bootstrap": [self.bootstrap], "group": self.name, "topics": {self.inputs: of}}},
            "sink": {"kafka": {"events": self.events, "dead_letters": self.dead}},
            "identities": {"pseudonymise": False},
            "deadline_ms": 0,
            "http": {"port": free_port()},
            **changes,
        }
        path = folder / f"config-{config['http']['port']}.yaml"
        path.write_text(yaml.safe_dump(config))
        return path


def change(path: Path, *keys: str, value: Any) -> Path:
    """Set one value of a configuration file."""
    config = yaml.safe_load(path.read_text())
    at = config
    for key in keys[:-1]:
        at = at[key]
    at[keys[-1]] = value
    path.write_text(yaml.safe_dump(config))
    return path


class Worker:
    """`sigfw run` as a process, by whatever module; its log in a file beside the configuration."""

    started: ClassVar[list["Worker"]] = []

    def __init__(self, config: Path, module: str = "sigfw") -> None:
        self.port = yaml.safe_load(config.read_text())["http"]["port"]
        self.log = config.with_suffix(".log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command("run", "--config", str(config), module=module), cwd=ROOT, stderr=log, stdout=log
            )
        Worker.started.append(self)

    async def ready(self, seconds: float = 60.0) -> "Worker":
        """Wait until /readyz says so."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"the worker ended: {self.said()}"
            if (await asyncio.to_thread(self.get, "/readyz"))[0] == 200:
                return self
            await asyncio.sleep(0.1)
        raise AssertionError(f"not ready: {self.get('/readyz')}, {self.said()}")

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError as error:
            return 0, repr(error)

    def metric(self, sample: str) -> float:
        """Value of a sample as /metrics writes it, labels included; 0 where it is not there."""
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(sample + " "):
                return float(line.rpartition(" ")[2])
        return 0.0

    def said(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    async def wait(self, seconds: float = 30.0) -> int:
        return await asyncio.to_thread(self.process.wait, seconds)

    async def stop(self) -> int:
        """SIGTERM; the status that it ends with."""
        self.process.send_signal(signal.SIGTERM)
        return await self.wait()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def command(*arguments: str, module: str = "sigfw") -> list[str]:
    return [sys.executable, "-m", module, *arguments]


async def sigfw(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    environment = os.environ | (env or {})
    return await asyncio.to_thread(
        subprocess.run, command(*arguments), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )


Headers = Sequence[tuple[str, bytes]]
Input = tuple[bytes | None, bytes | None, Headers]  # key, value, headers


async def produce(
    bootstrap: str, topic: str, partition: int, inputs: Iterable[Input], time_ms: int | None = None
) -> None:
    """Append to one partition, in order."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=500_000)
    await producer.start()
    try:
        builder = producer.create_batch()
        for key, value, headers in inputs:
            entry: dict[str, Any] = {"timestamp": time_ms, "key": key, "value": value, "headers": list(headers)}
            if builder.append(**entry) is None:
                await (await producer.send_batch(builder, topic, partition=partition))
                builder = producer.create_batch()
                builder.append(**entry)
        await (await producer.send_batch(builder, topic, partition=partition))
    finally:
        await producer.stop()


async def consume(bootstrap: str, topic: str, count: int, seconds: float = 30.0) -> list[ConsumerRecord]:
    """The first `count` records of a topic, partition by partition in order; fewer where they do not come in time."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(await partitions_of(bootstrap, topic))
        await consumer.seek_to_beginning()
        deadline = time.monotonic() + seconds
        records: list[ConsumerRecord] = []
        while len(records) < count and time.monotonic() < deadline:
            for some in (await consumer.getmany(timeout_ms=200, max_records=5000)).values():
                records += some
        return sorted(records, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()


async def partitions_of(bootstrap: str, topic: str) -> list[TopicPartition]:
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        cluster = await client.fetch_all_metadata()
        return [TopicPartition(topic, number) for number in sorted(cluster.partitions_for_topic(topic) or ())]
    finally:
        await client.close()


async def end_offsets(bootstrap: str, topic: str) -> dict[int, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(await partitions_of(bootstrap, topic))
        return {tp.partition: end for tp, end in ends.items()}
    finally:
        await consumer.stop()


async def committed(bootstrap: str, group: str) -> dict[int, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return {tp.partition: entry.offset for tp, entry in (await admin.list_consumer_group_offsets(group)).items()}
    finally:
        await admin.close()


def verdicts_of(records: Iterable[ConsumerRecord]) -> list[dict[str, Any]]:
    """The JSON verdicts in verdict records, in order."""
    return [orjson.loads(line) for record in records for line in record.value.splitlines()]


# ---- Messages: plain UDT with a TCAP Begin and one Invoke (Q.713 4.10, Q.773, TS 29.002)


def tlv(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    assert len(content) < 0x80
    return bytes((tag, len(content))) + content


def bcd(digits: str) -> bytes:
    digits += "f" * (len(digits) % 2)
    return bytes(int(digits[i + 1] + digits[i], 16) for i in range(0, len(digits), 2))


def party(gt: str, ssn: int) -> bytes:
    """GTI 4, translation type 0, E.164, an even number of digits, international (Q.713 3.4)."""
    assert len(gt) % 2 == 0
    return bytes((0x12, ssn, 0x00, 0x12, 0x04)) + bcd(gt)


def udt(called: bytes, calling: bytes, data: bytes) -> bytes:
    parts = (called, calling, data)
    pointers, at = [], 3
    for part in parts:
        pointers.append(at)
        at += len(part)
    return bytes((0x09, 0x00, *pointers)) + b"".join(bytes((len(part),)) + part for part in parts)


def segment(called: bytes, calling: bytes, data: bytes, *, first: bool, remaining: int, reference: int) -> bytes:
    """A segment: XUDT of class 1 with the parameter segmentation (Q.713 3.17, 4.18)."""
    option = tlv(0x10, bytes((first << 7 | remaining,)) + reference.to_bytes(3, "big")) + b"\0"
    pointers, at = [], 4
    for part in (called, calling, data):
        pointers.append(at)
        at += len(part)
    parts = b"".join(bytes((len(part),)) + part for part in (called, calling, data))
    return bytes((0x11, 0x01, 15, *pointers, at)) + parts + option


def begin(otid: int, opcode: int, argument: bytes) -> bytes:
    invoke = tlv(0xA1, tlv(0x02, b"\x01"), tlv(0x02, bytes((opcode,))), argument)
    return tlv(0x62, tlv(0x48, otid.to_bytes(4, "big")), tlv(0x6C, invoke))


def message(number: int) -> bytes:
    """One of several kinds by number: interrogations, updates from home and abroad, requests for routing, noise."""
    home, foreign = f"44770090{number % 10000:04d}", f"4917{number % 97:02d}000{number % 1000:03d}"
    kind = number % 7
    imsi = ("23415" if kind == 1 else "26201") + f"{number % 10**10:010d}"
    if kind == 0:  # anyTimeInterrogation (71)
        argument = tlv(0x30, tlv(0xA0, tlv(0x80, bcd(imsi))), tlv(0xA1, tlv(0x80)), tlv(0x83, b"\x91" + bcd(foreign)))
        return udt(party(home, 6), party(foreign, 147), begin(number, 71, argument))
    if kind in (1, 2):  # updateLocation (2)
        address = b"\x91" + bcd(foreign)
        argument = tlv(0x30, tlv(0x04, bcd(imsi)), tlv(0x81, address), tlv(0x04, address))
        return udt(party(home, 6), party(foreign, 7), begin(number, 2, argument))
    if kind == 3:  # an operation of no table
        return udt(party(home, 6), party(foreign, 8), begin(number, 120, tlv(0x30)))
    if kind == 4:  # an invoke that ends too early
        return udt(party(home, 6), party(foreign, 8), begin(number, 71, b"\x30\x7f"))
    if kind == 5:  # no TCAP
        return udt(party(home, 6), party(foreign, 8), number.to_bytes(4, "big"))
    argument = tlv(0x30, tlv(0x80, b"\x91" + bcd(home)), tlv(0x81, b"\xff"), tlv(0x82, b"\x91" + bcd(foreign)))
    return udt(party(home, 6), party(foreign, 8), begin(number, 45, argument))  # sendRoutingInfoForSM
