"""HTTP handlers of the module, for the front: requests and answers travel in a frame of their own.

    u32 length of the JSON, little-endian | JSON about the message | the body

so that no HTTP library in between adds, drops or renames a header. Header values are bytes, written as latin-1
text in the JSON.
"""

from __future__ import annotations

import json
import struct
from functools import partial

from aiohttp import web

from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.handlers import HandlerAnswer, Handlers
from spacetimedb_standalone.host.http_messages import HttpRequest, HttpResponse
from spacetimedb_standalone.worker.waiting import outcome_of

NO_ROUTE = "Database has not registered a handler for this route"
_LENGTH = struct.Struct("<I")


class HandlerRoutes:
    def __init__(self, database: Database, handlers: Handlers) -> None:
        self._database, self._handlers = database, handlers

    async def route(self, request: web.Request) -> web.Response:
        """200 with a frame, or the answer that the client gets as it is: 404 no such route, 500 it failed."""
        message, path, body = unpack(await request.read())
        handler = self._handlers.find(message.method, path)
        if handler is None:
            return web.Response(status=404, text=NO_ROUTE)
        answer: HandlerAnswer = await outcome_of(partial(self._handlers.start, handler, message, body))
        if answer.response is None:
            return web.Response(status=500, text=answer.text)
        await self._database.datastore.log.wait(answer.offset)
        return web.Response(body=pack(answer.response, answer.body))


def unpack(frame: bytes) -> tuple[HttpRequest, str, bytes]:
    """The request, the path that routes are matched with, and the body."""
    (length,) = _LENGTH.unpack_from(frame)
    end = _LENGTH.size + length
    about = json.loads(frame[_LENGTH.size : end])
    headers = tuple((name.lower(), value.encode("latin-1")) for name, value in about["headers"])
    request = HttpRequest(about["method"], about["uri"], headers, about["version"])
    return request, about["path"], frame[end:]


def pack(response: HttpResponse, body: bytes) -> bytes:
    headers = [[name, value.decode("latin-1")] for name, value in response.headers]
    about = json.dumps({"status": response.status, "headers": headers}, separators=(",", ":")).encode()
    return _LENGTH.pack(len(about)) + about + body
