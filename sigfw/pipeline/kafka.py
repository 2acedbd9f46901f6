"""What source and sink share of Kafka: how to connect, and what must be there before we start."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any, Final

from aiokafka import codec
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from sigfw.config import KafkaSink, KafkaSource
from sigfw.errors import StartError
from sigfw.telemetry.logs import get_logger

log = get_logger(__name__)

CONNECT_SECONDS: Final = 15.0  # for the first answer of a broker at start: longer is a wrong address, not a slow one
# One request. A broker that takes longer is lost to us; aiokafka then looks for another and tries again.
REQUEST_TIMEOUT_MS: Final = 15_000
# How late a topic that is deleted or made anew, or has more partitions, is seen where no request tells of it.
METADATA_MAX_AGE_MS: Final = 30_000
DEFAULT_BATCH_OCTETS: Final = 1_048_588  # max.message.bytes of a topic that sets none, where we may not ask for it
CLOSE_SECONDS: Final = 5.0  # to leave the group, and again to close the producer


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep aiokafka's own log lines back: at start the one line of the StartError says it, with what to do."""
    logger = logging.getLogger("aiokafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def connection(source: KafkaSource) -> dict[str, Any]:
    """Arguments of every aiokafka client."""
    return {
        "bootstrap_servers": list(source.bootstrap),
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        "metadata_max_age_ms": METADATA_MAX_AGE_MS,
        "client_id": "sigfw",
    }


def check_codecs() -> None:
    """Raise StartError where a codec that a producer may have used cannot be read: a stall in the night otherwise."""
    present = {"lz4": codec.has_lz4(), "snappy": codec.has_snappy(), "zstd": codec.has_zstd()}
    if missing := [name for name, there in present.items() if not there]:
        raise StartError(f"codec {', '.join(missing)} is not installed; do: pip install 'aiokafka[lz4,snappy,zstd]'")


async def check_topics(source: KafkaSource, sink: KafkaSink) -> dict[str, int]:
    """Partitions of each topic that we use. Raises StartError where something is not there."""
    wanted = [*source.topics, *(topic.verdicts for topic in source.topics.values()), sink.events, sink.dead_letters]
    found = await partitions_of(source, wanted)
    for name in wanted:
        if name not in found:
            raise StartError(
                f"topic {name} is not in Kafka at {address(source)}; make it, or correct the configuration"
            )
    for name, topic in source.topics.items():
        if found[topic.verdicts] < found[name]:
            raise StartError(
                f"topic {topic.verdicts} has {found[topic.verdicts]} partitions but {name} has {found[name]}: "
                f"verdicts keep their partition; give {topic.verdicts} at least {found[name]}"
            )
    return found


async def partitions_of(source: KafkaSource, topics: Iterable[str]) -> dict[str, int]:
    """Number of partitions of those of the topics that exist. Raises StartError where no broker answers."""
    client = AIOKafkaClient(**connection(source))
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await client.bootstrap()
            cluster = await client.fetch_all_metadata()
    except (KafkaError, TimeoutError, OSError) as error:
        raise StartError(
            f"Kafka at {address(source)} cannot be reached ({type(error).__name__}); "
            "start it, or correct source.kafka.bootstrap"
        ) from None
    finally:
        await client.close()
    numbers = {topic: cluster.partitions_for_topic(topic) for topic in topics}
    return {topic: len(partitions) for topic, partitions in numbers.items() if partitions}


async def batch_octets(source: KafkaSource, topics: Iterable[str]) -> dict[str, int]:
    """The largest record batch that each of the topics takes (max.message.bytes)."""
    name = "max.message.bytes"
    wanted = [ConfigResource(ConfigResourceType.TOPIC, topic, {name: None}) for topic in topics]
    limits = {resource.name: DEFAULT_BATCH_OCTETS for resource in wanted}
    admin = AIOKafkaAdminClient(**connection(source))
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await admin.start()
            for answer in await admin.describe_configs(wanted):
                for error, _, _, topic, configs in answer.resources:
                    if not error:  # else we may write there, but not read its configuration
                        limits[topic] = next(int(value) for key, value, *_ in configs if key == name)
    except (KafkaError, TimeoutError, OSError) as error:
        raise StartError(
            f"Kafka at {address(source)} does not say {name} of its topics ({type(error).__name__}); see its log"
        ) from None
    finally:
        await admin.close()
    return limits


def address(source: KafkaSource) -> str:
    return ",".join(source.bootstrap)


async def close(stop: Coroutine[None, None, None], what: str) -> None:
    """Wait for a stop of aiokafka's, which can hang, raise what was told before, or end as cancelled on a lost broker.

    All is written and committed by now: whatever becomes of it, we go on.
    """
    task = asyncio.create_task(stop)
    await asyncio.wait({task}, timeout=CLOSE_SECONDS)
    fault = "hangs" if not task.done() else "cancelled" if task.cancelled() else task.exception()
    if fault is not None:
        log.warning("stop_failed", name=what, reason=fault if isinstance(fault, str) else type(fault).__name__)
