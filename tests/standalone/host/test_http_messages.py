"""HTTP requests and responses in BSATN, as modules read and write them."""

from __future__ import annotations

import pytest

from spacetimedb_lib.sats.errors import DecodeError
from spacetimedb_standalone.host.http_messages import (
    HttpRequest,
    HttpResponse,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)

BARE = bytes.fromhex("00 00000000 01 09000000 687474703A2F2F612F 02")


def test_the_bytes_of_a_bare_request() -> None:
    """GET, no headers, no timeout, `http://a/`, HTTP/1.1."""
    assert encode_request(HttpRequest("GET", "http://a/")) == BARE
    assert decode_request(BARE) == HttpRequest("GET", "http://a/")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH", "BREW", "get"])
def test_requests_survive_the_journey(method: str) -> None:
    headers = (("a", b"1"), ("a", b"\xff"))
    request = HttpRequest(method, "https://example.org/x?y", headers, "HTTP/2", 1_500_000)
    assert decode_request(encode_request(request)) == request


def test_responses_survive_the_journey() -> None:
    response = HttpResponse(299, (("set-cookie", b"a"), ("set-cookie", b"b")), "HTTP/1.0")
    assert decode_response(encode_response(response)) == response


def test_what_is_no_request() -> None:
    with pytest.raises(DecodeError):
        decode_request(b"\x0b")
