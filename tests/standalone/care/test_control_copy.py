"""A copy of the control state is as it was at one moment, whatever a server does with the files meanwhile."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.care.control_copy import control_copy
from spacetimedb_standalone.control.reader import ControlReader
from spacetimedb_standalone.control.schema import FILE_NAME, ControlStateError, open_control_db
from spacetimedb_standalone.control.writer import ControlWriter

OWNER = Identity.from_int(1)
WAL = FILE_NAME + "-wal"
Happens = Callable[[], object]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "control-db"


@pytest.fixture
def server(directory: Path) -> Iterator[sqlite3.Connection]:
    """The connection of a running server, whose last change is old, and in the write-ahead file only."""
    with closing(open_control_db(directory)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ControlWriter(connection).add_name("chat", OWNER, OWNER)
        for name in (FILE_NAME, WAL):
            os.utime(directory / name, (1, 1))
        yield connection


def owner_of_chat(directory: Path) -> Identity | None:
    with control_copy(directory) as connection:
        return ControlReader(connection).owner_of_name("chat")


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Happens, Happens], list[str]]:
    """Lets something happen before and after a file with this name is copied. Comes back: the names of all copied."""
    copy_file, copied = shutil.copyfile, list[str]()

    def arrange(name: str, before: Happens, after: Happens) -> list[str]:
        def copying(source: Path, target: Path) -> None:
            copied.append(source.name)
            if source.name == name:
                before()
            copy_file(source, target)
            if source.name == name:
                after()

        monkeypatch.setattr(shutil, "copyfile", copying)
        return copied

    return arrange


def nothing() -> None:
    return


def test_changes_that_are_in_the_write_ahead_file_only(directory: Path, server: sqlite3.Connection) -> None:
    assert owner_of_chat(directory) == OWNER


def test_the_write_ahead_file_is_emptied_when_the_main_one_was_copied(
    directory: Path, server: sqlite3.Connection, meanwhile: Callable[[str, Happens, Happens], list[str]]
) -> None:
    did = list[str]()

    def empty() -> None:
        if not did:
            server.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            did.append("empty")

    copied = meanwhile(FILE_NAME, nothing, empty)
    assert owner_of_chat(directory) == OWNER
    assert copied == [FILE_NAME, WAL] * 2


def test_the_write_ahead_file_is_begun_anew_at_the_same_size(
    directory: Path, server: sqlite3.Connection, meanwhile: Callable[[str, Happens, Happens], list[str]]
) -> None:
    writer, did = ControlWriter(server), list[str]()

    def restart() -> None:
        if not did:
            server.execute("PRAGMA wal_checkpoint(RESTART)")
            writer.set_locked(OWNER, True)
            did.append("restart")

    meanwhile(FILE_NAME, nothing, restart)
    assert owner_of_chat(directory) == OWNER


def test_the_write_ahead_file_goes_away_when_the_server_stops(
    directory: Path, server: sqlite3.Connection, meanwhile: Callable[[str, Happens, Happens], list[str]]
) -> None:
    copied = meanwhile(WAL, server.close, nothing)
    assert owner_of_chat(directory) == OWNER
    assert copied == [FILE_NAME, WAL, FILE_NAME]


def test_a_server_that_changes_it_all_the_time(
    directory: Path, server: sqlite3.Connection, meanwhile: Callable[[str, Happens, Happens], list[str]]
) -> None:
    writer = ControlWriter(server)
    copied = meanwhile(WAL, nothing, lambda: writer.add_energy(OWNER, 1))
    with (
        pytest.raises(ControlStateError, match=r"was changed each time while it was copied: try again$"),
        control_copy(directory),
    ):
        pass
    assert copied == [FILE_NAME, WAL] * 3


def test_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(ControlStateError, match=r"^there is no control state in "), control_copy(tmp_path):
        pass


def test_a_damaged_one(directory: Path) -> None:
    directory.mkdir()
    (directory / FILE_NAME).write_bytes(b"?" * 5000)
    with (
        pytest.raises(ControlStateError, match=r" is damaged: file is not a database$"),
        control_copy(directory),
    ):
        pass
