"""Snapshots of a running database are taken beside it: it goes on, and nothing of its is held by the copy."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
from pathlib import Path

import pytest

from spacetimedb_standalone.commitlog import LogFailed
from spacetimedb_standalone.config.settings import CommitLogSettings, SnapshotSettings
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.rebuild import Rebuild
from spacetimedb_standalone.datastore.schema import TableKind
from spacetimedb_standalone.ports import DiskFiles, SystemClock
from spacetimedb_standalone.snapshots import Shelf, SnapshotReader
from spacetimedb_standalone.worker.snapshots import Snapshots
from tests.standalone.datastore.busy import change, initialize, state, story_module

pytestmark = pytest.mark.slow

OPTIONS = CommitLogSettings(max_segment_size=5000)
EVERY_TEN = SnapshotSettings(every_transactions=10)


def open_database(directory: Path) -> Datastore:
    loop = asyncio.get_running_loop()
    return Datastore.open(directory, DiskFiles(), SystemClock(), options=OPTIONS, loop=loop)


def watch(datastore: Datastore, settings: SnapshotSettings = EVERY_TEN) -> Snapshots:
    return Snapshots(asyncio.get_running_loop(), datastore, settings, SystemClock())


async def until_taken(snapshots: Snapshots, count: int) -> None:
    async with asyncio.timeout(120):
        while snapshots.figures.taken + snapshots.figures.failed < count or snapshots._task is not None:
            await asyncio.sleep(0.01)


def until_due(datastore: Datastore, choice: random.Random) -> None:
    """Ten transactions: not every change is one."""
    due = datastore.store.next_offset + 10
    while datastore.store.next_offset < due:
        change(datastore, choice)


async def has_begun(snapshots: Snapshots) -> bool:
    """Now, or within some turns of the loop: that is all it takes."""
    for _ in range(20):
        if snapshots._task is not None:
            return True
        await asyncio.sleep(0)
    return False


async def test_the_database_goes_on_while_snapshots_are_taken(tmp_path: Path) -> None:
    datastore, choice = open_database(tmp_path), random.Random(1)
    initialize(datastore, story_module())
    snapshots = watch(datastore)
    async with asyncio.timeout(120):
        while snapshots.figures.taken < 3:
            change(datastore, choice)
            await asyncio.sleep(0)
    snapshots.stop()
    expected = state(datastore)
    datastore.close()
    again = open_database(tmp_path)
    assert again.disk is not None and again.disk.recovered.snapshot is not None
    assert again.disk.recovered.snapshot.offset == snapshots.figures.last_offset
    assert state(again) == expected
    assert snapshots.figures.failed == 0
    again.close()


async def test_a_log_that_is_not_open_is_in_nobodys_way(tmp_path: Path) -> None:
    datastore, choice = open_database(tmp_path), random.Random(1)
    initialize(datastore, story_module())
    handler = logging.FileHandler(tmp_path / "server.log", delay=True)
    logging.getLogger().addHandler(handler)
    try:
        snapshots = watch(datastore)
        until_due(datastore, choice)
        await until_taken(snapshots, 1)
    finally:
        logging.getLogger().removeHandler(handler)
    assert (snapshots.figures.taken, snapshots.figures.failed) == (1, 0)
    datastore.close()


async def test_the_snapshot_holds_the_state_of_its_moment(tmp_path: Path) -> None:
    datastore, choice = open_database(tmp_path), random.Random(2)
    initialize(datastore, story_module())
    snapshots = watch(datastore)
    until_due(datastore, choice)
    assert await has_begun(snapshots)
    expected, offset = state(datastore), datastore.store.next_offset
    for table in datastore.schema.tables.values():
        if table.kind is TableKind.USER:
            datastore.begin()
            datastore.store.clear(table.id)
            datastore.commit()
    await until_taken(snapshots, 1)
    snapshots.stop()
    datastore.close()
    (taken,) = Shelf(DiskFiles(), tmp_path / "snapshots").newest_first()
    with SnapshotReader.open(DiskFiles(), taken.path) as reader:
        assert reader.head.next_offset == offset
        rebuild = Rebuild()
        rebuild.restore(reader)
    for table_id, rows in expected.items():
        assert sorted(rebuild.store.scan(table_id)) == rows


async def test_sockets_of_the_worker_close_when_it_closes_them(tmp_path: Path) -> None:
    """Although the copy of the process had them too."""
    datastore, choice = open_database(tmp_path), random.Random(3)
    initialize(datastore, story_module())
    ours, theirs = socket.socketpair()
    snapshots = watch(datastore)
    until_due(datastore, choice)
    assert await has_begun(snapshots)
    theirs.close()
    ours.settimeout(60)
    assert ours.recv(1) == b""
    await until_taken(snapshots, 1)
    snapshots.stop()
    datastore.close()


async def test_a_full_disk_costs_the_snapshot_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    datastore, choice = open_database(tmp_path), random.Random(4)
    initialize(datastore, story_module())
    (tmp_path / "snapshots").write_text("there is no room for a directory here")
    snapshots = watch(datastore)
    until_due(datastore, choice)
    await until_taken(snapshots, 1)
    assert snapshots.figures.failed == 1
    assert "no snapshot was taken at transaction" in caplog.text
    change(datastore, choice)
    await datastore.log.wait(datastore.read_offset())
    snapshots.stop()
    datastore.close()


async def test_a_snapshot_waits_for_the_log_and_is_not_published_without_it(tmp_path: Path) -> None:
    datastore, choice = open_database(tmp_path), random.Random(5)
    initialize(datastore, story_module())
    await datastore.log.wait(datastore.read_offset())
    snapshots = watch(datastore)

    async def refuse(offset: int) -> None:
        raise LogFailed("the disk refused")

    datastore.log.wait = refuse  # type: ignore[method-assign]
    until_due(datastore, choice)
    await until_taken(snapshots, 1)
    assert snapshots.figures.failed == 1
    assert Shelf(DiskFiles(), tmp_path / "snapshots").newest_first() == []
    snapshots.stop()
    datastore.close()
    reopened = open_database(tmp_path)
    assert list((tmp_path / "snapshots").iterdir()) == [], "what was unfinished is cleared away"
    reopened.close()


async def test_stopping_ends_a_snapshot_under_way(tmp_path: Path) -> None:
    datastore, choice = open_database(tmp_path), random.Random(6)
    initialize(datastore, story_module())
    snapshots = watch(datastore)
    until_due(datastore, choice)
    assert await has_begun(snapshots)
    snapshots.stop()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    datastore.close()


async def test_turned_off_nothing_is_taken(tmp_path: Path) -> None:
    datastore, choice = open_database(tmp_path), random.Random(7)
    initialize(datastore, story_module())
    snapshots = watch(datastore, SnapshotSettings(enabled=False, every_transactions=1))
    for _ in range(20):
        change(datastore, choice)
    assert not await has_begun(snapshots)
    snapshots.stop()
    assert not (tmp_path / "snapshots").exists()
    datastore.close()


async def test_time_alone_is_enough(tmp_path: Path) -> None:
    datastore, choice = open_database(tmp_path), random.Random(8)
    initialize(datastore, story_module())
    snapshots = watch(datastore, SnapshotSettings(every=0.05))
    change(datastore, choice)
    await until_taken(snapshots, 1)
    assert snapshots.figures.last_offset == datastore.read_offset()
    snapshots.stop()
    datastore.close()


async def test_a_long_tail_found_at_the_start_counts(tmp_path: Path) -> None:
    datastore, choice = open_database(tmp_path), random.Random(9)
    initialize(datastore, story_module())
    for _ in range(12):
        change(datastore, choice)
    datastore.close()
    datastore = open_database(tmp_path)
    snapshots = watch(datastore)
    await until_taken(snapshots, 1)
    assert snapshots.figures.taken == 1
    snapshots.stop()
    datastore.close()
