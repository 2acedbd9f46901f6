"""Which of the files that rules were read from have changed since.

A change counts once two looks in a row find a file alike: an editor that is still writing is left to finish. What a
file is goes by its path, followed through links, so that one renamed over it, or a link set anew, is a change.
"""

import os
import time
from collections.abc import Iterable
from typing import Final

CLOCK_NS: Final = 20_000_000  # how far a file's time may be behind that of the clock: two ticks of 100 a second

State = tuple[int, int, int, int] | None  # time, octets, inode, device; None: it cannot be had


class Changes:
    def __init__(self) -> None:
        self._read: dict[str, State] = {}  # as the files were when they were read
        self._seen: dict[str, State] = {}  # at the last look
        self._began_ns = 0

    def begin(self) -> None:
        """The known files are about to be read again: what changes from here on is a change."""
        self._began_ns = time.time_ns() - CLOCK_NS
        self._read = {file: state_of(file) for file in self._read}

    def end(self, files: Iterable[str], *, all_known: bool) -> None:
        """files: that were read; all_known: there are no others, else those known before stay known too."""
        read = {} if all_known else dict(self._read)
        for file in files:
            if file in self._read:
                read[file] = self._read[file]
            else:
                state = state_of(file)
                # One that was written since may hold something else than what was read: the next looks see a change.
                read[file] = None if state is not None and state[0] >= self._began_ns else state
        self._read = read
        self._seen = dict(read)

    def look(self) -> list[str]:
        """The files that are others than those that were read, and as at the last look."""
        now = {file: state_of(file) for file in self._read}
        settled = [file for file, state in now.items() if state != self._read[file] and state == self._seen.get(file)]
        writing = any(state != self._seen.get(file) for file, state in now.items())
        self._seen = now
        return [] if writing else settled


def state_of(file: str) -> State:
    try:
        found = os.stat(file)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev
