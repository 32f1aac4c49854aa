"""A validated definition as a raw one of version 10: what the schema endpoint serves for `?version=10`.

Definitions carry the names of the source, and a section of explicit names maps those of tables and functions
to the canonical ones; everything inside them (columns, indexes, types) is canonical already. So what is
served validates to the same canonical names again, except that a reader converts what `Edition.V2_8` leaves
without a case policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from spacetimedb_lib.moduledef.definition import ModuleDef, TypeDef
from spacetimedb_lib.moduledef.functions import ViewDef
from spacetimedb_lib.moduledef.raw_common import RawRowLevelSecurity
from spacetimedb_lib.moduledef.raw_v10 import (
    CaseConversionPolicy,
    ExplicitNames,
    NameMapping,
    RawColumnDefaultValueV10,
    RawConstraintDefV10,
    RawHttpHandlerDefV10,
    RawHttpRouteDefV10,
    RawIndexDefV10,
    RawLifecycleReducerDefV10,
    RawModuleDefV10,
    RawOutboxDef,
    RawProcedureDefV10,
    RawReducerDefV10,
    RawScheduleDefV10,
    RawScopedTypeNameV10,
    RawSequenceDefV10,
    RawSubmoduleV10,
    RawTableDefV10,
    RawTypeDefV10,
    RawViewDefV10,
    RawViewPrimaryKeyDefV10,
)
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.moduledef.rules import Edition
from spacetimedb_lib.moduledef.serve_v9 import by_name, raw_algorithm, raw_unique
from spacetimedb_lib.moduledef.tables import IndexDef, SequenceDef, TableDef, UniqueConstraintDef
from spacetimedb_lib.sats.types import STRING, UNIT, Element, Product

_ALWAYS = ("Typespace", "ExplicitNames")
"""Sections that are there even when they are empty."""


def as_v10(definition: ModuleDef) -> RawModuleDefV10:
    """The definition in version 10: functions by id, tables and types as declared, their parts by name."""
    newer = definition.edition is Edition.V2_14
    sections = [
        (name, content) for name, content in _sections(definition, newer) if content or name in _ALWAYS
    ]
    if definition.environment is not None:
        sections.insert(0, ("Environment", definition.environment))
    if newer:
        sections.insert(0, ("CaseConversionPolicy", CaseConversionPolicy.NONE))
        # There, names of namespaces are explicit as well, and so the names come last.
        sections.sort(key=lambda section: section[0] == "ExplicitNames")
    return RawModuleDefV10(tuple(Tagged(name, content) for name, content in sections))


def _sections(definition: ModuleDef, newer: bool) -> Iterator[tuple[str, Any]]:
    tables = definition.tables.values()
    yield "Typespace", definition.typespace
    yield "Types", tuple(map(_type, definition.types.values()))
    yield "Tables", tuple(map(_table, tables))
    yield "Reducers", _reducers(definition, newer)
    yield "Procedures", _procedures(definition, newer)
    yield (
        "HttpHandlers",
        tuple(RawHttpHandlerDefV10(item.accessor) for item in definition.http_handlers.values()),
    )
    yield "HttpRoutes", _routes(definition, newer)
    yield "Outboxes", tuple(_outboxes(definition))
    yield "Views", tuple(_view(view, newer) for view in definition.views.values())
    yield "ViewPrimaryKeys", tuple(_view_keys(definition.views.values()))
    yield (
        "Schedules",
        tuple(
            RawScheduleDefV10(
                table.schedule.name, table.name, table.schedule.at_column, table.schedule.function
            )
            for table in tables
            if table.schedule is not None
        ),
    )
    yield (
        "LifeCycleReducers",
        tuple(
            RawLifecycleReducerDefV10(event, definition.lifecycle[event].name)
            for event in sorted(definition.lifecycle)
        ),
    )
    yield "RowLevelSecurity", tuple(map(RawRowLevelSecurity, definition.row_level_security))
    yield "ExplicitNames", ExplicitNames(tuple(_names(definition, newer)))
    yield (
        "Submodules",
        tuple(
            RawSubmoduleV10(submodule.namespace.accessors[-1], as_v10(submodule))
            for submodule in definition.submodules.values()
        ),
    )


def _names(definition: ModuleDef, newer: bool) -> Iterator[Tagged]:
    for table in definition.tables.values():
        yield Tagged("Table", NameMapping(table.accessor, table.name))
    functions = chain(definition.reducers.values(), definition.procedures.values(), definition.views.values())
    for function in functions:
        yield Tagged("Function", NameMapping(function.accessor, function.name))
    for handler in definition.http_handlers.values() if newer else ():
        yield Tagged("Function", NameMapping(handler.accessor, handler.name))
    for submodule in definition.submodules.values():
        accessor, name = submodule.namespace.accessors[-1], submodule.namespace.path[-1]
        if newer or accessor != name:
            yield Tagged("Namespace", NameMapping(accessor, name))


def _type(item: TypeDef) -> RawTypeDefV10:
    return RawTypeDefV10(
        RawScopedTypeNameV10(item.name.scope, item.name.name), item.ref, item.custom_ordering
    )


# --- tables ---


def _table(table: TableDef) -> RawTableDefV10:
    return RawTableDefV10(
        source_name=table.accessor,
        product_type_ref=table.product_type_ref,
        primary_key=() if table.primary_key is None else (table.primary_key,),
        indexes=tuple(map(_index, sorted(table.indexes.values(), key=by_name))),
        constraints=tuple(map(_constraint, sorted(table.constraints.values(), key=by_name))),
        sequences=tuple(map(_sequence, sorted(table.sequences.values(), key=by_name))),
        table_type=table.table_type,
        table_access=table.access,
        default_values=tuple(
            RawColumnDefaultValueV10(column.position, column.default)
            for column in table.columns
            if column.default is not None
        ),
        is_event=table.is_event,
    )


def _index(index: IndexDef) -> RawIndexDefV10:
    return RawIndexDefV10(index.source_name, index.accessor, raw_algorithm(index))


def _constraint(constraint: UniqueConstraintDef) -> RawConstraintDefV10:
    return RawConstraintDefV10(constraint.name, raw_unique(constraint))


def _sequence(item: SequenceDef) -> RawSequenceDefV10:
    return RawSequenceDefV10(
        item.name, item.column, item.start, item.min_value, item.max_value, item.increment
    )


def _outboxes(definition: ModuleDef) -> Iterator[RawOutboxDef]:
    """With the names of the source, by which a reader finds the table and the reducer."""
    for table in definition.tables.values():
        outbox = table.outbox
        if outbox is not None:
            yield RawOutboxDef(
                table_name=table.accessor,
                remote_reducer=outbox.remote_reducer,
                target_column=outbox.target_column,
                arg_columns=outbox.arg_columns,
                on_result_reducer=outbox.on_result and definition.reducers[outbox.on_result].accessor,
                signature_hash=int.from_bytes(outbox.signature_hash, "little"),
            )


# --- functions ---


def _params(params: Product, names: Iterable[str], newer: bool) -> Product:
    """Parameters with the names of the source, or with the canonical ones."""
    if not newer:
        return params
    pairs = zip(params.elements, names, strict=True)
    return Product(tuple(Element(name, element.type) for element, name in pairs))


def _reducers(definition: ModuleDef, newer: bool) -> tuple[RawReducerDefV10, ...]:
    return tuple(
        RawReducerDefV10(
            item.accessor, _params(item.params, item.param_names, newer), item.visibility, UNIT, STRING
        )
        for item in definition.reducers.values()
    )


def _procedures(definition: ModuleDef, newer: bool) -> tuple[RawProcedureDefV10, ...]:
    return tuple(
        RawProcedureDefV10(
            item.accessor, _params(item.params, item.param_names, newer), item.return_type, item.visibility
        )
        for item in definition.procedures.values()
    )


def _view(view: ViewDef, newer: bool) -> RawViewDefV10:
    return RawViewDefV10(
        source_name=view.accessor,
        index=view.index,
        is_public=view.is_public,
        is_anonymous=view.is_anonymous,
        params=_params(view.params, view.param_names, newer),
        return_type=view.return_type,
    )


def _view_keys(views: Iterable[ViewDef]) -> Iterator[RawViewPrimaryKeyDefV10]:
    """Keys that are declared; those of queries follow from their tables."""
    for view in views:
        if view.primary_key is not None and not view.returns_query:
            yield RawViewPrimaryKeyDefV10(view.accessor, (view.columns[view.primary_key].name,))


def _routes(definition: ModuleDef, newer: bool) -> tuple[RawHttpRouteDefV10, ...]:
    handlers = definition.http_handlers
    return tuple(
        RawHttpRouteDefV10(
            handlers[route.handler].accessor if newer else route.handler, route.method, route.path
        )
        for route in definition.http_routes
    )
