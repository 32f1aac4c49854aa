"""The rows that a snapshot holds: all that the log would bring back."""

from __future__ import annotations

from collections.abc import Iterator

from spacetimedb_engine import Store
from spacetimedb_standalone.datastore.schema import Schema
from spacetimedb_standalone.datastore.system_tables import EPHEMERAL
from spacetimedb_standalone.snapshots import Piece

PIECE = 1 << 20
"""Bytes of rows that a piece has at most, but for its last row."""


def image(store: Store, schema: Schema) -> Iterator[Piece]:
    """The rows of all tables that are logged and keep them, system tables first. Outside of transactions.

    The store must not change meanwhile.
    """
    for table in schema.tables.values():
        if table.view is not None or table.is_event or table.id in EPHEMERAL:
            continue
        slot = 0
        while slot >= 0:
            rows, count, slot = store.export(table.id, slot, PIECE)
            if count:
                yield Piece(table.id, count, rows)
