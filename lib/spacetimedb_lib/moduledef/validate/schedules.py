"""Validation of scheduled tables: a column that says when, a key, and a function that takes the row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from spacetimedb_lib.moduledef.errors import ErrorKind, invalid
from spacetimedb_lib.moduledef.functions import ProcedureDef, ReducerDef
from spacetimedb_lib.moduledef.raw_v10 import RawScheduleDefV10
from spacetimedb_lib.moduledef.tables import FunctionKind, ScheduleDef, TableDef
from spacetimedb_lib.moduledef.validate.context import Context
from spacetimedb_lib.moduledef.validate.naming import identifier, schedule_name
from spacetimedb_lib.moduledef.validate.problems import Problems
from spacetimedb_lib.moduledef.validate.type_text import debug_product
from spacetimedb_lib.sats.resolve import is_schedule_at
from spacetimedb_lib.sats.type_forms import type_text
from spacetimedb_lib.sats.types import U64, Element, Product, Ref


@dataclass(frozen=True)
class Pending:
    """A schedule whose function has not been looked up yet; `table` is the canonical name."""

    table: str
    name: str
    at_column: int
    id_column: int
    function: str


def schedule(context: Context, raw: RawScheduleDefV10, tables: Mapping[str, TableDef]) -> Pending:
    """Check a schedule as far as the tables go."""
    table_name = context.naming.table(raw.table_name)
    table = tables.get(table_name)
    if table is None:
        raise invalid(ErrorKind.TableNotFound, table=raw.table_name)
    name = schedule_name(table_name)
    if context.rules.names_are_given and raw.source_name is not None:
        name = raw.source_name
    problems = Problems()
    with problems:
        context.claim(name)
    with problems:
        id_column = _check_columns(context, raw, table)
    with problems:
        function = context.naming.function(raw.function_name)
    with problems:
        if table.is_event and context.rules.newer:
            raise invalid(ErrorKind.ScheduledEventTable, table=table_name)
    problems.raise_any()
    return Pending(table_name, identifier(name), raw.schedule_at_col, id_column, function)


def _check_columns(context: Context, raw: RawScheduleDefV10, table: TableDef) -> int:
    """The column with the row's key. Names of both columns are free."""
    canonical, _ = context.row_types(table.product_type_ref, raw.table_name)
    at_is_right = raw.schedule_at_col < len(table.columns) and is_schedule_at(
        table.columns[raw.schedule_at_col].type
    )
    if not at_is_right or table.primary_key is None or table.columns[table.primary_key].type != U64:
        raise invalid(
            ErrorKind.ScheduledIncorrectColumns, table=raw.table_name, columns=debug_product(canonical)
        )
    return table.primary_key


def attach(
    tables: dict[str, TableDef],
    schedules: Sequence[Pending],
    reducers: Mapping[str, ReducerDef],
    procedures: Mapping[str, ProcedureDef],
) -> None:
    """Give tables their schedules, now that all functions are known. Raises `Invalid`."""
    problems = Problems()
    for pending in schedules:
        with problems:
            table = tables[pending.table]
            if table.schedule is not None:
                raise invalid(ErrorKind.DuplicateSchedule, table=pending.table)
            tables[pending.table] = replace(table, schedule=_complete(pending, table, reducers, procedures))
    problems.raise_any()


def _complete(
    pending: Pending,
    table: TableDef,
    reducers: Mapping[str, ReducerDef],
    procedures: Mapping[str, ProcedureDef],
) -> ScheduleDef:
    function = reducers.get(pending.function) or procedures.get(pending.function)
    if function is None:
        raise invalid(ErrorKind.MissingScheduledFunction, schedule=pending.name, function=pending.function)
    row = Ref(table.product_type_ref)
    if [element.type for element in function.params.elements] != [row]:
        raise invalid(
            ErrorKind.IncorrectScheduledFunctionParams,
            function=pending.function,
            # The public system says so of procedures, too.
            function_kind="reducer",
            expected=type_text(Product((Element(None, row),))),
            actual=type_text(function.params),
        )
    return ScheduleDef(
        namespace=table.namespace,
        name=pending.name,
        at_column=pending.at_column,
        id_column=pending.id_column,
        function=pending.function,
        function_kind=FunctionKind.REDUCER if isinstance(function, ReducerDef) else FunctionKind.PROCEDURE,
    )
