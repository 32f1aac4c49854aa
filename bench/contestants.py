"""Stores of rows that `bench.engine` compares: the engine, with and without its log on a disk, and SQLite.

All hold one table of (id u32 primary key, balance i64) and are called the same way: from Python, a call an
operation, keys and rows as the store takes them. What a store makes of a number is its own cost.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from spacetimedb_engine import Store
from spacetimedb_standalone.commitlog import Driver, open_log
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.ports import DiskFiles

ROW = struct.Struct("<Iq")
ROW_TYPE = bytes.fromhex("0202000000010b010c")
"""BSATN of the product type (U32, I64)."""
TABLE = INDEX = 4096
SYNC_SECONDS = 30.0


class Contestant(Protocol):
    """`insert` to `scan` happen between `begin` and `commit`; what they find is thrown away."""

    name: str

    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def insert(self, key: int, balance: int) -> object: ...
    def lookup(self, key: int) -> object: ...
    def update(self, key: int, balance: int) -> object: ...
    def delete(self, key: int) -> object: ...

    def scan(self, first: int, last: int) -> Sequence[object]:
        """The rows with these keys and all between them, in their order."""
        ...

    def close(self) -> None: ...


class Engine:
    """The engine alone: commits are encoded, and dropped."""

    def __init__(self) -> None:
        self.name = "engine"
        self.store = Store()
        self.store.create_table(TABLE, ROW_TYPE)
        self.store.create_index(INDEX, TABLE, 0, True, [0])

    def begin(self) -> None:
        self.store.begin()

    def commit(self) -> None:
        self.store.commit()
        self.store.take_log()

    def insert(self, key: int, balance: int) -> object:
        return self.store.insert(TABLE, ROW.pack(key, balance))

    def lookup(self, key: int) -> object:
        return self.store.seek(INDEX, key.to_bytes(4, "little"))

    def update(self, key: int, balance: int) -> object:
        return self.store.update(TABLE, INDEX, ROW.pack(key, balance))

    def delete(self, key: int) -> object:
        return self.store.delete_seek(INDEX, key.to_bytes(4, "little"))

    def scan(self, first: int, last: int) -> Sequence[object]:
        low, high = first.to_bytes(4, "little"), last.to_bytes(4, "little")
        return self.store.range(INDEX, b"", 0, b"\0" + low, b"\0" + high)

    def close(self) -> None:
        """Nothing is open."""


class LoggedEngine(Engine):
    """The engine and its commit log: a commit returns when the disk has it (one fdatasync each)."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.name = "engine + log"
        self._log = open_log(DiskFiles(), directory / "clog", CommitLogSettings()).start(Driver.INLINE)

    def commit(self) -> None:
        self.store.commit()
        commits = self.store.take_log()
        if commits:
            self._log.submit(commits, self.store.next_offset - 1)
            if not self._log.drain(SYNC_SECONDS):
                raise TimeoutError(f"the disk did not take a commit within {SYNC_SECONDS} s")

    def close(self) -> None:
        self._log.close()


class Sqlite:
    """SQLite through Python's own module; without a directory in memory, else WAL and synchronous=FULL."""

    def __init__(self, directory: Path | None) -> None:
        self.name = "sqlite memory" if directory is None else "sqlite disk"
        place = ":memory:" if directory is None else directory / "accounts.db"
        self._connection = sqlite3.connect(place, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA cache_size=-65536")  # all of a million rows fit in
        self._connection.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)")
        self._run = self._connection.cursor().execute

    def begin(self) -> None:
        self._run("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._run("COMMIT")

    def insert(self, key: int, balance: int) -> object:
        return self._run("INSERT INTO accounts VALUES (?, ?)", (key, balance))

    def lookup(self, key: int) -> object:
        return self._run("SELECT * FROM accounts WHERE id = ?", (key,)).fetchall()

    def update(self, key: int, balance: int) -> object:
        return self._run("UPDATE accounts SET balance = ? WHERE id = ?", (balance, key))

    def delete(self, key: int) -> object:
        return self._run("DELETE FROM accounts WHERE id = ?", (key,))

    def scan(self, first: int, last: int) -> Sequence[object]:
        query = "SELECT * FROM accounts WHERE id BETWEEN ? AND ? ORDER BY id"
        return self._run(query, (first, last)).fetchall()

    def close(self) -> None:
        self._connection.close()
