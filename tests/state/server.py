"""A real redis-server of a test's own."""

import shutil
import subprocess
import time
from pathlib import Path

import redis

from tests.kafka.broker import free_port


class Server:
    def __init__(self, folder: Path, *options: str) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        assert program, "redis-server is not installed: `make test` installs it"
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis(port=self.port)
        self._command = [program, "--port", str(self.port), "--dir", str(folder), "--save", "", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Server":
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                self.client.ping()
            except redis.AuthenticationError:
                return self
            except redis.RedisError:
                assert self._process.poll() is None, "redis-server ended"
                time.sleep(0.05)
            else:
                return self
        raise AssertionError("redis-server does not answer")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.client.close()
        self.kill()
