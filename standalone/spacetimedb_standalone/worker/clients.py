"""All WebSocket clients of the worker: letting them in, hearing them, seeing them off.

Also the engine's `host`: what `Turn` cannot settle by itself comes here, in the order of the messages.
"""

from __future__ import annotations

import asyncio
import logging
import socket as sockets
from collections import Counter
from collections.abc import Callable, Mapping

from spacetimedb_engine import Connection, Status
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.lifecycle import connect, disconnect
from spacetimedb_standalone.database.views import ViewError
from spacetimedb_standalone.subscriptions import Cause
from spacetimedb_standalone.subscriptions import Connection as Watcher
from spacetimedb_standalone.worker.client_socket import ClientSocket, Terms, client_of
from spacetimedb_standalone.worker.dialect import Dialect
from spacetimedb_standalone.worker.loop_turn import LoopTurn

log = logging.getLogger(__name__)

PROTOCOLS = {
    "v1.json.spacetimedb": 0,
    "v1.bsatn.spacetimedb": 1,
    "v2.bsatn.spacetimedb": 2,
    "v3.bsatn.spacetimedb": 3,
}
"""Subprotocol -> the number by which the engine knows it."""


class Clients:
    """See the head of this file. `database`, `turn` and `dialects` are set once, before the first client comes.

    `dialects` are by the number of their protocol.
    """

    database: Database
    turn: LoopTurn
    dialects: Mapping[int, Dialect]

    def __init__(self) -> None:
        self.disconnections: Counter[str] = Counter()
        """How connections ended, by cause."""
        self.requests = 0

    # -- coming and going

    async def accept(self, socket: sockets.socket, make: Callable[[Clients], ClientSocket]) -> None:
        socket.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: make(self), socket)

    def new_socket(
        self, caller: Caller, protocol: str, terms: Terms, greeting: bytes, early: bytes
    ) -> ClientSocket:
        connection = self.turn.open(caller, PROTOCOLS[protocol])
        client = ClientSocket(self, connection, caller, terms, greeting, early)
        connection.tag = client
        return client

    def opened(self, client: ClientSocket) -> None:
        refusal = connect(self.database, client.caller)
        if refusal is not None:
            self.disconnections["client_connected_rejected"] += 1
            client.drop()
            self.turn.flush()
            return
        client.is_admitted = True
        self.turn.add(client)
        offset = self.database.datastore.read_offset()
        connection = client.connection
        greeting = self._dialect(connection).greeting(connection, client.caller, client.terms.token)
        connection.append(greeting, offset)
        client.keep_alive()

    def lost(self, client: ClientSocket) -> None:
        if not client.is_admitted:
            return
        client.is_admitted = False
        self.turn.discard(client)
        self.database.subscriptions.drop(client.connection)
        disconnect(self.database, client.caller.identity, client.caller.connection_id)
        self.turn.flush()

    def received(self, connection: Connection, data: bytes) -> None:
        self.turn.received(connection, data)

    def flush(self) -> None:
        self.turn.flush()

    def close_all(self, code: int, reason: str) -> None:
        """Say goodbye to everybody, with a close frame."""
        for client in self.turn.sockets:
            client.close(code, reason)
        self.turn.flush()

    def close_orphan(self, watcher: Watcher, code: int, reason: str) -> None:
        """Close a connection that subscriptions know only as one who watches."""
        assert isinstance(watcher, Connection)
        client_of(watcher).close(code, reason)

    def count_slow(self) -> None:
        self.disconnections["outgoing_queue_full"] += 1

    def count_idle(self) -> None:
        self.disconnections["idle_timeout"] += 1

    # -- what the engine hands over

    def on_message(self, conn: Connection, payload: bytes) -> int:
        return self._dialect(conn).message(conn, payload)

    def on_text(self, conn: Connection, text: str) -> None:
        self._dialect(conn).text(conn, text)

    def before_commit(self, conn: Connection | None, reducer_id: int) -> bytes | None:
        """Keep views in step with what the call is about to commit; a text refuses the commit."""
        try:
            self.database.views.refresh()
        except ViewError as error:
            return str(error).encode()
        return None

    def on_commit(self, conn: Connection, request_id: int, offset: int) -> bytes:
        return self.database.tell(offset, conn, Cause(request_id))

    def on_failure(
        self, conn: Connection, request_id: int, reducer_id: int, status: int, text: bytes, timestamp: int
    ) -> None:
        reducer = self.database.definition.all_reducers[reducer_id]
        told = self.database.settle_failure(
            reducer.full_name, Status(status), text.decode(errors="replace"), timestamp
        )
        self._dialect(conn).failed(conn, request_id, Status(status), told, timestamp)

    def on_pong(self, conn: Connection, payload: bytes) -> None:
        """Nothing to do: the engine has noted that the client is alive."""

    def on_close(self, conn: Connection, code: int, reason: str) -> None:
        self.disconnections["client_close"] += 1
        client_of(conn).peer_closed()

    def on_broken(self, conn: Connection, text: str) -> None:
        log.info("a client broke the WebSocket protocol and was dropped: %s", text)
        self.disconnections["websocket_receive_protocol"] += 1
        client_of(conn).drop()

    def _dialect(self, connection: Connection) -> Dialect:
        return self.dialects[connection.protocol]
