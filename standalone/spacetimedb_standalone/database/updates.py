"""Replacing the program of a database: what changes, whether it may, and the change itself.

The new program is loaded and described first; the old one runs on until everything is committed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from spacetimedb_lib.hashing import hash_to_json, keccak256, migration_token
from spacetimedb_lib.moduledef import ModuleDefDecodeError, RawVersion, ValidationErrors
from spacetimedb_lib.moduledef.migrate import (
    MigrationErrors,
    MigrationPolicyError,
    Plan,
    Style,
    plan_migration,
    pretty,
)
from spacetimedb_lib.moduledef.migrate.policy import check_policy
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.lifecycle import disconnect
from spacetimedb_standalone.database.program import LoadedProgram
from spacetimedb_standalone.database.scheduler import Scheduler
from spacetimedb_standalone.datastore.errors import UpdateError
from spacetimedb_standalone.datastore.program import ProgramKind
from spacetimedb_standalone.host.interface import ModuleError
from spacetimedb_standalone.host.wasm.instance import WasmInstance
from spacetimedb_standalone.subscriptions.sets import Connection


class UpdateRefusedError(Exception):
    """The publisher's fault; `status` is the HTTP status, the text goes to the publisher."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Policy:
    """`token` proves that the publisher saw a plan that breaks clients; None: only a compatible one will do."""

    token: bytes | None


@dataclass(frozen=True)
class Updated:
    """`offset` is the update's transaction; -1 if the program was the same."""

    updated: bool
    breaks_clients: bool
    offset: int
    orphans: tuple[Connection, ...]
    """Connections with a query that the new definition does not know: they must be closed."""


class Updates:
    def __init__(self, database: Database, scheduler: Scheduler) -> None:
        self._database, self._scheduler = database, scheduler

    def update(self, kind: ProgramKind, data: bytes, policy: Policy) -> Updated:
        """Raises UpdateRefusedError; then the old program runs on, and nothing has changed."""
        database = self._database
        if keccak256(data) == database.loaded.program.hash:
            return Updated(False, False, -1, ())
        loaded, instance = self._load(kind, data)
        try:
            plan = self._plan(loaded)
            check_policy(
                plan,
                policy.token,
                database.datastore.database_identity,
                database.loaded.program.hash,
                loaded.program.hash,
            )
            offset = database.datastore.update_program(
                loaded.program, plan, system_log=database.logs.system, rule_target=database.rule_target
            )
        except (MigrationErrors, MigrationPolicyError, UpdateError) as error:
            instance.close()
            raise _refusal(error) from error
        orphans = database.replace(loaded, instance)
        database.tell(offset)
        if plan.breaks_clients:
            for identity, connection_id in database.datastore.clients():
                disconnect(database, identity, connection_id)
        self._scheduler.rebuild()
        return Updated(True, plan.breaks_clients, offset, tuple(orphans))

    def preview(self, kind: ProgramKind, data: bytes, *, ansi: bool) -> str:
        """What an update would do, as the JSON that `pre_publish` answers with."""
        loaded, instance = self._load(kind, data)
        instance.close()
        old, new = self._database.definition, loaded.definition
        upgrade = old.raw_version is not RawVersion.V10 and new.raw_version is RawVersion.V10
        try:
            plan = self._plan(loaded)
        except MigrationErrors as error:
            return json.dumps({"ManualMigrate": {"reason": str(error), "major_version_upgrade": upgrade}})
        answer = {
            "migrate_plan": pretty(plan, Style.ANSI_COLOR if ansi else Style.NO_COLOR),
            "break_clients": plan.breaks_clients,
            "token": hash_to_json(self._token(loaded)),
            "major_version_upgrade": upgrade,
        }
        return json.dumps({"AutoMigrate": answer})

    def _load(self, kind: ProgramKind, data: bytes) -> tuple[LoadedProgram, WasmInstance]:
        try:
            return self._database.load(kind, data)
        except (ModuleError, ModuleDefDecodeError, ValidationErrors) as error:
            raise UpdateRefusedError(500, str(error)) from error

    def _plan(self, loaded: LoadedProgram) -> Plan:
        return plan_migration(self._database.definition, loaded.definition)

    def _token(self, loaded: LoadedProgram) -> bytes:
        identity = self._database.datastore.database_identity
        return migration_token(identity, self._database.loaded.program.hash, loaded.program.hash)


def _refusal(error: MigrationErrors | MigrationPolicyError | UpdateError) -> UpdateRefusedError:
    if isinstance(error, MigrationErrors):
        return UpdateRefusedError(400, f"Database update rejected: {error}")
    return UpdateRefusedError(400, f"Failed to create or update the database: {error}")
