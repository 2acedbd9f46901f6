"""Logs: one JSON object a line on stderr, or coloured lines where stderr is a terminal.

Fixed keys: time, level, event, module, and then only those of KEYS; anything else is left out (and named in
`left_out`), so that an identity cannot come in by a new keyword. Of one event and reason at most BURST lines go out in
a window; the next line that goes says how many did not (`suppressed`).
"""

import logging
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from threading import Lock
from typing import Any, Final, TextIO

import orjson
import structlog
from structlog.processors import JSONRenderer
from structlog.typing import FilteringBoundLogger, Processor

__all__ = ["KEYS", "RateLimit", "configure", "get_logger"]

# All that a line may say beside time, level, event and module: no subscriber, no node, no octet of a message.
KEYS: Final = frozenset({
    "action", "broker", "code", "codec", "count", "digest", "encapsulation", "error", "file", "group", "host",
    "lag_records", "lag_seconds", "line", "messages", "mode", "modes", "name", "octets", "offset", "partition",
    "partitions", "path", "perimeter", "pid", "policy", "port", "reason", "records", "retry", "rule", "seconds",
    "signal", "status", "topic", "topics", "version", "worker",
})  # fmt: skip
_OWN_KEYS: Final = frozenset({"event", "exc_info", "level", "module"})
BURST: Final = 5
WINDOW_SECONDS: Final = 10.0
# Events are written in the code, reasons come from closed sets or exception types: hundreds at most.
MAX_TRACKED: Final = 1024

Event = MutableMapping[str, Any]


class RateLimit:
    """A structlog processor: BURST lines per event and reason in WINDOW_SECONDS; memory for MAX_TRACKED of them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._seen: OrderedDict[tuple[str, str], list[float]] = OrderedDict()  # [window's start, lines, suppressed]

    def __call__(self, logger: object, method: str, event: Event) -> Event:
        key = (str(event.get("event")), str(event.get("reason")))
        now = self._clock()
        with self._lock:
            state = self._seen.setdefault(key, [now, 0, 0])
            self._seen.move_to_end(key)
            if len(self._seen) > MAX_TRACKED:
                self._seen.popitem(last=False)
            if now - state[0] >= WINDOW_SECONDS:
                state[0], state[1] = now, 0
            if state[1] >= BURST:
                state[2] += 1
                raise structlog.DropEvent
            state[1] += 1
            if state[2]:
                event["suppressed"] = int(state[2])
                state[2] = 0
        return event


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger for a module: `log.warning("snake_case_event", reason=…, topic=…)`, with keys of KEYS only."""
    logger: FilteringBoundLogger = structlog.get_logger(module=name)
    return logger


def configure(*, level: str = "info", stream: TextIO | None = None, console: bool | None = None) -> None:
    """Set logging up for the process, the standard library's loggers (aiokafka, asyncio: from warning up) included.

    level: debug, info, warning or error; stream: what sys.stderr is at the time, where left out; console: lines for
    people instead of JSON, where left out if the stream is a terminal.
    """
    people = (stream or sys.stderr).isatty() if console is None else console
    # Plain traces only: the fancy ones print local variables, and with them subscribers.
    renderers: list[Processor] = (
        [structlog.dev.ConsoleRenderer(timestamp_key="time", exception_formatter=structlog.dev.plain_traceback)]
        if people
        else [structlog.processors.format_exc_info, JSONRenderer(serializer=_dumps)]
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _fixed_keys,
            RateLimit(),
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.WriteLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, _Forward)]:
        root.removeHandler(handler)
    root.addHandler(_Forward(logging.WARNING))


class _Forward(logging.Handler):
    """What libraries log, as an event of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        # The place is the reason: a library's text may carry a number and would be new each time.
        place = f"{record.module}:{record.lineno}"
        get_logger(record.name).log(record.levelno, "library_log", reason=place, error=record.getMessage()[:500])


def _fixed_keys(logger: object, method: str, event: Event) -> Event:
    if unknown := sorted(event.keys() - KEYS - _OWN_KEYS):
        for key in unknown:
            del event[key]
        event["left_out"] = unknown
    return event


def _dumps(event: Event, **_: object) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
