"""Requests of modules: what is sent, what comes back, how failures read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from spacetimedb_standalone.host.http_messages import HttpRequest
from spacetimedb_standalone.host.interface import HttpFailed
from spacetimedb_standalone.outgoing import client
from spacetimedb_standalone.outgoing.http import OutgoingHttp

EVERYWHERE = OutgoingHttp(refused=lambda address: False)
SPECIAL = "refusing to connect to private or special-purpose addresses"


class Server(BaseHTTPRequestHandler):
    """/echo, /redirect/N (N more to come), /to?URL, /drip (for ever), /silent, /compressed, /long."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        what, _, rest = self.path[1:].removesuffix("?key=secret").partition("/")
        if what.startswith("to?"):
            self._redirect(what[3:] + ("/" + rest if rest else ""))
        elif what == "redirect":
            self._redirect("/echo" if rest == "0" else f"/redirect/{int(rest) - 1}")
        elif what == "drip":
            self._drip()
        elif what == "silent":
            self.rfile.read(1)  # until the client has gone
        elif what == "compressed":
            self._answer(200, b"not really", {"content-encoding": "gzip"})
        elif what == "long":
            self._answer(200, b"x" * 100_000)
        else:
            seen = [f"{self.command} {self.path}", *(f"{k.lower()}: {v}" for k, v in self.headers.items())]
            self._answer(404 if what == "missing" else 200, "\n".join(seen).encode() + b"\n" + body)

    do_POST = do_PUT = do_BREW = do_GET

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in {"X-Twice": "one", "content-length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("X-Twice", "two")
        self.end_headers()
        self.wfile.write(body)

    def _redirect(self, where: str) -> None:
        self._answer(302, b"", {"location": where})

    def _drip(self) -> None:
        self.send_response_only(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.02)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests look at answers."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that has seen enough and left."""

    server = Quiet(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def failure(request: HttpRequest, outgoing: OutgoingHttp = EVERYWHERE) -> str:
    with pytest.raises(HttpFailed) as caught:
        outgoing.send(request, b"")
    return str(caught.value)


def test_only_what_the_module_says_is_sent(url: str) -> None:
    request = HttpRequest("POST", f"{url}/echo?q=1", (("x-mine", b"a"), ("x-mine", b"b"), ("accept", b"a/b")))
    answer, body = EVERYWHERE.send(request, b"question")
    assert answer.status == 200
    head, _, sent = body.decode().rpartition("\n")
    assert sent == "question"
    assert sorted(head.split("\n")) == [
        "POST /echo?q=1",
        "accept: a/b",
        "content-length: 8",
        f"host: {url.removeprefix('http://')}",
        "x-mine: a",
        "x-mine: b",
    ]


def test_any_method_and_any_status(url: str) -> None:
    answer, body = EVERYWHERE.send(HttpRequest("BREW", f"{url}/missing"), b"")
    assert answer.status == 404
    assert body.startswith(b"BREW /missing\n")


def test_headers_of_the_answer_in_lower_case_each_as_often_as_it_came(url: str) -> None:
    answer, _ = EVERYWHERE.send(HttpRequest("GET", f"{url}/echo"), b"")
    assert [value for name, value in answer.headers if name == "x-twice"] == [b"one", b"two"]
    assert answer.version == "HTTP/1.1"


def test_a_body_comes_as_it_is(url: str) -> None:
    """Whoever did not ask for compression and gets it may see for himself."""
    _, body = EVERYWHERE.send(HttpRequest("GET", f"{url}/compressed"), b"")
    assert body == b"not really"


def test_ten_redirects_are_followed(url: str) -> None:
    answer, _ = EVERYWHERE.send(HttpRequest("GET", f"{url}/redirect/9"), b"")
    assert answer.status == 200
    told = failure(HttpRequest("GET", f"{url}/redirect/10"))
    assert told == f"error following redirect for url ({url}/redirect/10): too many redirects"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost", "[::1]"])
def test_this_machine_is_out_of_reach_however_it_is_spelled(host: str) -> None:
    assert failure(HttpRequest("GET", f"http://{host}:9/"), OutgoingHttp()) == SPECIAL


def test_so_it_is_behind_a_redirect(url: str) -> None:
    outgoing = OutgoingHttp(refused=lambda address: address == "127.0.0.2")
    assert failure(HttpRequest("GET", f"{url}/to?http://127.0.0.2:9/"), outgoing) == SPECIAL


def test_time_runs_until_the_last_byte(url: str) -> None:
    """A server that sends a byte now and then never lets a single read time out."""
    began = time.monotonic()
    told = failure(HttpRequest("GET", f"{url}/drip", timeout=200_000))
    assert told == f"error sending request for url ({url}/drip): operation timed out"
    assert time.monotonic() - began < 10, "all of it takes twenty seconds"


def test_a_server_that_says_nothing(url: str) -> None:
    told = failure(HttpRequest("GET", f"{url}/silent?key=secret", timeout=100_000))
    assert told == f"error sending request for url ({url}/silent): operation timed out"  # without the query


def test_a_name_that_does_not_exist() -> None:
    told = failure(HttpRequest("GET", "http://no-such-host.invalid/"))
    assert told.startswith(
        "error sending request for url (http://no-such-host.invalid/): client error (Connect): dns error: "
        "failed to lookup address information: "
    )


def test_a_port_where_nobody_listens() -> None:
    told = failure(HttpRequest("GET", "http://127.0.0.1:1/"))
    assert told.startswith(
        "error sending request for url (http://127.0.0.1:1/): client error (Connect): tcp connect error: "
        "Connection refused (os error "
    )


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("/local", "builder error: relative URL without a base"),
        ("", "builder error: relative URL without a base"),
        ("ftp://example.org/x", "builder error for url (ftp://example.org/x): URL scheme is not allowed"),
        ("file:///etc/passwd", "builder error: relative URL without a base"),
    ],
)
def test_what_is_no_address_of_the_web(uri: str, told: str) -> None:
    assert failure(HttpRequest("GET", uri)) == told


def test_a_header_that_is_none_goes_nowhere(url: str) -> None:
    told = failure(HttpRequest("GET", f"{url}/echo", (("x-evil", b"a\r\nx-more: b"),)))
    assert told.startswith(f"error sending request for url ({url}/echo): ")


def test_an_answer_that_is_too_long(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LONGEST_ANSWER", 50_000)
    told = failure(HttpRequest("GET", f"{url}/long"))
    assert told == f"error sending request for url ({url}/long): the answer is longer than 50000 bytes"


def test_where_it_is_turned_off() -> None:
    told = failure(HttpRequest("GET", "http://example.org/"), OutgoingHttp(enabled=False))
    assert told == "module outbound HTTP requests are disabled"
