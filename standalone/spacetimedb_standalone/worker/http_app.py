"""The worker's private HTTP routes. Only the front calls them: it has authenticated and checked the request.

What the handlers answer is passed through to the client as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from spacetimedb_standalone.worker.calls import CallRoutes
from spacetimedb_standalone.worker.log_routes import LogRoutes
from spacetimedb_standalone.worker.program_routes import ProgramRoutes
from spacetimedb_standalone.worker.stats import StatsRoute

LONGEST_BODY = 1 << 32
"""The front has its own limits; programs may be large."""


@dataclass(frozen=True)
class Routes:
    """The groups of routes, each with what it needs."""

    calls: CallRoutes
    programs: ProgramRoutes
    logs: LogRoutes
    stats: StatsRoute


def make_app(routes: Routes) -> web.Application:
    app = web.Application(client_max_size=LONGEST_BODY)
    app.add_routes(
        [
            web.post("/call/{function}", routes.calls.call),
            web.post("/sql", routes.calls.sql),
            web.get("/schema", routes.programs.schema),
            web.post("/update", routes.programs.update),
            web.post("/pre_publish", routes.programs.pre_publish),
            web.get("/logs", routes.logs.logs),
            web.get("/stats", routes.stats.stats),
        ]
    )
    return app
