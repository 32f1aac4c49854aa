"""Validation of HTTP handlers and routes."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence

from spacetimedb_lib.moduledef.errors import ErrorKind, invalid
from spacetimedb_lib.moduledef.functions import HttpHandlerDef, HttpRouteDef
from spacetimedb_lib.moduledef.raw_v10 import RawHttpHandlerDefV10, RawHttpRouteDefV10
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.moduledef.validate.context import Context
from spacetimedb_lib.moduledef.validate.naming import identifier
from spacetimedb_lib.moduledef.validate.problems import Problems, each
from spacetimedb_lib.sats.display import quoted

_PATH_CHARACTERS = frozenset(string.ascii_lowercase + string.digits + "-_~/")
_ANY = "Any"


def handlers(context: Context, raw: Sequence[RawHttpHandlerDefV10]) -> dict[str, HttpHandlerDef]:
    """Check the handlers; by canonical name. They share names with nothing else."""
    checked: dict[str, HttpHandlerDef] = {}

    def check(index: int) -> HttpHandlerDef:
        source = raw[index].source_name
        problems = Problems()
        with problems:
            name = context.naming.function(source)
        with problems:
            accessor = identifier(source)
        problems.raise_any()
        return HttpHandlerDef(context.namespace, context.first_ids.http_handlers + index, name, accessor)

    def add(handler: HttpHandlerDef) -> None:
        if handler.name in checked:
            raise invalid(ErrorKind.DuplicateHttpHandlerName, name=handler.name)
        checked[handler.name] = handler

    each(each(range(len(raw)), check), add)
    return checked


def routes(
    context: Context, raw: Iterable[RawHttpRouteDefV10], known: Mapping[str, HttpHandlerDef]
) -> tuple[HttpRouteDef, ...]:
    """Check the routes, which refer to `known` handlers by source name."""

    def check(route: RawHttpRouteDefV10) -> HttpRouteDef:
        if (route.path and not route.path.startswith("/")) or not _PATH_CHARACTERS.issuperset(route.path):
            raise invalid(ErrorKind.InvalidHttpRoutePath, path=route.path)
        handler = context.naming.function(route.handler_function)
        if handler not in known:
            raise invalid(ErrorKind.MissingHttpHandler, handler=route.handler_function)
        return HttpRouteDef(handler, route.method, route.path)

    checked = each(raw, check)
    each(range(len(checked)), lambda index: _check_free(checked[:index], checked[index]))
    return tuple(checked)


def _check_free(earlier: Sequence[HttpRouteDef], route: HttpRouteDef) -> None:
    for other in earlier:
        same_method = other.method == route.method or _ANY in (other.method.name, route.method.name)
        if other.path == route.path and same_method:
            raise invalid(ErrorKind.DuplicateHttpRoute, path=route.path, method=_debug_method(route.method))


def _debug_method(method: Tagged) -> str:
    if method.name == _ANY:
        return _ANY
    name, extension = method.content
    return f"Method({name}({quoted(extension)}))" if extension else f"Method({name})"
