"""Lists of rows as clients of v1 get them: in BSATN, or as JSON texts.

A JSON row is an object keyed by column if it was read from its table, and an array of values if it is one that
the transaction itself wrote, or a view's. Clients understand both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from spacetimedb_lib.sats.bsatn import Codec, codec
from spacetimedb_lib.sats.json_write import JsonWriter, Style, json_writer
from spacetimedb_standalone.sql.schema import TableDef, View
from spacetimedb_standalone.wire.row_list import row_list
from spacetimedb_standalone.wire.server_v1 import text_rows

from .queries import TableChange


class RowLists(Protocol):
    def present(self, table: TableDef, rows: Sequence[bytes]) -> bytes:
        """The list of rows that were read from the table."""

    def changed(self, change: TableChange) -> tuple[bytes, bytes]:
        """The lists of rows that went, and of those that came."""


class BinaryRows:
    def present(self, table: TableDef, rows: Sequence[bytes]) -> bytes:
        return row_list(rows)

    def changed(self, change: TableChange) -> tuple[bytes, bytes]:
        return row_list(change.deletes), row_list(change.inserts)


class JsonRows:
    """Keeps the writers of each table it has met, in the table's present definition."""

    def __init__(self) -> None:
        self._writers: dict[int, _Writers] = {}

    def present(self, table: TableDef, rows: Sequence[bytes]) -> bytes:
        return text_rows(map(self._of(table).read, rows))

    def changed(self, change: TableChange) -> tuple[bytes, bytes]:
        writers = self._of(change.table)
        written = frozenset(change.changes.rows(change.table.id))

        def text(row: bytes) -> str:
            return writers.written(row) if row in written else writers.read(row)

        return text_rows(map(text, change.deletes)), text_rows(map(text, change.inserts))

    def _of(self, table: TableDef) -> _Writers:
        known = self._writers.get(table.id)
        if known is None or known.table is not table:
            known = self._writers[table.id] = _writers(table)
        return known


@dataclass(frozen=True, slots=True)
class _Writers:
    table: TableDef
    read: Callable[[bytes], str]
    """From a row in BSATN to its JSON, for rows read from the table."""
    written: Callable[[bytes], str]
    """The same for rows that the transaction wrote."""


def _writers(table: TableDef) -> _Writers:
    rows = codec(table.visible_type)
    written = _composed(rows, json_writer(table.visible_type))
    if table.view is not View.NONE:
        return _Writers(table, written, written)
    return _Writers(table, _composed(rows, json_writer(table.visible_type, (), Style.ROW)), written)


def _composed(rows: Codec, write: JsonWriter) -> Callable[[bytes], str]:
    return lambda row: write(rows.decode(row)[0])
