"""How subscriptions speak to clients of protocol v1: updates, and answers to requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from spacetimedb_standalone.sql.schema import TableDef
from spacetimedb_standalone.wire import server_v1 as v1
from spacetimedb_standalone.wire.envelope import Compression, seal
from spacetimedb_standalone.wire.forms import BINARY, TEXT, Form

from .encoder import Cause, Changed
from .queries import TableChange, TableRows
from .rows_v1 import BinaryRows, JsonRows, RowLists


class V1:
    """One form, compression, and amount of news; an `Encoder`, and the answers to requests.

    `is_light`: updates never tell who called what.
    """

    tells_sets_apart = False

    def __init__(self, form: Form, rows: RowLists, compression: Compression, is_light: bool) -> None:
        self.form = form
        self._rows = rows
        self._compression = compression
        self._is_light = is_light

    @property
    def no_update(self) -> bytes:
        """The update of a connection for which nothing changed."""
        return v1.database_update(self.form, [])

    # -- updates

    def change(self, change: TableChange, /) -> bytes:
        deletes, inserts = self._rows.changed(change)
        return v1.query_update(self.form, deletes, inserts)

    def set_update(self, set_id: int, tables: Iterable[Changed], /) -> bytes:
        """Of all sets of a connection in one: updates do not tell them apart."""
        by_id = sorted(tables, key=lambda changed: changed[0][0].table.id)
        return v1.database_update(self.form, [self._table_update(changed) for changed in by_id])

    def update(self, sets: Sequence[bytes], /) -> bytes:
        (update,) = sets
        return update

    def message(self, update: bytes, cause: Cause, /) -> bytes:
        if self._is_light or cause.call is None:
            return self.sealed(v1.transaction_light(self.form, cause.request_id, update))
        return self.sealed(v1.transaction_committed(self.form, cause.call, update))

    def given_up(self, set_id: int, error: str, /) -> bytes:
        return self.refused(None, None, error, 0)

    def _table_update(self, changed: Changed) -> bytes:
        table = changed[0][0].table
        num_rows = sum(len(change) for change, _ in changed)
        return v1.table_update(self.form, table.id, table.name, num_rows, [part for _, part in changed])

    # -- answers

    def initial(self, request_id: int, tables: Iterable[TableRows], micros: int) -> bytes:
        """The connection's one whole set is subscribed."""
        return self.sealed(v1.initial_subscription(self.form, request_id, self._came(tables), micros))

    def single_applied(
        self, request_id: int, query_id: int, table: TableDef, rows: list[bytes], micros: int
    ) -> bytes:
        present = self._rows_update(table, rows, came=True)
        applied = v1.Applied.SUBSCRIBE
        return self.sealed(
            v1.single_applied(self.form, applied, request_id, query_id, table.id, table.name, present, micros)
        )

    def single_dropped(
        self, request_id: int, query_id: int, table: TableDef, rows: list[bytes], micros: int
    ) -> bytes:
        gone = self._rows_update(table, rows, came=False)
        applied = v1.Applied.UNSUBSCRIBE
        return self.sealed(
            v1.single_applied(self.form, applied, request_id, query_id, table.id, table.name, gone, micros)
        )

    def multi_applied(
        self, request_id: int, query_id: int, tables: Iterable[TableRows], micros: int
    ) -> bytes:
        applied, update = v1.Applied.SUBSCRIBE_MULTI, self._came(tables)
        return self.sealed(v1.multi_applied(self.form, applied, request_id, query_id, update, micros))

    def multi_dropped(
        self, request_id: int, query_id: int, tables: Iterable[TableRows], micros: int
    ) -> bytes:
        gone = [self._rows_update(each.table, each.rows, came=False) for each in tables]
        applied, update = v1.Applied.UNSUBSCRIBE_MULTI, v1.database_update(self.form, gone)
        return self.sealed(v1.multi_applied(self.form, applied, request_id, query_id, update, micros))

    def refused(self, request_id: int | None, query_id: int | None, error: str, micros: int) -> bytes:
        return self.sealed(v1.subscription_error(self.form, request_id, query_id, error, micros))

    def answered(self, message_id: bytes, table: TableRows, micros: int) -> bytes:
        rows = self._rows.present(table.table, table.rows)
        tables = [(table.table.name, rows)]
        return self.sealed(v1.one_off_response(self.form, message_id, None, tables, micros))

    def not_answered(self, message_id: bytes, error: str, micros: int) -> bytes:
        return self.sealed(v1.one_off_response(self.form, message_id, error, [], micros))

    def sealed(self, body: bytes) -> bytes:
        """Any message as it goes into a frame: text as it is, binary in the envelope that was asked for."""
        return body if self.form is TEXT else seal(body, self._compression)

    def _came(self, tables: Iterable[TableRows]) -> bytes:
        updates = [self._rows_update(each.table, each.rows, came=True) for each in tables]
        return v1.database_update(self.form, updates)

    def _rows_update(self, table: TableDef, rows: list[bytes], *, came: bool) -> bytes:
        present, none = self._rows.present(table, rows), self.form.no_rows
        deletes, inserts = (none, present) if came else (present, none)
        query_update = v1.query_update(self.form, deletes, inserts)
        return v1.table_update(self.form, table.id, table.name, len(rows), [query_update])


@cache
def v1_encoder(*, is_text: bool, compression: Compression, is_light: bool) -> V1:
    """The one encoder for these terms: what has the same encoder shares its messages."""
    if is_text:
        return V1(TEXT, JsonRows(), Compression.NONE, is_light)
    return V1(BINARY, BinaryRows(), compression, is_light)
