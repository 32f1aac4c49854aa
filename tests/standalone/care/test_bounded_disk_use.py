"""What a database takes on the disk does not grow for ever, unless somebody wants to keep its history."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_standalone.config.config_file import default_config_text
from spacetimedb_standalone.config.settings import CommitLogSettings, ServerConfig, read_config
from spacetimedb_standalone.control.disk_use import disk_use
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.schema import TableKind
from spacetimedb_standalone.datastore.snapshotting import take_snapshot
from spacetimedb_standalone.ports import ManualClock
from tests.standalone.care.made import Made, open_replica
from tests.standalone.datastore.busy import change, initialize, state, story_module

pytestmark = pytest.mark.slow

ROUNDS = 16
"""Each of ten transactions, then all rows go, then a snapshot is taken."""
SMALL = {"max-segment-size": 4000, "offset-index-interval-bytes": 256}


def empty(datastore: Datastore) -> None:
    for table in datastore.schema.tables.values():
        if table.kind is TableKind.USER:
            datastore.begin()
            datastore.store.clear(table.id)
            datastore.commit()


def sizes(directory: Made, settings: CommitLogSettings) -> list[int]:
    """Bytes of the log after each round, index files left out, which all have one length here."""
    datastore, choice, found = open_replica(directory.replica, settings), random.Random(3), []
    initialize(datastore, story_module())
    for _ in range(ROUNDS):
        for _ in range(10):
            change(datastore, choice)
        empty(datastore)
        take_snapshot(datastore, ManualClock())
        found.append(sum(segment.stat().st_size for segment in directory.segments))
    directory.states[datastore.store.next_offset - 1] = state(datastore)
    datastore.close()
    return found


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, list[int]]:
    """With all of its history."""
    directory = Made(tmp_path_factory.mktemp("kept"))
    settings = {**SMALL, "retention": False, "compress-segments": False}
    return directory, sizes(directory, read_config({"commitlog": settings}).commitlog)


@pytest.mark.parametrize("compress", [True, False], ids=["compressed", "not compressed"])
def test_the_log_is_bounded(tmp_path: Path, compress: bool, kept: tuple[Made, list[int]]) -> None:
    """By what two snapshots need, here three rounds at most, however many there are."""
    directory = Made(tmp_path)
    settings = {**SMALL, "compress-segments": compress}
    found = sizes(directory, read_config({"commitlog": settings}).commitlog)
    assert max(found) < 3 * max(behind - before for before, behind in pairwise(kept[1]))
    assert max(found) < kept[1][-1] / 4
    assert len(directory.snapshots) == 2
    assert directory.state() == (directory.last, directory.states[directory.last])


def test_its_history_is_kept_if_that_is_wanted(kept: tuple[Made, list[int]]) -> None:
    directory, found = kept
    assert all(before < behind for before, behind in pairwise(found))
    assert directory.segments[0].name == f"{0:020}.stdb.log" and len(directory.snapshots) == 2
    for snapshot in directory.snapshots:
        snapshot.unlink()
    assert directory.state() == (directory.last, directory.states[directory.last])


def test_what_a_database_takes_is_what_is_allocated(tmp_path: Path) -> None:
    """`spacetime list --sizes` shows the sum. Index files have holes, which take no room."""
    directory = Made(tmp_path)
    sizes(directory, CommitLogSettings())
    use = disk_use(Path(directory.replica))
    length = sum(path.stat().st_size for path in directory.log.iterdir())
    assert 0 < use.log < length and length > 4 << 20
    assert use.snapshots > 0 and use.module_logs == 0
    assert use.total == use.log + use.snapshots


@pytest.mark.parametrize(
    ("section", "key", "of"),
    [
        ("commitlog", "retention", lambda config: config.commitlog.retention),
        ("commitlog", "compress-segments", lambda config: config.commitlog.compress_segments),
        ("snapshots", "enabled", lambda config: config.snapshots.enabled),
    ],
)
def test_what_bounds_it_is_on_and_can_be_turned_off(section: str, key: str, of: Any) -> None:
    assert of(ServerConfig()) is True
    assert of(read_config({section: {key: False}})) is False
    described = default_config_text().partition(f"[{section}]")[2].partition("\n[")[0]
    assert f"# {key} = true\n" in described
