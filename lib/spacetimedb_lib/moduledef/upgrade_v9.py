"""Version 9 definitions in the form of version 10, so that both are judged by the same code.

Nothing is lost: names that version 9 gives to constraints and schedules travel in the `source_name` fields
that version 10 itself ignores (`Rules.names_are_given`), and the case policy None keeps every name as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from spacetimedb_lib.moduledef.errors import ErrorKind, ValidationError, validation_error
from spacetimedb_lib.moduledef.raw_v9 import (
    RawColumnDefaultValueV9,
    RawModuleDefV9,
    RawReducerDefV9,
    RawTableDefV9,
)
from spacetimedb_lib.moduledef.raw_v10 import (
    CaseConversionPolicy,
    RawColumnDefaultValueV10,
    RawConstraintDefV10,
    RawIndexDefV10,
    RawLifecycleReducerDefV10,
    RawModuleDefV10,
    RawProcedureDefV10,
    RawReducerDefV10,
    RawScheduleDefV10,
    RawScopedTypeNameV10,
    RawSequenceDefV10,
    RawTableDefV10,
    RawTypeDefV10,
    RawViewDefV10,
    Visibility,
)
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.sats.types import STRING, UNIT


def upgrade(raw: RawModuleDefV9) -> tuple[RawModuleDefV10, list[ValidationError]]:
    """The definition as version 10, and what is wrong with defaults in a way that version 10 cannot say."""
    defaults = _exports(raw, "ColumnDefaultValue")
    sections = {
        "Typespace": raw.typespace,
        "Types": tuple(
            RawTypeDefV10(
                RawScopedTypeNameV10(type_.name.scope, type_.name.name), type_.ty, type_.custom_ordering
            )
            for type_ in raw.types
        ),
        "Tables": tuple(
            _table(table, [d for d in defaults if d.table == table.name]) for table in raw.tables
        ),
        "Reducers": tuple(map(_reducer, raw.reducers)),
        "Procedures": tuple(
            RawProcedureDefV10(item.name, item.params, item.return_type, Visibility.CLIENT_CALLABLE)
            for item in _exports(raw, "Procedure")
        ),
        "Views": tuple(
            RawViewDefV10(
                item.name, item.index, item.is_public, item.is_anonymous, item.params, item.return_type
            )
            for item in _exports(raw, "View")
        ),
        "Schedules": tuple(
            RawScheduleDefV10(
                table.schedule.name,
                table.name,
                table.schedule.scheduled_at_column,
                table.schedule.reducer_name,
            )
            for table in raw.tables
            if table.schedule is not None
        ),
        "LifeCycleReducers": tuple(
            RawLifecycleReducerDefV10(reducer.lifecycle, reducer.name)
            for reducer in raw.reducers
            if reducer.lifecycle is not None
        ),
        "RowLevelSecurity": raw.row_level_security,
        "CaseConversionPolicy": CaseConversionPolicy.NONE,
    }
    upgraded = RawModuleDefV10(tuple(Tagged(name, content) for name, content in sections.items()))
    return upgraded, list(_default_errors(raw.tables, defaults))


def _exports(raw: RawModuleDefV9, kind: str) -> list[Any]:
    return [content for name, content in raw.misc_exports if name == kind]


def _table(table: RawTableDefV9, defaults: Iterable[RawColumnDefaultValueV9]) -> RawTableDefV10:
    return RawTableDefV10(
        source_name=table.name,
        product_type_ref=table.product_type_ref,
        primary_key=table.primary_key,
        indexes=tuple(
            RawIndexDefV10(item.name, item.accessor_name, item.algorithm) for item in table.indexes
        ),
        constraints=tuple(RawConstraintDefV10(item.name, item.data) for item in table.constraints),
        sequences=tuple(
            RawSequenceDefV10(
                item.name, item.column, item.start, item.min_value, item.max_value, item.increment
            )
            for item in table.sequences
        ),
        table_type=table.table_type,
        table_access=table.table_access,
        default_values=tuple(RawColumnDefaultValueV10(item.col_id, item.value) for item in defaults),
        is_event=False,
    )


def _reducer(reducer: RawReducerDefV9) -> RawReducerDefV10:
    return RawReducerDefV10(reducer.name, reducer.params, Visibility.CLIENT_CALLABLE, UNIT, STRING)


def _default_errors(
    tables: Iterable[RawTableDefV9], defaults: Iterable[RawColumnDefaultValueV9]
) -> Iterator[ValidationError]:
    """Defaults for tables that do not exist, and second defaults for one column."""
    names = {table.name for table in tables}
    seen: set[tuple[str, int]] = set()
    for default in defaults:
        if default.table not in names:
            yield validation_error(ErrorKind.TableNotFound, table=default.table)
        elif (default.table, default.col_id) in seen:
            yield validation_error(
                ErrorKind.MultipleColumnDefaultValues, table=default.table, column=default.col_id
            )
        seen.add((default.table, default.col_id))
