"""The server as a process: start, stop, start again, and starts that must fail with one sentence."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spacetimedb_paths.pidfile import PidFile
from spacetimedb_paths.server import ServerDataDir
from spacetimedb_standalone.__main__ import main
from tests.standalone.front.conftest import PATIENCE, RawClient, RunningServer

pytestmark = pytest.mark.slow

Attempt = Callable[..., tuple[int, str]]


@pytest.fixture
def attempt(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., tuple[int, str]]]:
    """Status and standard error of a start, in this process, that is expected to fail."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def run(data_dir: Path, *options: str) -> tuple[int, str]:
        status = main(["start", "--data-dir", str(data_dir), "--non-interactive", *options])
        return status, capsys.readouterr().err

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until_nobody_listens(server: RunningServer) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            server.connect().close()
        except ConnectionRefusedError:
            return
        assert time.monotonic() < deadline, "the server takes new connections"
        time.sleep(0.02)


def until_dead(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while alive(pid):
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_a_signal_stops_server_and_workers_and_all_is_there_again_afterwards(
    tmp_path: Path, number: int
) -> None:
    server = RunningServer(tmp_path)
    owner = server.person()
    identity = server.publish("kept", owner).json()["Success"]["database_identity"]
    worker = server.http.post("/v1/database/kept/sql", content="x").json()["pid"]
    assert (tmp_path / "spacetime.pid").read_text() == str(server.process.pid)
    assert server.stop(number) == 0
    until_dead(worker)
    assert not (tmp_path / "spacetime.pid").exists()

    again = RunningServer(tmp_path)
    assert again.http.get("/v1/database/kept/identity").text == identity
    verified = again.http.get(f"/v1/identity/{owner.identity}/verify", headers=owner.headers)
    assert verified.status_code == 204, "the keys are the same, so old tokens are good"
    assert again.http.get("/v1/metrics").text.count("spacetime_workers_running 0") == 1, (
        "opened with the first request"
    )
    assert again.publish("kept", owner).json()["Success"]["op"] == "updated"
    again.stop()


@pytest.mark.slow
def test_after_a_kill_the_workers_leave_and_a_new_server_takes_over(tmp_path: Path) -> None:
    server = RunningServer(tmp_path)
    server.publish("kept", server.person())
    worker = server.http.post("/v1/database/kept/sql", content="x").json()["pid"]
    server.stop(signal.SIGKILL)
    until_dead(worker)
    again = RunningServer(tmp_path)
    assert again.http.post("/v1/database/kept/sql", content="x").status_code == 200
    again.stop()


def test_a_request_under_way_is_finished_before_the_server_goes(tmp_path: Path) -> None:
    server = RunningServer(tmp_path)
    raw = RawClient(server)
    raw.send(
        "GET /v1/ping HTTP/1.1\r\nhost: x\r\n\r\n"
        "POST /v1/database/nobody/sql HTTP/1.1\r\nhost: x\r\ncontent-length: 8\r\n\r\nSELE"
    )
    assert raw.answer()[0] == 200, "so it has read what came with it"
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    until_nobody_listens(server)
    raw.send("CT 1")
    status, headers, _ = raw.answer()
    assert (status, headers["connection"]) == (404, "close")
    raw.close()
    stopping.join(PATIENCE)
    assert not stopping.is_alive()


def test_a_second_server_on_the_same_directory_is_refused(tmp_path: Path, attempt: Attempt) -> None:
    with PidFile.take(ServerDataDir(tmp_path)):
        status, error = attempt(tmp_path, "--jwt-key-dir", str(tmp_path / "keys"), "-l", "127.0.0.1:0")
    assert (status, error) == (
        1,
        "Error: cannot take lock on database; spacetime.pid already exists "
        f"(owned by pid Some({os.getpid()}))\n",
    )


def test_a_used_port_is_refused(tmp_path: Path, attempt: Attempt) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, error = attempt(tmp_path, "--jwt-key-dir", str(tmp_path / "keys"), "-l", f"127.0.0.1:{port}")
    assert (status, error) == (
        1,
        f"Error: Port {port} is already in use. "
        "Please free up the port or specify a different port with --listen-addr.\n",
    )


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "cannot omit --jwt-{pub,priv}-key-path when those options are not specified in config.toml"),
        (["-l", "nonsense"], "--listen-addr wants HOST:PORT such as 127.0.0.1:3000, but got 'nonsense'"),
        (
            ["-l", "192.0.2.1:3999"],
            "failed to bind the SpacetimeDB server to '192.0.2.1:3999', please check that ",
        ),
        (["--pg-port", "5432"], "this server does not speak the PostgreSQL wire protocol"),
    ],
)
def test_what_cannot_start_says_so_in_one_line(
    tmp_path: Path, attempt: Attempt, options: list[str], complaint: str
) -> None:
    keys = ["--jwt-key-dir", str(tmp_path / "keys")] if options else []
    status, error = attempt(tmp_path / "data", *keys, *options)
    assert (status, error.count("\n")) == (1, 1)
    assert error.startswith(f"Error: {complaint}")


def test_a_broken_setting_and_a_foreign_directory_are_told(tmp_path: Path, attempt: Attempt) -> None:
    (tmp_path / "config.toml").write_text("[websocket\n")
    status, error = attempt(tmp_path, "--jwt-key-dir", str(tmp_path / "keys"))
    assert status == 1
    assert error.startswith(f"Error: invalid TOML syntax in {tmp_path / 'config.toml'}")
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "metadata.toml").write_text('version = "3.0.0"\nedition = "standalone"\n')
    status, error = attempt(tmp_path, "--jwt-key-dir", str(tmp_path / "keys"))
    assert status == 1
    assert "a newer, incompatible database" in error
    assert "Traceback" not in error
