"""The user's tables of a store whose definitions come row by row: from a log, or from a snapshot."""

from __future__ import annotations

from collections import defaultdict

from spacetimedb_engine import Store
from spacetimedb_lib.sats.type_codec import decode_type, encode_type
from spacetimedb_lib.sats.types import Element, Product
from spacetimedb_standalone.datastore.definitions import EPHEMERAL_TABLE, EVENT_TABLE
from spacetimedb_standalone.datastore.schema_reading import read_rows
from spacetimedb_standalone.datastore.system_rows import StColumn
from spacetimedb_standalone.datastore.system_tables import (
    FIRST_USER_ID,
    ST_COLUMN,
    ST_EVENT_TABLE,
    ST_TABLE,
    ST_VIEW,
    SystemTable,
)

DEFINING = (SystemTable.TABLE, SystemTable.COLUMN, SystemTable.EVENT_TABLE)
"""Rows of these say what tables there are."""


class UserTables:
    """The user's tables as the engine has them now, while a replay goes through their history."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._types: dict[int, dict[int, bytes]] = {}
        """By table, then by position, the column types."""

    def changed(self, section: str, groups: list[tuple[int, list[bytes]]]) -> None:
        """Rows of definitions have come (section "inserts") or gone ("deletes") in the middle of a record."""
        defined = {
            row.table_id
            for row in read_rows(self._store, SystemTable.TABLE, ST_TABLE)
            if row.table_id >= FIRST_USER_ID
        }
        if section == "deletes":
            for table_id in self._types.keys() - defined:
                self._store.drop_table(table_id)
                del self._types[table_id]
        self._define(defined)

    def _define(self, tables: set[int]) -> None:
        """Make the engine's tables be as the rows say."""
        columns: dict[int, list[StColumn]] = defaultdict(list)
        for column in read_rows(self._store, SystemTable.COLUMN, ST_COLUMN):
            columns[column.table_id].append(column)
        events = {row.table_id for row in read_rows(self._store, SystemTable.EVENT_TABLE, ST_EVENT_TABLE)}
        views = {row.table_id for row in read_rows(self._store, SystemTable.VIEW, ST_VIEW)}
        for table_id in sorted(tables):
            known = self._types.get(table_id)  # may well be empty: a table may have no columns
            newest = _newest(columns[table_id], known or {})
            types = {column.col_pos: column.col_type for column in newest}
            if types == known:
                continue
            row_type = encode_type(
                Product(tuple(Element(column.col_name, decode_type(column.col_type)[0]) for column in newest))
            )
            if known is not None:
                self._store.alter_table(table_id, row_type)
            else:
                flags = (EVENT_TABLE if table_id in events else 0) | (
                    EPHEMERAL_TABLE if table_id in views else 0
                )
                self._store.create_table(table_id, row_type, flags)
            self._types[table_id] = types


def _newest(columns: list[StColumn], known: dict[int, bytes]) -> list[StColumn]:
    """One column a position. Where a record replaces one, old and new are both there until its end."""
    chosen: dict[int, StColumn] = {}
    for column in columns:
        if column.col_pos not in chosen or column.col_type != known.get(column.col_pos):
            chosen[column.col_pos] = column
    return [chosen[position] for position in sorted(chosen)]
