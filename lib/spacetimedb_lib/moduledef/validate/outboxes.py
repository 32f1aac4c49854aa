"""Validation of outboxes: tables whose rows call another database (a section of 2.14 and later)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from spacetimedb_lib.moduledef.errors import ErrorKind, invalid
from spacetimedb_lib.moduledef.functions import ReducerDef
from spacetimedb_lib.moduledef.raw_v10 import RawOutboxDef
from spacetimedb_lib.moduledef.tables import OutboxDef, TableDef
from spacetimedb_lib.moduledef.validate.context import Context
from spacetimedb_lib.sats.type_forms import type_text
from spacetimedb_lib.sats.types import IDENTITY, STRING, U64, U256, UNIT, Element, Product, Ref, result


def attach_outboxes(
    context: Context,
    tables: dict[str, TableDef],
    declared: Sequence[RawOutboxDef],
    reducers: Mapping[str, ReducerDef],
) -> None:
    """Give tables their outboxes, after they have their schedules. The first error ends it (`Invalid`)."""
    for raw in declared:
        name = context.naming.table(raw.table_name)
        table = tables.get(name)
        if table is None:
            raise invalid(ErrorKind.MissingOutboxTable, table=raw.table_name)
        if table.outbox is not None:
            raise invalid(ErrorKind.DuplicateOutbox, table=name)
        _check_table(table)
        _check_columns(table, raw)
        on_result = _on_result(context, table, raw.on_result_reducer, reducers)
        outbox = OutboxDef(
            remote_reducer=raw.remote_reducer,
            target_column=raw.target_column,
            arg_columns=raw.arg_columns,
            on_result=on_result,
            signature_hash=raw.signature_hash.to_bytes(32, "little"),
        )
        tables[name] = replace(table, outbox=outbox)


def _check_table(table: TableDef) -> None:
    if table.is_event:
        raise invalid(ErrorKind.OutboxEventTable, table=table.name)
    if table.schedule is not None:
        raise invalid(ErrorKind.OutboxScheduledTable, table=table.name)
    if table.primary_key is None:
        raise invalid(ErrorKind.OutboxMissingPrimaryKey, table=table.name)
    if table.columns[table.primary_key].type != U64:
        raise invalid(ErrorKind.OutboxInvalidPrimaryKey, table=table.name)


def _check_columns(table: TableDef, raw: RawOutboxDef) -> None:
    target = raw.target_column
    is_column = target < len(table.columns) and target != table.primary_key
    if not is_column or table.columns[target].type not in (IDENTITY, U256):
        raise invalid(ErrorKind.OutboxTargetColumnMissing, table=table.name)
    for column in raw.arg_columns:
        if column >= len(table.columns):
            raise invalid(ErrorKind.OutboxArgumentColumnNotFound, table=table.name, column=column)


def _on_result(
    context: Context, table: TableDef, source: str | None, reducers: Mapping[str, ReducerDef]
) -> str | None:
    """The canonical name of the reducer that gets the outcome: (row, result<(), String>)."""
    if source is None:
        return None
    if "." in source or "::" in source:
        raise invalid(ErrorKind.OutboxOnResultMustBeLocal, table=table.name, reducer=source)
    name = context.naming.function(source)
    reducer = reducers.get(name)
    if reducer is None:
        raise invalid(ErrorKind.MissingOutboxOnResult, table=table.name, reducer=source)
    expected = (Ref(table.product_type_ref), result(UNIT, STRING))
    if tuple(element.type for element in reducer.params.elements) != expected:
        raise invalid(
            ErrorKind.IncorrectOutboxOnResultParams,
            table=table.name,
            reducer=name,
            expected=type_text(Product(tuple(Element(None, type_) for type_ in expected))),
            actual=type_text(reducer.params),
        )
    return name
