"""A Redis or Valkey that workers share: what one learns, the others know.

The core asks for a round at once (sigfw/_core/engine.pyi, Exchange): one pipeline takes what changed and brings what is
asked for. It runs in a thread of its own, and nobody waits longer than the limit: a store that is late or gone makes
checks unknown, never messages late.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sigfw.errors import ConfigError
from sigfw.telemetry.logs import get_logger
from sigfw.telemetry.metrics import Metrics

log = get_logger(__name__)

Changes = dict[bytes, bytes]  # name -> value; b"": forgotten (sigfw/_core/memory.pyi)
SHELF: Final = 6  # where the digit of its shelf stands in a name
# One command for all changes of a shelf: a SET each would take the client longer than the store.
WRITE: Final = """
for i, name in ipairs(KEYS) do
    if ARGV[i + 1] == '' then redis.call('DEL', name) else redis.call('SET', name, ARGV[i + 1], 'EX', ARGV[1]) end
end
"""

REST_SECONDS: Final = 1.0  # after a failure: every batch would wait for the limit otherwise
LATE_IN_A_ROW: Final = 3  # and after as many late answers: one alone is a pause of the machine
MOST_UNSENT: Final = 200_000  # changes kept while the store is away: 20 MB; beyond, others never learn of the oldest
CONNECT_SECONDS: Final = 1.0  # in the store's own thread, where nobody waits for it


class Store:
    """url: as redis-py's from_url takes it. lifetime_seconds: of a shelf's entries.

    Raises ConfigError where the address is none.
    """

    def __init__(self, url: str, timeout_ms: int, lifetime_seconds: Callable[[int], int], told: Metrics) -> None:
        try:
            self._client = redis.Redis.from_url(
                url,
                socket_timeout=CONNECT_SECONDS,
                socket_connect_timeout=CONNECT_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError as e:
            raise ConfigError([f"state.url: {e}; write redis://host:6379/0"]) from None
        self._seconds = timeout_ms / 1000
        self._lifetime_seconds = lifetime_seconds
        self._told = told
        self._thread = ThreadPoolExecutor(1, "sigfw-store")
        self._waiting: Future[list[bytes | None]] | None = None
        self._rest_until = 0.0
        self._late = 0  # in a row
        self._away = False
        kwargs = self._client.connection_pool.connection_kwargs
        self._where = kwargs.get("path") or f"{kwargs.get('host')}:{kwargs.get('port')}"  # and no password
        self._unsent: Changes = {}
        self._lock = threading.Lock()

    def exchange(self, changes: Changes, names: list[bytes]) -> list[bytes | None] | None:
        """Exchange of the core. None: the store did not answer in time."""
        self._keep(changes)
        if not names and not self._unsent:
            return []
        began = time.monotonic()
        if began < self._rest_until:
            self._told.count_store_exchange("skipped")
            return None
        if not self._settle(self._seconds):
            return None
        self._waiting = self._thread.submit(self._round, names)
        waiting = self._waiting
        if not self._settle(self._seconds - (time.monotonic() - began)):
            return None
        self._told.store_seconds.observe(time.monotonic() - began)
        self._told.count_store_exchange("ok")
        self._late = 0
        if self._away:
            self._away = False
            log.info("store_back", reason=self._where)
        return waiting.result()

    def _settle(self, seconds: float) -> bool:
        """Wait for the round trip under way, if there is one; false: it is late, or failed."""
        if self._waiting is None:
            return True
        try:
            self._waiting.result(max(seconds, 0))
        except Late:
            self._fail("late", f"no answer within {self._seconds * 1000:.0f} ms")
            return False
        except redis.RedisError as e:
            self._waiting = None
            self._fail("failed", str(e) or type(e).__name__)
            return False
        self._waiting = None
        return True

    def post(self, changes: Changes) -> None:
        """Tell the store without waiting."""
        self._keep(changes)
        under_way = self._waiting is not None and not self._waiting.done()
        if self._unsent and not under_way and time.monotonic() >= self._rest_until and self._settle(0):
            self._waiting = self._thread.submit(self._round, [])

    def close(self) -> None:
        """Tell the store what is left; a store that does not answer has CONNECT_SECONDS for each step."""
        if self._unsent and time.monotonic() >= self._rest_until:
            self._thread.submit(self._round, [])
        self._thread.shutdown()
        self._client.close()

    def _keep(self, changes: Changes) -> None:
        with self._lock:
            for name in changes:
                self._unsent.pop(name, None)  # to the end: the oldest go first
            self._unsent |= changes
            while len(self._unsent) > MOST_UNSENT:
                del self._unsent[next(iter(self._unsent))]

    def _fail(self, outcome: str, reason: str) -> None:
        self._told.count_store_exchange(outcome)
        self._late = self._late + 1 if outcome == "late" else LATE_IN_A_ROW
        if self._late < LATE_IN_A_ROW:
            return
        self._rest_until = time.monotonic() + REST_SECONDS
        self._away = True
        advice = "; raise state.timeout_ms if it always is" if outcome == "late" else ""
        log.warning("store_away", reason=f"{self._where}: {reason}; its checks say unknown meanwhile{advice}")

    def _round(self, names: list[bytes]) -> list[bytes | None]:
        """In the store's thread. What could not be told is kept for the next time."""
        with self._lock:
            changes, self._unsent = self._unsent, {}
        pipeline = self._client.pipeline(transaction=False)
        by_shelf: dict[int, Changes] = {}
        for name, value in changes.items():
            by_shelf.setdefault(name[SHELF] - ord("0"), {})[name] = value
        for shelf, some in by_shelf.items():
            pipeline.eval(WRITE, len(some), *some, self._lifetime_seconds(shelf), *some.values())
        if names:
            pipeline.mget(names)
        try:
            answers = pipeline.execute()
        except redis.RedisError:
            with self._lock:
                self._unsent = changes | self._unsent
            raise
        return list(answers[-1]) if names else []
