"""Between h11's events and our requests and responses: no state, no sockets."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache

import h11

from spacetimedb_standalone.front.http import Body, Request, Response

_WITHOUT_LENGTH = (204, 304)


def read_head(head: h11.Request, body: Body, take_socket: Callable[[], tuple[int, bytes]]) -> Request:
    """The request that begins with `head`."""
    path, _, query = head.target.decode("latin-1").partition("?")
    return Request(
        method=head.method.decode("ascii"),
        path=path,
        query_string=query,
        headers=[(name.decode("ascii"), value.decode("latin-1")) for name, value in head.headers],
        http_version=head.http_version.decode("ascii"),
        body=body,
        take_socket=take_socket,
    )


def encode_head(http: h11.Connection, response: Response, closing: bool) -> bytes:
    """Status line and headers; a body that is a stream goes out in chunks."""
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.headers]
    headers.append((b"date", _date(int(time.time()))))
    if isinstance(response.body, bytes) and response.status not in _WITHOUT_LENGTH:
        headers.append((b"content-length", str(len(response.body)).encode()))
    if closing:
        headers.append((b"connection", b"close"))
    return http.send(h11.Response(status_code=response.status, headers=headers)) or b""


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode("ascii")


def encode_body(http: h11.Connection, response: Response, head_only: bool) -> bytes:
    """A body that is there as a whole, and its end."""
    assert isinstance(response.body, bytes)
    data = b""
    if response.body and not head_only:
        data = http.send(h11.Data(data=response.body)) or b""
    return data + (http.send(h11.EndOfMessage()) or b"")
