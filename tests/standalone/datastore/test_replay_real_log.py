"""A log written by the reference implementation leads to the state that the reference implementation had."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.identity import ConnectionId, Identity
from spacetimedb_standalone.commitlog import Driver, read_commits
from spacetimedb_standalone.commitlog.format import encode_commit
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.errors import StorageError, WrongDatabase
from spacetimedb_standalone.datastore.schema import IndexKind, TableAccess
from spacetimedb_standalone.datastore.system_tables import I128_MAX
from spacetimedb_standalone.ports import ManualClock, MemoryFiles

DATABASE = Path(__file__).parent.parent / "vectors" / "commitlog" / "database"
REPLICA = Path("/replica")
SEGMENT = REPLICA / "clog" / "00000000000000000000.stdb.log"
FINAL: list[dict[str, Any]] = [
    json.loads(line) for line in (DATABASE / "final-state.jsonl").open(encoding="utf-8")
]


def open_datastore(files: MemoryFiles) -> Datastore:
    return Datastore.open(REPLICA, files, ManualClock(), options=CommitLogSettings(), driver=Driver.INLINE)


@pytest.fixture
def files() -> MemoryFiles:
    files = MemoryFiles()
    files.put(SEGMENT, (DATABASE / SEGMENT.name).read_bytes())
    return files


@pytest.fixture
def datastore(files: MemoryFiles) -> Datastore:
    return open_datastore(files)


def rows(datastore: Datastore, table_id: int) -> list[str]:
    return sorted(row.hex() for row in datastore.store.scan(table_id))


def test_every_table_has_the_rows_it_had(datastore: Datastore) -> None:
    assert list(datastore.schema.tables) == sorted(entry["table_id"] for entry in FINAL)
    for entry in FINAL:
        expected = sorted(row["bsatn"] for row in entry["rows"])
        assert rows(datastore, entry["table_id"]) == expected, entry["table"]


def test_the_schema_is_that_of_the_last_record(datastore: Datastore) -> None:
    schema = datastore.schema
    assert schema.table("wide") is None, "it was dropped"
    person, item, shot, job = (schema.table(name) for name in ("person", "item", "shot", "job"))
    assert person is not None and item is not None and shot is not None and job is not None
    assert [(column.name, column.accessor) for column in person.columns] == [
        ("id", "id"),
        ("name", "name"),
        ("email", "email"),
        ("age", "age"),
    ]
    assert person.primary_key == 0 and person.access is TableAccess.PUBLIC
    assert [(i.name, i.kind, i.columns, i.unique) for i in person.indexes] == [
        ("person_name_idx_btree", IndexKind.BTREE, (1,), False),
        ("person_id_idx_btree", IndexKind.BTREE, (0,), True),
    ]
    sequence = person.sequences[0]
    assert (sequence.start, sequence.minimum, sequence.maximum, sequence.allocated) == (1, 1, I128_MAX, 4097)
    assert item.access is TableAccess.PRIVATE
    assert [(i.name, i.kind) for i in item.indexes] == [
        ("item_id_idx_btree", IndexKind.BTREE),
        ("item_owner_idx_hash", IndexKind.HASH),
    ]
    assert shot.is_event and datastore.store.count(shot.id) == 0
    assert job.schedule is not None
    assert (job.schedule.function, job.schedule.at_column, job.schedule.id_column) == ("run_job", 1, 0)


def test_sequences_go_on_behind_what_may_have_been_given_out(datastore: Datastore) -> None:
    person = datastore.schema.table("person")
    assert person is not None
    datastore.begin()
    stored = datastore.store.insert(person.id, person.codec.encode((0, "new", (1, ()), 1)))
    datastore.rollback()
    assert person.codec.decode(stored)[0][0] == 4097


def test_the_indexes_work(datastore: Datastore) -> None:
    person = datastore.schema.table("person")
    assert person is not None
    found = datastore.store.seek(person.indexes[0].id, b"\3\0\0\0Bob")
    assert [person.codec.decode(row)[0][:2] for row in found] == [(2, "Bob")]


def test_the_program_and_its_owner_are_known(datastore: Datastore) -> None:
    assert datastore.initialized and datastore.program is not None
    assert datastore.program.data == b"" and datastore.program.hash.hex().startswith("c5d246018")
    assert datastore.database_identity == datastore.owner == Identity(bytes(32))
    datastore.require(Identity(bytes(32)), Identity(bytes(32)))
    with pytest.raises(WrongDatabase, match=r"mismatched owner identity: 0+ != 1"):
        datastore.require(Identity(bytes(32)), Identity.from_hex("1" * 64))


def test_the_log_goes_on_and_can_be_replayed_again(files: MemoryFiles, datastore: Datastore) -> None:
    before = files.read(SEGMENT)
    identity, connection = Identity.from_int(7), ConnectionId.from_int(8)
    datastore.begin()
    datastore.insert_client(identity, connection, '{"sub":"x"}')
    assert datastore.commit(b"\7connect") == 17
    datastore.close()
    assert files.read(SEGMENT).startswith(before) and len(files.read(SEGMENT)) > len(before)
    again = open_datastore(files)
    assert again.clients() == [(identity, connection)]
    assert again.has_client(identity, connection) and not again.has_client(identity, ConnectionId.from_int(9))
    again.clear_clients()
    assert again.clients() == [] and again.read_offset() == 18


def rewritten(files: MemoryFiles, keep: int, extra: bytes = b"") -> None:
    """Replace the log by its first `keep` commits and one more record."""
    commits = list(read_commits(files, SEGMENT.parent))[:keep]
    data = files.read(SEGMENT)[:10] + b"".join(commit.encoded for commit in commits)
    files.put(SEGMENT, data + (encode_commit(keep, 0, 1, extra) if extra else b""))


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (b"\x20\x01\x63\x00\x00\x00\x01\x00\x00\x00", "table 99"),
        (b"\x20\x01\x11\x00\x00\x00\x01\x03\x10\x00\x00\x00", "too early|number"),
        (b"\x20\x00\x01\x11\x00\x00\x00\x01\x09\x10\x00\x00\x00", "not there"),
    ],
    ids=["rows of no table", "cut short", "a missing row deleted"],
)
def test_a_history_that_cannot_be_is_refused(files: MemoryFiles, record: bytes, text: str) -> None:
    rewritten(files, 17, record)
    with pytest.raises(StorageError, match=text):
        open_datastore(files)


def test_a_log_may_end_anywhere(files: MemoryFiles) -> None:
    for keep in (16, 9, 2, 1):
        rewritten(files, keep)
        datastore = open_datastore(files)
        assert datastore.store.next_offset == keep
        assert (datastore.schema.table("wide") is None) == (keep < 2)
        datastore.close()


def split(files: MemoryFiles, at: int, *, torn: bytes = b"", again: int = 0) -> None:
    """Let the log go on in a second segment, behind bytes of a write that was torn."""
    commits = [commit.encoded for commit in read_commits(files, SEGMENT.parent)]
    header = files.read(SEGMENT)[:10]
    files.put(SEGMENT, header + b"".join(commits[:at]) + torn)
    second = SEGMENT.with_name(f"{at:020}.stdb.log")
    files.put(second, header + commits[at - 1] * again + b"".join(commits[at:]))


@pytest.mark.parametrize(
    "torn", [b"", b"\0" * 40, b"\5\0\0\0", bytes(range(60))], ids=["none", "zeros", "few", "junk"]
)
def test_a_torn_tail_that_healed_is_passed_over(
    files: MemoryFiles, datastore: Datastore, torn: bytes
) -> None:
    datastore.close()
    split(files, 9, torn=torn)
    again = open_datastore(files)
    assert again.store.next_offset == 17
    assert {table: rows(again, table) for table in again.schema.tables} == {
        table: rows(datastore, table) for table in datastore.schema.tables
    }


def test_a_commit_that_stands_twice_counts_once(files: MemoryFiles, datastore: Datastore) -> None:
    datastore.close()
    split(files, 9, again=1)
    assert open_datastore(files).store.next_offset == 17


@pytest.mark.parametrize("offset", [1, 8, 12])
def test_damage_is_refused_where_it_is(files: MemoryFiles, offset: int) -> None:
    data = bytearray(files.read(SEGMENT))
    position = 10 + sum(len(commit.encoded) for commit in list(read_commits(files, SEGMENT.parent))[:offset])
    data[position + 30] ^= 0x10
    files.put(SEGMENT, bytes(data))
    with pytest.raises(StorageError, match=rf"damaged at transaction offset {offset} \(byte {position}\)"):
        open_datastore(files)
    assert files.read(SEGMENT) == bytes(data)


def test_a_log_that_does_not_begin_at_0_is_refused(files: MemoryFiles) -> None:
    data = files.read(SEGMENT)
    commits = list(read_commits(files, SEGMENT.parent))[5:]
    files.put(
        SEGMENT.with_name("00000000000000000005.stdb.log"), data[:10] + b"".join(c.encoded for c in commits)
    )
    files.remove(SEGMENT)
    with pytest.raises(StorageError, match="the log begins with transaction 5"):
        open_datastore(files)


def test_a_database_is_open_once(files: MemoryFiles, datastore: Datastore) -> None:
    with pytest.raises(StorageError, match="commitlog directory is locked"):
        open_datastore(files)
    datastore.close()
    open_datastore(files).close()
