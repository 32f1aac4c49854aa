"""The module's definition over HTTP, and its replacement by another program."""

from __future__ import annotations

import asyncio

from aiohttp import web

from spacetimedb_lib.moduledef import serve_v9, serve_v10
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.updates import Policy, UpdateRefusedError, Updates
from spacetimedb_standalone.datastore.program import ProgramKind
from spacetimedb_standalone.worker.clients import Clients

KINDS = {"Wasm": ProgramKind.WASM, "Js": ProgramKind.JS}
MODULE_EXITED = 1001


class ProgramRoutes:
    def __init__(self, database: Database, updates: Updates, clients: Clients) -> None:
        self._database, self._updates, self._clients = database, updates, clients

    async def schema(self, request: web.Request) -> web.Response:
        definition = self._database.definition
        text = serve_v9(definition) if request.query["version"] == "9" else serve_v10(definition)
        return web.Response(body=text.encode(), content_type="application/json")

    async def update(self, request: web.Request) -> web.Response:
        """Replace the program. Clients stay, unless the change breaks them and that is allowed."""
        query = request.query
        token = query.get("token")
        policy = Policy(bytes.fromhex(token) if token and query["policy"] == "BreakClients" else None)
        try:
            outcome = self._updates.update(KINDS[query["host_type"]], await request.read(), policy)
        except UpdateRefusedError as error:
            return web.Response(status=error.status, text=str(error))
        if outcome.breaks_clients:
            self._clients.close_all(MODULE_EXITED, "module exited")
        for orphan in outcome.orphans:
            self._clients.close_orphan(orphan, MODULE_EXITED, "module exited")
        self._clients.flush()
        if outcome.offset >= 0:
            try:
                await asyncio.wait_for(
                    self._database.datastore.log.wait(outcome.offset), float(query["timeout"])
                )
            except TimeoutError:
                text = "Database update failed: timeout waiting for transaction confirmation"
                return web.Response(status=504, text=text)
        return web.json_response({"updated": outcome.updated})

    async def pre_publish(self, request: web.Request) -> web.Response:
        query = request.query
        try:
            text = self._updates.preview(
                KINDS[query["host_type"]], await request.read(), ansi=query["style"] == "AnsiColor"
            )
        except UpdateRefusedError as error:
            return web.Response(status=error.status, text=str(error))
        return web.Response(body=text.encode(), content_type="application/json")
