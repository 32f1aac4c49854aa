"""The network as requests of modules get it: only to addresses that are allowed, and all of it by one deadline.

A name is resolved once, here, and the connection goes to an address that was looked at: asking the resolver
again could give another one. TLS still checks the certificate against the name.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterable
from queue import Empty, SimpleQueue
from typing import Any

import httpcore

from spacetimedb_standalone.outgoing.addresses import Refused

WRITTEN_AT_ONCE = 1 << 16


class SpecialAddressError(Exception):
    """The request goes nowhere but to addresses that modules may not reach. The module's fault."""


class UnknownHostError(Exception):
    """A host name could not be resolved: the name's or the network's fault."""


class Deadline:
    """When a request must be over, with the last byte of its answer."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds, more than 0. Raises `httpcore.TimeoutException` if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.TimeoutException("operation timed out")
        return left


class GuardedNetwork(httpcore.NetworkBackend):
    """Connects for one request; redirects are the same request."""

    def __init__(self, deadline: Deadline, refused: Refused) -> None:
        self._deadline, self._refused = deadline, refused
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        found = resolve(host, port, self._deadline)
        allowed = [address for address in found if not self._refused(address)]
        if not allowed:
            raise SpecialAddressError
        for address in allowed[:-1]:
            try:
                return self._connect(address, port)
            except httpcore.ConnectError:
                continue  # the next address may be better; if none is, the last one's error is told
        return self._connect(allowed[-1], port)

    def _connect(self, address: str, port: int) -> httpcore.NetworkStream:
        return TimedStream(self._sockets.connect_tcp(address, port, self._deadline.left()), self._deadline)


class TimedStream(httpcore.NetworkStream):
    """A connection whose every operation ends by the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        for at in range(0, len(view), WRITTEN_AT_ONCE):
            self._stream.write(bytes(view[at : at + WRITTEN_AT_ONCE]), self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secure = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        return TimedStream(secure, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def resolve(host: str, port: int, deadline: Deadline) -> list[str]:
    """The addresses of a host, each once. Raises `UnknownHostError`, and `httpcore.TimeoutException`.

    The system's resolver can't be told to hurry: past the deadline it is left behind on its thread.
    """
    answer: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            answer.put(error)
        else:
            answer.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))

    threading.Thread(target=look_up, name="resolver", daemon=True).start()
    try:
        found = answer.get(timeout=deadline.left())
    except Empty:
        raise httpcore.TimeoutException("operation timed out") from None
    if isinstance(found, Exception):
        text = found.strerror if isinstance(found, OSError) else str(found)
        raise UnknownHostError(text) from found
    return found
