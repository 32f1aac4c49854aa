"""Databases as routes see them: found by what a path says, guarded by who asks, served by their workers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spacetimedb_lib.identity import Identity
from spacetimedb_paths.server import ServerDataDir
from spacetimedb_standalone.config.settings import ServerConfig
from spacetimedb_standalone.control.programs import ProgramStore
from spacetimedb_standalone.control.records import Database, Replica
from spacetimedb_standalone.control.state import ControlState
from spacetimedb_standalone.front.caller import Caller
from spacetimedb_standalone.front.http import Refused, Response, refuse
from spacetimedb_standalone.front.inputs import NameOrIdentity
from spacetimedb_standalone.front.worker_http import (
    WorkerBroke,
    WorkerHttp,
    WorkerUnreachable,
    caller_headers,
)
from spacetimedb_standalone.supervisor.boot import WorkerBoot
from spacetimedb_standalone.supervisor.process import WorkerFailed, WorkerProcess
from spacetimedb_standalone.supervisor.supervisor import Supervisor

Ask = Callable[[WorkerProcess], Awaitable[Response]]
"""Sends a request to a worker."""

_ENDING_WITHIN: Final = 5.0
"""Seconds that a worker has to end once it no longer accepts requests."""


@dataclass(frozen=True, slots=True)
class BootPlan:
    """What all workers of a server have in common; makes the boot records of single ones."""

    data_dir: ServerDataDir
    config: ServerConfig
    in_memory: bool
    node: str
    log_file: Path | None

    def boot(self, database: Database, replica_id: int, programs: ProgramStore, create: bool) -> WorkerBoot:
        return WorkerBoot(
            replica_id=replica_id,
            replica_dir=self.data_dir.replica(replica_id).path,
            database_identity=database.identity,
            owner_identity=database.owner,
            host_type=database.host_type.value,
            program_path=programs.path(database.initial_program),
            program_hash=database.initial_program,
            create=create,
            in_memory=self.in_memory,
            http_path=Path(),  # the supervisor gives every life a path of its own
            cache_dir=self.data_dir.wasmtime_cache().path,
            node=self.node,
            log_file=self.log_file,
            config=self.config,
        )


class Databases:
    def __init__(
        self,
        control: ControlState,
        programs: ProgramStore,
        supervisor: Supervisor,
        workers: WorkerHttp,
        plan: BootPlan,
    ):
        self.control = control
        self.programs = programs
        self.supervisor = supervisor
        self.workers = workers
        self.plan = plan

    # -- finding ----------------------------------------------------------------------------------

    def identity_of(self, name: NameOrIdentity) -> Identity:
        """Where a name leads, whether or not there is a database. Refuses with 404 a name that leads
        nowhere.
        """
        if isinstance(name, Identity):
            return name
        identity = self.control.read.identity_of_name(name)
        if identity is None:
            raise refuse(f"`{name}` not found", 404)
        return identity

    def find(self, name: NameOrIdentity) -> Database:
        """The database that a path names. Refuses with 404."""
        database = self.control.read.database(self.identity_of(name))
        if database is None:
            raise refuse("No such database.", 404)
        return database

    # -- guarding ---------------------------------------------------------------------------------

    def authorize(self, caller: Caller, database: Database, action: str) -> None:
        """Refuses with 403 whoever is not the owner."""
        if caller.identity != database.owner:
            raise refuse(
                f"{caller.identity} is not authorized to perform action on database "
                f"{database.identity}: {action}",
                403,
            )

    # -- serving ----------------------------------------------------------------------------------

    async def worker(self, database: Database) -> WorkerProcess:
        """The database's worker, started if need be. Refuses with 500 if it does not start."""
        try:
            return await self._start(database)
        except WorkerFailed as error:
            raise starting_failed(error) from error

    async def _start(self, database: Database) -> WorkerProcess:
        boot = self.plan.boot(database, self.replica(database).id, self.programs, create=False)
        return await self.supervisor.worker(boot)

    def replica(self, database: Database) -> Replica:
        """Refuses with 404 if there is none."""
        replica = self.control.read.replica_of(database)
        if replica is None:
            raise refuse("replica does not exist", 404)
        return replica

    async def forward(
        self,
        caller: Caller,
        database: Database,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Response:
        """What the database's worker answers to a request in the caller's name."""
        headers = caller_headers(caller, database.owner)
        return await self.ask(
            database, lambda worker: self.workers.request(worker, method, path, query, headers, body)
        )

    async def ask(self, database: Database, request: Ask) -> Response:
        """The answer of the database's worker. Refuses with 500 if it does not start."""
        try:
            return await self.try_to_ask(database, request)
        except WorkerFailed as error:
            raise starting_failed(error) from error

    async def try_to_ask(self, database: Database, request: Ask) -> Response:
        """The same for who knows another answer. Raises `WorkerFailed`.

        A worker that is just ending is replaced once. Refuses with 503 if it ends under the request: not before
        it has ended, so that the caller's next request finds another one.
        """
        try:
            worker = await self._start(database)
            try:
                return await request(worker)
            except WorkerUnreachable:
                await self._until_ended(worker)
            worker = await self._start(database)
            return await request(worker)
        except WorkerUnreachable as error:
            raise WorkerFailed(f"its process cannot be reached: {error}", 503) from error
        except WorkerBroke as error:
            await asyncio.wait([worker.ended], timeout=_ENDING_WITHIN)
            raise refuse(str(error), 503) from error

    async def _until_ended(self, worker: WorkerProcess) -> None:
        """Raises `WorkerUnreachable` if it does not end: it may merely be busy, and to end it is not ours."""
        await asyncio.wait([worker.ended], timeout=_ENDING_WITHIN)
        if not worker.ended.done():
            raise WorkerUnreachable(worker)


def starting_failed(error: WorkerFailed) -> Refused:
    """The answer to a client whose database does not start."""
    return refuse(f"error starting database: {error}", error.status if error.status == 503 else 500)
