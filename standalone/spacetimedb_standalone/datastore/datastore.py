"""A database's state and its log: opened, changed in transactions, closed.

`Datastore` owns the engine's store and the commit log behind it. It belongs to one thread. A transaction is
`begin`, changes through `store`, then `commit` or `rollback`; the engine's `Turn` runs its own on the same
store, and `flush_log` hands their commits to the log, once for many.

Invariant: `schema` is what the system tables of the store say, inside a transaction too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from spacetimedb_lib.identity import ConnectionId, Identity
from spacetimedb_lib.moduledef import ModuleDef
from spacetimedb_lib.moduledef.migrate import Plan
from spacetimedb_standalone.commitlog import Driver, LogError, TailPolicy
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore import clients
from spacetimedb_standalone.datastore.definitions import Definitions
from spacetimedb_standalone.datastore.errors import StorageError, WrongDatabase
from spacetimedb_standalone.datastore.initialization import RuleTarget, SystemLog, create_module
from spacetimedb_standalone.datastore.opening import State, new_state, open_state
from spacetimedb_standalone.datastore.program import Program, StoredModule, read_module, write_module
from spacetimedb_standalone.datastore.schema import Schema
from spacetimedb_standalone.datastore.schema_reading import read_schema
from spacetimedb_standalone.datastore.update import Update
from spacetimedb_standalone.datastore.view_definitions import renew_view, stale_views
from spacetimedb_standalone.module_logs import Level
from spacetimedb_standalone.ports import Clock, Files

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 10.0
"""How long closing waits for the disk."""


class Datastore:
    """See the head of this file. Made by `open` or `in_memory`."""

    def __init__(self, state: State) -> None:
        self.store = state.store
        self.log = state.log
        self.disk = state.disk
        """None: the database is in memory only."""
        self._schema = state.schema
        self._module = read_module(state.store)
        self._on_logged: Callable[[int, int], None] | None = None

    @classmethod
    def open(
        cls,
        replica_dir: Path,
        files: Files,
        clock: Clock,
        *,
        options: CommitLogSettings,
        driver: Driver = Driver.AUTO,
        policy: TailPolicy = TailPolicy.REFUSE_DAMAGE,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> Datastore:
        """Lock a replica's directory, made if need be, recover its log and replay it.

        Without a `loop` nothing becomes durable until `log.attach` or inside `log.drain`. Raises
        `StorageError`, whose text says what is wrong and what to do.
        """
        return cls(open_state(replica_dir, files, clock, options, driver, policy, loop))

    @classmethod
    def in_memory(cls) -> Datastore:
        """A database that is gone with the process; everything counts as durable at once."""
        return cls(new_state())

    def close(self) -> None:
        """Make durable what was committed, within seconds, and let go of the directory."""
        try:
            self.flush_log()
            if not self.log.drain(DRAIN_SECONDS):
                logger.error("the disk did not take the last transactions within %s s", DRAIN_SECONDS)
        except LogError as error:
            logger.error("the last transactions are not durable: %s", error)
        self.log.close()
        if self.disk is not None:
            self.disk.lock.release()

    # --- what it holds ---

    @property
    def schema(self) -> Schema:
        """What is defined now. A new object whenever that has changed."""
        return self._schema

    @property
    def initialized(self) -> bool:
        """Has there ever been a module?"""
        return self._module is not None

    @property
    def program(self) -> Program | None:
        """None before the first publish."""
        return None if self._module is None else self._module.program

    @property
    def database_identity(self) -> Identity:
        return self._stored_module.database_identity

    @property
    def owner(self) -> Identity:
        return self._stored_module.owner

    @property
    def _stored_module(self) -> StoredModule:
        if self._module is None:
            raise StorageError("the database is not initialized: no module was ever published to it")
        return self._module

    def require(self, database_identity: Identity, owner: Identity) -> None:
        """Raises `WrongDatabase` if the data is another's. An uninitialized database is anybody's."""
        if self._module is None:
            return
        for what, found, wanted in (
            ("database", self._module.database_identity, database_identity),
            ("owner", self._module.owner, owner),
        ):
            if found != wanted:
                raise WrongDatabase(f"mismatched {what} identity: {found} != {wanted}")

    # --- transactions ---

    def begin(self) -> None:
        self.store.begin()

    def rollback(self) -> None:
        self.store.rollback()

    def commit(self, inputs: bytes | None = None, *, force: bool = False) -> int:
        """Commit and hand over to the log. The transaction's offset, or -1 if it took none.

        `inputs`: what the log says of the reducer call, see `Store.commit`. `force`: take an offset even if
        no row has changed.
        """
        offset = self.store.commit(inputs, force=force)
        self.flush_log()
        return offset

    def flush_log(self) -> int:
        """Hand to the log all that was committed since the last time.

        The last offset of it comes back, -1 if there was nothing. Raises `LogFailed`.
        """
        commits = self.store.take_log()
        if not commits:
            return -1
        last = self.store.next_offset - 1
        self.log.submit(commits, last)
        if self._on_logged is not None:
            self._on_logged(len(commits), last)
        return last

    def on_logged(self, callback: Callable[[int, int], None] | None) -> None:
        """Call this with the size and the last offset of whatever is handed to the log."""
        self._on_logged = callback

    def read_offset(self) -> int:
        """The transaction that an answer without one of its own has to wait for."""
        return max(0, self.store.next_offset - 1)

    # --- connections ---

    def insert_client(self, identity: Identity, connection_id: ConnectionId, jwt_payload: str) -> None:
        """Inside a transaction. Raises `UniqueViolation` if the connection id is in use."""
        clients.insert_client(self.store, identity, connection_id, jwt_payload)

    def delete_client(self, identity: Identity, connection_id: ConnectionId) -> bool:
        """Inside a transaction. False: it was not there."""
        return clients.delete_client(self.store, identity, connection_id)

    def has_client(self, identity: Identity, connection_id: ConnectionId) -> bool:
        return clients.has_client(self.store, identity, connection_id)

    def clients(self) -> list[tuple[Identity, ConnectionId]]:
        return clients.clients(self.store)

    def clear_clients(self) -> None:
        """Forget all connections, in a transaction of its own."""
        self.begin()
        clients.clear_clients(self.store)
        self.commit()

    # --- programs ---

    def update_program(
        self, program: Program, plan: Plan, *, system_log: SystemLog, rule_target: RuleTarget
    ) -> int:
        """Put another program in the place of the one there is, and carry out what that means for the data.

        One transaction, whose offset comes back. Raises `UpdateError`; then nothing has happened.
        """
        before, module = self._schema, self._stored_module
        self.begin()
        try:
            system_log(Level.INFO, f"Updated program to {program.hash.hex()}")
            write_module(self.store, replace(module, program=program))
            Update(self.store, plan, self._reread, system_log, rule_target).run()
            self._reread()
        except BaseException as error:
            self.rollback()
            self._schema = before
            system_log(Level.WARN, f"Database update failed: {error}")
            raise
        self._module = replace(module, program=program)
        offset = self.commit()
        system_log(Level.INFO, "Database updated")
        return offset

    def repair_views(self, module: ModuleDef, system_log: SystemLog) -> None:
        """Make backing tables of views anew whose columns are not what the running module returns."""
        stale = stale_views(self._schema, module)
        if stale:
            system_log(Level.INFO, "Repairing stale view backing tables")
            self.begin()
            for view in stale:
                renew_view(self.store, Definitions(self.store), self._schema, view)
            self._reread()
            self.commit()

    def _reread(self) -> Schema:
        """The schema as the open transaction has it."""
        self._schema = read_schema(self.store)
        return self._schema

    def init_program(
        self,
        program: Program,
        module: ModuleDef,
        *,
        database_identity: Identity,
        owner: Identity,
        system_log: SystemLog,
        rule_target: RuleTarget,
        run_init: Callable[[], None] | None,
    ) -> int:
        """Everything a module declares, its program, and then `run_init`, in one transaction.

        The transaction's offset comes back. Raises `InitError` and what `run_init` raises; then nothing has
        happened.
        """
        before = self._schema
        self.begin()
        try:
            create_module(self.store, module, system_log, rule_target, self._reread)
            self._module = StoredModule(database_identity, owner, program)
            write_module(self.store, self._module)
            self._reread()
            if run_init is not None:
                system_log(Level.INFO, "Invoking `init` reducer")
                run_init()
        except BaseException:
            self.rollback()
            self._schema, self._module = before, None
            raise
        offset = self.commit()
        system_log(Level.INFO, "Database initialized")
        return offset
