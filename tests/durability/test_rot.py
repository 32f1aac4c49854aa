"""Bytes that change on the disk, or files that get shorter, after they were synced: the database is as it was, or as it
was before its last transactions where these look like a torn end, or it does not open and says which file is damaged
and where. It is never silently another one.

Every byte of a small database's files is changed, and every file is cut to every shorter length: log segments, open
and compressed, their indexes, snapshots with the rest of a log behind them, and the stamp of the data directory.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from spacetimedb_paths.metadata import MetadataError, MetadataFile
from spacetimedb_paths.server import MetadataTomlPath
from spacetimedb_standalone.commitlog.retention import seal_finished
from spacetimedb_standalone.commitlog.segment import CommitWalk, Segment
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.ports import MemoryFiles
from spacetimedb_standalone.snapshots import SnapshotDamage, SnapshotTooNew, verify_snapshot
from tests.durability.forms import LONG, Tally
from tests.durability.recording import Contents, disk_with
from tests.durability.steps import kind_of
from tests.durability.workload import Life, live
from tests.examples import BASE
from tests.standalone.datastore.busy import LOG, SNAPSHOTS, open_database, small_module, state

pytestmark = pytest.mark.slow

PLAIN = CommitLogSettings(
    max_segment_size=2200, offset_index_interval_bytes=128, retention=False, compress_segments=False
)
SHORTENED = CommitLogSettings(max_segment_size=2200, offset_index_interval_bytes=128, compress_segments=False)
STRIDE = 1 if LONG else 149
OPENED = 0.1
"""So many of the databases with a damaged snapshot are opened: it is put aside. Of the others the snapshot is read."""
PLACE = re.compile(
    r"\d{20}\.stdb\.(log|snap)\b.*(byte \d+|offset[= ]\d+)"
    r"|\d{20}\.stdb\.log \[[a-z ]+\]: "
    r"|the log ends before transaction \d+, but \d{20}\.stdb\.snap shows"
)
"""A file and a position, or the beginning of a segment, which the step in brackets looks at, or the end of the log."""


class Database:
    """Its files, and the states that it has been in."""

    def __init__(self, settings: CommitLogSettings, seed: int, changes: int, every: int) -> None:
        self.settings, self.life = settings, Life()
        self.disk = MemoryFiles()
        live(self.disk, self.life, small_module(), seed, changes, every, settings)
        assert not self.life.refusals
        self.disk.restart()

    def contents(self) -> Contents:
        return {
            directory / name: self.disk.read(directory / name)
            for directory in (LOG, SNAPSHOTS)
            for name in sorted(self.disk.names(directory))
        }

    def last_commits(self) -> tuple[Path, list[int]]:
        """The last segment, and where its commits begin."""
        path = max(path for path in self.contents() if path.suffix == ".log")
        with Segment.open(self.disk, path) as segment:
            return path, [at for at, _ in CommitWalk(segment.source, 1)]


def some_database(settings: CommitLogSettings, changes: int, every: int) -> Database:
    """The first with several commits in its last segment."""
    databases = (Database(settings, seed, changes, every) for seed in count(BASE))
    return next(database for database in databases if len(database.last_commits()[1]) > 1)


def plain() -> Database:
    return some_database(PLAIN, 3, 100)


def sealed() -> Database:
    database = plain()
    assert seal_finished(database.disk, LOG)
    return database


def with_snapshots() -> Database:
    """Neither the log alone nor an old snapshot is enough: the beginning of the log was removed."""
    return some_database(SHORTENED, 7, 3)


def flips(content: bytes, choice: random.Random, first: int) -> Iterator[tuple[int, bytes]]:
    for at in range(first, len(content), STRIDE):
        yield at, content[:at] + bytes([content[at] ^ choice.randint(1, 255)]) + content[at + 1 :]


def cuts(content: bytes, choice: random.Random, first: int) -> Iterator[tuple[int, bytes]]:
    for length in range(first, len(content), STRIDE):
        yield length, content[:length]


@pytest.mark.parametrize("harm", [flips, cuts])
@pytest.mark.parametrize("make", [plain, sealed, with_snapshots])
def test_no_damage_passes_for_another_state(
    make: Callable[[], Database],
    harm: Callable[[bytes, random.Random, int], Iterator[tuple[int, bytes]]],
    tally: Tally,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL)
    database, choice = make(), random.Random(BASE)
    contents = database.contents()
    last_segment, (*_, last_commit) = database.last_commits()
    for path, content in contents.items():
        for at, damaged in harm(content, choice, choice.randrange(STRIDE)):
            if path.parent == SNAPSHOTS and choice.random() > OPENED:
                found = verdict(path, damaged)
            else:
                found = outcome(database, contents | {path: damaged})
            if found == "its last transactions are missing":
                assert path == last_segment, f"{path} at {at}"
                assert harm is cuts or at >= last_commit, (
                    f"{path} at {at}, but the last commit is at {last_commit}"
                )
            tally(f"rot, {harm.__name__}", f"{make.__name__}: {kind_of(path.name)}", found)


def verdict(path: Path, damaged: bytes) -> str:
    """Of the reader of snapshots, which every opening asks before it uses one."""
    with pytest.raises(
        (SnapshotDamage, SnapshotTooNew), match=rf"^{path.name} is (damaged at byte|of format)"
    ):
        verify_snapshot(disk_with({path: damaged}), path)
    return "refused, with file and place"


def outcome(database: Database, contents: Contents) -> str:
    """What becomes of it; fails if it opens in a state that never was, or without saying why not."""
    states = database.life.states
    try:
        opened = open_database(disk_with(contents), database.settings)
    except StorageError as error:
        assert PLACE.search(str(error)), str(error)
        return "refused, with file and place"
    found = opened.store.next_offset
    if found == len(states):
        assert state(opened) == states[-1]
        return "the same state"
    assert state(opened) == (states[found - 1] if found else state(open_database(MemoryFiles())))
    return "its last transactions are missing"


def test_the_stamp_of_a_data_directory_is_read_or_refused(tmp_path: Path, tally: Tally) -> None:
    """It has no checksum: a byte that changes within a word passes for another version or edition."""
    path = MetadataTomlPath(tmp_path / "metadata.toml")
    stamp = MetadataFile("2.10.0", "standalone")
    stamp.write(path)
    file = Path(tmp_path / "metadata.toml")
    content, choice = file.read_bytes(), random.Random(BASE)
    for harm in (flips, cuts):
        for _, damaged in harm(content, choice, 0):
            file.write_bytes(damaged)
            try:
                result = (
                    "the same state" if MetadataFile.read(path) == stamp else "another version or edition"
                )
            except MetadataError as error:
                assert "metadata.toml" in str(error)
                result = "refused, with file"
            tally(f"rot, {harm.__name__}", "metadata.toml", result)
