"""Procedures and HTTP handlers through the whole server: values, routes, naps, and stopping in the middle."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.e2e.running_server import PATIENCE, Api, RunningServer, until

pytestmark = pytest.mark.slow

NOTES = "SELECT who, what FROM event_log"
LONG_NAP, FIRST = '[600000, "around"]', ["write_twice", "around"]
MODULE = Path(__file__).parents[1] / "modules/waiting/waiting.wasm"


@pytest.fixture
def waiting(owner: Api) -> Api:
    assert owner.publish("waiting", MODULE.read_bytes()).status_code == 200
    return owner


def test_a_procedure_answers_with_its_value_as_json(waiting: Api) -> None:
    answer = waiting.call("waiting", "add", "[2, 3]")
    assert (answer.status_code, answer.json(), answer.headers["content-type"]) == (200, 5, "application/json")


def test_a_nap_takes_as_long_as_it_was_asked_to(waiting: Api) -> None:
    assert waiting.call("waiting", "nap", "[50]").json() >= 50_000


def test_others_are_served_during_a_nap(server: RunningServer, waiting: Api) -> None:
    with ThreadPoolExecutor(1) as pool:
        napping = pool.submit(waiting.call, "waiting", "write_twice", LONG_NAP)
        until(lambda: waiting.rows("waiting", NOTES) == [FIRST], "the first of two writes")
        assert waiting.call("waiting", "record", '["meanwhile"]').status_code == 200
        assert sorted(waiting.rows("waiting", NOTES)) == [["record", "meanwhile"], FIRST]
        assert not napping.done()
        server.kill()


def test_what_a_procedure_committed_survives_kill_9(server: RunningServer, waiting: Api) -> None:
    assert waiting.call("waiting", "write", '["kept"]').json() == 1
    server.kill()
    server.start()
    assert waiting.rows("waiting", NOTES) == [["write", "kept"]]


def test_a_route_sees_the_address_as_the_client_knows_it(waiting: Api) -> None:
    url = f"{waiting.url}/v1/database/waiting/route/echo?a=1"
    answer = httpx.post(url, content="body", headers={"x-forwarded-host": "example.org"}, timeout=PATIENCE)
    first, *_, last = answer.text.split("\n")
    assert first == "POST http://example.org/v1/database/waiting/route/echo?a=1 HTTP/1.1"
    assert last == "body"
    assert answer.headers.get_list("x-twice") == ["one", "two"]


def test_a_route_that_is_not_there(waiting: Api) -> None:
    answer = httpx.get(f"{waiting.url}/v1/database/waiting/route/nowhere", timeout=PATIENCE)
    assert answer.status_code == 404
    assert answer.text == "Database has not registered a handler for this route"


@pytest.mark.parametrize(("function", "args"), [("write_twice", LONG_NAP), ("spin", "[]")])
def test_stopping_waits_for_no_procedure(
    server: RunningServer, waiting: Api, function: str, args: str
) -> None:
    """Each of them takes at least a minute more."""
    before = server.cpu_seconds()

    def has_begun() -> bool:
        if function == "spin":
            return server.cpu_seconds() > before + 0.3
        return waiting.rows("waiting", NOTES) == [FIRST]

    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(waiting.call, "waiting", function, args)
        until(has_begun, f"{function} is under way")
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 30
        assert under_way.exception() is not None or under_way.result().status_code >= 500
