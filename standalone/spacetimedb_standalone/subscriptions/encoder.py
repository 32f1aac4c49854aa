"""How subscriptions speak to clients: the seam between what happened and the bytes of a protocol.

An encoder belongs to a protocol and a compression, not to a connection, so what it makes is made once for all
connections that share it. Its parts build on each other: rows of a fragment, a set's update, a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from spacetimedb_standalone.wire import server_v2 as v2
from spacetimedb_standalone.wire.envelope import Compression, seal
from spacetimedb_standalone.wire.row_list import row_list

from .queries import TableChange, TableRows


class Encoder(Protocol):
    def applied(self, request_id: int, set_id: int, tables: Iterable[TableRows], /) -> bytes:
        """The message that a set is subscribed, with its present rows."""

    def unsubscribed(self, request_id: int, set_id: int, tables: Iterable[TableRows] | None, /) -> bytes:
        """The message that a set is no more; its rows, if they were asked for."""

    def refused(self, request_id: int | None, set_id: int, error: str, /) -> bytes:
        """The message that a set could not be subscribed or, without a request, had to be given up."""

    def answered(self, request_id: int, table: TableRows, /) -> bytes:
        """The message that answers a one-off query."""

    def not_answered(self, request_id: int, error: str, /) -> bytes: ...

    def change(self, change: TableChange, /) -> bytes:
        """A fragment's part in a set's update."""

    def set_update(self, set_id: int, changes: Mapping[str, Sequence[bytes]], /) -> bytes:
        """What changed for one set: by name of the table, parts made by `change`."""

    def update(self, sets: Sequence[bytes], /) -> bytes:
        """What changed for one connection, as it goes into the answer to its own call."""

    def message(self, update: bytes, /) -> bytes:
        """The message with what changed for one connection."""


class V2:
    """Protocols v2 and v3."""

    def __init__(self, compression: Compression) -> None:
        self._compression = compression

    def applied(self, request_id: int, set_id: int, tables: Iterable[TableRows], /) -> bytes:
        return self._sealed(v2.subscribe_applied(request_id, set_id, list(map(_table_rows, tables))))

    def unsubscribed(self, request_id: int, set_id: int, tables: Iterable[TableRows] | None, /) -> bytes:
        rows = None if tables is None else list(map(_table_rows, tables))
        return self._sealed(v2.unsubscribe_applied(request_id, set_id, rows))

    def refused(self, request_id: int | None, set_id: int, error: str, /) -> bytes:
        return self._sealed(v2.subscription_error(request_id, set_id, error))

    def answered(self, request_id: int, table: TableRows, /) -> bytes:
        return self._sealed(v2.one_off_ok(request_id, [_table_rows(table)]))

    def not_answered(self, request_id: int, error: str, /) -> bytes:
        return self._sealed(v2.one_off_error(request_id, error))

    def change(self, change: TableChange, /) -> bytes:
        if change.table.event:
            return v2.event_rows(row_list(change.inserts))
        return v2.changed_rows(row_list(change.inserts), row_list(change.deletes))

    def set_update(self, set_id: int, changes: Mapping[str, Sequence[bytes]], /) -> bytes:
        tables = [v2.table_update(name, parts) for name, parts in sorted(changes.items())]
        return v2.set_update(set_id, tables)

    def update(self, sets: Sequence[bytes], /) -> bytes:
        return v2.set_updates(sets)

    def message(self, update: bytes, /) -> bytes:
        return self._sealed(v2.transaction_update(update))

    def _sealed(self, body: bytes) -> bytes:
        return seal(body, self._compression)


def _table_rows(table: TableRows) -> bytes:
    return v2.table_rows(table.table.name, row_list(table.rows))


V2_PLAIN = V2(Compression.NONE)
V2_GZIP = V2(Compression.GZIP)
V2_BROTLI = V2(Compression.BROTLI)
