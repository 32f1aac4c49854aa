"""Rows of the system tables, added, taken and replaced as records inside the open transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from spacetimedb_engine import Store
from spacetimedb_standalone.datastore.system_rows import RowForm
from spacetimedb_standalone.datastore.system_tables import SystemTable

R = TypeVar("R")


class DefinitionRows:
    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, table: SystemTable, form: RowForm[R], record: R) -> R:
        """Insert a record; an id of 0 is replaced by the next one, so look at the record that comes back."""
        return form.decode(self._store.insert(table, form.encode(record)))

    def find(self, table: SystemTable, form: RowForm[R], wanted: Callable[[R], bool]) -> list[R]:
        records = (form.decode(row) for row in self._store.scan(table))
        return [record for record in records if wanted(record)]

    def take(self, table: SystemTable, form: RowForm[R], wanted: Callable[[R], bool]) -> list[R]:
        """Delete the records that are wanted; they come back."""
        found = self.find(table, form, wanted)
        for record in found:
            self._store.delete(table, form.encode(record))
        return found

    def change(
        self, table: SystemTable, form: RowForm[R], wanted: Callable[[R], bool], change: Callable[[R], R]
    ) -> None:
        """Replace each wanted record by what `change` makes of it."""
        for record in self.take(table, form, wanted):
            self.add(table, form, change(record))
