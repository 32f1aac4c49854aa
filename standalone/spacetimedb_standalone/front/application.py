"""The application behind the listening socket: all routes, put together from the parts of a server."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from spacetimedb_standalone.front.caller import Doorkeeper
from spacetimedb_standalone.front.connection import Application
from spacetimedb_standalone.front.databases import Databases
from spacetimedb_standalone.front.http import Request, Response, text
from spacetimedb_standalone.front.metrics import Metrics
from spacetimedb_standalone.front.publisher import Publisher
from spacetimedb_standalone.front.router import Resource, Router
from spacetimedb_standalone.front.routes.calls import CallRoutes
from spacetimedb_standalone.front.routes.databases import DatabaseRoutes
from spacetimedb_standalone.front.routes.energy import EnergyRoutes
from spacetimedb_standalone.front.routes.identities import IdentityRoutes
from spacetimedb_standalone.front.routes.mcp import McpRoutes
from spacetimedb_standalone.front.routes.mounts import MountRoutes
from spacetimedb_standalone.front.routes.names import NameRoutes
from spacetimedb_standalone.front.routes.publishing import PublishRoutes
from spacetimedb_standalone.front.routes.server_info import ServerRoutes
from spacetimedb_standalone.front.routes.subscribe import SubscribeRoutes
from spacetimedb_standalone.tokens.issue import TokenIssuer

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FrontParts:
    """What the routes are made of. `now_micros` is the server's clock, microseconds since 1970."""

    databases: Databases
    doorkeeper: Doorkeeper
    issuer: TokenIssuer
    public_pem: bytes
    metrics: Metrics
    required_issuer: str | None
    now_micros: Callable[[], int]


class RouteGroup(Protocol):
    """Routes that belong together."""

    def resources(self) -> list[Resource]: ...


def make_application(parts: FrontParts) -> Application:
    databases, control = parts.databases, parts.databases.control
    publisher = Publisher(databases)
    publishing = PublishRoutes(databases, publisher, parts.issuer, parts.required_issuer)
    groups: list[RouteGroup] = [
        ServerRoutes(parts.doorkeeper, parts.metrics),
        IdentityRoutes(control, parts.doorkeeper, parts.issuer, parts.public_pem),
        EnergyRoutes(control, parts.doorkeeper),
        publishing,
        DatabaseRoutes(databases, publisher, publishing.publish, parts.now_micros),
        NameRoutes(databases),
        CallRoutes(databases),
        MountRoutes(databases),
        SubscribeRoutes(databases, parts.metrics),
        McpRoutes(databases),
    ]
    router = Router(
        (resource for group in groups for resource in group.resources()), parts.doorkeeper.anybody
    )
    return _Guarded(router, parts.metrics)


class _Guarded:
    """Counts requests, and answers 500 where a route fails for a reason that is no answer of its own."""

    def __init__(self, router: Router, metrics: Metrics):
        self._router = router
        self._metrics = metrics

    async def __call__(self, request: Request) -> Response:
        self._metrics.requests += 1
        try:
            return await self._router(request)
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            return text("the server failed to handle this request; its log says why", 500)
