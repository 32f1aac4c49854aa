"""Validation of a whole module: the parts independent of each other, then what ties them together.

Errors of independent parts are reported together. What ties them (names across functions, schedules,
lifecycle events, keys of views) is judged only when the parts are sound. Submodules are judged as modules of
their own; their errors are added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from spacetimedb_lib.moduledef.definition import ModuleDef, TypeDef, TypeName
from spacetimedb_lib.moduledef.errors import ErrorKind, invalid
from spacetimedb_lib.moduledef.functions import (
    HttpHandlerDef,
    HttpRouteDef,
    ProcedureDef,
    ReducerDef,
    ViewDef,
)
from spacetimedb_lib.moduledef.raw_common import Lifecycle
from spacetimedb_lib.moduledef.raw_v10 import (
    CaseConversionPolicy,
    ExplicitNames,
    RawEnvironmentVariable,
    RawModuleDefV10,
)
from spacetimedb_lib.moduledef.rules import Rules
from spacetimedb_lib.moduledef.tables import Namespace, TableDef
from spacetimedb_lib.moduledef.validate import functions, http, schedules
from spacetimedb_lib.moduledef.validate.client_types import ClientTypes
from spacetimedb_lib.moduledef.validate.context import Context, FirstIds
from spacetimedb_lib.moduledef.validate.environment import environment
from spacetimedb_lib.moduledef.validate.naming import Naming
from spacetimedb_lib.moduledef.validate.outboxes import attach_outboxes
from spacetimedb_lib.moduledef.validate.problems import Problems, each
from spacetimedb_lib.moduledef.validate.submodules import check_namespaces_apart, validate_submodules
from spacetimedb_lib.moduledef.validate.tables import table
from spacetimedb_lib.moduledef.validate.types import types
from spacetimedb_lib.moduledef.validate.views import settle_views, view
from spacetimedb_lib.sats.types import Typespace


def validate_module(
    raw: RawModuleDefV10, rules: Rules, namespace: Namespace, first_ids: FirstIds
) -> ModuleDef:
    """Check a module and those below it; `first_ids` is where the ids of its functions begin.

    Raises `Invalid` with all errors of the tree.
    """
    context = _context(raw, rules, namespace, first_ids)
    problems = Problems()
    with problems:
        variables = _environment(raw, namespace)
    with problems:
        parts = _settle(context, raw, _parts(context, raw))
    with problems:
        submodules, warnings = validate_submodules(context, raw, validate_module)
    problems.raise_any()
    if rules.newer:
        functions_and_views = (parts.reducers, parts.procedures, parts.views)
        accessors = {item.accessor for items in functions_and_views for item in items}
        check_namespaces_apart(submodules, accessors | {item.accessor for item in parts.tables})
    return ModuleDef(
        namespace=namespace,
        raw_version=rules.version,
        edition=rules.edition,
        typespace=context.types,
        source_typespace=context.source_types,
        types=parts.types,
        tables=_by_name(parts.tables),
        reducers=_by_name(parts.reducers),
        procedures=_by_name(parts.procedures),
        views=_by_name(parts.views),
        http_handlers=parts.http_handlers,
        http_routes=parts.http_routes,
        row_level_security=tuple(dict.fromkeys(rule.sql for rule in raw.section("RowLevelSecurity"))),
        submodules=submodules,
        environment=variables,
        warnings=warnings,
    )


def _context(raw: RawModuleDefV10, rules: Rules, namespace: Namespace, first_ids: FirstIds) -> Context:
    policy = raw.section("CaseConversionPolicy", CaseConversionPolicy.SNAKE_CASE)
    naming = Naming.of(policy, raw.section("ExplicitNames", ExplicitNames(())))
    source_types: Typespace = raw.section("Typespace")
    named = frozenset(definition.ty for definition in raw.section("Types"))
    return Context(
        rules=rules,
        namespace=namespace,
        naming=naming,
        types=naming.types(source_types),
        source_types=source_types,
        client_types=ClientTypes(source_types, named),
        first_ids=first_ids,
    )


def _environment(raw: RawModuleDefV10, namespace: Namespace) -> tuple[RawEnvironmentVariable, ...] | None:
    """The declared variables; only the root module may have any."""
    declared = raw.section("Environment", None)
    if declared and namespace.path:
        raise invalid(ErrorKind.EnvironmentInSubmodule, namespace=namespace.path[-1])
    return None if declared is None else environment(declared)


@dataclass(frozen=True)
class _Parts:
    """The definitions of one module in the order of declaration."""

    types: Mapping[TypeName, TypeDef]
    tables: Iterable[TableDef]
    reducers: Iterable[ReducerDef]
    procedures: Iterable[ProcedureDef]
    views: Iterable[ViewDef]
    http_handlers: Mapping[str, HttpHandlerDef]
    http_routes: tuple[HttpRouteDef, ...]
    schedules: list[schedules.Pending]
    events: Mapping[str, Lifecycle]


def _parts(context: Context, raw: RawModuleDefV10) -> _Parts:
    """Everything that can be judged by itself. Views take their names first, then tables."""
    problems = Problems()
    raw_reducers, raw_procedures = raw.section("Reducers"), raw.section("Procedures")
    with problems:
        reducers = each(
            range(len(raw_reducers)), lambda index: functions.reducer(context, raw_reducers[index], index)
        )
        events = functions.lifecycle_events(context, raw.section("LifeCycleReducers"), reducers)
    with problems:
        procedures = each(
            range(len(raw_procedures)),
            lambda index: functions.procedure(context, raw_procedures[index], index),
        )
    with problems:
        handlers = http.handlers(context, raw.section("HttpHandlers"))
        routes = http.routes(context, raw.section("HttpRoutes"), handlers)
    with problems:
        views = each(raw.section("Views"), lambda item: view(context, item))
    with problems:
        tables = each(raw.section("Tables"), lambda item: table(context, item))
        by_name = _by_name(tables)
        pending = each(raw.section("Schedules"), lambda item: schedules.schedule(context, item, by_name))
    with problems:
        named_types = types(context, raw.section("Types"))
    problems.raise_any()
    return _Parts(named_types, tables, reducers, procedures, views, handlers, routes, pending, events)


def _settle(context: Context, raw: RawModuleDefV10, parts: _Parts) -> _Parts:
    """The definitions with what ties them together."""
    functions.check_names_differ([*parts.reducers, *parts.procedures, *parts.views])
    tables = _by_name(parts.tables)
    reducers = _by_name(parts.reducers)
    schedules.attach(tables, parts.schedules, reducers, _by_name(parts.procedures))
    attach_outboxes(context, tables, raw.section("Outboxes"), reducers)
    internal = functions.called_by_host(tables.values())
    return _Parts(
        types=parts.types,
        tables=tables.values(),
        reducers=functions.settle_reducers(context, parts.reducers, parts.events, internal),
        procedures=functions.settle_procedures(context, parts.procedures, internal),
        views=settle_views(context, parts.views, raw.section("ViewPrimaryKeys"), tables),
        http_handlers=parts.http_handlers,
        http_routes=parts.http_routes,
        schedules=parts.schedules,
        events=parts.events,
    )


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Item = TypeVar("Item", bound=_Named)


def _by_name(items: Iterable[Item]) -> dict[str, Item]:
    return {item.name: item for item in items}
