"""A capture as source and files of JSON Lines as sink: the demo, and traffic judged again."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Final, cast

from sigfw.errors import RunError, StartError
from sigfw.pipeline.capture import Capture, open_capture
from sigfw.pipeline.partition import Partition
from sigfw.pipeline.protocol import Output, Portion
from sigfw.telemetry.metrics import Metrics

LIMIT: Final = 1000  # messages a portion: the size that Kafka's have
WAIT_SECONDS: Final = 0.005  # how soon to look again where the sink is behind


class CaptureSource:
    """One capture from its beginning to its end. `capture` says afterwards what could not be read."""

    def __init__(self, path: Path, make: Callable[[str], Partition]) -> None:
        self._path = path
        self._make = make
        self.finished = False
        self.partition: Partition | None = None
        self.capture: Capture | None = None

    async def start(self) -> None:
        self.capture = await asyncio.to_thread(open_capture, self._path)
        self.partition = self._make(self.capture.name)

    def owned(self) -> list[Partition]:
        return [] if self.partition is None else [self.partition]

    async def fetch(self) -> list[Portion]:
        assert self.capture is not None
        assert self.partition is not None
        if not self.partition.has_room:
            await asyncio.sleep(WAIT_SECONDS)
            return []
        if self.capture.batch.done:
            self.finished = True
            return []
        self.capture.release()
        return [Portion(self.partition, self.capture.batch, limit=LIMIT)]

    async def commit(self, *, final: bool = False) -> None:
        """A capture is read once: there is nothing to remember."""

    async def stop(self) -> None:
        """Nothing is open but the map of the file, which goes with the batch."""


class FileSink:
    """Verdicts and events as JSON Lines, written anew. Folders are made."""

    def __init__(self, verdicts: Path, events: Path, metrics: Metrics) -> None:
        self._paths = (verdicts, events)
        self._metrics = metrics
        self._files: list[BinaryIO] = []

    async def start(self) -> None:
        for path in self._paths:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._files.append(path.open("wb"))
            except OSError as error:
                raise StartError(f"{path}: cannot be written ({error.strerror}); correct sink.files") from None

    async def write(self, output: Output) -> None:
        verdicts, events = self._files
        try:
            verdicts.write(b"".join(cast("Sequence[bytes]", output.verdicts)))  # of a capture they are lines
            events.write(b"".join(event + b"\n" for event in output.events))
            verdicts.flush()
            events.flush()
        except OSError as error:
            raise RunError(f"{self._paths[0]}: cannot be written ({error.strerror}); make room and run again") from None
        self._metrics.count_events(len(output.events))

    async def stop(self) -> None:
        for file in self._files:
            file.close()
