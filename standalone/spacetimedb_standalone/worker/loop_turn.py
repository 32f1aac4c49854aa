"""The loop turn: everything that arrived since the last one goes to the engine in one call.

Sockets hand in what they read; the first one asks the loop for a run at the end of this turn. A run is one
`Turn.run`, one hand-over to the log, and one write per connection that has something to say. What a
connection with confirmed reads may only hear once it is on disk is held back until the log says so;
its later messages wait behind it, so that each connection hears everything in order.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from spacetimedb_engine import Connection, Turn
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.ports.clock import Clock
from spacetimedb_standalone.worker.client_socket import ClientSocket, client_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    """Bytes that wait for the disk."""

    offset: int
    socket: ClientSocket
    data: bytes


class LoopTurn:
    """See the head of this file. One per worker.

    `on_fault`: a turn raised what it may not raise. What was not acknowledged is void; the worker must end.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        turn: Turn,
        datastore: Datastore,
        clock: Clock,
        on_fault: Callable[[], None],
    ) -> None:
        self._loop, self._turn, self._datastore, self._clock = loop, turn, datastore, clock
        self._log = datastore.log
        self._items: list[tuple[Connection, bytes]] = []
        self._scheduled = False
        self._held: deque[_Held] = deque()
        self._reading = True
        self._sockets: set[ClientSocket] = set()
        self._on_fault = on_fault
        self._log.on_durable(self._durable)

    @property
    def sockets(self) -> frozenset[ClientSocket]:
        return frozenset(self._sockets)

    def add(self, socket: ClientSocket) -> None:
        self._sockets.add(socket)
        if not self._reading:
            socket.pause()

    def discard(self, socket: ClientSocket) -> None:
        self._sockets.discard(socket)

    def open(self, caller: Caller, protocol: int) -> Connection:
        """The engine's side of a new connection."""
        return self._turn.open(bytes(caller.identity), bytes(caller.connection_id), protocol, caller.is_owner)

    def received(self, connection: Connection, data: bytes) -> None:
        """Bytes from a client; they are looked at when this turn of the loop ends."""
        self._items.append((connection, data))
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._run)

    def flush(self) -> None:
        """Send what was queued outside a run: updates caused by an HTTP call, greetings, pings."""
        self._send(self._turn.dirty())

    def _run(self) -> None:
        self._scheduled = False
        items, self._items = self._items, []
        try:
            self._send(self._turn.run(items, self._clock.now()))
        except Exception:
            log.critical("a turn broke off; the database starts again from its log", exc_info=True)
            self._on_fault()

    def _send(self, connections: list[Connection]) -> None:
        self._datastore.flush_log()
        durable = self._log.durable_offset
        held = self._held
        for connection in connections:
            socket = client_of(connection)
            offset = connection.offset
            data = connection.take()
            if socket.held == 0 and (offset <= durable or not socket.confirmed):
                socket.write(data)
            else:
                socket.held += 1
                held.append(_Held(offset, socket, data))
        if self._reading and self._log.over_limit:
            self._pause()

    def _durable(self, offset: int) -> None:
        held = self._held
        while held and held[0].offset <= offset:
            entry = held.popleft()
            entry.socket.held -= 1
            entry.socket.write(entry.data)
        if not self._reading and not self._log.over_limit:
            self._resume()

    def _pause(self) -> None:
        """The disk is behind: read nothing more until it has caught up."""
        self._reading = False
        for socket in self._sockets:
            socket.pause()

    def _resume(self) -> None:
        self._reading = True
        for socket in self._sockets:
            socket.resume()
