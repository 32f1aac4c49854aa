"""HTTP as bytes: framing, order, limits, and clients that do not behave."""

import socket
import threading
import time
from typing import Any

import pytest

# The fixtures `raw` and `server` come from conftest.py: a client that shows the bytes, and a running server.


def get(path: str, *headers: str) -> str:
    return "\r\n".join([f"GET {path} HTTP/1.1", "host: x", *headers, "", ""])


def test_a_connection_serves_one_request_after_another(raw: Any) -> None:
    for _ in range(3):
        raw.send(get("/v1/ping"))
        assert raw.answer()[0] == 200


def test_requests_sent_together_are_answered_in_order(raw: Any) -> None:
    raw.send(get("/v1/ping") + get("/v1/nothing") + get("/v1/health"))
    assert [raw.answer()[0] for _ in range(3)] == [200, 404, 200]


def test_a_head_in_pieces_is_put_together(raw: Any) -> None:
    for piece in get("/v1/ping"):
        raw.send(piece)
    assert raw.answer()[0] == 200


def test_an_answer_without_a_body_has_no_content_type(raw: Any) -> None:
    raw.send(get("/v1/ping"))
    status, headers, body = raw.answer()
    assert (status, body) == (200, b"")
    assert "content-type" not in headers
    assert headers["content-length"] == "0"


def test_head_has_the_headers_of_get_and_no_body(raw: Any) -> None:
    raw.send("HEAD /v1/health HTTP/1.1\r\nhost: x\r\n\r\n" + get("/v1/ping"))
    status, headers = raw.head()
    assert (status, headers["content-type"]) == (200, "application/json")
    assert int(headers["content-length"]) > 0
    assert raw.answer()[0] == 200, "the next answer follows at once"


def test_connection_close_is_honoured(raw: Any) -> None:
    raw.send(get("/v1/ping", "connection: close"))
    assert raw.answer()[0] == 200
    assert raw.stream.read() == b""


def test_http_1_0_is_answered_and_closed(raw: Any) -> None:
    raw.send("GET /v1/ping HTTP/1.0\r\n\r\n")
    assert raw.answer()[0] == 200
    assert raw.stream.read() == b""


def test_a_client_that_closes_its_sending_half_still_gets_its_answer(raw: Any) -> None:
    raw.send(get("/v1/health"))
    raw.socket.shutdown(socket.SHUT_WR)
    assert raw.answer()[0] == 200
    assert raw.stream.read() == b""


def test_an_answer_may_come_before_the_body_was_read(raw: Any) -> None:
    body = b"x" * 3_000_000
    raw.send(f"POST /v1/identity HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n")
    sending = threading.Thread(target=raw.send, args=(body,))
    sending.start()
    assert raw.answer()[0] == 200
    sending.join(60)
    raw.send(get("/v1/ping"))
    assert raw.answer()[0] == 200, "the connection goes on behind the body"


def test_a_body_over_the_limit_is_refused_and_the_connection_goes_on(raw: Any) -> None:
    body = b"x" * ((2 << 20) + 1)
    raw.send(
        f"POST /v1/database/a/sql HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
    )
    status, _, text = raw.answer()
    assert (status, text) == (413, b"Failed to buffer the request body: length limit exceeded")
    raw.send(get("/v1/ping"))
    assert raw.answer()[0] == 200


def test_a_chunked_body_is_read(raw: Any) -> None:
    raw.send("POST /v1/database/Bad/sql HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
    raw.send("3\r\nabc\r\n0\r\n\r\n")
    assert raw.answer()[0] == 400
    raw.send(get("/v1/ping"))
    assert raw.answer()[0] == 200


def test_who_waits_for_100_continue_gets_it_when_the_body_is_wanted(raw: Any) -> None:
    raw.send(
        "POST /v1/database/nobody-here/sql HTTP/1.1\r\nhost: x\r\n"
        "expect: 100-continue\r\ncontent-length: 8\r\n\r\n"
    )
    assert raw.head()[0] == 100
    raw.send("SELECT 1")
    assert raw.answer()[0] == 404


def test_who_waits_for_100_continue_in_vain_is_answered_and_closed(raw: Any) -> None:
    raw.send("POST /v1/identity HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 8\r\n\r\n")
    assert raw.answer()[0] == 200
    assert raw.stream.read() == b""


@pytest.mark.parametrize(
    "nonsense",
    ["HELLO\r\n\r\n", "GET /v1/ping HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n"],
)
def test_what_is_no_request_is_answered_400_and_closed(raw: Any, nonsense: str) -> None:
    raw.send(nonsense)
    status, _, body = raw.answer()
    assert (status, body[:19]) == (400, b"malformed request: ")
    assert raw.stream.read() == b""


def test_a_head_that_never_ends_is_refused(raw: Any) -> None:
    raw.send("GET /v1/ping HTTP/1.1\r\nx: " + "x" * 70_000)
    assert raw.answer()[0] == 431


def test_a_client_that_leaves_harms_nobody(server: Any, raw: Any) -> None:
    for text in (
        "GET",
        get("/v1/health"),
        "POST /v1/identity HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nx",
    ):
        leaving = server.connect()
        leaving.sendall(text.encode())
        leaving.close()
    time.sleep(0.05)
    raw.send(get("/v1/ping"))
    assert raw.answer()[0] == 200


def test_paths_are_matched_as_they_stand(raw: Any) -> None:
    for path, status in {
        "/v1/ping": 200,
        "/v1/ping/": 404,
        "/v1//ping": 404,
        "/v1/%70ing": 404,
        "*": 404,
    }.items():
        raw.send(get(path))
        assert raw.answer()[0] == status, path
