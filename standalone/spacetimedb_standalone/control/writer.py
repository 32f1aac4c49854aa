"""Changes of control state. Each is one transaction, on disk when the call returns."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.control.reader import ControlReader, be_bytes
from spacetimedb_standalone.control.records import (
    Database,
    DatabaseExists,
    HostType,
    NameOfAnother,
    NameTaken,
    Replica,
)

_I128_MAX: Final = (1 << 127) - 1


class ControlWriter:
    """Belongs to one thread, and there is one of it."""

    def __init__(self, connection: sqlite3.Connection):
        self._db = connection
        self._reader = ControlReader(connection)

    # -- names ------------------------------------------------------------------------------------

    def add_name(self, name: str, caller: Identity, identity: Identity) -> None:
        """Make `name` lead to `identity`; it is registered to `caller` if it is nobody's.

        Raises `NameTaken`, `NameOfAnother`.
        """
        with self._transaction():
            if self._reader.identity_of_name(name) is not None:
                raise NameTaken(name)
            self._register(name, caller)
            self._insert_name(name, identity, len(self._reader.names_of(identity)))

    def replace_names(self, names: Sequence[str], caller: Identity, identity: Identity) -> None:
        """Make `names` the only ones that lead to `identity`. Raises `NameOfAnother`, `NameTaken`.

        The old names must be the caller's as well; they stay registered to the caller.
        """
        with self._transaction():
            for old in self._reader.names_of(identity):
                self._check_owner(old, caller)
            self._db.execute("DELETE FROM name WHERE identity = ?", (be_bytes(identity),))
            for position, name in enumerate(names):
                self._register(name, caller)
                if self._reader.identity_of_name(name) is not None:
                    raise NameTaken(name)
                self._insert_name(name, identity, position)

    def _check_owner(self, name: str, caller: Identity) -> None:
        owner = self._reader.owner_of_name(name)
        if owner is not None and owner != caller:
            raise NameOfAnother(name)

    def _register(self, name: str, caller: Identity) -> None:
        self._check_owner(name, caller)
        self._db.execute("INSERT OR IGNORE INTO tld VALUES (?, ?)", (name.lower(), be_bytes(caller)))

    def _insert_name(self, name: str, identity: Identity, position: int) -> None:
        row = (name.lower(), name, be_bytes(identity), position)
        self._db.execute("INSERT INTO name VALUES (?, ?, ?, ?)", row)

    # -- databases --------------------------------------------------------------------------------

    def reserve_id(self) -> int:
        """An id that no database or replica has had."""
        with self._transaction():
            return self._next_id()

    def insert_database(
        self, identity: Identity, owner: Identity, host_type: HostType, program: bytes, replica_id: int
    ) -> Database:
        """A new database, whose replica has a reserved id. Raises `DatabaseExists`."""
        with self._transaction():
            if self._reader.database(identity) is not None:
                raise DatabaseExists(identity)
            database = Database(self._next_id(), identity, owner, host_type, program)
            self._db.execute(
                "INSERT INTO database VALUES (?, ?, ?, ?, ?)",
                (database.id, be_bytes(identity), be_bytes(owner), host_type.value, program),
            )
            self._db.execute("INSERT INTO replica VALUES (?, ?)", (replica_id, database.id))
            return database

    def replace_replica(
        self, database: Database, host_type: HostType, program: bytes, replica_id: int
    ) -> Replica:
        """Let a new, empty incarnation take the place of the database's old one."""
        with self._transaction():
            self._db.execute(
                "UPDATE database SET host_type = ?, initial_program = ? WHERE id = ?",
                (host_type.value, program, database.id),
            )
            self._db.execute("DELETE FROM replica WHERE database_id = ?", (database.id,))
            self._db.execute("INSERT INTO replica VALUES (?, ?)", (replica_id, database.id))
        return Replica(replica_id, database.id)

    def delete_database(self, database: Database) -> None:
        """Forget a database. Its names and its lock stay, and so do its files."""
        with self._transaction():
            self._db.execute("DELETE FROM replica WHERE database_id = ?", (database.id,))
            self._db.execute("DELETE FROM database WHERE id = ?", (database.id,))

    def set_locked(self, identity: Identity, locked: bool) -> None:
        statement = (
            "INSERT OR IGNORE INTO locked VALUES (?)" if locked else "DELETE FROM locked WHERE identity = ?"
        )
        with self._transaction():
            self._db.execute(statement, (be_bytes(identity),))

    # -- energy -----------------------------------------------------------------------------------

    def add_energy(self, identity: Identity, amount: int) -> int:
        """The balance afterwards, which stops growing at the largest 128-bit number."""
        with self._transaction():
            balance = min(self._reader.energy_of(identity) + amount, _I128_MAX)
            row = (be_bytes(identity), str(balance))
            self._db.execute("INSERT OR REPLACE INTO energy VALUES (?, ?)", row)
            return balance

    # -- parts ------------------------------------------------------------------------------------

    def _next_id(self) -> int:
        row = self._db.execute("UPDATE counter SET next_id = next_id + 1 RETURNING next_id - 1").fetchone()
        return int(row[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
