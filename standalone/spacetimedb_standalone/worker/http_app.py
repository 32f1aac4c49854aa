"""The worker's private HTTP routes. Only the front calls them: it has authenticated and checked the request.

What the handlers answer is passed through to the client as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from spacetimedb_standalone.commitlog import LogFailed
from spacetimedb_standalone.worker.calls import CallRoutes
from spacetimedb_standalone.worker.handler_routes import HandlerRoutes
from spacetimedb_standalone.worker.log_routes import LogRoutes
from spacetimedb_standalone.worker.program_routes import ProgramRoutes
from spacetimedb_standalone.worker.stats import StatsRoute

log = logging.getLogger(__name__)

LONGEST_BODY = 1 << 32
"""The front has its own limits; programs may be large."""


@dataclass(frozen=True)
class Routes:
    """The groups of routes, each with what it needs."""

    calls: CallRoutes
    handlers: HandlerRoutes
    programs: ProgramRoutes
    logs: LogRoutes
    stats: StatsRoute


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def answer_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong inside is the server's fault: logged in full, told in a sentence."""
    try:
        return await handler(request)
    except (web.HTTPException, ConnectionError):
        raise
    except LogFailed as error:  # the worker ends by itself and is started again
        return web.Response(status=503, text=f"the database ends, for its log cannot be written: {error}")
    except Exception:
        log.exception("the request %s %s failed", request.method, request.path)
        return web.Response(
            status=500, text="the server made a mistake here; its log says which, please report it"
        )


def make_app(routes: Routes) -> web.Application:
    app = web.Application(client_max_size=LONGEST_BODY, middlewares=[answer_faults])
    app.add_routes(
        [
            web.post("/call/{function}", routes.calls.call),
            web.post("/sql", routes.calls.sql),
            web.post("/route", routes.handlers.route),
            web.get("/schema", routes.programs.schema),
            web.post("/update", routes.programs.update),
            web.post("/pre_publish", routes.programs.pre_publish),
            web.get("/logs", routes.logs.logs),
            web.get("/stats", routes.stats.stats),
        ]
    )
    return app
