"""From a configuration to a running service: which source, which sink, which rules."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sigfw import names
from sigfw._core.engine import Worker
from sigfw._core.kbatch import keep_memory
from sigfw._core.memory import State
from sigfw.config import Config
from sigfw.config import load as load_config
from sigfw.errors import ConfigError, StartError
from sigfw.pipeline.event import Teller
from sigfw.pipeline.files import CaptureSource, FileSink
from sigfw.pipeline.partition import Partition
from sigfw.pipeline.sink import KafkaSink
from sigfw.pipeline.source import KafkaSource
from sigfw.pipeline.watch import EVERY_SECONDS, Watch
from sigfw.pipeline.worker import Rules, Service
from sigfw.policy.compiled import AGAIN
from sigfw.policy.compiler import compile_policy
from sigfw.policy.dates import on
from sigfw.policy.loader import load as load_policy
from sigfw.policy.model import Policy
from sigfw.policy.whois import Whois
from sigfw.telemetry.http import Health, HttpServer
from sigfw.telemetry.logs import get_logger
from sigfw.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from sigfw.state.store import Store

PROGRESS_SECONDS = 0.5
KEPT_OCTETS = 128 * 1024 * 1024  # what fetches and verdicts on their way take, some 10 MB each in JSON


@dataclass
class Outcome:
    """Of a run over a capture: what could not be read, what held no SCCP, how long it took, whether it ended early."""

    problems: list[str] = field(default_factory=list)
    not_sccp: int = 0
    seconds: float = 0.0
    interrupted: bool = False


Progress = Callable[[int], None]

log = get_logger(__name__)


async def serve(path: Path, config: Config, progress: Progress) -> Outcome:
    """Run the service that a configuration describes, until SIGTERM or the end of its capture.

    path: of the configuration, read again on SIGHUP. progress: told of a capture's messages so far.
    Raises ConfigError, StartError or RunError.
    """
    key = config.identities.key()
    warn_of_key(config)
    state = make_state(config, key)
    metrics = Metrics(lambda: worker.counters(), state)
    store = make_store(config, state, metrics) if state.shared else None
    worker = Worker(
        verdicts=config.verdicts,
        key=key,
        state=state,
        exchange=store.exchange if store else None,
        octets=config.events.octets,
    )
    try:
        if config.source.kafka is not None:
            return await _serve_kafka(path, config, worker, metrics, store)
        return await _serve_capture(path, config, worker, metrics, progress, store)
    finally:
        if store is not None:
            store.post(state.changes())
            store.close()


def warn_of_key(config: Config) -> None:
    """Whoever reads the key tells pseudonyms from numbers."""
    path = config.identities.key_file
    if config.identities.pseudonymise and path is not None and Path(path).stat().st_mode & 0o077:
        log.warning("key_file_open", reason=f"{path} may be read by others than its owner; chmod 600 {path}")


def make_state(config: Config, key: bytes | None) -> State:
    """What the worker remembers. Workers that share it must make the same keys of the same numbers."""
    settings = config.state
    shared = settings.store == "redis"
    secret = hashlib.sha256(b"sigfw state" + (key or settings.url.encode())).digest() if shared else None
    try:
        return State(
            subscribers=settings.subscribers,
            dialogues=settings.dialogues,
            callers=settings.callers,
            shared=shared,
            secret=secret,
        )
    except MemoryError:
        raise StartError("state: no memory for as many subscribers, dialogues and callers; set fewer") from None


def make_store(config: Config, state: State, metrics: Metrics) -> "Store":
    from sigfw.state.store import Store  # a third of the time that a start takes, for those who share

    settings = config.state
    return Store(settings.url, settings.timeout_ms, state.lifetime_seconds, metrics)


async def _serve_kafka(path: Path, config: Config, worker: Worker, metrics: Metrics, store: "Store | None") -> Outcome:
    settings, outlet = config.source.kafka, config.sink.kafka
    assert settings is not None
    assert outlet is not None
    keep_memory(KEPT_OCTETS)
    health = Health("start", "kafka")
    service = Service(
        worker,
        partial(load_rules, path),
        metrics,
        health,
        deadline_ns=config.deadline_ms * 1_000_000,
        reload_seconds=config.reload_seconds,
        store=store,
    )
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


async def _serve_capture(
    path: Path, config: Config, worker: Worker, metrics: Metrics, progress: Progress, store: "Store | None"
) -> Outcome:
    settings, outlet = config.source.capture, config.sink.files
    assert settings is not None
    assert outlet is not None
    service = Service(worker, partial(load_rules, path), metrics, Health("start"), store=store)
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
    files = (str(path), *policy.files)
    if policy.compiled is not None and not policy.compiled.fits(policy):
        log.warning("policy_compiled_for_other_days", reason=f"{config.policy}: makes its own tables; {AGAIN}")
    try:
        check_workers(path, config, policy)
        return replace(rules_of(policy, config.mode), files=files)
    except ConfigError as error:
        raise ConfigError(error.mistakes, files) from None


def rules_of(policy: Policy, modes: dict[str, str]) -> Rules:
    """A policy as the service runs it. It is kept only where a day to come changes it."""
    return Rules(
        compile_policy(policy),
        modes,
        list_sizes(policy),
        tuple((rule.id, rule.mode, rule.category, rule.action) for rule in policy.rules),
        policy.changes,
        (lambda day: rules_of(on(policy, day), modes)) if policy.changes else None,
        teller=Teller(policy.rules, Whois(policy).of),
    )


def check_workers(path: Path, config: Config, policy: Policy) -> None:
    """Raises ConfigError where workers would each remember a part of what a check has to know."""
    if config.workers == 1 or config.state.store != "memory":
        return
    for rule in policy.rules:
        asked = [check for check in rule.checks if check in names.SHARED_CHECKS]
        if asked and rule.mode != "off":
            what = f"each of {config.workers} workers with the memory store knows a part of what `{asked[0]}` asks"
            must = "write state: {store: redis, url: redis://…}, or workers: 1"
            raise ConfigError([f"{path}:1: {what} (rule {rule.id}, {rule.where}); {must}"])


def list_sizes(policy: Policy) -> dict[str, int]:
    """Prefixes of each list, of the home network and of the operators: list -> prefixes."""
    home = policy.home
    return {name: len(numbers.entries) for name, numbers in policy.lists.items()} | {
        "home": len(home.global_titles) + len(home.imsi) + len(home.e214) + len(home.msisdn),
        "hosted_abroad": len(home.hosted_abroad),
        "operators": sum(len(o.global_titles) + len(o.imsi) + len(o.e214) + len(o.msisdn) for o in policy.operators),
    }
