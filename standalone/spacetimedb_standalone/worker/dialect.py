"""What a subprotocol's messages mean. The engine answers plain reducer calls by itself; the rest comes here."""

from __future__ import annotations

from typing import Protocol

from spacetimedb_engine import Connection, Status
from spacetimedb_standalone.database.caller import Caller


class Dialect(Protocol):
    """One subprotocol over one database."""

    def greeting(self, connection: Connection, caller: Caller, token: str) -> bytes:
        """The first message: who the client is."""

    def message(self, connection: Connection, payload: bytes) -> int:
        """A binary message; how many bytes of `payload` it took."""

    def text(self, connection: Connection, text: str) -> None:
        """A text message."""

    def failed(
        self, connection: Connection, request_id: int, status: Status, text: str, timestamp: int
    ) -> None:
        """A reducer that this client called did not commit; `text` is what it may be told."""
