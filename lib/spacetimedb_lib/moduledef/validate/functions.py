"""Validation of reducers, procedures and lifecycle events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from spacetimedb_lib.moduledef.errors import ErrorKind, Invalid, invalid
from spacetimedb_lib.moduledef.functions import ProcedureDef, ReducerDef, ViewDef
from spacetimedb_lib.moduledef.raw_common import Lifecycle
from spacetimedb_lib.moduledef.raw_v10 import (
    RawLifecycleReducerDefV10,
    RawProcedureDefV10,
    RawReducerDefV10,
    Visibility,
)
from spacetimedb_lib.moduledef.tables import TableDef
from spacetimedb_lib.moduledef.validate.client_types import argument_of, flaw, return_of
from spacetimedb_lib.moduledef.validate.context import Context
from spacetimedb_lib.moduledef.validate.naming import identifier
from spacetimedb_lib.moduledef.validate.problems import Problems, each
from spacetimedb_lib.sats.type_forms import type_text
from spacetimedb_lib.sats.types import STRING, UNIT, Product


def reducer(context: Context, raw: RawReducerDefV10, index: int) -> ReducerDef:
    """Check a reducer; `index` is its position in its module."""
    problems = Problems()
    with problems:
        accessor = identifier(raw.source_name)
    with problems:
        name = context.naming.function(raw.source_name)
    with problems:
        param_names = parameter_names(context, "reducer", raw.source_name, raw.params)
    with problems:
        if raw.ok_return_type != UNIT or raw.err_return_type != STRING:
            raise invalid(
                ErrorKind.InvalidReducerReturnType,
                reducer=raw.source_name,
                ok_type=type_text(raw.ok_return_type),
                err_type=type_text(raw.err_return_type),
            )
    problems.raise_any()
    return ReducerDef(
        namespace=context.namespace,
        id=context.first_ids.reducers + index,
        name=name,
        accessor=accessor,
        params=raw.params,
        param_names=param_names,
        typespace=context.types,
        visibility=raw.visibility,
        lifecycle=None,
    )


def procedure(context: Context, raw: RawProcedureDefV10, index: int) -> ProcedureDef:
    """Check a procedure; `index` is its position in its module."""
    problems = Problems()
    with problems:
        accessor = identifier(raw.source_name)
    with problems:
        name = context.naming.function(raw.source_name)
    with problems:
        param_names = parameter_names(context, "procedure", raw.source_name, raw.params)
    with problems:
        context.client_types.check_use(raw.return_type, return_of("procedure", raw.source_name))
    problems.raise_any()
    return ProcedureDef(
        namespace=context.namespace,
        id=context.first_ids.procedures + index,
        name=name,
        accessor=accessor,
        params=raw.params,
        param_names=param_names,
        typespace=context.types,
        return_type=raw.return_type,
        visibility=raw.visibility,
    )


def parameter_names(context: Context, kind: str, function: str, params: Product) -> tuple[str, ...]:
    """The canonical names of parameters, whose types are checked. `kind` is reducer, procedure or view."""

    def check(position: int) -> str:
        element = params.elements[position]
        location = argument_of(kind, function, position, element.name)
        problems = Problems()
        with problems:
            if element.name is None:
                raise Invalid([flaw(location, "NamelessReducerParam")])
            name = context.naming.converted(element.name)
        with problems:
            context.client_types.check_use(element.type, location)
        problems.raise_any()
        return name

    return tuple(each(range(len(params.elements)), check))


def check_names_differ(functions: Iterable[ReducerDef | ProcedureDef | ViewDef]) -> None:
    """Reducers, procedures and views of a module share one set of names."""
    taken: set[str] = set()

    def check(name: str) -> None:
        if name in taken:
            raise invalid(ErrorKind.DuplicateFunctionName, name=name)
        taken.add(name)

    each([function.name for function in functions], check)


def lifecycle_events(
    context: Context, raw: Iterable[RawLifecycleReducerDefV10], reducers: Sequence[ReducerDef]
) -> dict[str, Lifecycle]:
    """Which reducer, by canonical name, runs at which event: one for an event, one event for a reducer."""
    events: dict[Lifecycle, str] = {}
    names = {definition.name for definition in reducers}

    def assign(assignment: RawLifecycleReducerDefV10) -> None:
        name = context.naming.function(assignment.function_name)
        event = assignment.lifecycle_spec
        if name not in names:
            raise invalid(ErrorKind.LifecycleWithoutReducer, lifecycle=event)
        if event in events or name in events.values():
            raise invalid(ErrorKind.DuplicateLifecycle, lifecycle=event)
        events[event] = name

    each(raw, assign)
    return {name: event for event, name in events.items()}


def settle_reducers(
    context: Context, reducers: Iterable[ReducerDef], events: Mapping[str, Lifecycle], internal: set[str]
) -> list[ReducerDef]:
    """The reducers with their events; those that only the host calls (`internal`) become private."""
    settled = []
    for definition in reducers:
        event = events.get(definition.name)
        hidden = context.rules.functions_may_be_private and (event is not None or definition.name in internal)
        visibility = Visibility.PRIVATE if hidden else definition.visibility
        settled.append(replace(definition, lifecycle=event, visibility=visibility))
    return settled


def settle_procedures(
    context: Context, procedures: Iterable[ProcedureDef], internal: set[str]
) -> list[ProcedureDef]:
    """The procedures; those that only the host calls become private."""
    hidden = internal if context.rules.functions_may_be_private else set()
    return [
        replace(definition, visibility=Visibility.PRIVATE) if definition.name in hidden else definition
        for definition in procedures
    ]


def called_by_host(tables: Iterable[TableDef]) -> set[str]:
    """Canonical names of functions that schedules and outboxes call."""
    names = set()
    for table in tables:
        if table.schedule is not None:
            names.add(table.schedule.function)
        if table.outbox is not None and table.outbox.on_result is not None:
            names.add(table.outbox.on_result)
    return names
