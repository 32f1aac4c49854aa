"""A client without a network: it keeps what it is sent, decoded."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_standalone.sql import Caller
from spacetimedb_standalone.subscriptions import Subscriptions
from spacetimedb_standalone.wire.row_list import rows_of

from ..sql.sample import TABLES, A, Sample

NOTHING = b"\0\0\0\0"


@dataclass(eq=False)
class Client:
    caller: Caller = A
    connection_id: bytes = (7).to_bytes(16, "little")
    messages: list[Any] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)

    @property
    def identity(self) -> bytes:
        return self.caller.identity

    @property
    def is_owner(self) -> bool:
        return self.caller.is_owner

    def append(self, message: bytes, offset: int = -1) -> None:
        self.raw.append(message)
        self.offsets.append(offset)
        body = gzip.decompress(message[1:]) if message[0] == 2 else message[1:]
        self.messages.append(Reader(body).message())

    def take(self) -> list[Any]:
        """What came since the last time."""
        taken, self.messages = self.messages, []
        return taken


class Reader:
    """Reads server messages of protocol v2 into names, numbers and decoded rows."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def _take(self, format_: str) -> Any:
        (value,) = struct.unpack_from("<" + format_, self._data, self._at)
        self._at += struct.calcsize("<" + format_)
        return value

    def _string(self) -> str:
        length = self._take("I")
        raw = self._data[self._at : self._at + length]
        self._at += length
        return raw.decode()

    def _rows(self, table: str) -> list[Any]:
        rows, self._at = rows_of(self._data, self._at)
        return sorted((codec(TABLES[table].visible_type).decode_exact(row) for row in rows), key=repr)

    def _tables(self) -> list[tuple[str, list[Any]]]:
        return sorted((name := self._string(), self._rows(name)) for _ in range(self._take("I")))

    def message(self) -> Any:
        match self._take("B"):
            case 1:
                return "applied", self._take("I"), self._take("I"), self._tables()
            case 2:
                head = "unsubscribed", self._take("I"), self._take("I")
                return (*head, None if self._take("B") else self._tables())
            case 3:
                request_id = None if self._take("B") else self._take("I")
                return "refused", request_id, self._take("I"), self._string()
            case 4:
                return "update", self.update()
            case 5:
                request_id = self._take("I")
                return "answer", request_id, self._string() if self._take("B") else self._tables()
            case 8:
                return "batch", self._take("I"), [self._result() for _ in range(self._take("I"))]
        raise AssertionError(self._data)

    def _result(self) -> tuple[int, Any]:
        set_id = self._take("I")
        return set_id, self._string() if self._take("B") else self._tables()

    def update(self) -> dict[int, dict[str, list[Any]]]:
        """By set and table: (inserts, deletes) or ("events", rows) of each query."""
        return {
            self._take("I"): {
                (name := self._string()): [self._change(name) for _ in range(self._take("I"))]
                for _ in range(self._take("I"))
            }
            for _ in range(self._take("I"))
        }

    def _change(self, table: str) -> tuple[Any, Any]:
        if self._take("B"):
            return "events", self._rows(table)
        return self._rows(table), self._rows(table)


class Stage:
    """A sample database, its subscriptions, and transactions on it."""

    def __init__(self, rules: dict[str, list[str]] | None = None, **more: Any) -> None:
        self.sample = Sample(rules)
        self.watched: set[int] = set()
        self.subscriptions = Subscriptions(
            self.sample.catalog, self.sample.store, views=self.sample.views, watch=self._watch, **more
        )
        self._offset = 0

    def _watch(self, table_id: int, on: bool) -> None:
        assert (table_id in self.watched) is not on
        self.watched ^= {table_id}

    def client(self, caller: Caller = A, *queries: str, set_id: int = 1) -> Client:
        client = Client(caller)
        if queries:
            self.subscriptions.subscribe(client, 0, set_id, queries, self._offset)
            assert client.take()[0][0] == "applied"
        return client

    def ask(self, client: Client, *queries: str, set_id: int = 1) -> Any:
        """Subscribe; the answer."""
        self.subscriptions.subscribe(client, 11, set_id, queries, self._offset)
        (answer,) = client.take()
        return answer

    def commit(
        self,
        inserts: Iterable[tuple[str, Any]] = (),
        deletes: Iterable[tuple[str, Any]] = (),
        caller: Client | None = None,
    ) -> dict[int, dict[str, list[Any]]]:
        """A transaction: rows by table's name. What its caller is told in the answer to the call."""
        for name, row in deletes:
            self.sample.delete(name, row)
        for name, row in inserts:
            self.sample.insert(name, row)
        self._offset += 1
        update = self.subscriptions.committed(self.sample.store.take_delta(), self._offset, caller)
        return Reader(update).update()

    def heard(self, client: Client, table: str = "") -> Any:
        """The one change of the one query in the last message, or None if there was no message."""
        messages = client.take()
        if not messages:
            return None
        ((kind, sets),) = messages
        assert kind == "update"
        (tables,) = sets.values()
        ((name, changes),) = tables.items()
        assert not table or name == table
        (change,) = changes
        return change
