"""What a request and a response are to the routes, free of sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

Headers = Sequence[tuple[str, str]]

TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"


class BodyTooLarge(Exception):
    """The body is longer than the route takes."""


class ClientGone(Exception):
    """The client hung up in the middle of its request."""


class Body:
    """The body of a request as it comes in. `resume` is called when there is room for more of it.

    At most `WINDOW` bytes wait to be read; then the connection stops reading from its socket.
    """

    WINDOW: Final = 1 << 18

    def __init__(self, wanted: Callable[[], None]):
        self._wanted = wanted
        self._chunks: list[bytes] = []
        self._waiting = 0
        self._complete = False
        self._broken = False
        self._discarding = False
        self._changed = asyncio.Event()

    @property
    def is_complete(self) -> bool:
        """All of it has come in."""
        return self._complete

    @property
    def is_full(self) -> bool:
        return self._waiting >= self.WINDOW

    def feed(self, chunk: bytes) -> None:
        if not self._discarding:
            self._chunks.append(chunk)
            self._waiting += len(chunk)
            self._changed.set()

    def finish(self) -> None:
        self._complete = True
        self._changed.set()

    def abort(self) -> None:
        """No more will come."""
        self._broken = not self._complete
        self._changed.set()

    def discard(self) -> None:
        """Nobody wants the rest."""
        self._discarding = True
        self._chunks.clear()
        self._waiting = 0

    async def read(self, limit: int | None) -> bytes:
        """All of it. Raises `BodyTooLarge` beyond `limit` bytes (None: no limit), `ClientGone`."""
        chunks: list[bytes] = []
        size = 0
        while True:
            chunks += self._chunks
            size += self._waiting
            self._chunks, self._waiting = [], 0
            if limit is not None and size > limit:
                raise BodyTooLarge()
            if self._complete:
                return b"".join(chunks)
            if self._broken:
                raise ClientGone()
            self._changed.clear()
            self._wanted()
            await self._changed.wait()


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose head has been read. `headers` have lower-case names, in the order in which they came.

    `path` and `query_string` are as on the wire, still percent-encoded.
    """

    method: str
    path: str
    query_string: str
    headers: Headers
    http_version: str
    body: Body
    take_socket: Callable[[], tuple[int, bytes]] = field(repr=False)
    """Take the connection over: a duplicate of its descriptor and what was read behind the head. Call it
    once, and answer with `HANDED_OVER`."""

    def header(self, name: str) -> str | None:
        """The first header of that (lower-case) name."""
        return next((value for given, value in self.headers if given == name), None)

    def header_values(self, name: str) -> list[str]:
        return [value for given, value in self.headers if given == name]

    def query(self) -> list[tuple[str, str]]:
        """The decoded pairs of the query string, as forms encode them."""
        return parse_qsl(self.query_string, keep_blank_values=True, errors="replace")


@dataclass(frozen=True, slots=True)
class Response:
    """`body` is all of it, or a stream whose end is the end of the body."""

    status: int
    headers: Headers = ()
    body: bytes | AsyncGenerator[bytes, None] = b""

    def with_headers(self, more: Headers) -> Response:
        return Response(self.status, [*self.headers, *more], self.body)


HANDED_OVER: Final = Response(0)
"""The connection is somebody else's now: nothing is written, nothing more is read."""


class Refused(Exception):
    """A route answers with an error from wherever it is."""

    def __init__(self, response: Response):
        super().__init__(f"refused with {response.status}")
        self.response = response


def empty(status: int = 200, headers: Headers = ()) -> Response:
    return Response(status, headers)


def text(body: str, status: int = 200, headers: Headers = ()) -> Response:
    return Response(status, [("content-type", TEXT), *headers], body.encode("utf-8", "surrogateescape"))


def json_response(value: Any, status: int = 200) -> Response:
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(status, [("content-type", JSON)], body)


def refuse(body: str, status: int) -> Refused:
    """To be raised: an error as text."""
    return Refused(text(body, status))
