"""`server …`: the list of known servers."""

import httpx
import pytest

from .conftest import SAVING, SERVER, WARNING, unreachable

KEY = "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----\n"


@pytest.fixture(autouse=True)
def key(server):
    server.on("GET /v1/identity/public-key", KEY)


def rows(cli):
    return [line.split() for line in cli("server", "list").out.splitlines()[1:]]


def test_list_at_first(cli):
    outcome = cli("server", "list")
    assert outcome.exit == 0
    assert outcome.err == SAVING + WARNING
    assert outcome.out == (
        " DEFAULT  HOSTNAME                   PROTOCOL  NICKNAME  \n"
        "     ***  maincloud.spacetimedb.com  https     maincloud \n"
        "          127.0.0.1:3000             http      local     \n"
    )


def test_add_asks_for_the_fingerprint(cli):
    outcome = cli("server", "add", "first", "--url", f"{SERVER}/")
    assert outcome.out == (
        f"For server {SERVER}, got fingerprint:\n{KEY}\nHost: 127.0.0.1:4321\nProtocol: http\n"
    )
    assert rows(cli)[-1] == ["127.0.0.1:4321", "http", "first"]
    assert "BEGIN PUBLIC KEY" in cli.toml.read_text()


def test_add_as_the_default(cli):
    cli("server", "add", "chosen", "--url", SERVER, "-d", "--no-fingerprint")
    assert rows(cli)[-1] == ["***", "127.0.0.1:4321", "http", "chosen"]
    assert cli.server.requests == []


def test_add_a_server_that_is_down(cli):
    cli.server.on("GET /v1/identity/public-key", unreachable)
    outcome = cli("server", "add", "dead", "--url", SERVER)
    assert outcome.exit == 1
    assert outcome.err.startswith(
        SAVING + WARNING + f"Error: Unable to retrieve fingerprint for server: {SERVER}\n"
        f"Is the server running?\n"
        f"Add a server without retrieving its fingerprint with:\n"
        f"\tspacetime server add --url {SERVER} --no-fingerprint\n\n"
        f"Caused by:\n"
        f"    0: error sending request for url ({SERVER}/v1/identity/public-key)\n"
        f"    1: [Errno 111] Connection refused: is the server running?"
    )
    assert len(rows(cli)) == 2


@pytest.mark.parametrize(
    ("url", "error"), [("127.0.0.1:8", "Invalid url: 127.0.0.1:8"), ("ftp://x", "Invalid protocol: ftp")]
)
def test_add_what_is_no_url(cli, url, error):
    outcome = cli("server", "add", "odd", "--url", url)
    assert (outcome.exit, outcome.err) == (1, f"{SAVING}{WARNING}Error: {error}\n")


def test_set_default(cli):
    assert cli("server", "set-default", "local").exit == 0
    assert rows(cli)[1][0] == "***"
    assert cli("server", "set-default", "https://maincloud.spacetimedb.com").exit == 0
    assert rows(cli)[0][0] == "***"


def test_set_an_unknown_default(cli):
    outcome = cli("server", "set-default", "nobody")
    assert outcome.exit == 1
    assert outcome.err.endswith(
        "Error: Cannot set default server to unknown server nobody\n\n"
        "Caused by:\n"
        "    No such saved server configuration: nobody\n"
        "    Add a new server configuration with:\n"
        "    \tspacetime server add nobody --url <url>\n"
    )


def test_remove_the_default(cli):
    assert cli("server", "remove", "maincloud").exit == 0
    assert rows(cli) == [["127.0.0.1:3000", "http", "local"]]
    outcome = cli("list", "-y")
    assert outcome.exit == 1
    assert "Error: No default server configuration.\n" in outcome.err


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, f"Server is online: {SERVER}"),
        (404, f"Server returned 404 (Not Found): {SERVER}"),
        (503, f"Server could not be reached (503): {SERVER}"),
    ],
)
def test_ping(cli, server, status, text):
    server.on("GET /v1/ping", lambda _: httpx.Response(status))
    outcome = cli("server", "ping", SERVER)
    assert (outcome.exit, outcome.out) == (0, f"{text}\n")


def test_ping_a_server_that_is_down(cli, server):
    server.on("GET /v1/ping", unreachable)
    outcome = cli("server", "ping", SERVER)
    assert outcome.exit == 1
    assert f"Error: error sending request for url ({SERVER}/v1/ping)" in outcome.err


def test_ping_an_unknown_server(cli):
    assert "Error: No such saved server configuration: nobody" in cli("server", "ping", "nobody").err


def test_fingerprint_first_seen_changed_unchanged(cli, server):
    cli("server", "add", "first", "--url", SERVER, "--no-fingerprint")
    declined = cli("server", "fingerprint", "first", stdin="n\n")
    assert declined.out == f"No saved fingerprint for server first. New fingerprint:\n{KEY}\nContinue? [y/N]"
    assert (declined.exit, declined.err) == (1, f"{WARNING}Error: Aborted\n")
    assert cli("server", "fingerprint", "first", stdin="Yes\n").exit == 0
    assert cli("server", "fingerprint", "first").out == (
        f"Fingerprint is unchanged for server first:\n{KEY}\n"
    )
    server.on("GET /v1/identity/public-key", "OTHER\n")
    assert cli("server", "fingerprint", "first", "-y").out == (
        f"Fingerprint has changed for server first.\nWas:\n{KEY}\nNew:\nOTHER\n\n"
        "Skipping confirmation due to --yes\n"
    )


def test_edit(cli):
    outcome = cli("server", "edit", "local", "--new-name", "home", "--url", SERVER, "--no-fingerprint", "-y")
    assert outcome.out == (
        "Changing nickname from local to home\n"
        "Changing host from 127.0.0.1:3000 to 127.0.0.1:4321\n"
        "Changing protocol from http to http\n"
        "Skipping confirmation due to --yes\n"
    )
    assert rows(cli)[-1] == ["127.0.0.1:4321", "http", "home"]


def test_edit_declined(cli):
    outcome = cli("server", "edit", "local", "--new-name", "home", stdin="n\n")
    assert (outcome.exit, outcome.out) == (1, "Changing nickname from local to home\nContinue? [y/N]")
    assert rows(cli)[-1][-1] == "local"


def test_edit_fetches_the_new_fingerprint(cli):
    outcome = cli("server", "edit", "local", "--url", SERVER, "-y")
    assert f"For server {SERVER}, got fingerprint:\n{KEY}" in outcome.out
    assert "BEGIN PUBLIC KEY" in cli.toml.read_text()


def test_clear(cli):
    data = cli.root / "data"
    assert cli("server", "clear").out == "Local database not found. Nothing has been deleted.\n"
    (data / "replicas/1").mkdir(parents=True)
    declined = cli("server", "clear")
    assert declined.exit == 0
    assert declined.out == (
        f"Database path: {data}\n"
        "Are you sure you want to delete all data from the local database? [y/N]Aborting\n"
    )
    assert data.exists()
    outcome = cli("server", "clear", "--data-dir", str(data), "-y")
    assert outcome.out.splitlines()[-1] == f"Deleted database: {data}"
    assert not data.exists()
