"""The net changes of one committed transaction: for each table the rows that came and those that went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class Changes:
    def __init__(self, delta: Iterable[tuple[int, list[bytes], list[bytes]]]) -> None:
        """`delta` holds (table id, inserts, deletes), each table at most once."""
        self._tables = {table_id: (inserts, deletes) for table_id, inserts, deletes in delta}

    def __iter__(self) -> Iterator[int]:
        """The tables that changed."""
        return iter(self._tables)

    def inserts(self, table_id: int) -> list[bytes]:
        return self._tables[table_id][0] if table_id in self._tables else []

    def deletes(self, table_id: int) -> list[bytes]:
        return self._tables[table_id][1] if table_id in self._tables else []

    def rows(self, table_id: int) -> list[bytes]:
        return self.inserts(table_id) + self.deletes(table_id)
