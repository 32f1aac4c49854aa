"""Making, updating, emptying and removing databases: what belongs together in each, and in which order.

The order keeps control state true at every moment, whenever the server may be killed: a new database or
incarnation is registered only once its worker has initialised it and has it on disk, and until then the old
one serves. What a kill leaves behind is a directory that nobody refers to, never a database without its
data.

Changes of one database happen one after another; different databases do not wait for each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from weakref import WeakValueDictionary

from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.control.records import Database, HostType
from spacetimedb_standalone.front.caller import Caller
from spacetimedb_standalone.front.databases import Databases
from spacetimedb_standalone.front.http import Response, refuse
from spacetimedb_standalone.supervisor.process import WorkerFailed, WorkerProcess

_STOP_GRACE = 30.0
"""Seconds that a worker has to leave when its database is removed or emptied."""


class Publisher:
    def __init__(self, databases: Databases):
        self._databases = databases
        self._control = databases.control
        self._locks: WeakValueDictionary[Identity, asyncio.Lock] = WeakValueDictionary()

    def lock(self, identity: Identity) -> asyncio.Lock:
        """Held by whoever changes the database with that identity."""
        lock = self._locks.get(identity)
        if lock is None:
            lock = self._locks[identity] = asyncio.Lock()
        return lock

    async def create(self, identity: Identity, owner: Identity, host_type: HostType, program: bytes) -> None:
        """A new database with that identity. Refuses with what is wrong about the program."""
        databases = self._databases
        stored = await self._control.off_loop(lambda: databases.programs.put(program))
        replica_id = await self._control.change(lambda writer: writer.reserve_id())
        planned = Database(0, identity, owner, host_type, stored)
        await self._start_replica(planned, replica_id)
        try:
            await self._control.change(
                lambda writer: writer.insert_database(identity, owner, host_type, stored, replica_id)
            )
        except Exception as error:
            await databases.supervisor.stop(replica_id, "deleted", _STOP_GRACE)
            raise refuse(f"the database could not be registered: {error}", 500) from error

    async def update(
        self, caller: Caller, database: Database, query: Mapping[str, str], program: bytes
    ) -> Response | None:
        """Let the database run another program; None if it does, or the worker's refusal."""
        answer = await self._databases.forward(caller, database, "POST", "/update", query, program)
        return None if answer.status == 200 else answer

    async def reset(self, database: Database, host_type: HostType, program: bytes) -> None:
        """Empty a database, to run `program` from now on. The old data serves until the new one is ready."""
        databases = self._databases
        stored = await self._control.off_loop(lambda: databases.programs.put(program))
        old = self._control.read.replica_of(database)
        replica_id = await self._control.change(lambda writer: writer.reserve_id())
        planned = Database(database.id, database.identity, database.owner, host_type, stored)
        await self._start_replica(planned, replica_id)
        await self._control.change(
            lambda writer: writer.replace_replica(database, host_type, stored, replica_id)
        )
        if old is not None:
            await databases.supervisor.stop(old.id, "reset", _STOP_GRACE)

    async def delete(self, database: Database) -> None:
        """Forget a database and stop its worker; its clients are told."""
        replica = self._control.read.replica_of(database)
        await self._control.change(lambda writer: writer.delete_database(database))
        if replica is not None:
            await self._databases.supervisor.stop(replica.id, "deleted", _STOP_GRACE)

    async def _start_replica(self, planned: Database, replica_id: int) -> WorkerProcess:
        databases = self._databases
        boot = databases.plan.boot(planned, replica_id, databases.programs, create=True)
        try:
            return await databases.supervisor.create(boot)
        except WorkerFailed as error:
            said = str(error) if error.refused else f"error starting database: {error}"
            raise refuse(said, error.status) from error
