"""A running server with fake workers, one for all tests of a module."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

HERE = Path(__file__).parent
PATIENCE = 60.0
"""Seconds for what takes a tenth of one on a quiet machine."""


@dataclass
class Person:
    identity: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


class RunningServer:
    """A server process; `http` is a client of it."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir = data_dir
        arguments = ["start", "--data-dir", str(data_dir), "--jwt-key-dir", str(data_dir / "keys")]
        arguments += ["--listen-addr", "127.0.0.1:0", "--non-interactive", *options]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)])}
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "serve_fake.py"), *arguments],
            stdout=subprocess.PIPE,
            env=env,
            text=True,
        )
        self.port = self._port()
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE)

    def _port(self) -> int:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"listening on 127\.0\.0\.1:(\d+)", line):
                return int(found[1])
        raise AssertionError(f"the server ended with status {self.process.wait()} before it listened")

    def person(self) -> Person:
        return Person(**self.http.post("/v1/identity").json())

    def publish(self, name: str, owner: Person, program: str = "module", **query: str) -> httpx.Response:
        return self.http.put(f"/v1/database/{name}", params=query, headers=owner.headers, content=program)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.http.close()
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path_factory.mktemp("data"))
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="module")
def owner(server: RunningServer) -> Person:
    return server.person()


@pytest.fixture(scope="module")
def stranger(server: RunningServer) -> Person:
    return server.person()


class RawClient:
    """An HTTP client that shows the bytes: for what libraries tidy away."""

    def __init__(self, server: RunningServer) -> None:
        self.socket = server.connect()
        self.stream = self.socket.makefile("rb")

    def send(self, text: str | bytes) -> None:
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of the next answer; status 0 where the connection ends instead."""
        line = self.stream.readline()
        if not line:
            return 0, {}
        headers = {}
        while (header := self.stream.readline().strip()) != b"":
            name, _, value = header.decode("latin-1").partition(": ")
            headers[name] = value
        return int(line.split()[1]), headers

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        status, headers = self.head()
        return status, headers, self.stream.read(int(headers.get("content-length", 0)))

    def json_line(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.stream.readline())
        return parsed

    def close(self) -> None:
        self.stream.close()
        self.socket.close()


@pytest.fixture
def raw(server: RunningServer) -> Iterator[RawClient]:
    client = RawClient(server)
    yield client
    client.close()
