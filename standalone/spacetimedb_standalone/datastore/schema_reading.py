"""From the rows of the system tables to a `Schema`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from spacetimedb_engine import Store
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.sats.type_codec import decode_type
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.datastore.schema import (
    Column,
    Constraint,
    Index,
    IndexKind,
    RowLevelSecurity,
    Schedule,
    Schema,
    Sequence,
    Table,
    TableAccess,
    TableKind,
    View,
)
from spacetimedb_standalone.datastore.system_rows import (
    RowForm,
    StColumn,
    StConstraint,
    StIndex,
    StScheduled,
    StSequence,
    StTable,
    StView,
)
from spacetimedb_standalone.datastore.system_tables import (
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
    ST_VIEW,
    SystemTable,
)

R = TypeVar("R")

INDEX_KINDS = {"BTree": IndexKind.BTREE, "Hash": IndexKind.HASH, "Direct": IndexKind.DIRECT}


def read_rows(store: Store, table: SystemTable, form: RowForm[R]) -> list[R]:
    """All rows of a system table."""
    return [form.decode(row) for row in store.scan(table)]


def read_schema(store: Store) -> Schema:
    """The schema that the system tables describe now. Raises `StorageError` if they contradict themselves."""
    return _Reading(store).schema()


class _Reading:
    """The rows of all system tables, by what they belong to."""

    def __init__(self, store: Store) -> None:
        self._tables = read_rows(store, SystemTable.TABLE, ST_TABLE)
        self._columns: dict[int, list[StColumn]] = defaultdict(list)
        for column in read_rows(store, SystemTable.COLUMN, ST_COLUMN):
            self._columns[column.table_id].append(column)
        self._indexes: dict[int, list[StIndex]] = defaultdict(list)
        for index in read_rows(store, SystemTable.INDEX, ST_INDEX):
            self._indexes[index.table_id].append(index)
        self._constraints: dict[int, list[StConstraint]] = defaultdict(list)
        for constraint in read_rows(store, SystemTable.CONSTRAINT, ST_CONSTRAINT):
            self._constraints[constraint.table_id].append(constraint)
        self._sequences: dict[int, list[StSequence]] = defaultdict(list)
        for sequence in read_rows(store, SystemTable.SEQUENCE, ST_SEQUENCE):
            self._sequences[sequence.table_id].append(sequence)
        self._schedules = {row.table_id: row for row in read_rows(store, SystemTable.SCHEDULED, ST_SCHEDULED)}
        self._events = {row.table_id for row in read_rows(store, SystemTable.EVENT_TABLE, ST_EVENT_TABLE)}
        self._views = {row.table_id: row for row in read_rows(store, SystemTable.VIEW, ST_VIEW)}
        self._table_accessors = {
            row.table_name: row.accessor_name
            for row in read_rows(store, SystemTable.TABLE_ACCESSOR, ST_TABLE_ACCESSOR)
        }
        self._index_accessors = {
            row.index_name: row.accessor_name
            for row in read_rows(store, SystemTable.INDEX_ACCESSOR, ST_INDEX_ACCESSOR)
        }
        self._column_accessors = {
            (row.table_name, row.col_name): row.accessor_name
            for row in read_rows(store, SystemTable.COLUMN_ACCESSOR, ST_COLUMN_ACCESSOR)
        }
        self._rules = read_rows(store, SystemTable.ROW_LEVEL_SECURITY, ST_ROW_LEVEL_SECURITY)

    def schema(self) -> Schema:
        tables = {
            row.table_id: self._table(row) for row in sorted(self._tables, key=lambda row: row.table_id)
        }
        rules = sorted(
            (RowLevelSecurity(row.table_id, row.sql) for row in self._rules), key=lambda rule: rule.sql
        )
        return Schema(tables, tuple(rules))

    def _table(self, row: StTable) -> Table:
        columns = self._columns_of(row)
        constraints = tuple(map(_constraint, _by(self._constraints[row.table_id], "constraint_id")))
        unique = {frozenset(constraint.columns) for constraint in constraints}
        view = self._views.get(row.table_id)
        schedule = self._schedules.get(row.table_id)
        return Table(
            id=row.table_id,
            name=row.table_name,
            accessor=self._table_accessors.get(row.table_name, row.table_name),
            kind=TableKind(row.table_type),
            access=TableAccess(row.table_access),
            primary_key=row.table_primary_key[0] if row.table_primary_key else None,
            columns=columns,
            indexes=tuple(
                self._index(index, unique) for index in _by(self._indexes[row.table_id], "index_id")
            ),
            constraints=constraints,
            sequences=tuple(map(_sequence, _by(self._sequences[row.table_id], "sequence_id"))),
            schedule=None if schedule is None else _schedule(schedule, row),
            is_event=row.table_id in self._events,
            view=None if view is None else _view(view),
        )

    def _columns_of(self, row: StTable) -> tuple[Column, ...]:
        columns = _by(self._columns[row.table_id], "col_pos")
        if [column.col_pos for column in columns] != list(range(len(columns))):
            raise StorageError(
                f"st_column has no whole set of columns for table {row.table_name}; restore it from a backup"
            )
        return tuple(
            Column(
                position=column.col_pos,
                name=column.col_name,
                accessor=self._column_accessors.get((row.table_name, column.col_name), column.col_name),
                type=decode_type(column.col_type)[0],
            )
            for column in columns
        )

    def _index(self, row: StIndex, unique: set[frozenset[int]]) -> Index:
        columns = columns_of(row.index_algorithm)
        return Index(
            id=row.index_id,
            table_id=row.table_id,
            name=row.index_name,
            accessor=self._index_accessors.get(row.index_name, row.index_name),
            kind=INDEX_KINDS[row.index_algorithm.name],
            columns=columns,
            unique=frozenset(columns) in unique,
        )


def columns_of(algorithm: Tagged) -> tuple[int, ...]:
    """The columns of an index, whatever its algorithm."""
    content = algorithm.content
    return (content,) if isinstance(content, int) else tuple(content)


def _constraint(row: StConstraint) -> Constraint:
    return Constraint(row.constraint_id, row.constraint_name, tuple(row.constraint_data.content))


def _sequence(row: StSequence) -> Sequence:
    return Sequence(
        id=row.sequence_id,
        name=row.sequence_name,
        column=row.col_pos,
        start=row.start,
        minimum=row.min_value,
        maximum=row.max_value,
        increment=row.increment,
        allocated=row.allocated,
    )


def _schedule(row: StScheduled, table: StTable) -> Schedule:
    if not table.table_primary_key:
        raise StorageError(
            f"the scheduled table {table.table_name} has no primary key; restore it from a backup"
        )
    return Schedule(
        id=row.schedule_id,
        name=row.schedule_name,
        function=row.reducer_name,
        at_column=row.at_column,
        id_column=table.table_primary_key[0],
    )


def _view(row: StView) -> View:
    return View(row.view_id, row.view_name, row.is_anonymous, row.is_public)


def _by(rows: Iterable[R], field: str) -> list[R]:
    return sorted(rows, key=lambda row: int(getattr(row, field)))
