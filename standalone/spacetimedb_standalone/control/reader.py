"""Questions to control state. Each is one indexed look-up, quick enough for the event loop."""

from __future__ import annotations

import sqlite3
from typing import Any

from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.control.records import Database, HostType, Replica

_DATABASE = "SELECT id, identity, owner, host_type, initial_program FROM database"


class ControlReader:
    """Sees what has been committed; belongs to one thread."""

    def __init__(self, connection: sqlite3.Connection):
        self._db = connection

    def identity_of_name(self, name: str) -> Identity | None:
        row = self._one("SELECT identity FROM name WHERE key = ?", name.lower())
        return None if row is None else Identity.from_be_bytes(row[0])

    def owner_of_name(self, name: str) -> Identity | None:
        """Who registered the name, whether or not it leads anywhere."""
        row = self._one("SELECT owner FROM tld WHERE name = ?", name.lower())
        return None if row is None else Identity.from_be_bytes(row[0])

    def names_of(self, identity: Identity) -> list[str]:
        """The names of a database in their order."""
        rows = self._db.execute(
            "SELECT given FROM name WHERE identity = ? ORDER BY position", (be_bytes(identity),)
        )
        return [row[0] for row in rows]

    def database(self, identity: Identity) -> Database | None:
        row = self._one(f"{_DATABASE} WHERE identity = ?", be_bytes(identity))
        return None if row is None else _database(row)

    def databases_of(self, owner: Identity) -> list[Database]:
        """In the order in which they were made."""
        rows = self._db.execute(f"{_DATABASE} WHERE owner = ? ORDER BY id", (be_bytes(owner),))
        return [_database(row) for row in rows]

    def databases(self) -> list[Database]:
        """All of them, in the order in which they were made."""
        return [_database(row) for row in self._db.execute(f"{_DATABASE} ORDER BY id")]

    def replica_of(self, database: Database) -> Replica | None:
        row = self._one("SELECT id, database_id FROM replica WHERE database_id = ?", database.id)
        return None if row is None else Replica(*row)

    def is_locked(self, identity: Identity) -> bool:
        return self._one("SELECT 1 FROM locked WHERE identity = ?", be_bytes(identity)) is not None

    def energy_of(self, identity: Identity) -> int:
        row = self._one("SELECT balance FROM energy WHERE identity = ?", be_bytes(identity))
        return 0 if row is None else int(row[0])

    def count(self) -> int:
        """How many databases there are."""
        return int(self._db.execute("SELECT count(*) FROM database").fetchone()[0])

    def _one(self, query: str, value: object) -> Any:
        return self._db.execute(query, (value,)).fetchone()


def be_bytes(identity: Identity) -> bytes:
    """The form in which an identity is stored: the bytes of its text."""
    return identity.bsatn[::-1]


def _database(row: tuple[int, bytes, bytes, str, bytes]) -> Database:
    number, identity, owner, host_type, program = row
    return Database(
        number, Identity.from_be_bytes(identity), Identity.from_be_bytes(owner), HostType(host_type), program
    )
