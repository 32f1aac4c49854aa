"""A validated definition as a raw one of version 9: what the schema endpoint serves for `?version=9`.

All names are canonical, and none is left out. Lost on the way: submodules, event flags, visibility, accessors
of tables and functions, HTTP handlers, keys of views, anything newer.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from spacetimedb_lib.moduledef.definition import ModuleDef, TypeDef
from spacetimedb_lib.moduledef.functions import ProcedureDef, ViewDef
from spacetimedb_lib.moduledef.raw_common import RawRowLevelSecurity, RawUniqueConstraint
from spacetimedb_lib.moduledef.raw_v9 import (
    RawColumnDefaultValueV9,
    RawConstraintDefV9,
    RawIndexDefV9,
    RawModuleDefV9,
    RawProcedureDefV9,
    RawReducerDefV9,
    RawScheduleDefV9,
    RawScopedTypeNameV9,
    RawSequenceDefV9,
    RawTableDefV9,
    RawTypeDefV9,
    RawViewDefV9,
)
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.moduledef.tables import (
    IndexDef,
    IndexKind,
    ScheduleDef,
    SequenceDef,
    TableDef,
    UniqueConstraintDef,
)

by_name = attrgetter("name")


def as_v9(definition: ModuleDef) -> RawModuleDefV9:
    """The definition in version 9; tables, types and parts of tables sorted by name, functions by id."""
    tables = sorted(definition.tables.values(), key=by_name)
    return RawModuleDefV9(
        typespace=definition.typespace,
        tables=tuple(map(_table, tables)),
        reducers=tuple(
            RawReducerDefV9(reducer.name, reducer.params, reducer.lifecycle)
            for reducer in definition.reducers.values()
        ),
        types=tuple(map(_type, sorted(definition.types.values(), key=by_name))),
        misc_exports=(
            *_defaults(tables),
            *map(_procedure, definition.procedures.values()),
            *map(_view, definition.views.values()),
        ),
        row_level_security=tuple(map(RawRowLevelSecurity, definition.row_level_security)),
    )


def raw_algorithm(index: IndexDef) -> Tagged:
    """The kind of an index and its columns, the way raw definitions have them."""
    return Tagged(index.kind.value, index.columns[0] if index.kind is IndexKind.DIRECT else index.columns)


def raw_unique(constraint: UniqueConstraintDef) -> Tagged:
    return Tagged("Unique", RawUniqueConstraint(constraint.columns))


def _table(table: TableDef) -> RawTableDefV9:
    return RawTableDefV9(
        name=table.name,
        product_type_ref=table.product_type_ref,
        primary_key=() if table.primary_key is None else (table.primary_key,),
        indexes=tuple(
            RawIndexDefV9(index.name, index.accessor, raw_algorithm(index))
            for index in sorted(table.indexes.values(), key=by_name)
        ),
        constraints=tuple(
            RawConstraintDefV9(constraint.name, raw_unique(constraint))
            for constraint in sorted(table.constraints.values(), key=by_name)
        ),
        sequences=tuple(map(_sequence, sorted(table.sequences.values(), key=by_name))),
        schedule=None if table.schedule is None else _schedule(table.schedule),
        table_type=table.table_type,
        table_access=table.access,
    )


def _sequence(item: SequenceDef) -> RawSequenceDefV9:
    return RawSequenceDefV9(
        item.name, item.column, item.start, item.min_value, item.max_value, item.increment
    )


def _schedule(schedule: ScheduleDef) -> RawScheduleDefV9:
    return RawScheduleDefV9(schedule.name, schedule.function, schedule.at_column)


def _type(item: TypeDef) -> RawTypeDefV9:
    return RawTypeDefV9(RawScopedTypeNameV9(item.name.scope, item.name.name), item.ref, item.custom_ordering)


def _defaults(tables: Iterable[TableDef]) -> Iterable[Tagged]:
    for table in tables:
        for column in table.columns:
            if column.default is not None:
                default = RawColumnDefaultValueV9(table.name, column.position, column.default)
                yield Tagged("ColumnDefaultValue", default)


def _procedure(item: ProcedureDef) -> Tagged:
    return Tagged("Procedure", RawProcedureDefV9(item.name, item.params, item.return_type))


def _view(item: ViewDef) -> Tagged:
    return Tagged(
        "View",
        RawViewDefV9(item.name, item.index, item.is_public, item.is_anonymous, item.params, item.return_type),
    )
