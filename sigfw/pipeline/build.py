"""From a configuration to a running service: which source, which sink, which rules."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sigfw._core.engine import Worker
from sigfw.config import Config
from sigfw.config import load as load_config
from sigfw.pipeline.files import CaptureSource, FileSink
from sigfw.pipeline.partition import Partition
from sigfw.pipeline.sink import KafkaSink
from sigfw.pipeline.source import KafkaSource
from sigfw.pipeline.watch import EVERY_SECONDS, Watch
from sigfw.pipeline.worker import Rules, Service
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load as load_policy
from sigfw.policy.model import Policy
from sigfw.telemetry.http import Health, HttpServer
from sigfw.telemetry.metrics import Metrics

PROGRESS_SECONDS = 0.5


@dataclass
class Outcome:
    """Of a run over a capture: what could not be read, what held no SCCP, how long it took, whether it ended early."""

    problems: list[str] = field(default_factory=list)
    not_sccp: int = 0
    seconds: float = 0.0
    interrupted: bool = False


Progress = Callable[[int], None]


async def serve(path: Path, config: Config, progress: Progress) -> Outcome:
    """Run the service that a configuration describes, until SIGTERM or the end of its capture.

    path: of the configuration, read again on SIGHUP. progress: told of a capture's messages so far.
    Raises ConfigError, StartError or RunError.
    """
    worker = Worker(verdicts=config.verdicts, key=config.identities.key())
    metrics = Metrics(worker.counters)
    if config.source.kafka is not None:
        return await _serve_kafka(path, config, worker, metrics)
    return await _serve_capture(path, config, worker, metrics, progress)


async def _serve_kafka(path: Path, config: Config, worker: Worker, metrics: Metrics) -> Outcome:
    settings, outlet = config.source.kafka, config.sink.kafka
    assert settings is not None
    assert outlet is not None
    health = Health("start", "kafka")
    service = Service(worker, partial(load_rules, path), metrics, health, deadline_ns=config.deadline_ms * 1_000_000)
    sink = KafkaSink(settings, outlet, metrics)

    def make(topic: str, number: int) -> Partition:
        of = settings.topics[topic]
        partition = Partition(
            topic,
            number,
            sink,
            service.fail,
            perimeter=of.perimeter,
            encapsulation=of.encapsulation,
            variant=of.variant,
            verdict_topic=of.verdicts,
        )
        watch.place(partition)
        return partition

    source = KafkaSource(settings, config.workers, make, service.leave, service.left, service.fail, service.turn)
    watch = Watch(settings, source, sink.partitions, metrics, health)
    service.beside(EVERY_SECONDS, watch.look)
    await service.run(source, sink, HttpServer(metrics, health, config.http.host, config.http.port))
    return Outcome()


async def _serve_capture(path: Path, config: Config, worker: Worker, metrics: Metrics, progress: Progress) -> Outcome:
    settings, outlet = config.source.capture, config.sink.files
    assert settings is not None
    assert outlet is not None
    service = Service(worker, partial(load_rules, path), metrics, Health("start"))
    sink = FileSink(Path(outlet.verdicts), Path(outlet.events), metrics)

    def make(name: str) -> Partition:
        return Partition(
            name, 0, sink, service.fail, perimeter=settings.perimeter, variant=settings.variant, is_capture=True
        )

    source = CaptureSource(Path(settings.path), make)
    outcome = Outcome()

    async def show() -> None:
        progress(0 if source.capture is None else source.capture.batch.messages)

    service.beside(PROGRESS_SECONDS, show)
    began = time.monotonic()
    await service.run(source, sink)
    outcome.seconds = time.monotonic() - began
    outcome.interrupted = not source.finished
    if source.capture is not None:
        outcome.problems = source.capture.problems()
        outcome.not_sccp = source.capture.batch.not_sccp
    return outcome


def load_rules(path: Path) -> Rules:
    """Policy and modes as the configuration has them now. Raises ConfigError."""
    config = load_config(path)
    policy = load_policy(Path(config.policy))
    return Rules(
        compile_policy(policy),
        config.mode,
        list_sizes(policy),
        tuple((rule.id, rule.mode, rule.category, rule.action) for rule in policy.rules),
    )


def list_sizes(policy: Policy) -> dict[str, int]:
    """Prefixes of each list, of the home network and of the operators: list -> prefixes."""
    home = policy.home
    return {name: len(numbers.entries) for name, numbers in policy.lists.items()} | {
        "home": len(home.global_titles) + len(home.imsi) + len(home.e214) + len(home.msisdn),
        "hosted_abroad": len(home.hosted_abroad),
        "operators": sum(len(operator.global_titles) + len(operator.imsi) for operator in policy.operators),
    }
