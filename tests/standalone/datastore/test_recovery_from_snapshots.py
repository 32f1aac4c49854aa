"""A database that begins with a snapshot is the one that its whole log leads to."""

from __future__ import annotations

import logging
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacetimedb_engine import WrongIndexAlgorithm
from spacetimedb_lib.identity import ConnectionId, Identity
from spacetimedb_lib.moduledef.migrate import StepKind
from spacetimedb_standalone.commitlog import TailPolicy, read_commits
from spacetimedb_standalone.commitlog.reader import list_segments
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.datastore.recovery import Recovered
from spacetimedb_standalone.datastore.schema import IndexKind
from spacetimedb_standalone.datastore.system_tables import SystemTable
from spacetimedb_standalone.ports import MemoryFiles
from spacetimedb_standalone.ports.memory_files import MemoryFile
from spacetimedb_standalone.snapshots import Shelf
from tests.examples import examples
from tests.standalone.datastore import test_migrations_carried_out as migrations
from tests.standalone.datastore.busy import (
    LOG,
    REPLICA,
    SMALL,
    SNAPSHOTS,
    change,
    initialize,
    open_database,
    snapshot,
    state,
    story_module,
)

REAL_LOG = Path(__file__).parent.parent / "vectors" / "commitlog" / "database"
FIRST = LOG / "00000000000000000000.stdb.log"
KEEPING = CommitLogSettings(max_segment_size=3000, retention=False, compress_segments=False)


def recovered(datastore: Datastore) -> Recovered:
    assert datastore.disk is not None
    return datastore.disk.recovered


def busy_database(seed: int, changes: int, every: int, settings: CommitLogSettings = SMALL) -> MemoryFiles:
    """After so many changes, with a snapshot after every so many; closed."""
    files, choice = MemoryFiles(), random.Random(seed)
    datastore = open_database(files, settings)
    initialize(datastore, story_module())
    for number in range(1, changes + 1):
        change(datastore, choice)
        if number % every == 0:
            snapshot(datastore)
    datastore.close()
    return files


@settings(max_examples=examples(12))
@given(seed=st.integers(0, 2**32), every=st.integers(1, 12), changes=st.integers(1, 30))
def test_snapshot_and_tail_lead_where_the_log_leads(seed: int, every: int, changes: int) -> None:
    files = busy_database(seed, changes, every, KEEPING)
    from_snapshot = open_database(files, KEEPING)
    here, offset = state(from_snapshot), from_snapshot.store.next_offset
    assert (recovered(from_snapshot).snapshot is not None) == (every <= changes)
    assert recovered(from_snapshot).replayed_transactions <= max(every, changes % every + every)
    from_snapshot.close()
    Shelf(files, SNAPSHOTS).remove(Shelf(files, SNAPSHOTS).newest_first())
    from_log = open_database(files, KEEPING)
    assert (state(from_log), from_log.store.next_offset) == (here, offset)
    assert recovered(from_log).snapshot is None


@pytest.mark.parametrize("length", range(1, 18))
def test_a_real_log_may_be_cut_in_two_by_a_snapshot_anywhere(length: int) -> None:
    """Tables come and go in it, and rows are inserted in the record that makes their table."""
    files = MemoryFiles()
    files.put(FIRST, (REAL_LOG / FIRST.name).read_bytes())
    whole, commits = files.read(FIRST), list(read_commits(files, LOG))
    expected = state(open_database(files, CommitLogSettings()))

    files = MemoryFiles()
    files.put(FIRST, whole[: 10 + sum(len(commit.encoded) for commit in commits[:length])])
    datastore = open_database(files, CommitLogSettings())
    snapshot(datastore)
    datastore.close()
    files.put(FIRST, whole)
    datastore = open_database(files, CommitLogSettings())
    assert recovered(datastore).replayed_transactions == len(commits) - length
    assert state(datastore) == expected
    every_index_is_whole(datastore)
    random_changes_work(datastore)


def random_changes_work(datastore: Datastore) -> None:
    """Indexes and sequences are in place."""
    choice = random.Random(1)
    for _ in range(5):
        change(datastore, choice)
    here = state(datastore)
    datastore.close()
    assert datastore.disk is not None
    assert state(open_database(datastore.disk.files, CommitLogSettings())) == here


@pytest.mark.parametrize("case", migrations.with_slow_ones_marked())
def test_definitions_may_change_behind_a_snapshot(case: dict[str, Any]) -> None:
    old, _, plan = migrations.parted(case)
    if {step.kind for step in plan.steps} & migrations.NEVER_DONE:
        pytest.skip("is refused")
    bench = migrations.Bench()
    bench.init(old)
    emptied = {step.full_name for step in plan.steps if step.kind is StepKind.REMOVE_TABLE}
    emptied |= {check.table.full_name for check in plan.prechecks}
    bench.fill({table.full_name: 3 for table in old.all_tables if table.full_name not in emptied})
    snapshot(bench.datastore)
    bench.update(plan)
    after, schema = bench.rows(), bench.datastore.schema
    bench.reopen()
    assert recovered(bench.datastore).snapshot is not None
    assert bench.rows() == after
    assert migrations.without_ids(bench.datastore.schema) == migrations.without_ids(schema)
    every_index_is_whole(bench.datastore)


def every_index_is_whole(datastore: Datastore) -> None:
    everything = b"\2"
    for table in datastore.schema.tables.values():
        for index in table.indexes:
            if index.kind is IndexKind.HASH:
                with pytest.raises(WrongIndexAlgorithm):
                    datastore.store.range(index.id, b"", 0, everything, everything)
                continue
            rows = datastore.store.range(index.id, b"", 0, everything, everything)
            assert sorted(rows) == sorted(datastore.store.scan(table.id)), index.name


def test_numbers_are_not_given_twice_after_a_snapshot() -> None:
    files = busy_database(1, 5, 100)
    datastore = open_database(files)
    person = datastore.schema.named("person")
    assert person is not None
    seen: set[int] = set()
    for _ in range(3):
        for _ in range(2):
            datastore.begin()
            row = person.codec.decode_exact(
                datastore.store.insert(
                    person.id, person.codec.encode((0, f"n{len(seen)}", migrations.SumValue(1, ()), 1))
                )
            )
            datastore.commit()
            assert row[0] not in seen
            seen.add(row[0])
        snapshot(datastore)
        datastore.close()
        datastore = open_database(files)


def test_a_damaged_snapshot_is_put_aside_and_the_older_one_taken(caplog: pytest.LogCaptureFixture) -> None:
    files = busy_database(3, 20, 5)
    datastore = open_database(files)
    expected = state(datastore)
    datastore.close()
    newest, older = Shelf(files, SNAPSHOTS).newest_first()
    data = bytearray(files.read(newest.path))
    data[len(data) // 2] ^= 1
    files.put(newest.path, bytes(data))
    with caplog.at_level(logging.WARNING):
        datastore = open_database(files)
    assert recovered(datastore).snapshot == older and state(datastore) == expected
    assert f"{newest.path.name} is damaged at byte" in caplog.text
    assert newest.path.name + ".invalid" in files.names(SNAPSHOTS)
    datastore.close()


def test_without_any_good_snapshot_a_shortened_log_is_refused() -> None:
    files = busy_database(4, 60, 10)
    assert list_segments(files, LOG)[0].offset > 0, "retention has removed the beginning"
    for kept in Shelf(files, SNAPSHOTS).newest_first():
        files.put(kept.path, files.read(kept.path)[:-1])
    with pytest.raises(
        StorageError, match=r"the log begins with transaction \d+, and there is no good snapshot"
    ):
        open_database(files)


def test_snapshots_that_the_disk_does_not_give_back_are_told_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And stay where they are: they may be read again when the disk is mended."""
    files = busy_database(4, 60, 10)
    expected, open_file = files.names(SNAPSHOTS), files.open

    def refuse(path: Path, *, create: bool = False) -> MemoryFile:
        if path.parent == SNAPSHOTS:
            raise OSError(5, "Input/output error")
        return open_file(path, create=create)

    with monkeypatch.context() as broken:
        broken.setattr(files, "open", refuse)
        with pytest.raises(
            StorageError, match=r"no good snapshot .*stdb.snap cannot be read: .*Input/output"
        ):
            open_database(files)
    assert files.names(SNAPSHOTS) == expected
    open_database(files)


def test_a_log_that_lost_its_end_is_not_taken_for_the_truth() -> None:
    """The snapshot proves that the commits were there."""
    files = busy_database(5, 10, 5, KEEPING)
    (newest, *_) = Shelf(files, SNAPSHOTS).newest_first()
    *_, last = [segment for segment in list_segments(files, LOG) if segment.offset < newest.next_offset]
    for segment in list_segments(files, LOG):
        if segment.offset > last.offset:
            files.remove(segment.path)
    files.put(last.path, files.read(last.path)[:40])
    before = {name: files.read(SNAPSHOTS / name) for name in files.names(SNAPSHOTS)}
    with pytest.raises(
        StorageError, match=rf"{newest.path.name} shows that {newest.next_offset} were durable"
    ):
        open_database(files, KEEPING)
    assert {name: files.read(SNAPSHOTS / name) for name in files.names(SNAPSHOTS)} == before
    cut = Datastore.open(
        REPLICA, files, migrations.ManualClock(), options=KEEPING, driver=migrations.Driver.INLINE,
        policy=TailPolicy.CUT,
    )  # fmt: skip
    assert cut.store.next_offset < newest.next_offset
    assert newest.path.name + ".invalid" in files.names(SNAPSHOTS)


def test_disk_use_is_bounded() -> None:
    """The log behind the second newest snapshot stays, and nothing else."""
    files, choice = MemoryFiles(), random.Random(6)
    datastore = open_database(files)
    initialize(datastore, story_module())
    most = 0
    for number in range(300):
        change(datastore, choice)
        if number % 5 == 0:
            for table in datastore.schema.tables.values():
                if table.name in ("person", "item", "wide"):
                    datastore.begin()
                    datastore.store.clear(table.id)
                    datastore.commit()
        if number % 10 == 9:
            snapshot(datastore)
            kept = Shelf(files, SNAPSHOTS).newest_first()
            segments = list_segments(files, LOG)
            assert len(kept) <= 2
            if len(kept) == 2:
                assert segments[0].offset <= kept[1].next_offset
                assert len(segments) == 1 or segments[1].offset > kept[1].next_offset
            most = max(most, len(segments))
    assert most < 12
    expected = state(datastore)
    datastore.close()
    assert state(open_database(files)) == expected


def test_nothing_is_taken_of_a_database_that_was_never_initialized() -> None:
    files = MemoryFiles()
    datastore = open_database(files)
    snapshot(datastore)
    snapshot(Datastore.in_memory())
    assert not files.names(SNAPSHOTS)
    datastore.begin()
    datastore.insert_client(Identity.from_int(1), ConnectionId.from_int(1), "{}")
    datastore.commit()
    snapshot(datastore)
    assert not files.names(SNAPSHOTS)
    assert datastore.store.count(SystemTable.CLIENT) == 1
