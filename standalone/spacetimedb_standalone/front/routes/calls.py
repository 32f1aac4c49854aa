"""Routes that a database's worker answers: call a function, run SQL, show the definition, show the log.

What can be said without the database is said here; only good requests reach the worker.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from spacetimedb_standalone.control.records import Database
from spacetimedb_standalone.front.databases import Databases, starting_failed
from spacetimedb_standalone.front.http import Response, refuse
from spacetimedb_standalone.front.inputs import EXPECTED_JSON, body, name_or_identity, text_body
from spacetimedb_standalone.front.query import Parameter, boolean, read_query, unsigned, variant
from spacetimedb_standalone.front.router import Call, Credentials, Resource
from spacetimedb_standalone.front.stored_logs import stored_log
from spacetimedb_standalone.front.worker_http import caller_headers
from spacetimedb_standalone.supervisor.process import WorkerFailed

_SQL_QUERY: Final = (Parameter("confirmed", boolean, default=True),)
_SCHEMA_QUERY: Final = (Parameter("version", variant("9", "10"), required=True),)
_LOGS_QUERY: Final = (
    Parameter("num_lines", unsigned(32)),
    Parameter("follow", boolean, default=False),
)

_LOG_HEADERS: Final = [("content-type", "application/x-ndjson"), ("cache-control", "no-cache")]


class CallRoutes:
    def __init__(self, databases: Databases):
        self._databases = databases

    def resources(self) -> list[Resource]:
        paths = {
            "/call/:function": {"POST": self.call},
            "/sql": {"POST": self.sql},
            "/schema": {"GET": self.schema},
            "/logs": {"GET": self.logs},
        }
        return [
            Resource(f"/v1/database/:name{path}", methods, Credentials.BEFORE_METHOD)
            for path, methods in paths.items()
        ]

    async def call(self, call: Call) -> Response:
        name = name_or_identity(call.parameters["name"])
        content_type = call.request.header("content-type")
        if content_type is None:
            raise refuse("Header of type `content-type` was missing", 400)
        arguments = await body(call.request)
        try:
            arguments.decode()
        except UnicodeDecodeError as error:
            raise refuse("Request body didn't contain valid UTF-8", 400) from error
        if content_type.strip().lower() != "application/json":
            raise refuse(EXPECTED_JSON, 415)
        database = self._databases.find(name)
        path = f"/call/{quote(call.parameters['function'], safe='')}"
        return await self._databases.forward(call.authenticated, database, "POST", path, body=arguments)

    async def sql(self, call: Call) -> Response:
        name = name_or_identity(call.parameters["name"])
        query = read_query(call.request.query(), _SQL_QUERY)
        statement = await text_body(call.request)
        database = self._databases.find(name)
        parameters = {"confirmed": "true" if query["confirmed"] else "false"}
        return await self._databases.forward(
            call.authenticated, database, "POST", "/sql", parameters, statement.encode()
        )

    async def schema(self, call: Call) -> Response:
        name = name_or_identity(call.parameters["name"])
        query = read_query(call.request.query(), _SCHEMA_QUERY)
        database = self._databases.find(name)
        return await self._databases.forward(
            call.authenticated, database, "GET", "/schema", {"version": query["version"]}
        )

    async def logs(self, call: Call) -> Response:
        name = name_or_identity(call.parameters["name"])
        query = read_query(call.request.query(), _LOGS_QUERY)
        database = self._databases.find(name)
        self._databases.authorize(call.authenticated, database, "view module logs")
        count = query["num_lines"]
        parameters = {}
        if query["follow"]:
            parameters["follow"] = "true"
        else:
            count = 1 if count == 0 else count
        if count is not None:
            parameters["num_lines"] = str(count)
        headers = caller_headers(call.authenticated, database.owner)
        workers = self._databases.workers
        try:
            return await self._databases.try_to_ask(
                database, lambda worker: workers.stream(worker, "/logs", parameters, headers)
            )
        except WorkerFailed as error:
            kept = None if query["follow"] else await self._kept_log(database, count)
            if kept is None:
                raise starting_failed(error) from error
            return kept

    async def _kept_log(self, database: Database, count: int | None) -> Response | None:
        replica = self._databases.plan.data_dir.replica(self._databases.replica(database).id)
        content = await stored_log(replica, count)
        return None if content is None else Response(200, _LOG_HEADERS, content)
