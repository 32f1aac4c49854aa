"""Sending a module's HTTP request: only where it may go, only as long as it may take.

What the module is told of a failure reads like the errors of the public server: the chain of causes, joined by
colons, with the query of the URL left out, because queries hold keys.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from functools import cached_property

import httpcore
import httpx

from spacetimedb_standalone.host.http_messages import HttpRequest, HttpResponse
from spacetimedb_standalone.host.interface import HttpFailed
from spacetimedb_standalone.outgoing.addresses import Refused
from spacetimedb_standalone.outgoing.network import (
    Deadline,
    GuardedNetwork,
    SpecialAddressError,
    UnknownHostError,
)

DEFAULT_SECONDS, LONGEST_SECONDS = 30.0, 180.0
MAX_REDIRECTS = 10
LONGEST_ANSWER = 256 << 20
"""Bytes of a body, also of those of redirects together: it is held in memory, twice for a moment."""
SPECIAL_ADDRESS = "refusing to connect to private or special-purpose addresses"


class AnswerTooLongError(Exception):
    """The other side sends more than an answer may have."""


class HttpClient:
    """`refused` says which addresses may not be spoken to. May be used by several threads at once."""

    def __init__(self, refused: Refused) -> None:
        self._refused = refused

    def send(self, request: HttpRequest, body: bytes) -> tuple[HttpResponse, bytes]:
        """The answer and its body, whatever its status. Blocks. Raises `HttpFailed`."""
        url = _parsed(request.uri)
        shown = str(url.copy_with(userinfo=b"", query=None, fragment=None))
        try:
            return self._exchange(request, url, body)
        except SpecialAddressError as error:
            raise HttpFailed(SPECIAL_ADDRESS) from error
        except httpx.TooManyRedirects as error:
            raise HttpFailed(f"error following redirect for url ({shown}): too many redirects") from error
        except (
            httpx.HTTPError,
            httpcore.TimeoutException,
            httpcore.NetworkError,
            httpcore.ProtocolError,
        ) as error:
            raise HttpFailed(f"error sending request for url ({shown}): {_reason(error)}") from error
        except (UnknownHostError, AnswerTooLongError, httpcore.UnsupportedProtocol, ValueError) as error:
            raise HttpFailed(f"error sending request for url ({shown}): {_reason(error)}") from error

    def _exchange(self, request: HttpRequest, url: httpx.URL, body: bytes) -> tuple[HttpResponse, bytes]:
        transport = _Transport(self._tls, GuardedNetwork(Deadline(_seconds(request.timeout)), self._refused))
        with httpx.Client(transport=transport, trust_env=False, max_redirects=MAX_REDIRECTS) as client:
            headers = [(name.encode("latin-1"), value) for name, value in request.headers]
            if not any(name.lower() == b"accept" for name, _ in headers):
                headers.append((b"accept", b"*/*"))
            # Not `client.build_request`: it would add headers of its own.
            sent = httpx.Request(request.method, url, headers=headers, content=body or None)
            answer = client.send(sent, stream=True, follow_redirects=True)
            content = b"".join(answer.iter_raw())
        return _response(answer), content

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Made when it is first needed: reading the certificates of all authorities takes a while."""
        return httpx.create_ssl_context()


class _Transport(httpx.BaseTransport):
    """Brings httpx, which follows redirects, to our network."""

    def __init__(self, tls: ssl.SSLContext, network: GuardedNetwork) -> None:
        self._pool = httpcore.ConnectionPool(ssl_context=tls, network_backend=network)
        self._budget = LONGEST_ANSWER

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
            )
        )
        stream = _Body(self, answer)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=stream, extensions=answer.extensions
        )

    def spend(self, size: int) -> None:
        self._budget -= size
        if self._budget < 0:
            raise AnswerTooLongError(f"the answer is longer than {LONGEST_ANSWER} bytes")

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, transport: _Transport, answer: httpcore.Response) -> None:
        self._transport, self._answer = transport, answer

    def __iter__(self) -> Iterator[bytes]:
        for part in self._answer.iter_stream():
            self._transport.spend(len(part))
            yield part

    def close(self) -> None:
        self._answer.close()


def _parsed(uri: str) -> httpx.URL:
    try:
        url = httpx.URL(uri)
    except (httpx.InvalidURL, ValueError) as error:
        raise HttpFailed(f"builder error: {error}") from error
    if not url.scheme or not url.host:
        raise HttpFailed("builder error: relative URL without a base")
    if url.scheme not in ("http", "https"):
        raise HttpFailed(
            f"builder error for url ({url.copy_with(userinfo=b'', query=None)}): URL scheme is not allowed"
        )
    return url


def _seconds(timeout: int | None) -> float:
    """From microseconds, or the default; never longer than allowed."""
    if timeout is None:
        return DEFAULT_SECONDS
    return min(max(timeout, 0) / 1_000_000, LONGEST_SECONDS)


def _response(answer: httpx.Response) -> HttpResponse:
    version = answer.extensions.get("http_version", b"HTTP/1.1").decode("ascii")
    headers = tuple((name.decode("latin-1").lower(), value) for name, value in answer.headers.raw)
    return HttpResponse(answer.status_code, headers, version)


def _reason(error: Exception) -> str:
    """The causes of a failure, outermost first."""
    if isinstance(error, httpcore.TimeoutException):
        return "operation timed out"
    if isinstance(error, UnknownHostError):
        return f"client error (Connect): dns error: failed to lookup address information: {error}"
    if isinstance(error, httpcore.ConnectError):
        cause = error.args[0] if error.args else None  # the system's error; httpcore drops the link to it
        if isinstance(cause, ssl.SSLError):
            return f"client error (Connect): {cause.reason or cause}"
        if isinstance(cause, OSError) and cause.errno:
            return f"client error (Connect): tcp connect error: {cause.strerror} (os error {cause.errno})"
        return f"client error (Connect): {error}"
    return str(error) or type(error).__name__
