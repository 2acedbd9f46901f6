"""/livez, /readyz and /metrics on one port, and nothing else.

A thread of its own with an event loop of its own: a scrape is answered while the worker's loop is busy, and /livez can
say that it hangs. What a client may cost is bounded: octets, seconds, connections.
"""

import asyncio
import gzip
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Final

from prometheus_client.exposition import choose_encoder, gzip_accepted

from sigfw.errors import StartError
from sigfw.telemetry.logs import get_logger
from sigfw.telemetry.metrics import Metrics

__all__ = ["Health", "HttpServer"]

log = get_logger(__name__)

# A scrape's request is about 300 octets. asyncio holds at most twice this per connection.
MAX_REQUEST_OCTETS: Final = 8192
# For the request, and again for the answer: a scraper on a bad link needs less, a slow loris gets no more.
TIMEOUT_SECONDS: Final = 5.0
# Prometheus twice, probes, a person: ten. The rest are somebody's mistake, and closed at once.
MAX_CONNECTIONS: Final = 64
# A loop silent for this long sends the broker no heartbeats either: its partitions are long somebody else's.
SILENT_SECONDS: Final = 30.0
TEXT: Final = "text/plain; charset=utf-8"
PHRASES: Final = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
                  408: "Request Timeout", 431: "Request Header Fields Too Large",
                  500: "Internal Server Error", 503: "Service Unavailable"}  # fmt: skip


class Health:
    """What /livez and /readyz say: conditions by name, each with its reason while it fails. For any thread.

    Not ready: do not count on me now (broker lost, no policy, stopping). Not live: only a restart helps.
    not_ready: conditions that fail from the start, until `ready` clears them.
    """

    def __init__(self, *not_ready: str) -> None:
        self._lock = threading.Lock()
        self._unready = dict.fromkeys(not_ready, "not yet")
        self._dead: dict[str, str] = {}
        self._last_beat: float | None = None

    def ready(self, condition: str) -> None:
        """The condition holds (again)."""
        with self._lock:
            self._unready.pop(condition, None)

    def not_ready(self, condition: str, why: str = "") -> None:
        """The condition fails; `why` is shown to whoever asks, one line, never an identity."""
        with self._lock:
            self._unready[condition] = why

    def dead(self, condition: str, why: str = "") -> None:
        """The worker cannot go on: /livez says so until the process ends."""
        with self._lock:
            self._dead[condition] = why

    def beat(self) -> None:
        """The worker's loop turns. From the first beat on, SILENT_SECONDS without one is not live."""
        self._last_beat = time.monotonic()

    async def beating(self) -> None:
        """Beat each second, as a task of the worker's loop, until cancelled."""
        while True:
            self.beat()
            await asyncio.sleep(1.0)

    def liveness(self) -> dict[str, str]:
        """What keeps it from being live: condition -> why."""
        with self._lock:
            failing = dict(self._dead)
        if self._last_beat is not None and (silent := time.monotonic() - self._last_beat) > SILENT_SECONDS:
            failing["event loop"] = f"silent for {silent:.0f} s"
        return failing

    def readiness(self) -> dict[str, str]:
        """What keeps it from being ready: condition -> why. What is not live is not ready."""
        with self._lock:
            failing = dict(self._unready)
        return failing | self.liveness()

    @property
    def is_live(self) -> bool:
        return not self.liveness()

    @property
    def is_ready(self) -> bool:
        return not self.readiness()


class _Refusal(Exception):
    """A request that gets an error answer. Never leaves this file."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class HttpServer:
    """Serve one worker's health and metrics.

    host, port: where to listen; port 0 takes a free one (`port` says which after start).
    Start raises StartError where the address cannot be had.
    """

    def __init__(self, metrics: Metrics, health: Health, host: str = "127.0.0.1", port: int = 9464) -> None:
        self.host = host
        self.port = port
        self._metrics = metrics
        self._health = health
        self._connections = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done = asyncio.Event()
        self._thread: threading.Thread | None = None
        metrics.ready = lambda: health.is_ready

    def start(self) -> None:
        """Listen, and answer from a thread of its own from here on."""
        listening = _listen(self.host, self.port)
        self.port = listening.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(self._loop, listening), name="http", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port; open connections get no more than TIMEOUT_SECONDS."""
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(TIMEOUT_SECONDS)
        self._loop = self._thread = None

    def _run(self, loop: asyncio.AbstractEventLoop, listening: socket.socket) -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(self._serve(listening))

    async def _serve(self, listening: socket.socket) -> None:
        server = await asyncio.start_server(self._connection, sock=listening, limit=MAX_REQUEST_OCTETS)
        async with server:
            await self._done.wait()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            if self._connections <= MAX_CONNECTIONS:
                await self._exchange(reader, writer)
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            # Cancelled means that the server stops; Python 3.11 would log a cancelled connection as a fault.
            writer.transport.abort()
        finally:
            self._connections -= 1
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method = "GET"
        try:
            method, path, headers = await _read_request(reader)
            status, content_type, body, extra = self._answer(path, headers)
        except _Refusal as refusal:
            status, content_type, body, extra = refusal.status, TEXT, f"{refusal.text}\n".encode(), {}
        except ConnectionError:
            raise
        except Exception as error:  # a fault of a collector must not take the port with it
            log.error("http_fault", reason=type(error).__name__, exc_info=True)
            status, content_type, body, extra = 500, TEXT, b"the metrics could not be read; see the log\n", {}
        head = {"Content-Type": content_type, "Content-Length": str(len(body)), "Cache-Control": "no-store"}
        lines = [f"HTTP/1.1 {status} {PHRASES[status]}", *(f"{k}: {v}" for k, v in (head | extra).items())]
        writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"))
        if method != "HEAD":
            writer.write(body)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    def _answer(self, path: str, headers: dict[str, str]) -> tuple[int, str, bytes, dict[str, str]]:
        match path.partition("?")[0]:
            case "/livez":
                return _health_answer("live", self._health.liveness())
            case "/readyz":
                return _health_answer("ready", self._health.readiness())
            case "/metrics":
                return self._metrics_answer(headers)
        raise _Refusal(404, "not found: here are /livez, /readyz and /metrics")

    def _metrics_answer(self, headers: dict[str, str]) -> tuple[int, str, bytes, dict[str, str]]:
        try:
            encode, content_type = choose_encoder(headers.get("accept", ""))
        except (TypeError, ValueError):  # a version that is none: such a client gets the plain format
            encode, content_type = choose_encoder("")
        body = encode(self._metrics.registry)
        if gzip_accepted(headers.get("accept-encoding", "")):
            return 200, content_type, gzip.compress(body, compresslevel=1), {"Content-Encoding": "gzip"}
        return 200, content_type, body, {}


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]]:
    """Method, path and headers (names in lower case). Raises _Refusal for what is no request for us."""
    head = await _in_time(lambda: reader.readuntil(b"\r\n\r\n"))
    first, *rest = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    # Headers are answered with (Accept's version): a control character in one could end a line of ours.
    if len(parts) != 3 or not parts[2].startswith("HTTP/1.") or not all(map(str.isprintable, [first, *rest])):
        raise _Refusal(400, "no HTTP/1 request")
    if parts[0] not in ("GET", "HEAD"):
        raise _Refusal(405, "GET or HEAD only")
    fields = (line.partition(":") for line in rest if line)
    return parts[0], parts[1], {name.strip().lower(): value.strip() for name, _, value in fields}


async def _in_time(read: Callable[[], Awaitable[bytes]]) -> bytes:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await read()
    except TimeoutError:
        raise _Refusal(408, f"no whole request within {TIMEOUT_SECONDS:.0f} s") from None
    except asyncio.LimitOverrunError:
        raise _Refusal(431, f"a request ends within {MAX_REQUEST_OCTETS} octets") from None
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            raise ConnectionResetError from None
        raise _Refusal(400, "no whole request") from None


def _health_answer(word: str, failing: dict[str, str]) -> tuple[int, str, bytes, dict[str, str]]:
    if not failing:
        return 200, TEXT, f"{word}\n".encode(), {}
    lines = [" ".join((f"{condition}: {why}" if why else condition).split()) for condition, why in failing.items()]
    return 503, TEXT, "".join(f"{line}\n" for line in lines).encode(), {}


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise StartError(f"http: {port} is no port; set http.port to 0 (any that is free) to 65535")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, _, _, address = found[0]
        listening = socket.socket(family, kind)
    except OSError as error:
        raise StartError(
            f"http: cannot listen on {host}:{port} ({error.strerror}); set http.host and http.port"
        ) from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(MAX_CONNECTIONS)
    except OSError as error:
        listening.close()
        raise StartError(
            f"http: cannot listen on {host}:{port} ({error.strerror}); end what holds the port, or set http.port"
        ) from None
    return listening
