"""The tables that every database has: what it knows about itself.

Their ids, columns, indexes and constraints are those of the public system, so that its logs can be read and
ours be read by it. The rows that describe the system tables themselves are in the tables too, but never in
the log: every server makes them anew (`built_in_rows`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any

from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_standalone.datastore.schema import (
    Column,
    Constraint,
    Index,
    IndexKind,
    Schema,
    Sequence,
    Table,
    TableAccess,
    TableKind,
)
from spacetimedb_standalone.datastore.system_rows import (
    RowForm,
    StClient,
    StColumn,
    StColumnAccessor,
    StConnectionCredentials,
    StConstraint,
    StEventTable,
    StIndex,
    StIndexAccessor,
    StModule,
    StRowLevelSecurity,
    StScheduled,
    StSequence,
    StTable,
    StTableAccessor,
    StVar,
    StView,
    StViewArg,
    StViewColumn,
    StViewParam,
    StViewSub,
)

FIRST_USER_ID = 4096
SEQUENCE_START = 4097
SEQUENCE_ALLOCATED = 4096
"""What the sequences of ids begin with; the first id that is given out is the allocated bound itself."""
I128_MAX = (1 << 127) - 1


class SystemTable(IntEnum):
    TABLE = 1
    COLUMN = 2
    SEQUENCE = 3
    INDEX = 4
    CONSTRAINT = 5
    MODULE = 6
    CLIENT = 7
    VAR = 8
    SCHEDULED = 9
    ROW_LEVEL_SECURITY = 10
    CONNECTION_CREDENTIALS = 11
    VIEW = 12
    VIEW_PARAM = 13
    VIEW_COLUMN = 14
    VIEW_SUB = 15
    VIEW_ARG = 16
    EVENT_TABLE = 17
    TABLE_ACCESSOR = 18
    INDEX_ACCESSOR = 19
    COLUMN_ACCESSOR = 20


EPHEMERAL = frozenset({SystemTable.VIEW_SUB, SystemTable.VIEW_ARG})
"""System tables whose rows never reach the log."""

ST_TABLE = RowForm(StTable)
ST_COLUMN = RowForm(StColumn)
ST_SEQUENCE = RowForm(StSequence)
ST_INDEX = RowForm(StIndex)
ST_CONSTRAINT = RowForm(StConstraint)
ST_MODULE = RowForm(StModule)
ST_CLIENT = RowForm(StClient)
ST_VAR = RowForm(StVar)
ST_SCHEDULED = RowForm(StScheduled)
ST_ROW_LEVEL_SECURITY = RowForm(StRowLevelSecurity)
ST_CONNECTION_CREDENTIALS = RowForm(StConnectionCredentials)
ST_VIEW = RowForm(StView)
ST_VIEW_PARAM = RowForm(StViewParam)
ST_VIEW_COLUMN = RowForm(StViewColumn)
ST_VIEW_SUB = RowForm(StViewSub)
ST_VIEW_ARG = RowForm(StViewArg)
ST_EVENT_TABLE = RowForm(StEventTable)
ST_TABLE_ACCESSOR = RowForm(StTableAccessor)
ST_INDEX_ACCESSOR = RowForm(StIndexAccessor)
ST_COLUMN_ACCESSOR = RowForm(StColumnAccessor)


@dataclass(frozen=True)
class _Plan:
    """One system table. All its indexes are B-trees; the unique ones are constraints too."""

    id: SystemTable
    form: RowForm[Any]
    unique: tuple[tuple[int, ...], ...] = ()
    plain: tuple[tuple[int, ...], ...] = ()
    """Indexes that are not unique; their ids come before those of the unique ones."""
    primary_key: int | None = None
    sequence: int | None = None
    """Id of the sequence over the first column."""
    access: TableAccess = TableAccess.PUBLIC

    @property
    def name(self) -> str:
        return f"st_{self.id.name.lower()}"


_PLANS = (
    _Plan(SystemTable.TABLE, ST_TABLE, unique=((0,), (1,)), primary_key=0, sequence=1),
    _Plan(SystemTable.COLUMN, ST_COLUMN, unique=((0, 1),)),
    _Plan(SystemTable.SEQUENCE, ST_SEQUENCE, unique=((0,),), primary_key=0, sequence=5),
    _Plan(SystemTable.INDEX, ST_INDEX, unique=((0,),), primary_key=0, sequence=2),
    _Plan(SystemTable.CONSTRAINT, ST_CONSTRAINT, unique=((0,),), primary_key=0, sequence=3),
    _Plan(SystemTable.MODULE, ST_MODULE),
    _Plan(SystemTable.CLIENT, ST_CLIENT, unique=((0, 1),)),
    _Plan(SystemTable.VAR, ST_VAR, unique=((0,),), primary_key=0),
    _Plan(SystemTable.SCHEDULED, ST_SCHEDULED, unique=((0,), (1,)), primary_key=0, sequence=4),
    _Plan(
        SystemTable.ROW_LEVEL_SECURITY, ST_ROW_LEVEL_SECURITY, unique=((1,),), plain=((0,),), primary_key=1
    ),
    _Plan(
        SystemTable.CONNECTION_CREDENTIALS,
        ST_CONNECTION_CREDENTIALS,
        unique=((0,),),
        primary_key=0,
        access=TableAccess.PRIVATE,
    ),
    _Plan(SystemTable.VIEW, ST_VIEW, unique=((0,), (1,)), primary_key=0, sequence=6),
    _Plan(SystemTable.VIEW_PARAM, ST_VIEW_PARAM, unique=((0, 1),)),
    _Plan(SystemTable.VIEW_COLUMN, ST_VIEW_COLUMN, unique=((0, 1),)),
    _Plan(SystemTable.VIEW_SUB, ST_VIEW_SUB, plain=((2,), (4,), (0, 1, 2))),
    _Plan(SystemTable.VIEW_ARG, ST_VIEW_ARG, unique=((0,), (1,)), primary_key=0, sequence=7),
    _Plan(SystemTable.EVENT_TABLE, ST_EVENT_TABLE, unique=((0,),), primary_key=0),
    _Plan(SystemTable.TABLE_ACCESSOR, ST_TABLE_ACCESSOR, unique=((0,), (1,))),
    _Plan(SystemTable.INDEX_ACCESSOR, ST_INDEX_ACCESSOR, unique=((0,), (1,))),
    _Plan(SystemTable.COLUMN_ACCESSOR, ST_COLUMN_ACCESSOR, unique=((0, 1), (0, 2))),
)


@cache
def system_schema() -> Schema:
    """The schema of a database that has no module yet."""
    tables: dict[int, Table] = {}
    indexes = constraints = 0
    for plan in _PLANS:
        table = _table(plan, indexes + 1, constraints + 1)
        indexes += len(table.indexes)
        constraints += len(table.constraints)
        tables[plan.id] = table
    return Schema(tables)


def _table(plan: _Plan, first_index: int, first_constraint: int) -> Table:
    columns = tuple(
        Column(position, element.name or "", element.name or "", element.type)
        for position, element in enumerate(plan.form.row_type.elements)
    )

    def named(over: tuple[int, ...], ending: str) -> str:
        return "_".join((plan.name, *(columns[position].name for position in over), ending))

    indexes = tuple(
        Index(
            id=first_index + number,
            table_id=plan.id,
            name=named(over, "idx_btree"),
            accessor=named(over, "idx_btree"),
            kind=IndexKind.BTREE,
            columns=over,
            unique=over in plan.unique,
        )
        for number, over in enumerate(plan.plain + plan.unique)
    )
    return Table(
        id=plan.id,
        name=plan.name,
        accessor=plan.name,
        kind=TableKind.SYSTEM,
        access=plan.access,
        primary_key=plan.primary_key,
        columns=columns,
        indexes=indexes,
        constraints=tuple(
            Constraint(first_constraint + number, named(over, "key"), over)
            for number, over in enumerate(plan.unique)
        ),
        sequences=() if plan.sequence is None else (_sequence(plan.sequence, named((0,), "seq")),),
        schedule=None,
        is_event=False,
        view=None,
    )


def _sequence(sequence_id: int, name: str) -> Sequence:
    return Sequence(
        id=sequence_id,
        name=name,
        column=0,
        start=SEQUENCE_START,
        minimum=1,
        maximum=I128_MAX,
        increment=1,
        allocated=SEQUENCE_ALLOCATED,
    )


def built_in_rows() -> Iterator[tuple[SystemTable, bytes]]:
    """The rows that describe the system tables, with the table that each belongs into."""
    for table in system_schema().tables.values():
        key = None if table.primary_key is None else (table.primary_key,)
        yield SystemTable.TABLE, ST_TABLE.encode(StTable(table.id, table.name, table.kind, table.access, key))
        for column in table.columns:
            described = StColumn(table.id, column.position, column.name, encode_type(column.type))
            yield SystemTable.COLUMN, ST_COLUMN.encode(described)
        for index in table.indexes:
            algorithm = Tagged("BTree", index.columns)
            yield SystemTable.INDEX, ST_INDEX.encode(StIndex(index.id, table.id, index.name, algorithm))
        for constraint in table.constraints:
            unique = Tagged("Unique", constraint.columns)
            row = StConstraint(constraint.id, constraint.name, table.id, unique)
            yield SystemTable.CONSTRAINT, ST_CONSTRAINT.encode(row)
        for sequence in table.sequences:
            yield SystemTable.SEQUENCE, ST_SEQUENCE.encode(sequence_row(table.id, sequence))


def sequence_row(table_id: int, sequence: Sequence) -> StSequence:
    """The row that stands for a sequence."""
    return StSequence(
        sequence_id=sequence.id,
        sequence_name=sequence.name,
        table_id=table_id,
        col_pos=sequence.column,
        increment=sequence.increment,
        start=sequence.start,
        min_value=sequence.minimum,
        max_value=sequence.maximum,
        allocated=sequence.allocated,
    )
