"""The command line run in this process, against a server that is a table of answers."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
import pytest

from spacetimedb_cli.app import run
from spacetimedb_cli.host import Host
from spacetimedb_cli.terminal import Terminal
from spacetimedb_lib.identity import Identity
from spacetimedb_paths import Platform

SERVER = "http://127.0.0.1:4321"
WARNING = "WARNING: This command is UNSTABLE and subject to breaking changes.\n\n"
SAVING = "Saving config to {root}/config/cli.toml.\n"


def token_of(subject: str, **claims: Any) -> str:
    """A token that nobody signed: the tool never checks signatures."""
    payload = json.dumps({"iss": "localhost", "sub": subject, "iat": 1, **claims}).encode()
    return f"e30.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.c2ln"


def identity_of(subject: str) -> str:
    return Identity.from_claims("localhost", subject).hex()


DATABASE = identity_of("the database")


@dataclass
class FakeServer:
    """Answers by `METHOD /path`; what was asked is kept in `requests`."""

    answers: dict[str, Any] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def on(self, route: str, body: Any = "", status: int = 200) -> None:
        """Answer a route with text, bytes, or anything else as JSON; or with a function of the request."""
        self.answers[route] = body if callable(body) else _response(status, body)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.get(f"{request.method} {request.url.path}")
        if answer is None:
            return httpx.Response(404, text=f"no such route: {request.method} {request.url.path}")
        return answer(request) if callable(answer) else answer

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]

    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]


def _response(status: int, body: Any) -> Callable[[httpx.Request], httpx.Response]:
    if isinstance(body, str):
        return lambda _: httpx.Response(status, text=body)
    if isinstance(body, bytes):
        return lambda _: httpx.Response(status, content=body)
    return lambda _: httpx.Response(status, json=body)


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("[Errno 111] Connection refused", request=request)


@dataclass
class Outcome:
    exit: int
    out: str
    err: str


@dataclass
class Cli:
    """The `spacetime` command with a root directory and a working directory of its own."""

    root: Path
    directory: Path
    server: FakeServer
    capture: pytest.CaptureFixture[str]
    environment: dict[str, str] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    executed: list[tuple[list[str], str | None]] = field(default_factory=list)
    program: Path = Path("/opt/bin/spacetimedb-cli")

    def __call__(self, *arguments: str, stdin: str = "") -> Outcome:
        return self.raw("--root-dir", str(self.root), *arguments, stdin=stdin)

    def raw(self, *arguments: str, stdin: str = "") -> Outcome:
        self.capture.readouterr()
        host = Host(
            terminal=Terminal(io.StringIO(stdin)),
            platform=Platform("linux", self.environment, PurePosixPath(self.root / "home")),
            environment=self.environment,
            working_directory=self.directory,
            program=self.program,
            replace_process=self._execute,
            open_browser=lambda url: not self.opened.append(url),
            sleep=lambda seconds: None,
            transport=httpx.MockTransport(self.server),
        )
        exit_code = run(arguments, host)
        captured = self.capture.readouterr()
        return Outcome(exit_code, captured.out, captured.err.replace(str(self.root), "{root}"))

    def _execute(self, command: list[str], argv0: str | None = None) -> None:
        self.executed.append((command, argv0))
        raise FileNotFoundError(2, "No such file or directory")

    @property
    def toml(self) -> Path:
        return self.root / "config" / "cli.toml"

    def log_in(self, subject: str = "me") -> str:
        """Save a login and make the fake server the default; returns the token."""
        token = token_of(subject)
        self.toml.parent.mkdir(parents=True, exist_ok=True)
        self.toml.write_text(
            f'default_server = "fake"\nspacetimedb_token = "{token}"\n\n[[server_configs]]\n'
            f'nickname = "fake"\nhost = "127.0.0.1:4321"\nprotocol = "http"\n'
        )
        return token

    def project(self, text: str, name: str = "spacetime.json") -> None:
        (self.directory / name).write_text(text)


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def cli(tmp_path: Path, server: FakeServer, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Not logged in, no settings yet."""
    directory = tmp_path / "work"
    directory.mkdir()
    return Cli(tmp_path / "root", directory, server, capsys)


@pytest.fixture
def logged_in(cli: Cli, server: FakeServer) -> Cli:
    """Logged in as `me` at a server that has the database `db`."""
    cli.log_in()
    server.on("GET /v1/database/db/identity", DATABASE)
    return cli
