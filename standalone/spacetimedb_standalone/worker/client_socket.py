"""A client's WebSocket, after the upgrade: bytes in, bytes out, keep-alive, and how it ends.

Frames are the engine's affair; this class moves bytes and keeps time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacetimedb_engine import Connection
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.wire.envelope import Compression

if TYPE_CHECKING:
    from spacetimedb_standalone.worker.clients import Clients

UNSENT_LIMIT = 64 * 1024 * 1024
"""Bytes that may lie unsent for a client that does not read. It is dropped when more comes on top of that."""


INTERNAL_ERROR = 1011
"""Why a connection is closed that sent what can't be understood."""


@dataclass(frozen=True)
class Terms:
    """What the client asked for when it connected, and what the server's configuration says."""

    token: str
    confirmed: bool
    light: bool
    compression: Compression
    ping_interval: float
    idle_timeout: float
    close_timeout: float


class ClientSocket(asyncio.Protocol):
    """One client. `held` counts its chunks of output that wait for the disk."""

    def __init__(
        self,
        clients: Clients,
        connection: Connection,
        caller: Caller,
        terms: Terms,
        greeting: bytes,
        early: bytes,
    ) -> None:
        self.connection, self.caller, self.terms = connection, caller, terms
        self.confirmed = terms.confirmed
        self.held = 0
        self.is_admitted = False
        self._clients = clients
        self._loop = asyncio.get_running_loop()
        self._greeting, self._early = greeting, early
        self._transport: asyncio.Transport | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._heard_at = 0.0
        self._peer_closed = False
        self._ending = False

    # -- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream socket gives a full transport
        assert self._transport is not None
        self._transport.write(self._greeting)
        self._clients.opened(self)
        if self._early and self.is_admitted:
            self._clients.received(self.connection, self._early)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        self._clients.received(self.connection, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        for timer in self._timers.values():
            timer.cancel()
        self._clients.lost(self)

    # -- output

    def write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > UNSENT_LIMIT:
            self._clients.count_slow()
            transport.abort()
            return
        transport.write(data)
        if self.connection.closing and not self.held and not self._ending:
            self._end(transport)

    def _end(self, transport: asyncio.Transport) -> None:
        """A close frame is out: leave at once if the peer has closed too, else give it a moment to answer."""
        self._ending = True
        if self._peer_closed:
            transport.close()
        else:
            self._loop.call_later(self.terms.close_timeout, transport.abort)

    def peer_closed(self) -> None:
        """The peer's close frame came. If ours is out already, that was the answer to it."""
        self._peer_closed = True
        if self._ending and self._transport is not None:
            self._transport.close()

    def close(self, code: int, reason: str) -> None:
        """Close with the reason; one that does not fit into a close frame ends the connection without."""
        if not self.connection.close(code, reason):
            self.drop()

    def drop(self) -> None:
        """End the connection without a close frame."""
        if self._transport is not None:
            self._transport.abort()

    # -- reading

    def pause(self) -> None:
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    # -- keep-alive

    def keep_alive(self) -> None:
        """Ping now, and again each interval unless the last one is unanswered; drop who stays silent."""
        self._heard_at = self._loop.time()
        self._await("silence", self.terms.idle_timeout, self._check_silence)
        self._ping()

    def _await(self, name: str, seconds: float, then: Callable[[], None]) -> None:
        self._timers[name] = self._loop.call_later(seconds, then)

    def _check_silence(self) -> None:
        left = self._heard_at + self.terms.idle_timeout - self._loop.time()
        if left > 0:
            self._await("silence", left, self._check_silence)
        else:
            self._clients.count_idle()
            self.drop()

    def _ping(self) -> None:
        if self.connection.alive_since_ping:
            self.connection.alive_since_ping = False
            self.connection.send_ping()
            self._clients.flush()
        self._await("ping", self.terms.ping_interval, self._ping)


def client_of(connection: Connection) -> ClientSocket:
    """The client behind one of the engine's connections."""
    client = connection.tag
    assert isinstance(client, ClientSocket)
    return client
