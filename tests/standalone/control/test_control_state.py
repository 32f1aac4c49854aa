"""Control state: names and who may have them, databases, locks, energy; and that it survives."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.control.reader import ControlReader
from spacetimedb_standalone.control.records import DatabaseExists, HostType, NameOfAnother, NameTaken
from spacetimedb_standalone.control.schema import FILE_NAME, ControlStateError, open_control_db
from spacetimedb_standalone.control.state import ControlState
from spacetimedb_standalone.control.writer import ControlWriter

ANN, BOB, DB, OTHER = (Identity.from_claims("test", name) for name in ("ann", "bob", "db", "other"))
PROGRAM = bytes(range(32))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_control_db(tmp_path)
    yield connection
    connection.close()


@pytest.fixture
def read(db: sqlite3.Connection) -> ControlReader:
    return ControlReader(db)


@pytest.fixture
def write(db: sqlite3.Connection) -> ControlWriter:
    return ControlWriter(db)


class TestNames:
    def test_a_free_name_is_registered_to_whoever_takes_it(
        self, read: ControlReader, write: ControlWriter
    ) -> None:
        write.add_name("chat", ANN, DB)
        write.add_name("talk", ANN, DB)
        assert read.identity_of_name("chat") == DB
        assert read.owner_of_name("chat") == ANN
        assert read.names_of(DB) == ["chat", "talk"]
        assert read.identity_of_name("nobody") is None

    def test_a_name_leads_to_one_place(self, write: ControlWriter) -> None:
        write.add_name("chat", ANN, DB)
        for owner, target in ((ANN, DB), (ANN, OTHER), (BOB, OTHER)):
            with pytest.raises(NameTaken, match=r"^record with the name chat already exists$"):
                write.add_name("chat", owner, target)

    def test_replacing_frees_the_old_names_for_their_owner_only(
        self, read: ControlReader, write: ControlWriter
    ) -> None:
        write.add_name("old", ANN, DB)
        write.replace_names(["new", "newer"], ANN, DB)
        assert read.names_of(DB) == ["new", "newer"]
        assert read.identity_of_name("old") is None
        with pytest.raises(NameOfAnother):
            write.add_name("old", BOB, OTHER)
        write.add_name("old", ANN, OTHER)

    def test_a_replacement_that_fails_changes_nothing(
        self, read: ControlReader, write: ControlWriter
    ) -> None:
        write.add_name("mine", ANN, DB)
        write.add_name("bobs", BOB, OTHER)
        for names, error in ((["fresh", "bobs"], NameOfAnother), (["fresh", "fresh"], NameTaken)):
            with pytest.raises(error):
                write.replace_names(names, ANN, DB)
            assert read.names_of(DB) == ["mine"]
            assert read.owner_of_name("fresh") is None

    def test_a_strangers_name_among_the_old_ones_bars_the_replacement(self, write: ControlWriter) -> None:
        write.add_name("mine", ANN, DB)
        write.add_name("bobs", BOB, DB)
        with pytest.raises(NameOfAnother) as caught:
            write.replace_names(["new"], ANN, DB)
        assert caught.value.name == "bobs"

    def test_a_database_may_be_left_without_names(self, read: ControlReader, write: ControlWriter) -> None:
        write.add_name("mine", ANN, DB)
        write.replace_names([], ANN, DB)
        assert read.names_of(DB) == []


class TestDatabases:
    def test_ids_are_never_used_twice(self, write: ControlWriter) -> None:
        ids = [write.reserve_id() for _ in range(3)]
        database = write.insert_database(DB, ANN, HostType.WASM, PROGRAM, ids[0])
        assert len({*ids, database.id, write.reserve_id()}) == 5

    def test_a_database_is_found_by_identity_and_by_owner(
        self, read: ControlReader, write: ControlWriter
    ) -> None:
        first = write.insert_database(OTHER, ANN, HostType.WASM, PROGRAM, write.reserve_id())
        second = write.insert_database(DB, ANN, HostType.JS, PROGRAM, write.reserve_id())
        assert read.database(DB) == second
        assert read.databases_of(ANN) == [first, second], "in the order in which they were made"
        assert read.databases_of(BOB) == []
        assert read.count() == 2
        with pytest.raises(DatabaseExists, match=f"^database with identity {DB} already exists$"):
            write.insert_database(DB, BOB, HostType.WASM, PROGRAM, write.reserve_id())

    def test_emptying_gives_a_new_replica_and_program(
        self, read: ControlReader, write: ControlWriter
    ) -> None:
        database = write.insert_database(DB, ANN, HostType.WASM, PROGRAM, write.reserve_id())
        fresh = write.reserve_id()
        write.replace_replica(database, HostType.JS, PROGRAM[::-1], fresh)
        now = read.database(DB)
        assert now is not None
        assert (now.id, now.initial_program, now.host_type) == (database.id, PROGRAM[::-1], HostType.JS)
        replica = read.replica_of(now)
        assert replica is not None
        assert replica.id == fresh

    def test_names_and_lock_outlive_a_database(self, read: ControlReader, write: ControlWriter) -> None:
        database = write.insert_database(DB, ANN, HostType.WASM, PROGRAM, write.reserve_id())
        write.add_name("chat", ANN, DB)
        write.set_locked(DB, True)
        write.delete_database(database)
        assert read.database(DB) is None
        assert read.replica_of(database) is None
        assert read.identity_of_name("chat") == DB
        assert read.is_locked(DB)

    def test_locking_twice_is_locking_once(self, read: ControlReader, write: ControlWriter) -> None:
        for locked in (True, True, False, False):
            write.set_locked(DB, locked)
            assert read.is_locked(DB) is locked


def test_energy_adds_up_and_stops_at_the_largest_number(read: ControlReader, write: ControlWriter) -> None:
    assert read.energy_of(ANN) == 0
    assert write.add_energy(ANN, 5) == 5
    assert write.add_energy(ANN, 1 << 127) == (1 << 127) - 1
    assert read.energy_of(ANN) == (1 << 127) - 1


async def test_changes_are_seen_by_the_reader_and_after_a_restart(tmp_path: Path) -> None:
    state = ControlState.open(tmp_path)
    await state.change(lambda writer: writer.add_name("chat", ANN, DB))
    assert state.read.identity_of_name("chat") == DB
    with pytest.raises(NameTaken):
        await state.change(lambda writer: writer.add_name("chat", ANN, DB))
    state.close()
    again = ControlState.open(tmp_path)
    assert again.read.names_of(DB) == ["chat"]
    again.close()


def test_a_file_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    connection = open_control_db(tmp_path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ControlStateError, match="has format 99, but this server knows formats up to 1"):
        open_control_db(tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"something else entirely" * 100)
    with pytest.raises(ControlStateError, match="cannot open the control state in"):
        open_control_db(tmp_path)
