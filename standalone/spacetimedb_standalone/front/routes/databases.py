"""Routes about a database as a whole: what it is, removing it, protecting it from removal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict

from spacetimedb_lib.hashing import hash_to_json
from spacetimedb_standalone.control.disk_use import disk_use
from spacetimedb_standalone.control.records import Database
from spacetimedb_standalone.front.databases import Databases
from spacetimedb_standalone.front.http import Response, empty, json_response, refuse, text
from spacetimedb_standalone.front.inputs import name_or_identity
from spacetimedb_standalone.front.publisher import Publisher
from spacetimedb_standalone.front.router import Call, Credentials, Handler, Resource

_LOCKED = "Database is locked and cannot be deleted. Run `spacetime unlock` first."


class DatabaseRoutes:
    """`publish` answers PUT on a database's own path, which it shares with the routes here; `now_micros` is
    the server's clock."""

    def __init__(
        self,
        databases: Databases,
        publisher: Publisher,
        publish: Handler,
        now_micros: Callable[[], int],
    ):
        self._databases = databases
        self._publisher = publisher
        self._publish = publish
        self._now_micros = now_micros

    def resources(self) -> list[Resource]:
        methods = {"GET": self.describe, "PUT": self._publish, "DELETE": self.delete}
        paths: dict[str, dict[str, Handler]] = {
            "": methods,
            "/identity": {"GET": self.identity},
            "/lock": {"POST": self.lock},
            "/unlock": {"POST": self.unlock},
            "/size": {"GET": self.size},
            "/unstable/timestamp": {"GET": self.timestamp},
        }
        return [
            Resource(f"/v1/database/:name{path}", handlers, Credentials.BEFORE_METHOD)
            for path, handlers in paths.items()
        ]

    async def describe(self, call: Call) -> Response:
        database = self._named(call)
        return json_response(
            {
                "database_identity": database.identity.sats_json(),
                "owner_identity": database.owner.sats_json(),
                "host_type": {database.host_type.value: []},
                "initial_program": hash_to_json(database.initial_program),
            }
        )

    async def identity(self, call: Call) -> Response:
        name = name_or_identity(call.parameters["name"])
        return text(self._databases.identity_of(name).hex())

    async def size(self, call: Call) -> Response:
        """Bytes on the disk, for the owner; also of a database that does not run."""
        database = self._named(call)
        self._databases.authorize(call.authenticated, database, "view its size")
        directory = self._databases.plan.data_dir.replica(self._databases.replica(database).id).path
        return json_response(asdict(await asyncio.to_thread(disk_use, directory)))

    async def timestamp(self, call: Call) -> Response:
        self._named(call)
        return json_response({"__timestamp_micros_since_unix_epoch__": self._now_micros()})

    async def delete(self, call: Call) -> Response:
        """Removing what is not there succeeds."""
        identity = self._databases.identity_of(name_or_identity(call.parameters["name"]))
        async with self._publisher.lock(identity):
            database = self._databases.control.read.database(identity)
            if database is not None:
                self._databases.authorize(call.authenticated, database, "delete database")
                if self._databases.control.read.is_locked(identity):
                    raise refuse(_LOCKED, 403)
                await self._publisher.delete(database)
        return empty()

    async def lock(self, call: Call) -> Response:
        return await self._set_locked(call, True)

    async def unlock(self, call: Call) -> Response:
        return await self._set_locked(call, False)

    async def _set_locked(self, call: Call, locked: bool) -> Response:
        database = self._named(call)
        self._databases.authorize(call.authenticated, database, "delete database")
        await self._databases.control.change(lambda writer: writer.set_locked(database.identity, locked))
        return empty()

    def _named(self, call: Call) -> Database:
        return self._databases.find(name_or_identity(call.parameters["name"]))
