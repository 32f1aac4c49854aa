"""The module's log over HTTP: the last lines, and if wished those that come."""

from __future__ import annotations

import contextlib

from aiohttp import web

from spacetimedb_standalone.module_logs import ModuleLog

NDJSON = "application/x-ndjson"


class LogRoutes:
    def __init__(self, logs: ModuleLog) -> None:
        self._logs = logs

    async def logs(self, request: web.Request) -> web.StreamResponse:
        lines = request.query.get("num_lines")
        count = None if lines is None else int(lines)
        response = web.StreamResponse(headers={"content-type": NDJSON, "cache-control": "no-cache"})
        if request.query.get("follow") != "true":
            await response.prepare(request)
            await response.write(self._logs.tail(count))
            await response.write_eof()
            return response
        follower = self._logs.follow(count)
        try:
            await response.prepare(request)
            if follower.history:
                await response.write(follower.history)
            with contextlib.suppress(ConnectionResetError):  # the reader left: that is how following ends
                async for chunk in follower:
                    await response.write(chunk)
        finally:
            follower.close()
        return response
