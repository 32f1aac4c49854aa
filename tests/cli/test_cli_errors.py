"""How failures look, and that none looks like a traceback."""

import io
import itertools
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from spacetimedb_cli.client.api import Api, segment, status_text
from spacetimedb_cli.errors import HostError, PeerError, UserError, report
from spacetimedb_cli.terminal import Terminal, print_anything

from .conftest import SERVER


def chained(*errors):
    for error, cause in itertools.pairwise(errors):
        error.__cause__ = cause
    return errors[0]


def test_an_error_alone():
    assert report(UserError("no such thing")) == "Error: no such thing"


def test_an_error_with_a_cause():
    error = chained(HostError("cannot read x"), FileNotFoundError(2, "No such file or directory"))
    assert report(error) == ("Error: cannot read x\n\nCaused by:\n    No such file or directory (os error 2)")


def test_an_error_with_causes_of_several_lines():
    error = chained(UserError("a"), PeerError("b\nbb"), ValueError("c"))
    assert report(error) == "Error: a\n\nCaused by:\n    0: b\n       bb\n    1: c"


def test_an_error_without_words():
    assert report(KeyError()) == "Error: KeyError"


def test_a_fault_of_the_tool_is_told_as_one(logged_in, server):
    def broken(request):
        raise ZeroDivisionError("division by zero")

    server.on("GET /v1/database/db/identity", broken)
    outcome = logged_in("lock", "db")
    assert outcome.exit == 1
    assert outcome.err.startswith(
        "Error: division by zero\n\nThis is a fault of the tool itself: please report it"
    )


def test_interrupting_is_no_error(logged_in, server):
    def interrupted(request):
        raise KeyboardInterrupt

    server.on("GET /v1/database/db/identity", interrupted)
    outcome = logged_in("lock", "db")
    assert (outcome.exit, outcome.err) == (130, "")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (httpx.ConnectTimeout("t"), "it does not answer in time: check the address and your network"),
        (httpx.ReadError("reset"), "reset: the connection broke; try again"),
        (httpx.ConnectError("refused"), "refused: is the server running?"),
    ],
)
def test_what_the_network_did(logged_in, server, error, text):
    def fails(request):
        raise error

    server.on("GET /v1/database/db/identity", fails)
    outcome = logged_in("lock", "db")
    assert outcome.exit == 1
    assert outcome.err.startswith(f"Error: error sending request for url ({SERVER}/v1/database/db/identity)")
    assert text in outcome.err


def test_an_address_that_is_none(logged_in):
    outcome = logged_in("lock", "db", "-s", "http://a:port")
    assert outcome.exit == 1
    assert outcome.err == "Error: Invalid url: http://a:port\n\nCaused by:\n    Invalid port: 'port'\n"


def test_a_token_that_no_header_can_hold():
    api = Api.connect(SERVER).with_token("a\nb")
    with pytest.raises(HostError, match="error sending request"):
        api.ask("GET", "/v1/ping")


def test_names_in_paths_are_encoded():
    assert segment("a b/c.d~e-f_g") == "a%20b%2Fc%2Ed%7Ee-f_g"


def test_status_texts():
    assert status_text(httpx.Response(404)) == "404 Not Found"
    assert status_text(httpx.Response(530)) == "530 <none>"


def test_a_terminal_that_cannot_show_a_character_shows_a_substitute():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_anything(stream)
    Terminal(stdout=stream).out("grüße")
    assert stream.buffer.getvalue() == b"gr??e\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
@pytest.mark.parametrize("command", ["--version", "server list"])
def test_standard_output_that_takes_nothing(tmp_path, command):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "spacetimedb_cli", *command.split()],
            env={"PYTHONPATH": ":".join(sys.path), "HOME": str(tmp_path)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr and "a fault of the tool" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes them")
@pytest.mark.parametrize("command", ["--version", "--help", "server list"])
@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_fault_of_the_tool(tmp_path, command, closed):
    shell = f'exec "$0" -m spacetimedb_cli --config-path "$1" {command} {closed}'
    done = subprocess.run(
        ["sh", "-c", shell, sys.executable, str(tmp_path / "cli.toml")],
        env={"PYTHONPATH": ":".join(sys.path), "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"Error" not in done.stderr
