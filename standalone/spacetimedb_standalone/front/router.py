"""From a request's method and path to its route, and the layers around the routes: CORS and credentials.

A path is compared segment by segment as it stands on the wire; `:name` takes any one segment that is not
empty, a last `*name` all the rest. What lies around a route depends on where it is:

* an unknown path is answered 404 with nothing in or around it;
* everything known below `/v1` takes part in CORS, and any `OPTIONS` there is answered as a preflight;
* routes of databases first look at the credentials, even when the method then turns out to be wrong.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from spacetimedb_standalone.front.caller import Caller
from spacetimedb_standalone.front.http import HANDED_OVER, Refused, Request, Response, empty, refuse

_VARY: Final = "origin, access-control-request-method, access-control-request-headers"
CORS_HEADERS: Final = [("access-control-allow-origin", "*"), ("vary", _VARY)]
_PREFLIGHT_HEADERS: Final = [
    ("access-control-allow-methods", "*"),
    ("access-control-allow-headers", "authorization,accept,content-type"),
]
ANY: Final = "*"
"""As a method: whatever it is."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request at its route. `caller` is None on routes without the credentials layer."""

    request: Request
    parameters: Mapping[str, str]
    caller: Caller | None

    @property
    def authenticated(self) -> Caller:
        """The caller on a route with the credentials layer."""
        assert self.caller is not None
        return self.caller


Handler = Callable[[Call], Awaitable[Response]]


class Credentials(Enum):
    """When a route looks at credentials, to add the caller's identity to every answer."""

    NONE = 0
    BEFORE_METHOD = 1
    AFTER_METHOD = 2


@dataclass(frozen=True, slots=True)
class Resource:
    """A path with its handlers by method, in the order in which `Allow` lists them."""

    path: str
    methods: Mapping[str, Handler]
    credentials: Credentials = Credentials.NONE

    @property
    def in_cors(self) -> bool:
        return self.path.startswith("/v1/")

    def allow(self) -> str:
        names = []
        for method in self.methods:
            names += [method, "HEAD"] if method == "GET" else [method]
        return ",".join(names)

    def handler(self, method: str) -> Handler | None:
        if ANY in self.methods:
            return self.methods[ANY]
        return self.methods.get("GET" if method == "HEAD" else method)


@dataclass(slots=True)
class _Node:
    resource: Resource | None = None
    names: list[str] = field(default_factory=list)
    literal: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    rest: _Node | None = None


class Router:
    """The application: `identify` finds out who sends a request, or refuses it."""

    def __init__(self, resources: Iterable[Resource], identify: Callable[[Request], Awaitable[Caller]]):
        self._root = _Node()
        self._identify = identify
        for resource in resources:
            self._add(resource)

    async def __call__(self, request: Request) -> Response:
        found = self._find(request.path)
        if found is None:
            return empty(404)
        resource, raw = found
        if not resource.in_cors:
            return await self._answer(resource, raw, request)
        if request.method == "OPTIONS":
            return _preflight(resource)
        response = await self._answer(resource, raw, request)
        return response if response is HANDED_OVER else response.with_headers(CORS_HEADERS)

    async def _answer(self, resource: Resource, raw: Mapping[str, str], request: Request) -> Response:
        caller = None
        handler = resource.handler(request.method)
        try:
            if resource.credentials is Credentials.BEFORE_METHOD or (
                resource.credentials is Credentials.AFTER_METHOD and handler is not None
            ):
                caller = await self._identify(request)
            if handler is None:
                response = empty(405, [("allow", resource.allow())])
            else:
                response = await handler(Call(request, _decoded(raw), caller))
        except Refused as refused:
            response = refused.response
        if caller is None or response is HANDED_OVER:
            return response
        return response.with_headers(caller.headers())

    def _add(self, resource: Resource) -> None:
        node, names = self._root, []
        for segment in resource.path.split("/")[1:]:
            if segment.startswith("*"):
                names.append(segment[1:])
                node.rest = node = node.rest or _Node()
            elif segment.startswith(":"):
                names.append(segment[1:])
                node.parameter = node = node.parameter or _Node()
            else:
                node = node.literal.setdefault(segment, _Node())
        node.resource, node.names = resource, names

    def _find(self, path: str) -> tuple[Resource, dict[str, str]] | None:
        """The resource at `path` and its parameters, still encoded."""
        if not path.startswith("/"):
            return None
        values: list[str] = []
        found = _walk(self._root, path[1:].split("/"), values)
        if found is None or found.resource is None:
            return None
        return found.resource, dict(zip(found.names, values, strict=True))


def _walk(node: _Node, segments: list[str], values: list[str]) -> _Node | None:
    for at, segment in enumerate(segments):
        if node.rest is not None and (segment or at + 1 < len(segments)):
            values.append("/".join(segments[at:]))
            return node.rest
        following = node.literal.get(segment)
        if following is None and node.parameter is not None and segment:
            following = node.parameter
            values.append(segment)
        if following is None:
            return None
        node = following
    return node


def _decoded(raw: Mapping[str, str]) -> dict[str, str]:
    """Path parameters percent-decoded. Refuses with 400 what is no UTF-8 then."""
    try:
        return {name: unquote_to_bytes(value).decode() for name, value in raw.items()}
    except UnicodeDecodeError as error:
        name = next(name for name, value in raw.items() if not _is_text(value))
        raise refuse(f"Invalid URL: Invalid UTF-8 in `{name}`", 400) from error


def _is_text(raw: str) -> bool:
    try:
        unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return False
    return True


def _preflight(resource: Resource) -> Response:
    allow: list[tuple[str, Any]] = [] if ANY in resource.methods else [("allow", resource.allow())]
    return empty(200, [*allow, *CORS_HEADERS, *_PREFLIGHT_HEADERS])
