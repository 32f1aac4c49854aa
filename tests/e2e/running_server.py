"""A real server in processes of its own, on a free port of the loopback interface."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

PATIENCE = 60.0
"""Seconds for what takes one on a quiet machine."""


PORTS = range(20_000, 32_000)
"""Below those that the host gives to outgoing connections: a server comes back on its port after it was killed."""


def free_port() -> int:
    while True:
        port = secrets.choice(PORTS)  # by nobody's seed: other tests choose at the same time
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def until(condition: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up, f"{what}: it did not happen"
        time.sleep(0.02)


@dataclass
class RunningServer:
    """Started by `start`, ended by `stop` or, as a power cut would, by `kill`."""

    data_dir: Path
    key_dir: Path
    port: int = field(default_factory=free_port)
    extra: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> Path:
        return self.data_dir.parent / "server-output.txt"

    def argv(self) -> list[str]:
        return [
            sys.executable,
            "-m",
            "spacetimedb_standalone",
            "start",
            f"--data-dir={self.data_dir}",
            f"--jwt-key-dir={self.key_dir}",
            f"--listen-addr=127.0.0.1:{self.port}",
            "--non-interactive",
            *self.extra,
        ]

    def start(self) -> None:
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self.argv(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        give_up = time.monotonic() + PATIENCE
        while True:
            assert self.process.poll() is None, self.output.read_text(errors="replace")
            assert time.monotonic() < give_up, "the server did not answer in time"
            try:
                if httpx.get(f"{self.url}/v1/ping", timeout=1).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.05)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        self.process = None
        return code

    def kill(self) -> None:
        """All of its processes at once."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def end(self) -> None:
        if self.process is not None:
            self.kill()

    def workers(self) -> list[int]:
        """The processes that serve a database: those below the template."""
        assert self.process is not None
        parents: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
        templates = parents.get(self.process.pid, [])
        return [worker for template in templates for worker in parents.get(template, [])]

    def cpu_seconds(self) -> float:
        """What its workers have used, of all processors."""
        fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in self.workers()]
        return sum(int(field[11]) for field in fields) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Person:
    """An identity with its token, as the server issued them."""

    identity: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Api:
    """The HTTP routes that the tests use, as one person."""

    url: str
    person: Person

    @classmethod
    def anonymous(cls, url: str) -> Api:
        answer = httpx.post(f"{url}/v1/identity", timeout=PATIENCE).json()
        return cls(url, Person(answer["identity"], answer["token"]))

    def publish(self, name: str, program: bytes, **query: str) -> httpx.Response:
        return httpx.put(
            f"{self.url}/v1/database/{name}",
            params=query,
            content=program,
            headers=self.person.headers,
            timeout=120,
        )

    def call(self, name: str, function: str, arguments: str) -> httpx.Response:
        return httpx.post(
            f"{self.url}/v1/database/{name}/call/{function}",
            content=arguments,
            headers={"Content-Type": "application/json", **self.person.headers},
            timeout=120,
        )

    def sql(self, name: str, statement: str) -> httpx.Response:
        url = f"{self.url}/v1/database/{name}/sql"
        return once_back(
            lambda: httpx.post(url, content=statement, headers=self.person.headers, timeout=PATIENCE)
        )

    def rows(self, name: str, statement: str) -> list[list[object]]:
        answer = self.sql(name, statement)
        assert answer.status_code == 200, answer.text
        rows: list[list[object]] = answer.json()[0]["rows"]
        return rows

    def logs(self, name: str) -> str:
        url = f"{self.url}/v1/database/{name}/logs"
        return httpx.get(url, headers=self.person.headers, timeout=PATIENCE).text


def once_back(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The first answer that is not the refusal of a database's process that is just ending."""
    for _ in range(100):
        answer = ask()
        if answer.status_code != 503 or "ended while it served this request" not in answer.text:
            break
        time.sleep(0.05)
    return answer
