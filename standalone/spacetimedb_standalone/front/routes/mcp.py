"""The Model Context Protocol: JSON-RPC 2.0 over single POST requests, for the server and for each database.

The tools are thin: each asks the route that a person would ask. Errors of such a route become results
marked as errors, so that a model can read them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from spacetimedb_standalone.control.records import Database
from spacetimedb_standalone.front.caller import Caller
from spacetimedb_standalone.front.databases import Databases
from spacetimedb_standalone.front.http import Refused, Response, empty, json_response
from spacetimedb_standalone.front.inputs import json_body, name_or_identity, read_name_or_identity
from spacetimedb_standalone.front.query import QueryError
from spacetimedb_standalone.front.router import Call, Credentials, Resource
from spacetimedb_standalone.front.routes.mcp_tools import (
    DATABASE_INSTRUCTIONS,
    SERVER_INSTRUCTIONS,
    tool_list,
)
from spacetimedb_standalone.version import VERSION

_PROTOCOL: Final = "2025-06-18"
_INVALID_REQUEST, _METHOD_NOT_FOUND, _INVALID_PARAMS = -32600, -32601, -32602


class _RpcError(Exception):
    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code


class _ToolFailed(Exception):
    """A tool ran and has an error for its user."""


@dataclass(frozen=True, slots=True)
class _Session:
    """Who asks; `database` is the path segment of a database's endpoint, None for the server's."""

    caller: Caller
    database: str | None


class McpRoutes:
    def __init__(self, databases: Databases):
        self._databases = databases

    def resources(self) -> list[Resource]:
        return [
            Resource("/v1/mcp", {"POST": self.serve}, Credentials.AFTER_METHOD),
            Resource("/v1/database/:name/mcp", {"POST": self.serve}, Credentials.BEFORE_METHOD),
        ]

    async def serve(self, call: Call) -> Response:
        database = call.parameters.get("name")
        if database is not None:
            name_or_identity(database)
        request = await json_body(call.request)
        if not isinstance(request, dict) or "id" not in request:
            return empty(202)  # a notification, or nothing that could be answered
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            answer["result"] = await self._method(_Session(call.authenticated, database), request)
        except _RpcError as error:
            answer["error"] = {"code": error.code, "message": str(error)}
        return json_response(answer)

    async def _method(self, session: _Session, request: dict[str, Any]) -> Any:
        method = request.get("method")
        if not isinstance(method, str):
            raise _RpcError(_INVALID_REQUEST, "invalid request: missing method")
        if method == "initialize":
            return {
                "protocolVersion": _PROTOCOL,
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "spacetimedb", "version": VERSION},
                "instructions": SERVER_INSTRUCTIONS if session.database is None else DATABASE_INSTRUCTIONS,
            }
        if method == "ping":
            return {}
        if method == "tools/list":
            return {"tools": tool_list(server=session.database is None)}
        if method == "tools/call":
            return await self._call_tool(session, request.get("params"))
        raise _RpcError(_METHOD_NOT_FOUND, f"method not found: {method}")

    async def _call_tool(self, session: _Session, params: Any) -> Any:
        name = params.get("name") if isinstance(params, dict) else None
        if not isinstance(name, str):
            raise _RpcError(_INVALID_PARAMS, "missing tool name")
        arguments = params.get("arguments") or {}
        if not isinstance(arguments, dict):
            raise _RpcError(_INVALID_PARAMS, "arguments must be an object")
        try:
            said = await self._tool(session, name, arguments)
        except _ToolFailed as error:
            return _content(str(error), failed=True)
        except Refused as refused:
            return _content(_body_text(refused.response), failed=True)
        return _content(said, failed=False)

    async def _tool(self, session: _Session, name: str, arguments: dict[str, Any]) -> str:
        match name:
            case "ping":
                message = arguments.get("message")
                return "pong" if message is None else f"pong: {message}"
            case "list_databases" if session.database is None:
                return self._list_databases(session.caller)
            case "get_schema":
                return await self._ask(session, arguments, "GET", "/schema", {"version": "9"}, b"")
            case "sql":
                return await self._sql(session, arguments)
            case "call":
                return await self._call(session, arguments)
        raise _RpcError(_INVALID_PARAMS, f"unknown tool: {name}")

    def _list_databases(self, caller: Caller) -> str:
        read = self._databases.control.read
        listed = [
            {"identity": database.identity.hex(), "names": read.names_of(database.identity)}
            for database in read.databases_of(caller.identity)
        ]
        return json.dumps({"databases": listed}, separators=(",", ":"))

    async def _sql(self, session: _Session, arguments: dict[str, Any]) -> str:
        self._target(session, arguments)
        statement, confirmed = arguments.get("sql"), arguments.get("confirmed", True)
        if not isinstance(statement, str):
            raise _RpcError(_INVALID_PARAMS, "sql argument must be a string")
        if not isinstance(confirmed, bool):
            raise _RpcError(_INVALID_PARAMS, "confirmed argument must be a boolean")
        query = {"confirmed": "true" if confirmed else "false"}
        return await self._ask(session, arguments, "POST", "/sql", query, statement.encode())

    async def _call(self, session: _Session, arguments: dict[str, Any]) -> str:
        database = self._target(session, arguments)
        reducer = arguments.get("reducer")
        if not isinstance(reducer, str):
            raise _RpcError(_INVALID_PARAMS, "reducer argument must be a string")
        content = json.dumps(arguments.get("args") or []).encode()
        path = f"/call/{quote(reducer, safe='')}"
        answer = await self._databases.forward(
            session.caller, database, "POST", path, {"kind": "reducer"}, content
        )
        if answer.status == 200:
            return f"reducer '{reducer}' committed"
        if answer.status == 530:
            raise _ToolFailed(f"reducer '{reducer}' failed: {_body_text(answer)}")
        if answer.status == 402:
            raise _ToolFailed(f"reducer '{reducer}' exceeded the energy budget")
        raise _ToolFailed(_body_text(answer))

    async def _ask(
        self,
        session: _Session,
        arguments: dict[str, Any],
        method: str,
        path: str,
        query: dict[str, str],
        content: bytes,
    ) -> str:
        database = self._target(session, arguments)
        answer = await self._databases.forward(session.caller, database, method, path, query, content)
        if answer.status != 200:
            raise _ToolFailed(_body_text(answer))
        return _body_text(answer)

    def _target(self, session: _Session, arguments: dict[str, Any]) -> Database:
        if session.database is not None:
            return self._databases.find(name_or_identity(session.database))
        given = arguments.get("database")
        if not isinstance(given, str):
            raise _RpcError(_INVALID_PARAMS, "database argument must be a string")
        try:
            return self._databases.find(read_name_or_identity(given))
        except QueryError as error:
            raise _ToolFailed(str(error)) from error


def _content(said: str, failed: bool) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": said}], "isError": failed}


def _body_text(response: Response) -> str:
    return response.body.decode("utf-8", "replace") if isinstance(response.body, bytes) else ""
