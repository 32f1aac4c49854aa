"""A database that loses power again and again always comes back as it was after one of its transactions."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacetimedb_engine import UniqueViolation
from spacetimedb_lib.identity import ConnectionId, Identity
from spacetimedb_standalone.commitlog import Driver, LogFailed
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.datastore.system_tables import SystemTable
from spacetimedb_standalone.ports import CrashPoint, ManualClock, MemoryFiles, PowerLoss
from tests.examples import examples

REPLICA = Path("/replica")
SMALL = CommitLogSettings(max_segment_size=2000, offset_index_interval_bytes=128)
State = dict[int, list[bytes]]


def open_datastore(files: MemoryFiles) -> Datastore:
    return Datastore.open(REPLICA, files, ManualClock(), options=SMALL, driver=Driver.INLINE)


def state(datastore: Datastore) -> State:
    """All rows, except the bounds of sequences, which a rolled back transaction may have raised."""
    tables = set(datastore.schema.tables) - {SystemTable.SEQUENCE}
    return {table: sorted(datastore.store.scan(table)) for table in tables}


def change(datastore: Datastore, choice: random.Random) -> None:
    """One transaction: connections that come and go."""
    identity, connection = (
        Identity.from_int(choice.randrange(4)),
        ConnectionId.from_int(choice.randrange(1, 9)),
    )
    datastore.begin()
    if datastore.has_client(identity, connection):
        assert datastore.delete_client(identity, connection)
    else:
        assert not datastore.delete_client(identity, connection)
        try:
            datastore.insert_client(identity, connection, "x" * choice.choice((0, 10, 700)))
        except UniqueViolation:  # another identity has it
            datastore.rollback()
            return
    datastore.commit(b"\4call" + bytes(56))


@settings(max_examples=examples(8))
@given(
    seed=st.integers(0, 2**32),
    lives=st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(CrashPoint), st.integers(1, 9)), min_size=1, max_size=4
    ),
)
def test_every_life_begins_with_a_state_that_was(seed: int, lives: list[tuple[int, CrashPoint, int]]) -> None:
    files, choice = MemoryFiles(), random.Random(seed)
    history: list[State] = []
    """The state after each transaction that may have reached the disk."""
    durable = 0
    for count, point, time in lives:
        files.lose_power_at(point, time)
        try:
            datastore = open_datastore(files)
            found = datastore.store.next_offset
            assert durable <= found <= len(history)
            assert found == 0 or state(datastore) == history[found - 1]
            del history[found:]
            live(datastore, choice, count, history)
        except PowerLoss:
            pass
        else:
            durable = datastore.log.durable_offset + 1
        files.crash(choice)


def live(datastore: Datastore, choice: random.Random, count: int, history: list[State]) -> None:
    """So many transactions, or until the power goes."""
    for _ in range(count):
        try:
            change(datastore, choice)
        finally:
            if datastore.store.next_offset > len(history):
                history.append(state(datastore))


def test_a_disk_that_refuses_is_told_and_loses_nothing_durable() -> None:
    files = MemoryFiles()
    datastore, choice = open_datastore(files), random.Random(1)
    history: list[State] = []
    live(datastore, choice, 5, history)
    failures: list[Exception] = []
    datastore.log.on_failed(failures.append)
    files.sync_error = OSError(5, "Input/output error")
    with pytest.raises(LogFailed):
        live(datastore, choice, 1, history)
    assert len(failures) == 1
    datastore.store.begin()
    datastore.store.insert(SystemTable.CLIENT, bytes(48))
    assert datastore.store.commit() == len(history)
    datastore.close()  # nothing can be done about what is left, and nothing is raised
    files.restart()
    again = open_datastore(files)
    assert state(again) == history[again.store.next_offset - 1]
    assert again.store.next_offset == len(history) - 1


def test_a_connection_id_of_another_identity_is_refused() -> None:
    datastore = Datastore.in_memory()
    first, second, connection = Identity.from_int(1), Identity.from_int(2), ConnectionId.from_int(3)
    datastore.begin()
    datastore.insert_client(first, connection, "{}")
    assert datastore.commit(b"\4call", force=True) == 0
    assert datastore.log.durable_offset == 0, "without a disk everything counts as durable"
    datastore.begin()
    with pytest.raises(UniqueViolation, match="is in use"):
        datastore.insert_client(second, connection, "{}")
    datastore.rollback()
    datastore.begin()
    datastore.insert_client(first, connection, '{"another": "token"}')
    assert datastore.clients() == [(first, connection)], "two connections of one identity share the row"
    datastore.rollback()
    assert datastore.clients() == [(first, connection)]
    with pytest.raises(StorageError, match="not initialized"):
        _ = datastore.owner
    datastore.close()


def test_a_disk_that_cannot_be_opened_is_named_in_one_sentence() -> None:
    class NoRoom(MemoryFiles):
        def make_directory(self, path: Path) -> None:
            raise OSError(28, "No space left on device", str(path))

    with pytest.raises(StorageError, match=r"the disk refused when /replica was opened: .*No space left"):
        open_datastore(NoRoom())
