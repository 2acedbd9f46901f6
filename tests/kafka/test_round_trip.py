"""What goes in by Kafka comes out by Kafka: the same key, partition, order and headers, and the verdict of `screen`."""

import asyncio
import re
import signal
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from jsonschema import Draft202012Validator

from sigfw import records, schemas
from tests.kafka.broker import ROOT, Broker
from tests.kafka.service import (
    Input,
    Topics,
    Worker,
    begin,
    command,
    committed,
    consume,
    end_offsets,
    message,
    party,
    produce,
    segment,
    sigfw,
    verdicts_of,
)

DECISION = ("action", "reason", "rule", "category")
EVENT = Draft202012Validator(schemas.event_schema())


def decision(verdict: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(verdict[key] for key in DECISION)


async def screened(folder: Path, messages: list[bytes]) -> list[tuple[Any, ...]]:
    """What `sigfw screen` decides of the messages."""
    capture = folder / "messages.hex"
    capture.write_text("".join(f"{octets.hex()}\n" for octets in messages))
    done = await sigfw("screen", str(capture), "--policy", str(folder / "policy.yaml"), "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    return [decision(orjson.loads(line)) for line in done.stdout.splitlines()]


def pcap(messages: list[bytes]) -> bytes:
    """Classic pcap of SCCP messages (link type 142), a frame each, of now."""
    now = int(time.time())
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 142)]
    for octets in messages:
        parts += [struct.pack("<IIII", now, 0, len(octets), len(octets)), octets]
    return b"".join(parts)


async def test_single_messages_keep_key_partition_order_and_headers(topics: Topics, tmp_path: Path) -> None:
    await topics.make(partitions=3)
    sent: list[list[Input]] = [
        [(b"k%d" % n, message(n * 3 + p), [("trace", b"%d" % n), ("trace", b"again")]) for n in range(500)]
        for p in range(3)
    ]
    for partition, inputs in enumerate(sent):
        await produce(topics.bootstrap, topics.inputs, partition, inputs)
    worker = await Worker(topics.config(tmp_path)).ready()
    came = await consume(topics.bootstrap, topics.verdicts, 1500)
    digest = verdicts_of(came[:1])[0]["policy"]["digest"]

    assert [(r.partition, r.key, r.headers[:2]) for r in came] == [
        (p, key, tuple(headers)) for p, inputs in enumerate(sent) for key, _, headers in inputs
    ]
    ids = [f"{topics.inputs}/{r.partition}/{r.offset}" for r in came]
    assert [dict(r.headers)["sigfw-source"].decode() for r in came] == ids
    assert {dict(r.headers)["sigfw-policy"].decode() for r in came} == {digest}
    verdicts = verdicts_of(came)
    assert [verdict["id"] for verdict in verdicts] == [f"{id_}/1/0" for id_ in ids]
    expected = await screened(tmp_path, [value for inputs in sent for _, value, _ in inputs if value])
    assert [decision(verdict) for verdict in verdicts] == expected
    assert {verdict["action"] for verdict in verdicts} >= {"allow", "drop"}

    assert await worker.stop() == 0
    assert await committed(topics.bootstrap, topics.name) == {0: 500, 1: 500, 2: 500}


@pytest.mark.parametrize("form", ["json", "packed"])
async def test_pcap_record_gives_one_verdict_record_for_its_messages(topics: Topics, tmp_path: Path, form: str) -> None:
    await topics.make()
    groups = [[message(n) for n in range(start, start + 64)] for start in range(0, 640, 64)]
    header = ("sigfw-encapsulation", b"pcap")
    await produce(topics.bootstrap, topics.inputs, 0, [(None, pcap(group), [header]) for group in groups])
    worker = await Worker(topics.config(tmp_path, verdicts=form)).ready()
    came = await consume(topics.bootstrap, topics.verdicts, 10)
    expected = await screened(tmp_path, [octets for group in groups for octets in group])

    assert [record.headers[0] for record in came] == [header] * 10
    if form == "json":
        verdicts = verdicts_of(came)
        assert [verdict["id"] for verdict in verdicts] == [
            f"{topics.inputs}/0/{record}/{frame}/0" for record in range(10) for frame in range(1, 65)
        ]
        assert [decision(verdict) for verdict in verdicts] == expected
    else:
        unpacked = [records.unpack(record.value) for record in came]
        assert [record["base_offset"] for record in unpacked] == list(range(10))
        entries = [entry for record in unpacked for entry in record["verdicts"]]
        assert [(entry["action"], entry["reason"]) for entry in entries] == [of[:2] for of in expected]
        assert [entry["frame"] for entry in entries] == list(range(1, 65)) * 10
    assert await worker.stop() == 0


async def test_record_that_cannot_be_framed_gets_a_verdict_and_a_dead_letter(topics: Topics, tmp_path: Path) -> None:
    await topics.make()
    bad: list[Input] = [
        (b"a", b"no capture", [("sigfw-encapsulation", b"pcap")]),
        (b"b", None, [("trace", b"1"), ("sigfw-opc", b"-1")]),
        (b"c", message(1), [("sigfw-encapsulation", b"smoke signals")]),
        (b"d", pcap([message(1)] * 2_000), [("sigfw-encapsulation", b"pcap")]),  # its verdicts fill more than a batch
    ]
    await produce(topics.bootstrap, topics.inputs, 0, [(b"x", message(1), []), *bad, (b"y", message(1), [])])
    worker = await Worker(topics.config(tmp_path)).ready()
    came = verdicts_of(await consume(topics.bootstrap, topics.verdicts, 6))
    letters = await consume(topics.bootstrap, topics.dead, 4)

    assert [verdict["reason"] for verdict in came[1:5]] == ["unframed"] * 4
    assert decision(came[0]) == decision(came[5])
    assert [(letter.key, letter.value) for letter in letters] == [(key, value) for key, value, _ in bad]
    for letter, (_, _, headers) in zip(letters, bad, strict=True):
        assert letter.headers[: len(headers)] == tuple(headers)
        assert {"sigfw-source", "sigfw-error"} <= dict(letter.headers).keys()
    assert await worker.stop() == 0


async def test_denied_and_alerted_messages_give_events_without_identities(topics: Topics, tmp_path: Path) -> None:
    await topics.make()
    key = tmp_path / "key"
    key.write_text("0123456789abcdef0123456789abcdef")
    identities = {"pseudonymise": True, "key_file": str(key)}
    await produce(topics.bootstrap, topics.inputs, 0, [(None, message(n), []) for n in range(70)])
    worker = await Worker(topics.config(tmp_path, identities=identities)).ready()
    came = await consume(topics.bootstrap, topics.verdicts, 70)
    verdicts = verdicts_of(came)
    told = [v["id"] for v in verdicts if v["action"] in ("drop", "reject", "redirect")]
    events = [orjson.loads(record.value) for record in await consume(topics.bootstrap, topics.events, len(told))]

    assert set(told) <= {event["event"]["id"] for event in events}
    assert b"hmac:" in came[0].value
    for event in events:
        EVENT.validate(event)
    everything = b"".join(record.value for record in came) + orjson.dumps(events)
    for n in range(70):
        assert b"26201%010d" % n not in everything
    assert await worker.stop() == 0


async def test_message_older_than_the_deadline_expires(topics: Topics, tmp_path: Path) -> None:
    await topics.make()
    now_ms = int(time.time() * 1e3)
    await produce(topics.bootstrap, topics.inputs, 0, [(None, message(1), [])], time_ms=now_ms - 3_600_000)
    await produce(topics.bootstrap, topics.inputs, 0, [(None, message(1), [])], time_ms=now_ms + 60_000)
    worker = await Worker(topics.config(tmp_path, deadline_ms=60_000)).ready()
    came = verdicts_of(await consume(topics.bootstrap, topics.verdicts, 2))
    assert came[0]["reason"] == "expired"
    assert came[1]["reason"] != "expired"
    assert await worker.stop() == 0


async def test_segments_that_stay_alone_end_in_events(topics: Topics, tmp_path: Path) -> None:
    await topics.make()
    parties = party("447700900001", 6), party("491710000001", 8)
    whole = begin(1, 2, b"\x30\x00")
    halves = [
        segment(*parties, half, first=not i, remaining=1 - i, reference=7)
        for i, half in enumerate((whole[:9], whole[9:]))
    ]
    alone = [segment(*parties, whole, first=True, remaining=1, reference=n) for n in (8, 9)]
    await produce(topics.bootstrap, topics.inputs, 0, [(None, octets, []) for octets in (*halves, alone[0])])
    worker = await Worker(topics.config(tmp_path)).ready()
    came = verdicts_of(await consume(topics.bootstrap, topics.verdicts, 3))
    assert [verdict["action"] for verdict in came] == ["hold", "drop", "hold"]
    assert came[1]["reassembly"]["parts"] == [came[0]["id"], came[1]["id"]]

    # The stream is quiet: the wall clock ends the first one; the stop of the worker the second.
    async def ended(reason: str) -> list[str]:
        events = [
            orjson.loads(record.value) for record in await consume(topics.bootstrap, topics.events, 3, seconds=20)
        ]
        return [event["event"]["id"] for event in events if event["event"]["reason"] == reason]

    while worker.metric('sigfw_reassemblies_ended_total{reason="reassembly_timeout"}') == 0:
        assert worker.process.poll() is None
        await asyncio.sleep(0.5)
    await produce(topics.bootstrap, topics.inputs, 0, [(None, alone[1], [])])
    assert verdicts_of(await consume(topics.bootstrap, topics.verdicts, 4))[3]["action"] == "hold"
    assert await worker.stop() == 0
    assert await ended("reassembly_timeout") == [came[2]["id"]]
    assert await ended("reassembly_orphan") == [f"{topics.inputs}/0/3/1/0"]
    assert sum((await end_offsets(topics.bootstrap, topics.verdicts)).values()) == 4


async def test_replay_waits_for_the_verdict_of_every_record(topics: Topics, tmp_path: Path) -> None:
    await topics.make(partitions=2)
    capture = tmp_path / "messages.hex"
    capture.write_text("".join(f"{message(n).hex()}\n" for n in range(1000)))
    config = topics.config(tmp_path)

    alone = await sigfw("replay", str(capture), "--config", str(config), "--wait", "--timeout", "1")
    assert alone.returncode == 1, alone.stderr
    assert "0 of 1000 records have their verdict" in alone.stderr

    worker = await Worker(config).ready()
    packed = await sigfw("replay", str(capture), "--config", str(config), "--pack", "16", "--wait")
    assert packed.returncode == 0, packed.stderr
    rated = await sigfw("replay", str(capture), "--config", str(config), "--rate", "2000", "--wait")
    assert rated.returncode == 0, rated.stderr
    assert worker.metric('sigfw_messages_total{encapsulation="sccp",perimeter="international"}') == 3000
    assert await worker.stop() == 0


@pytest.mark.parametrize(("verdicts", "encapsulation", "pack"), [("json", "sccp", 1500), ("packed", "m3ua", 1)])
async def test_replay_tells_of_records_that_went_to_the_dead_letters(
    topics: Topics, tmp_path: Path, verdicts: str, encapsulation: str, pack: int
) -> None:
    """Too many messages for a verdict record in JSON; and plain SCCP where the worker takes it for M3UA."""
    await topics.make()
    capture = tmp_path / "messages.hex"
    capture.write_text("".join(f"{message(n).hex()}\n" for n in range(pack)))
    config = str(topics.config(tmp_path))
    worker = await Worker(topics.config(tmp_path, verdicts=verdicts, topic={"encapsulation": encapsulation})).ready()
    unframed = await sigfw("replay", str(capture), "--config", config, "--wait", "--pack", str(pack))
    assert unframed.returncode == 1, unframed.stderr
    assert "1 of 1 records have their verdict\n1 records went whole to the dead letters" in unframed.stderr
    assert sum((await end_offsets(topics.bootstrap, topics.dead)).values()) == 1
    assert await worker.stop() == 0


async def test_compressed_records_are_judged_and_aborted_ones_are_not(topics: Topics, tmp_path: Path) -> None:
    await topics.make()
    worker = await Worker(topics.config(tmp_path)).ready()
    keys = []
    for codec in ("gzip", "lz4", "snappy", "zstd"):
        producer = AIOKafkaProducer(bootstrap_servers=topics.bootstrap, compression_type=codec)
        await producer.start()
        keys += [f"{codec} {n}".encode() for n in range(3)]
        for key in keys[-3:]:
            await producer.send_and_wait(topics.inputs, message(1) * 20, key=key, partition=0)
        await producer.stop()
    producer = AIOKafkaProducer(bootstrap_servers=topics.bootstrap, transactional_id=topics.name)
    await producer.start()
    for end, key in ((producer.abort_transaction, b"aborted"), (producer.commit_transaction, b"committed")):
        await producer.begin_transaction()
        for _ in range(3):
            await producer.send_and_wait(topics.inputs, message(1), key=key, partition=0)
        await end()
    await producer.stop()
    await produce(topics.bootstrap, topics.inputs, 0, [(b"last", message(1), [])])
    keys += [b"committed"] * 3 + [b"last"]
    came = await consume(topics.bootstrap, topics.verdicts, len(keys))
    assert [record.key for record in came] == keys
    assert await worker.stop() == 0
    assert await committed(topics.bootstrap, topics.name) == await end_offsets(topics.bootstrap, topics.inputs)


async def test_replay_packs_at_a_rate_and_claims_nothing_where_it_is_interrupted(
    topics: Topics, tmp_path: Path
) -> None:
    await topics.make(partitions=2)
    capture = tmp_path / "messages.hex"
    capture.write_text("".join(f"{message(n).hex()}\n" for n in range(1000)))
    arguments = ("--pack", "64", "--rate", "5000", "--wait", "--timeout", "60")
    replay = await asyncio.create_subprocess_exec(
        *command("replay", str(capture), "--config", str(topics.config(tmp_path)), *arguments),
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    while sum((await end_offsets(topics.bootstrap, topics.inputs)).values()) < 1000 // 64:
        assert replay.returncode is None
        await asyncio.sleep(0.1)
    spoofed = [f"{topics.inputs}/x", f"{topics.inputs}/0/1/2", "", f"{topics.inputs}/0/0"]
    await produce(
        topics.bootstrap,
        topics.verdicts,
        0,
        [(None, b"{}", [("sigfw-source", source.encode()), ("sigfw-source", b"other/0/0")]) for source in spoofed]
        + [(None, b"{}", [("sigfw-source", source.encode())]) for source in spoofed[:3]]
        + [(None, b"{}", [])],
    )
    await asyncio.sleep(1.0)
    assert replay.returncode is None
    replay.send_signal(signal.SIGINT)
    _, said = await replay.communicate()
    assert replay.returncode == 130, said
    assert b"have their verdict" not in said
    assert re.search(rb"interrupted after 0 of 1[67] verdicts\n", said), said
    seconds = re.search(rb"1000 messages in 1[67] records to .*, ([0-9.]+) s\n", said)
    assert seconds, said
    assert float(seconds[1]) > 0.15  # 1000 at 5000 a second
    records = sum((await end_offsets(topics.bootstrap, topics.inputs)).values())
    assert records in (1000 // 64 + 1, 1000 // 64 + 2)  # whole ones, and the rest of each partition


async def test_replay_says_how_far_it_came_where_it_is_interrupted(topics: Topics, tmp_path: Path) -> None:
    await topics.make()
    capture = tmp_path / "messages.hex"
    capture.write_text("".join(f"{message(n).hex()}\n" for n in range(1000)))
    replay = await asyncio.create_subprocess_exec(
        *command("replay", str(capture), "--config", str(topics.config(tmp_path)), "--rate", "50", "--wait"),
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    while sum((await end_offsets(topics.bootstrap, topics.inputs)).values()) < 50:
        assert replay.returncode is None
        await asyncio.sleep(0.1)
    replay.send_signal(signal.SIGINT)
    _, said = await replay.communicate()
    assert replay.returncode == 130, said
    produced = sum((await end_offsets(topics.bootstrap, topics.inputs)).values())
    found = re.fullmatch(
        rf"{produced} messages in {produced} records to {topics.inputs}, ([0-9.]+) s\n"
        rf"interrupted after {produced} of 1000 messages\n",
        said.decode(),
    )
    assert found, said
    assert float(found[1]) >= 0.9  # 50 at 50 a second


async def test_replay_ends_in_one_line_where_the_broker_stops(fresh_broker: Broker, tmp_path: Path) -> None:
    topics = await Topics(fresh_broker.bootstrap, "stopped").make(partitions=2)
    capture = tmp_path / "messages.hex"
    capture.write_text("".join(f"{message(n).hex()}\n" for n in range(100)))
    arguments = ("--rate", "500", "--loop")
    replay = await asyncio.create_subprocess_exec(
        *command("replay", str(capture), "--config", str(topics.config(tmp_path)), *arguments),
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    while sum((await end_offsets(topics.bootstrap, topics.inputs)).values()) < 300:
        assert replay.returncode is None
        await asyncio.sleep(0.1)
    await asyncio.to_thread(fresh_broker.stop)
    _, said = await replay.communicate()
    assert replay.returncode == 3, said
    found = re.fullmatch(
        rf"Kafka at {topics.bootstrap} does not answer; ([0-9]+) messages were produced\n", said.decode()
    )
    assert found, said[:1000]
    assert int(found[1]) >= 300


def test_broker_says_what_is_missing_without_java(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fixture must not skip: a run without Kafka proves nothing."""
    from tests.kafka import broker as module

    monkeypatch.setattr(module.shutil, "which", lambda _tool: None)
    with pytest.raises(module.BrokerError, match="java is not installed"):
        Broker()
