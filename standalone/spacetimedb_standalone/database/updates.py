"""Replacing the program of a database: what changes, whether it may, and the change itself.

The new program is loaded and described first; the old one runs on until everything is committed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from spacetimedb_lib.hashing import hash_json, keccak256, migration_token
from spacetimedb_lib.moduledef import ModuleDefDecodeError, RawVersion, ValidationErrors
from spacetimedb_lib.moduledef.migrate import MigrationErrors, Plan, plan_migration, pretty
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.lifecycle import disconnect
from spacetimedb_standalone.database.program import LoadedProgram
from spacetimedb_standalone.database.scheduler import Scheduler
from spacetimedb_standalone.datastore.program import ProgramKind
from spacetimedb_standalone.datastore.update import UpdateError
from spacetimedb_standalone.host.interface import ModuleError, ModuleHost

BREAKS_CLIENTS = "Migration plan contains a client-breaking change which is disallowed under current policy"
WRONG_TOKEN = "Token provided is invalid or does not match expected hash"


class UpdateRefusedError(Exception):
    """The publisher's fault; `status` is the HTTP status, the text goes to the publisher."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Policy:
    """Whether clients may be broken, and the token that proves that the publisher saw the plan."""

    break_clients: bool
    token: bytes | None


@dataclass(frozen=True)
class Updated:
    """`offset` is the update's transaction; -1 if the program was the same."""

    updated: bool
    breaks_clients: bool
    offset: int


class Updates:
    def __init__(self, database: Database, scheduler: Scheduler) -> None:
        self._database, self._scheduler = database, scheduler

    def update(self, kind: ProgramKind, data: bytes, policy: Policy) -> Updated:
        """Raises UpdateRefusedError; then the old program runs on, and nothing has changed."""
        database = self._database
        if keccak256(data) == database.loaded.program.hash:
            return Updated(False, False, -1)
        loaded, instance = self._load(kind, data)
        try:
            plan = self._plan(loaded)
            self._allow(plan, loaded, policy)
            offset = database.datastore.update_program(
                loaded.program, plan, loaded.definition, system_log=database.logs.system
            )
        except (MigrationErrors, UpdateError, UpdateRefusedError) as error:
            instance.close()
            raise _refusal(error) from error
        database.replace(loaded, instance)
        database.tell(offset)
        if plan.breaks_clients:
            for identity, connection_id in database.datastore.clients():
                disconnect(database, identity, connection_id)
        self._scheduler.rebuild()
        return Updated(True, plan.breaks_clients, offset)

    def preview(self, kind: ProgramKind, data: bytes, *, ansi: bool) -> str:
        """What an update would do, as the JSON that `pre_publish` answers with."""
        loaded, instance = self._load(kind, data)
        instance.close()
        old, new = self._database.definition, loaded.definition
        upgrade = old.raw_version < RawVersion.V10 <= new.raw_version
        try:
            plan = self._plan(loaded)
        except MigrationErrors as error:
            return json.dumps({"ManualMigrate": {"reason": str(error), "major_version_upgrade": upgrade}})
        answer = {
            "migrate_plan": pretty(plan, ansi=ansi),
            "break_clients": plan.breaks_clients,
            "token": hash_json(self._token(loaded)),
            "major_version_upgrade": upgrade,
        }
        return json.dumps({"AutoMigrate": answer})

    def _load(self, kind: ProgramKind, data: bytes) -> tuple[LoadedProgram, ModuleHost]:
        try:
            return self._database.load(kind, data)
        except (ModuleError, ModuleDefDecodeError, ValidationErrors) as error:
            raise UpdateRefusedError(500, str(error)) from error

    def _plan(self, loaded: LoadedProgram) -> Plan:
        return plan_migration(self._database.definition, loaded.definition)

    def _token(self, loaded: LoadedProgram) -> bytes:
        identity = self._database.datastore.database_identity
        return migration_token(identity.hex(), self._database.loaded.program.hash, loaded.program.hash)

    def _allow(self, plan: Plan, loaded: LoadedProgram, policy: Policy) -> None:
        if policy.break_clients:
            if policy.token != self._token(loaded):
                raise UpdateRefusedError(400, f"Failed to create or update the database: {WRONG_TOKEN}")
        elif plan.breaks_clients:
            raise UpdateRefusedError(400, f"Failed to create or update the database: {BREAKS_CLIENTS}")


def _refusal(error: MigrationErrors | UpdateError | UpdateRefusedError) -> UpdateRefusedError:
    if isinstance(error, UpdateRefusedError):
        return error
    if isinstance(error, MigrationErrors):
        return UpdateRefusedError(400, f"Database update rejected: {error}")
    return UpdateRefusedError(400, f"Failed to create or update the database: {error}")
