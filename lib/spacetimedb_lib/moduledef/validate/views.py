"""Validation of views: functions whose result clients see as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from spacetimedb_lib.moduledef.errors import ErrorKind, invalid
from spacetimedb_lib.moduledef.functions import ViewDef
from spacetimedb_lib.moduledef.raw_v10 import RawViewDefV10, RawViewPrimaryKeyDefV10
from spacetimedb_lib.moduledef.tables import TableDef
from spacetimedb_lib.moduledef.validate.client_types import return_of
from spacetimedb_lib.moduledef.validate.context import Context
from spacetimedb_lib.moduledef.validate.functions import parameter_names
from spacetimedb_lib.moduledef.validate.naming import identifier
from spacetimedb_lib.moduledef.validate.problems import Problems, each
from spacetimedb_lib.moduledef.validate.tables import columns
from spacetimedb_lib.sats.display import quoted
from spacetimedb_lib.sats.resolve import option_inner, query_view_row
from spacetimedb_lib.sats.type_forms import type_text
from spacetimedb_lib.sats.types import F32, F64, AlgebraicType, Array, Ref


def row_reference(return_type: AlgebraicType) -> Ref | None:
    """The row type of a view that returns `option<row>`, `Array<row>` or `(__query__: row)`, else None."""
    if isinstance(return_type, Array) and isinstance(return_type.element, Ref):
        return return_type.element
    some = option_inner(return_type)
    return some if isinstance(some, Ref) else query_view_row(return_type)


def view(context: Context, raw: RawViewDefV10) -> ViewDef:
    """Check a view, without its primary key. Raises `Invalid`.

    Without a row type, a name and parameters nothing else can be judged, so errors there hide the rest.
    """
    reference = row_reference(raw.return_type)
    if reference is None:
        raise invalid(ErrorKind.InvalidViewReturnType, view=raw.source_name, type=type_text(raw.return_type))
    _, source = context.row_types(reference.index, raw.source_name)
    name = context.naming.function(raw.source_name)
    param_names = parameter_names(context, "view", name, raw.params)
    returns_query = query_view_row(raw.return_type) is not None
    problems = Problems()
    with problems:
        context.claim(name)
    with problems:
        # Clients get rows from a query, too.
        seen_by_clients = Array(reference) if returns_query else raw.return_type
        context.client_types.check_use(seen_by_clients, return_of("view", name))
    with problems:
        return_columns = columns(context, reference.index, source, raw.source_name)
    with problems:
        accessor = identifier(raw.source_name)
    with problems:
        _check_no_floats(context, raw)
    problems.raise_any()
    first = context.first_ids.anonymous_views if raw.is_anonymous else context.first_ids.sender_views
    return ViewDef(
        namespace=context.namespace,
        id=first + raw.index,
        name=name,
        accessor=accessor,
        params=raw.params,
        param_names=param_names,
        typespace=context.types,
        index=raw.index,
        is_public=raw.is_public,
        is_anonymous=raw.is_anonymous,
        return_type=raw.return_type,
        product_type_ref=reference.index,
        columns=return_columns,
        primary_key=None,
        returns_query=returns_query,
    )


def _check_no_floats(context: Context, raw: RawViewDefV10) -> None:
    for element in raw.params.elements if context.rules.newer else ():
        if element.type in (F32, F64):
            raise invalid(ErrorKind.ViewFloatParam, view=raw.source_name, param=element.name)


def settle_views(
    context: Context,
    views: Iterable[ViewDef],
    keys: Iterable[RawViewPrimaryKeyDefV10],
    tables: Mapping[str, TableDef],
) -> list[ViewDef]:
    """The views with their primary keys. Raises `Invalid` when a declared key makes no sense."""
    by_accessor = {definition.accessor: definition for definition in views}
    if context.rules.views_have_keys:
        declared = _declared_keys(context, by_accessor, keys)
        for accessor, definition in by_accessor.items():
            key = declared.get(accessor)
            if (
                key is None
                and definition.returns_query
                and not (context.rules.newer and definition.params.elements)
            ):
                key = _key_of_rows(definition.product_type_ref, tables.values())
            by_accessor[accessor] = replace(definition, primary_key=key)
    return list(by_accessor.values())


def _declared_keys(
    context: Context, views: Mapping[str, ViewDef], keys: Iterable[RawViewPrimaryKeyDefV10]
) -> dict[str, int]:
    """View accessor -> position of the key column. A list without columns declares nothing."""
    seen: set[str] = set()
    declared: dict[str, int] = {}

    def declare(key: RawViewPrimaryKeyDefV10) -> None:
        view_name = key.view_source_name
        if view_name in seen:
            raise invalid(ErrorKind.RepeatedViewPrimaryKey, view=view_name)
        seen.add(view_name)
        if len(key.columns) > 1:
            listed = f"[{', '.join(map(quoted, key.columns))}]"
            raise invalid(ErrorKind.MultipleViewPrimaryKeyColumns, view=view_name, columns=listed)
        for column in key.columns:
            declared[view_name] = _key_column(context, views, view_name, column)

    each(keys, declare)
    return declared


def _key_column(context: Context, views: Mapping[str, ViewDef], view_name: str, column_name: str) -> int:
    definition = views.get(view_name)
    if definition is None:
        raise invalid(ErrorKind.ViewPrimaryKeyViewNotFound, view=view_name)
    if definition.params.elements and context.rules.newer:
        raise invalid(ErrorKind.ViewPrimaryKeyWithParams, view=view_name)
    for column in definition.columns:
        if column.accessor == column_name:
            return column.position
    raise invalid(ErrorKind.ViewPrimaryKeyColumnNotFound, view=view_name, column=column_name)


def _key_of_rows(ref: int, tables: Iterable[TableDef]) -> int | None:
    """The primary key of the tables with this row type; None when they have none or disagree."""
    keys = {table.primary_key for table in tables if table.product_type_ref == ref} - {None}
    return keys.pop() if len(keys) == 1 else None
