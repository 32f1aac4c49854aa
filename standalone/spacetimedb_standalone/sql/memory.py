"""A database in dictionaries: the simplest thing that fits the protocols of `schema`.

Tests run on it, and it says in a page what the engine's store does in a whole house: tables are sets of rows,
indexes find rows by the bytes of their columns, a transaction's net changes are kept apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spacetimedb_engine.errors import UniqueViolation

from .functions import column_bytes
from .schema import IndexDef, TableDef


class MemoryCatalog:
    def __init__(self, tables: Iterable[TableDef], rules: dict[int, Sequence[str]] | None = None) -> None:
        self.version = 1
        self._tables = {table.id: table for table in tables}
        self._rules = rules or {}

    def table_named(self, name: str) -> TableDef | None:
        tables = self._tables.values()
        named = next((table for table in tables if table.name == name), None)
        return named or next((table for table in tables if table.accessor == name), None)

    def table_by_id(self, table_id: int) -> TableDef | None:
        return self._tables.get(table_id)

    def tables(self) -> Iterable[TableDef]:
        return self._tables.values()

    def rules(self, table_id: int) -> Sequence[str]:
        return self._rules.get(table_id, ())


class MemoryStore:
    """One transaction is always open; `take_delta` ends it."""

    def __init__(self, tables: Iterable[TableDef]) -> None:
        self._tables = {table.id: table for table in tables}
        self._rows: dict[int, dict[bytes, None]] = {table_id: {} for table_id in self._tables}
        self._before: dict[int, dict[bytes, None]] = {}
        self._indexes = {
            index.id: (table, index) for table in self._tables.values() for index in table.indexes
        }

    def scan(self, table_id: int, /) -> list[bytes]:
        return list(self._rows[table_id])

    def seek(self, index_id: int, point: bytes, /) -> list[bytes]:
        table, index = self._indexes[index_id]
        return [row for row in self._rows[table.id] if _key(table, index, row) == point]

    def count(self, table_id: int, /) -> int:
        return len(self._rows[table_id])

    def insert(self, table_id: int, row: bytes, /) -> bytes:
        rows = self._touched(table_id)
        if row not in rows:
            table = self._tables[table_id]
            for index in table.indexes:
                if index.unique and self.seek(index.id, _key(table, index, row)):
                    raise UniqueViolation(f"index {index.name} has this key already", index.id)
            rows[row] = None
        return row

    def delete(self, table_id: int, row: bytes, /) -> bool:
        rows = self._touched(table_id)
        found = row in rows
        rows.pop(row, None)
        return found

    def rollback(self) -> None:
        self._rows |= self._before
        self._before = {}

    def take_delta(self) -> list[tuple[int, list[bytes], list[bytes]]]:
        """Commit: for each table changed its net inserts and deletes. Event tables are emptied."""
        delta = []
        for table_id, before in sorted(self._before.items()):
            after = self._rows[table_id]
            inserts = [row for row in after if row not in before]
            deletes = [row for row in before if row not in after]
            if inserts or deletes:
                delta.append((table_id, inserts, deletes))
            if self._tables[table_id].event:
                self._rows[table_id] = {}
        self._before = {}
        return delta

    def _touched(self, table_id: int) -> dict[bytes, None]:
        self._before.setdefault(table_id, dict(self._rows[table_id]))
        return self._rows[table_id]


def _key(table: TableDef, index: IndexDef, row: bytes) -> bytes:
    return b"".join(column_bytes(table, position)(row) for position in index.columns)
