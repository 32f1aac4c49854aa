"""Changing what a database consists of: rows of the system tables and the engine's tables, together.

Everything here happens inside the open transaction and goes with it if it is rolled back. Ids come from the
sequences of the system tables, as those of any rows do. `Definitions` knows no order and no policy; that is
for `initialization` and `update`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from spacetimedb_engine import Store
from spacetimedb_lib.moduledef import IndexDef, SequenceDef, TableAccess, TableDef, UniqueConstraintDef
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import AlgebraicType
from spacetimedb_standalone.datastore.definition_rows import DefinitionRows
from spacetimedb_standalone.datastore.schema import Index
from spacetimedb_standalone.datastore.schema_reading import INDEX_KINDS
from spacetimedb_standalone.datastore.system_rows import (
    StColumn,
    StColumnAccessor,
    StConstraint,
    StEventTable,
    StIndex,
    StIndexAccessor,
    StRowLevelSecurity,
    StScheduled,
    StSequence,
    StTable,
    StTableAccessor,
)
from spacetimedb_standalone.datastore.system_tables import (
    I128_MAX,
    ST_COLUMN,
    ST_COLUMN_ACCESSOR,
    ST_CONSTRAINT,
    ST_EVENT_TABLE,
    ST_INDEX,
    ST_INDEX_ACCESSOR,
    ST_ROW_LEVEL_SECURITY,
    ST_SCHEDULED,
    ST_SEQUENCE,
    ST_TABLE,
    ST_TABLE_ACCESSOR,
    SystemTable,
)

EVENT_TABLE, EPHEMERAL_TABLE = 1, 2
"""Flags of `Store.create_table`."""


class Definitions:
    """See the head of this file. Names are qualified and canonical."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.rows = DefinitionRows(store)

    # --- tables ---

    def add_table(self, table: TableDef) -> int:
        """A table with everything that belongs to it; its id comes back."""
        key = None if table.primary_key is None else (table.primary_key,)
        table_id = self.add_table_row(table.full_name, table.full_accessor, table.access, key)
        self._add_columns(table_id, table)
        if table.schedule is not None:
            schedule = table.schedule
            row = StScheduled(0, table_id, schedule.full_function, schedule.name, schedule.at_column)
            self.rows.add(SystemTable.SCHEDULED, ST_SCHEDULED, row)
        if table.is_event:
            self.rows.add(SystemTable.EVENT_TABLE, ST_EVENT_TABLE, StEventTable(table_id))
        self._store.create_table(table_id, encode_type(table.row_type), EVENT_TABLE if table.is_event else 0)
        unique = {frozenset(constraint.columns) for constraint in table.constraints.values()}
        for index in table.indexes.values():
            self.add_index(table_id, index, unique=frozenset(index.columns) in unique)
        for constraint in table.constraints.values():
            self.add_constraint(table_id, constraint)
        for sequence in table.sequences.values():
            self.add_sequence(table_id, sequence)
        return table_id

    def add_table_row(
        self, name: str, accessor: str, access: TableAccess, primary_key: tuple[int, ...] | None
    ) -> int:
        row = StTable(0, name, "user", access.value.lower(), primary_key)
        table_id = self.rows.add(SystemTable.TABLE, ST_TABLE, row).table_id
        self.rows.add(SystemTable.TABLE_ACCESSOR, ST_TABLE_ACCESSOR, StTableAccessor(name, accessor))
        return table_id

    def add_column_row(
        self, table_id: int, table: str, position: int, name: str, accessor: str | None, type_: AlgebraicType
    ) -> None:
        """`type_` without references. No accessor: the column is not for clients."""
        self.rows.add(SystemTable.COLUMN, ST_COLUMN, StColumn(table_id, position, name, encode_type(type_)))
        if accessor is not None:
            row = StColumnAccessor(table, name, accessor)
            self.rows.add(SystemTable.COLUMN_ACCESSOR, ST_COLUMN_ACCESSOR, row)

    def drop_table(self, table_id: int) -> None:
        """A table with its rows and everything that belongs to it."""
        rows = self.rows
        names = {
            row.table_name for row in rows.take(SystemTable.TABLE, ST_TABLE, lambda r: r.table_id == table_id)
        }
        rows.take(SystemTable.TABLE_ACCESSOR, ST_TABLE_ACCESSOR, lambda row: row.table_name in names)
        self._drop_columns(table_id, names)
        indexes = rows.take(SystemTable.INDEX, ST_INDEX, lambda row: row.table_id == table_id)
        index_names = {index.index_name for index in indexes}
        rows.take(SystemTable.INDEX_ACCESSOR, ST_INDEX_ACCESSOR, lambda row: row.index_name in index_names)
        rows.take(SystemTable.CONSTRAINT, ST_CONSTRAINT, lambda row: row.table_id == table_id)
        rows.take(SystemTable.SEQUENCE, ST_SEQUENCE, lambda row: row.table_id == table_id)
        rows.take(SystemTable.SCHEDULED, ST_SCHEDULED, lambda row: row.table_id == table_id)
        rows.take(SystemTable.EVENT_TABLE, ST_EVENT_TABLE, lambda row: row.table_id == table_id)
        self._store.drop_table(table_id)

    def set_access(self, table_id: int, access: TableAccess) -> None:
        self._change_table(table_id, lambda row: replace(row, table_access=access.value.lower()))

    def set_primary_key(self, table_id: int, column: int | None) -> None:
        key = None if column is None else (column,)
        self._change_table(table_id, lambda row: replace(row, table_primary_key=key))

    def set_columns(self, table_id: int, table: TableDef) -> None:
        """Give a table other columns, under which the rows that it has stay what they are."""
        self._drop_columns(table_id, {table.full_name})
        self._add_columns(table_id, table)
        self._store.alter_table(table_id, encode_type(table.row_type))

    def set_table_accessor(self, table: str, accessor: str) -> None:
        self.rows.change(
            SystemTable.TABLE_ACCESSOR,
            ST_TABLE_ACCESSOR,
            lambda row: row.table_name == table,
            lambda row: replace(row, accessor_name=accessor),
        )

    def set_column_accessor(self, table: str, column: str, accessor: str) -> None:
        self.rows.change(
            SystemTable.COLUMN_ACCESSOR,
            ST_COLUMN_ACCESSOR,
            lambda row: (row.table_name, row.col_name) == (table, column),
            lambda row: replace(row, accessor_name=accessor),
        )

    # --- what belongs to tables ---

    def add_index(self, table_id: int, index: IndexDef, *, unique: bool) -> int:
        """Raises `UniqueViolation` if it is to be unique and the rows are not."""
        kind = index.kind.value
        content = index.columns[0] if kind == "Direct" else index.columns
        index_id = self.add_index_row(table_id, index.full_name, Tagged(kind, content))
        row = StIndexAccessor(index.full_name, index.full_source_name)
        self.rows.add(SystemTable.INDEX_ACCESSOR, ST_INDEX_ACCESSOR, row)
        self._store.create_index(index_id, table_id, INDEX_KINDS[kind], unique, list(index.columns))
        return index_id

    def add_index_row(self, table_id: int, name: str, algorithm: Tagged) -> int:
        return self.rows.add(SystemTable.INDEX, ST_INDEX, StIndex(0, table_id, name, algorithm)).index_id

    def drop_index(self, index: Index) -> None:
        self.rows.take(SystemTable.INDEX, ST_INDEX, lambda row: row.index_id == index.id)
        self.rows.take(
            SystemTable.INDEX_ACCESSOR, ST_INDEX_ACCESSOR, lambda row: row.index_name == index.name
        )
        self._store.drop_index(index.id)

    def set_index_accessor(self, index: str, accessor: str) -> None:
        self.rows.change(
            SystemTable.INDEX_ACCESSOR,
            ST_INDEX_ACCESSOR,
            lambda row: row.index_name == index,
            lambda row: replace(row, accessor_name=accessor),
        )

    def set_unique(self, index: Index, unique: bool) -> None:
        """Begin or cease to enforce an index. Raises `UniqueViolation` if the rows are not unique."""
        self._store.drop_index(index.id)
        self._store.create_index(index.id, index.table_id, index.kind, unique, list(index.columns))

    def add_constraint(self, table_id: int, constraint: UniqueConstraintDef) -> int:
        """The row only: the index over its columns enforces it."""
        return self.add_constraint_row(table_id, constraint.full_name, constraint.columns)

    def add_constraint_row(self, table_id: int, name: str, columns: tuple[int, ...]) -> int:
        row = StConstraint(0, name, table_id, Tagged("Unique", columns))
        return self.rows.add(SystemTable.CONSTRAINT, ST_CONSTRAINT, row).constraint_id

    def drop_constraint(self, constraint_id: int) -> None:
        self.rows.take(SystemTable.CONSTRAINT, ST_CONSTRAINT, lambda row: row.constraint_id == constraint_id)

    def add_sequence(self, table_id: int, sequence: SequenceDef, state: tuple[int, int] | None = None) -> int:
        """`state`: the next value and the allocated bound of a sequence that it continues."""
        start = 1 if sequence.start is None else sequence.start
        value, allocated = state or (start, start)
        row = self.rows.add(
            SystemTable.SEQUENCE,
            ST_SEQUENCE,
            StSequence(
                sequence_id=0,
                sequence_name=sequence.full_name,
                table_id=table_id,
                col_pos=sequence.column,
                increment=sequence.increment,
                start=start,
                min_value=1 if sequence.min_value is None else sequence.min_value,
                max_value=I128_MAX if sequence.max_value is None else sequence.max_value,
                allocated=allocated,
            ),
        )
        create_sequence(self._store, row, value)
        return row.sequence_id

    def drop_sequence(self, sequence_id: int) -> None:
        self.rows.take(SystemTable.SEQUENCE, ST_SEQUENCE, lambda row: row.sequence_id == sequence_id)
        self._store.drop_sequence(sequence_id)

    # --- row level security ---

    def add_rule(self, table_id: int, sql: str) -> None:
        row = StRowLevelSecurity(table_id, sql)
        self.rows.add(SystemTable.ROW_LEVEL_SECURITY, ST_ROW_LEVEL_SECURITY, row)

    def drop_rule(self, sql: str) -> None:
        self.rows.take(SystemTable.ROW_LEVEL_SECURITY, ST_ROW_LEVEL_SECURITY, lambda row: row.sql == sql)

    def _add_columns(self, table_id: int, table: TableDef) -> None:
        for column in table.columns:
            self.add_column_row(
                table_id, table.full_name, column.position, column.name, column.accessor, column.resolved
            )

    def _drop_columns(self, table_id: int, names: set[str]) -> None:
        self.rows.take(SystemTable.COLUMN, ST_COLUMN, lambda row: row.table_id == table_id)
        self.rows.take(SystemTable.COLUMN_ACCESSOR, ST_COLUMN_ACCESSOR, lambda row: row.table_name in names)

    def _change_table(self, table_id: int, change: Callable[[StTable], StTable]) -> None:
        self.rows.change(SystemTable.TABLE, ST_TABLE, lambda row: row.table_id == table_id, change)


def create_sequence(store: Store, row: StSequence, value: int | None = None) -> None:
    """Let the engine draw from a sequence; `value` is the next one, the allocated bound if not given.

    An allocated bound of 0 is of databases that are older than bounds: the sequence begins at its start.
    """
    allocated = row.allocated or row.start
    store.create_sequence(
        row.sequence_id,
        row.table_id,
        row.col_pos,
        row.start,
        row.min_value,
        row.max_value,
        row.increment,
        allocated,
        allocated if value is None else value,
    )
