"""HTTP handlers of modules, mounted below `/v1/database/:name/route`: requests pass through unread.

A module sees the request as the client sent it, credentials and all, and what it answers goes out as it is.
Both travel between front and worker in a frame of their own, so that no HTTP layer in between adds or drops
a header:

    u32 length of the JSON, little-endian | JSON about the message | the body
"""

from __future__ import annotations

import json
import struct
from typing import Any, Final

from spacetimedb_standalone.front.databases import Databases
from spacetimedb_standalone.front.http import Request, Response, refuse
from spacetimedb_standalone.front.inputs import body, name_or_identity
from spacetimedb_standalone.front.router import ANY, Call, Resource

_LENGTH: Final = struct.Struct("<I")
_FRAMING: Final = ("content-length", "transfer-encoding", "connection")
_HTTP_VERSIONS: Final = {"1.0": "HTTP/1.0", "1.1": "HTTP/1.1"}


class MountRoutes:
    def __init__(self, databases: Databases):
        self._databases = databases

    def resources(self) -> list[Resource]:
        methods = {ANY: self.handle}
        mount = "/v1/database/:name/route"
        return [Resource(path, methods) for path in (mount, f"{mount}/", f"{mount}/*rest")]

    async def handle(self, call: Call) -> Response:
        name = name_or_identity(call.parameters["name"])
        content = await body(call.request, limit=None)
        database = self._databases.find(name)
        about = {
            "method": call.request.method,
            "uri": _absolute_uri(call.request),
            "path": _handler_path(call),
            "version": _HTTP_VERSIONS.get(call.request.http_version, "HTTP/1.1"),
            "headers": [list(header) for header in call.request.headers],
        }
        frame, workers = pack(about, content), self._databases.workers
        answer = await self._databases.ask(
            database, lambda worker: workers.request(worker, "POST", "/route", body=frame)
        )
        if answer.status != 200:
            return answer
        assert isinstance(answer.body, bytes)
        said, content = unpack(answer.body)
        headers = [(key, value) for key, value in said["headers"] if key.lower() not in _FRAMING]
        return Response(said["status"], headers, content)


def pack(about: dict[str, Any], content: bytes) -> bytes:
    encoded = json.dumps(about, separators=(",", ":")).encode()
    return _LENGTH.pack(len(encoded)) + encoded + content


def unpack(frame: bytes) -> tuple[dict[str, Any], bytes]:
    """The reverse of `pack`. Refuses with 500 what is no such frame: a defect of the worker."""
    try:
        (length,) = _LENGTH.unpack_from(frame)
        about: dict[str, Any] = json.loads(frame[_LENGTH.size : _LENGTH.size + length])
    except (struct.error, ValueError) as error:
        raise refuse("the database's process gave an answer that cannot be read", 500) from error
    return about, frame[_LENGTH.size + length :]


def _handler_path(call: Call) -> str:
    """What the module matches its routes with: empty for the mount itself, else from the slash on."""
    if "rest" in call.parameters:
        return f"/{call.parameters['rest']}"
    return "/" if call.request.path.endswith("/") else ""


def _absolute_uri(request: Request) -> str:
    """The address as the client knows it, also behind a proxy."""
    scheme = (request.header("x-forwarded-proto") or "http").split(",")[0].strip()
    authority = request.header("x-forwarded-host") or request.header("host") or ""
    query = f"?{request.query_string}" if request.query_string else ""
    return f"{scheme}://{authority}{request.path}{query}"
