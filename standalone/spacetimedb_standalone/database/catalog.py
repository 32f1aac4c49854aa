"""The schema of the datastore, as SQL and subscriptions want to see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.schema import Schema, Table, TableAccess, TableKind
from spacetimedb_standalone.sql.schema import ColumnDef, IndexDef, TableDef, View

CREDENTIALS_TABLE = "st_connection_credentials"
"""The only system table that clients may not read, whatever the others are marked as."""


class SchemaCatalog:
    """A `sql.ports.Catalog` that follows the datastore's current schema.

    A definition is made when it is first asked for, and forgotten when the schema changes.
    """

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore
        self._schema: Schema | None = None
        self._definitions: dict[int, TableDef] = {}
        self._version = 0

    @property
    def version(self) -> int:
        """Grows with every change of the schema."""
        self._follow()
        return self._version

    def table_named(self, name: str) -> TableDef | None:
        table = self._follow().table(name)
        return None if table is None else self._definition(table)

    def table_by_id(self, table_id: int) -> TableDef | None:
        table = self._follow().by_id(table_id)
        return None if table is None else self._definition(table)

    def tables(self) -> Iterable[TableDef]:
        return [self._definition(table) for table in self._follow().tables.values()]

    def rules(self, table_id: int) -> Sequence[str]:
        return [rule.sql for rule in self._follow().row_level_security if rule.table_id == table_id]

    def _follow(self) -> Schema:
        schema = self._datastore.schema
        if schema is not self._schema:
            self._schema = schema
            self._definitions = {}
            self._version += 1
        return schema

    def _definition(self, table: Table) -> TableDef:
        if table.id not in self._definitions:
            self._definitions[table.id] = _define(table)
        return self._definitions[table.id]


def _define(table: Table) -> TableDef:
    system = table.kind is TableKind.SYSTEM
    public = table.name != CREDENTIALS_TABLE if system else table.access is TableAccess.PUBLIC
    view = View.NONE
    if table.view is not None:
        view = View.ANONYMOUS if table.view.is_anonymous else View.SENDER
    return TableDef(
        id=table.id,
        name=table.name,
        accessor=table.accessor,
        columns=tuple(ColumnDef(column.name, column.accessor, column.type) for column in table.columns),
        indexes=tuple(
            IndexDef(index.id, index.name, index.columns, index.unique)
            for index in sorted(table.indexes, key=lambda index: index.id)
        ),
        public=public,
        system=system,
        event=table.is_event,
        view=view,
    )
