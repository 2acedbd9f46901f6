"""A partition's own clock, and the order and settling of what it writes."""

import asyncio
from types import SimpleNamespace

import pytest

from sigfw._core.batch import Batch
from sigfw._core.engine import Worker
from sigfw.pipeline import partition as module
from sigfw.pipeline.partition import Partition
from sigfw.pipeline.protocol import Output

SECOND_NS = 1_000_000_000
NOW_NS = 1_700_000_000 * SECOND_NS


class Sink:
    """Acknowledges when it is let."""

    def __init__(self) -> None:
        self.written: list[Output] = []
        self.let = asyncio.Semaphore(0)

    async def start(self) -> None: ...

    async def write(self, output: Output) -> None:
        await self.let.acquire()
        self.written.append(output)

    async def stop(self) -> None: ...


def judge(partition: Partition, time_ns: int) -> None:
    """Judge one message of that time."""
    Worker().judge(None, partition.stream, Batch([b"\x09"], "sccp", offsets=[0], times_ns=[time_ns]))
    partition.saw(1, time_ns // 1_000_000)


@pytest.mark.parametrize(
    ("message_ns", "expected_ns"),
    [
        pytest.param(NOW_NS - 86_400 * SECOND_NS, NOW_NS - 86_400 * SECOND_NS + 3 * SECOND_NS, id="backlog"),
        pytest.param(NOW_NS, NOW_NS + 3 * SECOND_NS, id="live"),
        pytest.param(NOW_NS + 3_600 * SECOND_NS, NOW_NS + 3 * SECOND_NS, id="from the future"),
    ],
)
async def test_streams_time_is_its_last_messages_moved_on_by_the_wall_clock(
    monkeypatch: pytest.MonkeyPatch, message_ns: int, expected_ns: int
) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now, time_ns=lambda: NOW_NS))
    one = Partition("in", 0, Sink(), pytest.fail)
    judge(one, message_ns)
    clock.now += 3
    assert one.now_ns() == expected_ns
    await one.close()


async def test_outputs_are_written_in_order_and_commit_only_what_is_settled() -> None:
    sink = Sink()
    one = Partition("in", 0, sink, pytest.fail)
    outputs = [Output(one, verdicts=[b"v"], next_offset=n, settles=n != 2) for n in (1, 2, 3)]
    one.put(outputs[0])
    assert one.has_room
    one.put(outputs[1])
    assert not one.has_room
    one.put(outputs[2])
    seen = []
    for _ in outputs:
        sink.let.release()
        await asyncio.sleep(0.01)
        seen.append(one.written)
    assert sink.written == outputs
    assert seen == [1, 1, 3]
    assert one.idle
    assert await one.drain(1.0)
    await one.close()


async def test_fault_of_the_sink_is_told_and_draining_ends() -> None:
    faults: list[BaseException] = []

    class Broken(Sink):
        async def write(self, output: Output) -> None:
            raise OSError("gone")

    one = Partition("in", 0, Broken(), faults.append)
    one.put(Output(one, verdicts=[b"v"], next_offset=1, settles=True))
    assert not await one.drain(5.0)
    assert [str(fault) for fault in faults] == ["gone"]
    assert one.written == -1
    await one.close()
