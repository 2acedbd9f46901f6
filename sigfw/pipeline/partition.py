"""All state of one input partition that we own: reassembly, flood windows, what is judged but not yet written."""

import asyncio
import time
from collections import deque
from math import inf
from typing import TYPE_CHECKING

from sigfw._core.engine import Stream
from sigfw._core.tables import Tables
from sigfw.pipeline.events import Flood

if TYPE_CHECKING:
    from sigfw.pipeline.protocol import Fail, Output, Sink

# What may wait to be written, for each partition: two calls keep the sink busy while the next is judged; the octets
# bound memory where one record is a whole capture.
MAX_WAITING_OUTPUTS = 2
MAX_WAITING_OCTETS = 8 * 1024 * 1024


class Partition:
    """One input partition (of a capture: its only one), from assignment to revoke.

    topic, number: its name; perimeter, encapsulation, variant, verdict_topic: the configuration of its topic.
    Outputs are written one after the other, by a task of its own; `written` is the offset up to which all is safe.
    """

    def __init__(
        self,
        topic: str,
        number: int,
        sink: "Sink",
        fail: "Fail",
        *,
        perimeter: str = "",
        encapsulation: str = "sccp",
        variant: str = "itu",
        verdict_topic: str = "",
        is_capture: bool = False,
    ) -> None:
        self.topic = topic
        self.number = number
        self.perimeter = perimeter
        self.encapsulation = encapsulation
        self.variant = variant
        self.verdict_topic = verdict_topic
        self.is_capture = is_capture
        self.stream = Stream(topic, offsets=False) if is_capture else Stream(f"{topic}/{number}", topic=topic)
        self.flood = Flood(inf) if is_capture else Flood()  # a file is in no hurry
        self.closed = False  # revoked: nothing may be judged or written for it any more
        self.blocked = ""  # why its records may not be fetched at present (a verdict partition that is missing)
        self.judged = -1  # next offset to judge
        self.written = -1  # next offset to write: safe to commit; -1: nothing yet
        self.committed = -1
        self._last_record_ms = 0
        self._last_record_at = time.monotonic()
        self._sink = sink
        self._fail = fail
        self._waiting: deque[Output] = deque()
        self._octets = 0
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task = asyncio.create_task(self._write(), name=f"write {topic}/{number}")

    @property
    def has_room(self) -> bool:
        return not self.blocked and len(self._waiting) < MAX_WAITING_OUTPUTS and self._octets < MAX_WAITING_OCTETS

    @property
    def idle(self) -> bool:
        """Everything judged is written."""
        return not self._waiting

    @property
    def newest_seconds(self) -> float:
        """Time of the newest record judged, since the epoch; 0 before the first."""
        return self._last_record_ms / 1e3

    def saw(self, next_offset: int, record_time_ms: int) -> None:
        """Remember how far the partition is judged, and when its last record came."""
        self.judged = next_offset
        self._last_record_ms = max(record_time_ms, 0)
        self._last_record_at = time.monotonic()

    def now_ns(self) -> int:
        """The stream's own time: that of its last message, moved on by the wall clock since it came.

        A backlog of yesterday is judged by yesterday's clock, and a quiet stream still comes to its time-outs. A
        message from the future (a publisher's bad clock) counts as of now: it must not end what others sent.
        """
        return min(self.stream.last_time_ns, time.time_ns()) + int((time.monotonic() - self._last_record_at) * 1e9)

    def expire(self, tables: Tables) -> list[dict[str, object]]:
        """End the reassemblies that waited too long by the stream's own time. A capture's end where it ends."""
        if self.is_capture or self.stream.last_time_ns < 0 or not self.stream.in_flight:
            return []
        return self.stream.expire(tables, self.now_ns())

    def put(self, output: "Output") -> None:
        """Queue what was judged. The caller looks at `has_room` before it fetches."""
        self._waiting.append(output)
        self._octets += output.octets
        self._idle.clear()
        self._work.set()

    async def _write(self) -> None:
        try:
            while True:
                if not self._waiting:
                    self._idle.set()
                    self._work.clear()
                    await self._work.wait()
                output = self._waiting[0]
                await self._sink.write(output)
                self._octets -= output.octets
                self._waiting.popleft()
                if output.settles:
                    self.written = output.next_offset
        except asyncio.CancelledError:
            raise
        except BaseException as fault:  # noqa: BLE001  a task that dies alone is a silent stall
            self._fail(fault)

    async def drain(self, seconds: float) -> bool:
        """Write what waits; false where that took longer than `seconds`."""
        idle = asyncio.create_task(self._idle.wait())
        await asyncio.wait({idle, self._task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        return self.idle

    async def close(self) -> None:
        """End the task. What was not written stays unwritten."""
        self.closed = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
