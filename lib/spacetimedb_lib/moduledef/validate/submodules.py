"""Validation of submodules: libraries mounted under a namespace, judged as modules of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import add
from typing import TypeAlias

from spacetimedb_lib.moduledef.definition import ModuleDef
from spacetimedb_lib.moduledef.errors import MAX_NAMESPACE_BYTES, ErrorKind, invalid
from spacetimedb_lib.moduledef.raw_v10 import RawModuleDefV10, RawSubmoduleV10
from spacetimedb_lib.moduledef.rules import Rules
from spacetimedb_lib.moduledef.tables import Namespace
from spacetimedb_lib.moduledef.validate.context import Context, FirstIds
from spacetimedb_lib.moduledef.validate.naming import identifier
from spacetimedb_lib.moduledef.validate.problems import Problems, each

Validate: TypeAlias = Callable[[RawModuleDefV10, Rules, Namespace, FirstIds], ModuleDef]


def validate_submodules(
    context: Context, raw: RawModuleDefV10, validate: Validate
) -> tuple[dict[str, ModuleDef], tuple[str, ...]]:
    """The submodules by canonical namespace, and what the publisher should be warned of."""
    mounted: dict[str, ModuleDef] = {}
    first_ids = context.first_ids + _own_counts(raw)
    starts: list[FirstIds] = []
    for submodule in raw.section("Submodules"):
        starts.append(first_ids)
        first_ids += _counts(submodule.module)

    def mount(entry: tuple[RawSubmoduleV10, FirstIds]) -> None:
        submodule, start = entry
        namespace = _namespace(context, submodule.namespace, mounted)
        definition = validate(submodule.module, context.rules, namespace, start)
        mounted[namespace.path[-1]] = definition
        problems = Problems()
        for event in definition.lifecycle:
            with problems:
                raise invalid(ErrorKind.LifecycleInSubmodule, lifecycle=event, namespace=namespace.path[-1])
        problems.raise_any()

    each(zip(raw.section("Submodules"), starts, strict=True), mount)
    return mounted, tuple(_warnings(mounted.values()))


def _warnings(submodules: Iterable[ModuleDef]) -> Iterable[str]:
    for definition in submodules:
        if definition.http_routes:
            name = definition.namespace.accessors[-1]
            yield (
                f"The submodule under namespace '{name}' registers HTTP routes via a router."
                " Route registrations in submodules are ignored. Only the root module's routes are served."
                " Define routes in the root module and call the submodule's HTTP handler functions"
                f" via `ctx.as.{name}`."
            )
        yield from definition.warnings


def _namespace(context: Context, accessor: str, mounted: Mapping[str, ModuleDef]) -> Namespace:
    """The checked namespace of a submodule that is about to be mounted beside `mounted`."""
    name = context.naming.namespace(accessor, convert=context.rules.newer)
    problems = Problems()
    for form in dict.fromkeys((accessor, name)):
        length = len(form.encode())
        with problems:
            if length > MAX_NAMESPACE_BYTES:
                raise invalid(ErrorKind.NamespaceTooLong, namespace=form, length=length)
        with problems:
            identifier(form)
    problems.raise_any()
    if name in mounted or any(other.namespace.accessors[-1] == accessor for other in mounted.values()):
        raise invalid(ErrorKind.DuplicateName, name=name)
    return context.namespace.child(name, accessor)


def check_namespaces_apart(submodules: Mapping[str, ModuleDef], accessors: Iterable[str]) -> None:
    """A namespace may not be called like a table or function beside it. Raises `Invalid`."""
    namespaces = {definition.namespace.accessors[-1] for definition in submodules.values()}

    def check(accessor: str) -> None:
        if accessor in namespaces:
            raise invalid(ErrorKind.NamespaceNameConflict, name=accessor)

    each(accessors, check)


def _own_counts(raw: RawModuleDefV10) -> FirstIds:
    anonymous = sum(view.is_anonymous for view in raw.section("Views"))
    return FirstIds(
        reducers=len(raw.section("Reducers")),
        procedures=len(raw.section("Procedures")),
        http_handlers=len(raw.section("HttpHandlers")),
        anonymous_views=anonymous,
        sender_views=len(raw.section("Views")) - anonymous,
    )


def _counts(raw: RawModuleDefV10) -> FirstIds:
    """How many functions of each kind a module and those below it have."""
    return reduce(
        add, (_counts(submodule.module) for submodule in raw.section("Submodules")), _own_counts(raw)
    )
