"""The tables of control state: one SQLite file, `control-db/control.sqlite3`, version in `user_version`.

A name is kept in lower case as key and as given; its owner is in `tld` even while it leads nowhere.
Identities are stored in the order of their text form, so that the file can be read by eye with `hex()`.
Every id (database or replica) is drawn from one counter that never goes back.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

FILE_NAME: Final = "control.sqlite3"
FORMAT_VERSION: Final = 1
_BUSY_MS: Final = 5000

_TABLES: Final = """
CREATE TABLE counter (next_id INTEGER NOT NULL);
INSERT INTO counter VALUES (1);
CREATE TABLE tld (name TEXT PRIMARY KEY, owner BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE name (
    key TEXT PRIMARY KEY, given TEXT NOT NULL, identity BLOB NOT NULL, position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX name_of_database ON name (identity, position);
CREATE TABLE database (
    id INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, owner BLOB NOT NULL,
    host_type TEXT NOT NULL, initial_program BLOB NOT NULL
);
CREATE INDEX database_of_owner ON database (owner);
CREATE TABLE replica (id INTEGER PRIMARY KEY, database_id INTEGER NOT NULL UNIQUE);
CREATE TABLE locked (identity BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE energy (identity BLOB PRIMARY KEY, balance TEXT NOT NULL) WITHOUT ROWID;
"""


class ControlStateError(Exception):
    """Control state cannot be opened: the disk's fault or another version's."""


def open_control_db(directory: Path) -> sqlite3.Connection:
    """A connection to the control state below `directory`, which is made and filled with empty tables if new.

    Every commit is on disk before it returns. Raises `ControlStateError`.
    """
    path = directory / FILE_NAME
    try:
        directory.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        _bring_up(connection, path)
    except (sqlite3.Error, OSError) as error:
        raise ControlStateError(f"cannot open the control state in {path}: {error}") from error
    return connection


def _bring_up(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > FORMAT_VERSION:
        raise ControlStateError(
            f"{path} has format {version}, but this server knows formats up to {FORMAT_VERSION}: "
            "use the newer server that wrote it"
        )
    if version == 0:
        connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {FORMAT_VERSION}; COMMIT;")
