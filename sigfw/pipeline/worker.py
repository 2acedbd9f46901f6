"""The service: records in, one call into the core a portion, verdicts out, offsets committed behind them.

The way of a record: source.fetch → Service.judge → Partition.put → sink.write → source.commit. Nothing goes another
way.
"""

import asyncio
import datetime
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import orjson

from sigfw._core.batch import Batch
from sigfw._core.engine import Worker
from sigfw._core.flood import Flood
from sigfw._core.kbatch import Body, Chunk, write
from sigfw._core.tables import Tables
from sigfw._core.verdicts import Verdicts
from sigfw.errors import ConfigError, RunError, SigfwError, StartError
from sigfw.pipeline.changes import Changes
from sigfw.pipeline.event import Teller
from sigfw.pipeline.kafka import close, quiet
from sigfw.pipeline.partition import Partition
from sigfw.pipeline.protocol import Output, Portion, Sink, Source, time_ns
from sigfw.pipeline.sink import BATCH_OCTETS
from sigfw.policy.dates import utc_today
from sigfw.records import timeout_line
from sigfw.telemetry.http import Health, HttpServer
from sigfw.telemetry.logs import get_logger
from sigfw.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from sigfw.state.store import Store

log = get_logger(__name__)

COMMIT_EVERY_SECONDS: Final = 0.2  # what a crash repeats; a commit is one small request for all partitions
TICK_SECONDS: Final = 0.5  # how late a time-out of reassembly or a flood's window may be told
STOP_SECONDS: Final = 10.0  # to write what is judged after SIGTERM
EXIT_SECONDS: Final = 28.0  # for all of a stop; Kubernetes waits 30 s before it kills, systemd 90 s
# From here a portion is judged in a thread: the core lets the GIL go, and heartbeats must not wait for a large record.
# Below, a portion takes some 10 ms (8,192 messages; in JSON twice that), and the way to a thread and back costs more
# than it saves, with memory that is another thread's. Many events take longer: so, too, what follows a portion with
# many.
THREAD_OCTETS: Final = 1536 * 1024
THREAD_EVENTS: Final = 500  # some 10 ms
# A verdict record above this would be refused by the broker, again and again. Some 800 messages in JSON are below, or
# 28,000 packed. It is Kafka's default for a batch (message.max.bytes) less room for key and headers.
MAX_VERDICT_OCTETS: Final = 900_000
END_OF_TIME_NS: Final = 2**63 - 1


@dataclass(frozen=True)
class Rules:
    """What decides, swapped whole between two portions."""

    tables: Tables
    modes: dict[str, str]  # perimeter -> enforce, monitor or bypass
    lists: dict[str, int]  # list -> prefixes
    rules: tuple[tuple[str, str, str, str], ...] = ()  # id, mode, category, action
    changes: str = ""  # the UTC day from which entries of lists are others
    renew: "Callable[[datetime.date], Rules] | None" = None  # the rules of that day or a later one
    files: tuple[str, ...] = ()  # that they were read from
    teller: Teller = field(default_factory=Teller)


LoadRules = Callable[[], Rules]


class Service:
    """One worker process: a source, a sink, the rules, and the core's Worker between them.

    load: read policy and modes, at start, on SIGHUP and where a file has changed, which is looked for each
    reload_seconds (0: it is not). deadline_ns 0: nothing expires. today: the UTC day.
    """

    def __init__(
        self,
        worker: Worker,
        load: LoadRules,
        metrics: Metrics,
        health: Health,
        *,
        deadline_ns: int = 0,
        reload_seconds: float = 0,
        store: "Store | None" = None,
        today: Callable[[], datetime.date] = utc_today,
    ) -> None:
        self._worker = worker
        self._load = load
        self.metrics = metrics
        self.health = health
        self._deadline_ns = deadline_ns
        self._store = store
        self._today = today
        self._many = 0  # events of the portion before
        self._turned = ""  # the day for which rules were last renewed
        self._changes = Changes()
        self._rules = self._read()
        self._show_rules()
        self._failure: BaseException | None = None
        self._stopping = False
        self.turn = asyncio.Lock()  # held while a Stream is used: a portion judged, time-outs ended, a partition left
        self._beside: list[tuple[float, Callable[[], Awaitable[None]]]] = []
        self._reloading = asyncio.Lock()
        self._reloads: set[asyncio.Task[None]] = set()  # a task that nobody holds may vanish
        if reload_seconds:
            self.beside(reload_seconds, self._look)

    def beside(self, seconds: float, call: Callable[[], Awaitable[None]]) -> None:
        """Call each so many seconds while the service runs; what it raises ends the service."""
        self._beside.append((seconds, call))

    # What the source tells.

    def fail(self, fault: BaseException) -> None:
        """A fault in a task beside the main loop, which raises it at its next turn. The first one counts."""
        self._failure = self._failure or fault

    def leave(self, partition: Partition) -> None:
        """Queue what is still to be said about a partition that goes away: its reassemblies, its flood windows."""
        tables, modes = self._rules.tables, self._rules.modes
        if partition.is_capture:  # nobody goes on with it: what is not whole by now never will be, and has its line
            ended = partition.stream.expire(tables, END_OF_TIME_NS)
            lines = [orjson.dumps(timeout_line(one, tables, modes), option=orjson.OPT_APPEND_NEWLINE) for one in ended]
        else:
            ended, lines = partition.stream.abandon(tables), []
        for one in ended:
            self.metrics.count_reassembly_ended(str(one["reason"]))
        self._tell(partition, self._told(partition, ended, close=True), lines)

    def left(self, partition: Partition) -> None:
        self.metrics.drop_partition(partition.topic, partition.number)

    # The main line.

    async def run(self, source: Source, sink: Sink, http: HttpServer | None = None) -> None:
        """Serve until SIGTERM, SIGINT or the end of the source. Raises StartError or RunError."""
        self._handle_signals()
        if http is not None:
            http.start()
        try:
            with quiet():
                await sink.start()
                await source.start()
        except StartError:
            await self._close(source, sink, http)
            raise
        self.health.ready("start")
        log.info("started", policy=self._rules.tables.name, digest=self._rules.tables.digest)
        self.beside(COMMIT_EVERY_SECONDS, source.commit)
        self.beside(TICK_SECONDS, lambda: self._tick(source))
        self.beside(TICK_SECONDS, self._turn_day)
        beside = [asyncio.create_task(self._every(seconds, call)) for seconds, call in self._beside]
        beside.append(asyncio.create_task(self.health.beating()))
        try:
            while not self._stopping and not source.finished:
                self._raise_failure()
                for portion in await source.fetch():
                    await self._take(portion)
            self.health.not_ready("stopping", "SIGTERM or the end of the source")
            await self._finish(source)
        finally:
            for task in beside:
                task.cancel()
        await self._close(source, sink, http)
        log.info("stopped")

    async def _close(self, source: Source, sink: Sink, http: HttpServer | None) -> None:
        await close(source.stop(), "consumer")
        await close(sink.stop(), "producer")
        if http is not None:
            http.stop()

    async def _take(self, portion: Portion) -> None:
        async with self.turn:
            if not portion.partition.closed:  # revoked since the fetch: its new owner judges it
                portion.partition.put(await self.judge(portion))
        await asyncio.sleep(0)  # the other tasks' turn: heartbeats, acknowledgements

    async def judge(self, portion: Portion) -> Output:
        """What the core says of a portion, in the form in which it leaves."""
        long = portion.octets > THREAD_OCTETS or self._many > THREAD_EVENTS
        if long or self._store is not None:  # which a round trip would keep from heartbeats
            return await asyncio.to_thread(self._judge, portion)
        return self._judge(portion)

    def _judge(self, portion: Portion) -> Output:
        """One call into the core; `turn` is held, on whatever thread."""
        partition = portion.partition
        began = time.monotonic()
        partition.flood.begin(self._rules.teller)
        verdicts = self._call(portion, partition.flood.core)
        if self._store is not None and self._worker.state is not None:
            self._store.post(self._worker.state.changes())
        self.metrics.batch_seconds.observe(time.monotonic() - began)
        told = self._told(partition)
        self._many = len(told)
        values, dead = self._values(portion, verdicts)
        if portion.records:
            partition.saw(portion.records[-1].offset + 1, portion.records[-1].timestamp)
        return Output(
            partition,
            portion.records,
            values,
            told,
            list(dead.items()),
            self._rules.tables.digest.encode(),
            next_offset=partition.judged,
            settles=not partition.flood.core.pending,
            fetched=portion.fetched,
        )

    def _values(self, portion: Portion, verdicts: Verdicts) -> tuple[list[bytes | Body], dict[int, str]]:
        """What leaves for the records of a portion, and which of them are dead letters, and why."""
        values: list[bytes | Body] = [verdicts.lines()]
        if not portion.records:
            return values, {}
        dead = dict(verdicts.dead()) | portion.unreadable
        if isinstance(portion.records, Chunk):
            source = f"{portion.partition.topic}/{portion.partition.number}/".encode()
            values = write(
                verdicts,
                portion.records,
                source,
                self._rules.tables.digest.encode(),
                most=BATCH_OCTETS,
                value_most=MAX_VERDICT_OCTETS,
            )
        else:
            values = list(verdicts.values())
        index = 0
        for at, value in enumerate(values):
            if isinstance(value, Body):
                index += value.records
                continue
            if len(value) > MAX_VERDICT_OCTETS:
                dead[index] = f"{len(value)} octets of verdicts are too many for a record; pack fewer messages"
                values[at] = self._unframed(portion, index)
            index += 1
        return values, dead

    def _call(self, portion: Portion, flood: Flood | None = None) -> Verdicts:
        partition, rules = portion.partition, self._rules
        return self._worker.judge(
            rules.tables,
            partition.stream,
            portion.batch,
            perimeter=partition.perimeter,
            variant=partition.variant,
            modes=rules.modes,
            now_ns=time.time_ns(),
            deadline_ns=self._deadline_ns,
            limit=portion.limit,
            flood=flood,
        )

    def _unframed(self, portion: Portion, index: int) -> bytes:
        """The verdict record of a record that cannot be judged whole: as of one in which there is no message."""
        record, partition = portion.records[index], portion.partition
        batch = Batch([None], partition.encapsulation, offsets=[record.offset], times_ns=[time_ns(record)])
        return self._call(Portion(partition, batch, [record])).values()[0]

    def _told(
        self, partition: Partition, ended: Sequence[dict[str, object]] = (), *, close: bool = False
    ) -> list[bytes]:
        """The events to write now, those of reassemblies that ended with them; close: all that was counted, too."""
        flood, rules = partition.flood, self._rules
        if ended:
            flood.begin(rules.teller)
            flood.ask(ended, rules.tables, rules.modes)
        told = flood.close() if close else flood.told()
        self.metrics.count_events_suppressed(flood.counted())
        return told

    def _tell(self, partition: Partition, told: list[bytes], lines: Sequence[bytes] = ()) -> None:
        """Queue what no record brings; once the flood windows are closed, all judged before is settled."""
        if told or lines:
            settles = not partition.flood.core.pending
            partition.put(Output(partition, verdicts=lines, events=told, next_offset=partition.judged, settles=settles))

    # Beside the main line.

    async def _tick(self, source: Source) -> None:
        """End reassemblies that waited too long, and flood windows; show what waits."""
        async with self.turn:
            in_flight = 0
            for partition in source.owned():
                if partition.closed:
                    continue
                ended = partition.expire(self._rules.tables)
                self.metrics.count_reassembly_ended("reassembly_timeout", len(ended))
                self._tell(partition, self._told(partition, ended, close=partition.flood.due))
                in_flight += partition.stream.in_flight
            self.metrics.set_reassembly(in_flight)

    async def _every(self, seconds: float, call: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await call()
            except Exception as fault:  # noqa: BLE001  a task that dies alone is a silent stall
                self.fail(fault)
            await asyncio.sleep(seconds)

    def _raise_failure(self) -> None:
        if isinstance(self._failure, SigfwError):
            raise self._failure
        if self._failure is not None:
            raise RunError(f"a fault of sigfw itself ({self._failure!r}); please report it") from self._failure

    async def _finish(self, source: Source) -> None:
        """Write and commit what is judged, within STOP_SECONDS."""
        async with self.turn:
            partitions = source.owned()
            for partition in partitions:
                self.leave(partition)
                partition.closed = True
        drained = await asyncio.gather(*(partition.drain(STOP_SECONDS) for partition in partitions))
        self._raise_failure()
        await source.commit(final=True)
        for partition in partitions:
            await partition.close()
        if not all(drained):
            raise RunError(
                f"verdicts could not be written within {STOP_SECONDS:.0f} s of the stop; a restart judges them again"
            )

    # Signals.

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number.name)
        loop.add_signal_handler(signal.SIGHUP, self._hup)

    def _hup(self) -> None:
        if len(self._reloads) < 2:  # one that reads, and one that reads what came since
            task = asyncio.create_task(self._reload())
            self._reloads.add(task)
            task.add_done_callback(self._reloads.discard)

    def _stop(self, name: str) -> None:
        """Leave the main loop at its next turn. A thread ends the process should that not come, or a library hang."""
        log.info("stopping", signal=name)
        self._stopping = True
        end = threading.Timer(EXIT_SECONDS, os._exit, (RunError.exit_status,))
        end.daemon = True
        end.start()

    async def _reload(self) -> None:
        """Read policy and modes again."""
        async with self._reloading:
            await self._renew(self._read, "SIGHUP")

    async def _look(self) -> None:
        """Read them again where one of their files has changed."""
        async with self._reloading:
            changed = await asyncio.to_thread(self._changes.look)
            if changed:
                more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
                await self._renew(self._read, f"{changed[0]}{more} changed")

    def _read(self) -> Rules:
        """What `load` gives. Files that were refused are looked at too: it may be there that the mistake is mended."""
        files: tuple[str, ...] = ()
        taken = False
        self._changes.begin()
        try:
            rules = self._load()
            files, taken = rules.files, True
            return rules
        except ConfigError as error:
            files = error.files
            raise
        finally:
            self._changes.end(files, all_known=taken)

    async def _turn_day(self) -> None:
        """On a day that brings or ends entries of lists, take its rules. No file is read: who edits one reloads it."""
        async with self._reloading:
            rules, day = self._rules, self._today()
            if rules.renew is not None and rules.changes <= day.isoformat() and self._turned != day.isoformat():
                self._turned = day.isoformat()  # should it fail, once
                await self._renew(partial(rules.renew, day), f"entries of lists begin or end by {day}")

    async def _renew(self, make: LoadRules, why: str) -> None:
        """Take other rules between two portions; the old ones stay where the new are bad. `_reloading` is held."""
        before = self._rules
        try:
            rules = await asyncio.to_thread(make)
        except Exception as error:  # noqa: BLE001  whatever is wrong with the new ones, the old decide on
            mistakes = error.mistakes if isinstance(error, ConfigError) else [str(error) or repr(error)]
            for mistake in mistakes:  # as the reason: each is a line of its own to the rate limit
                log.error("policy_refused", reason=mistake, digest=before.tables.digest)
            log.error("policy_kept", reason=f"{why}: the old one decides on", digest=before.tables.digest)
            self.metrics.count_policy_reload(ok=False)
            return
        async with self.turn:
            self._rules = rules
        self._show_rules()
        self.metrics.count_policy_reload(ok=True)
        log.info("policy_loaded", policy=rules.tables.name, digest=rules.tables.digest, reason=why)
        for perimeter in rules.modes.keys() | before.modes.keys():
            old, new = before.modes.get(perimeter, ""), rules.modes.get(perimeter, "")
            if old != new:
                log.warning("mode_changed", perimeter=perimeter, mode=new, reason=f"was {old}; {why}")

    def _show_rules(self) -> None:
        tables = self._rules.tables
        self.metrics.set_policy(tables.name, tables.digest, time.time(), self._rules.lists, self._rules.rules)
        self.metrics.set_modes(self._rules.modes)
