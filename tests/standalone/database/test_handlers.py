"""HTTP handlers: found by exact path and method, run beside the loop, answered as they say."""

from __future__ import annotations

import pytest

from spacetimedb_lib.moduledef import HttpHandlerDef
from spacetimedb_standalone.host.http_messages import HttpRequest
from tests.standalone.database.conftest import Publish

HELLO = HttpRequest("GET", "http://example.org/v1/database/x/route/hello")


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "", "hello"),
        ("GET", "/hello", "hello"),
        ("BREW", "/echo", "echo"),
        ("GET", "/", None),
        ("GET", "/hello/", None),
        ("GET", "/Hello", None),
        ("HEAD", "/hello", None),
        ("POST", "/hello", None),
        ("get", "/hello", None),
        ("GET", "/nowhere", None),
    ],
)
def test_routes_match_exactly(publish: Publish, method: str, path: str, name: str | None) -> None:
    found: HttpHandlerDef | None = publish("waiting").handlers.find(method, path)
    assert (None if found is None else found.name) == name


def test_a_handler_answers(publish: Publish) -> None:
    answer = publish("waiting").ask(HELLO, "/hello")
    assert answer.response is not None
    assert (answer.response.status, answer.response.headers, answer.body) == (200, (), b"hello")


def test_it_sees_the_request_as_it_came_and_headers_may_repeat(publish: Publish) -> None:
    uri = "https://example.org/v1/database/x/route/echo?a=1"
    request = HttpRequest("BREW", uri, (("x-one", b"1"), ("x-one", b"2"), ("x-bytes", b"\xff")))
    answer = publish("waiting").ask(request, "/echo", b"body")
    assert answer.body.decode().split("\n") == [
        f"BREW {uri} HTTP/1.1",
        "x-one: 1",
        "x-one: 2",
        "x-bytes: �",
        "body",
    ]
    assert answer.response is not None
    assert answer.response.headers == (("x-twice", b"one"), ("x-twice", b"two"))


def test_it_may_open_transactions(publish: Publish) -> None:
    module = publish("waiting")
    answer = module.ask(HttpRequest("POST", "http://h/keep"), "/keep", b"kept")
    assert answer.body == b"1"
    assert answer.offset == module.database.datastore.read_offset()
    assert module.events() == [("keep", "kept")]


def test_a_panic_is_told(publish: Publish) -> None:
    module = publish("waiting")
    answer = module.ask(HttpRequest("GET", "http://h/broken"), "/broken")
    assert answer.response is None
    assert answer.text.startswith("error while executing at wasm backtrace:")
    assert module.ask(HELLO, "/hello").body == b"hello"
