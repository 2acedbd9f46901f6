"""What is not as needed at the start: one line that says what to do, status 2."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.broker import free_port
from tests.kafka.service import Topics, change, sigfw


async def refused(config: Path) -> str:
    """The one line on stderr."""
    done = await sigfw("run", "--config", str(config))
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


async def test_start_refuses_brokers_that_do_not_answer(topics: Topics, tmp_path: Path) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    said = await refused(change(topics.config(tmp_path), "source", "kafka", "bootstrap", value=[nobody]))
    assert nobody in said
    assert "source.kafka.bootstrap" in said


@pytest.mark.parametrize("role", ["inputs", "verdicts", "events", "dead"])
async def test_start_refuses_topics_that_are_missing(topics: Topics, tmp_path: Path, role: str) -> None:
    await topics.make()
    setattr(topics, role, f"{topics.name}.elsewhere")
    assert f"topic {topics.name}.elsewhere is not in Kafka" in await refused(topics.config(tmp_path))


async def test_start_refuses_too_few_verdict_partitions(topics: Topics, tmp_path: Path) -> None:
    await topics.make(partitions=3, verdict_partitions=2)
    said = await refused(topics.config(tmp_path))
    assert f"topic {topics.verdicts} has 2 partitions but {topics.inputs} has 3" in said


async def test_start_refuses_a_key_that_cannot_be_read(topics: Topics, tmp_path: Path) -> None:
    await topics.make()
    identities = {"pseudonymise": True, "key_file": str(tmp_path / "none")}
    assert "key_file" in await refused(topics.config(tmp_path, identities=identities))


async def test_start_refuses_a_policy_with_a_mistake(topics: Topics, tmp_path: Path) -> None:
    await topics.make()
    policy = tmp_path / "bad.yaml"
    policy.write_text("schema: 1\nname: bad\nrulez: []\n")
    said = await refused(topics.config(tmp_path, policy=str(policy)))
    assert "bad.yaml:3" in said
    assert "rulez" in said


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield one.getsockname()[1]


async def test_start_refuses_a_port_that_is_taken(topics: Topics, tmp_path: Path, taken_port: int) -> None:
    await topics.make()
    said = await refused(topics.config(tmp_path, http={"port": taken_port}))
    assert str(taken_port) in said


async def test_start_refuses_a_missing_codec(topics: Topics, tmp_path: Path) -> None:
    await topics.make()
    # A module of that name that cannot be imported stands in for a client installed without its extras.
    (tmp_path / "cramjam.py").write_text("raise ImportError('not installed')\n")
    done = await sigfw("run", "--config", str(topics.config(tmp_path)), env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "aiokafka[lz4,snappy,zstd]" in done.stderr
