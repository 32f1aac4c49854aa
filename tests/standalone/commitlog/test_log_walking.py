"""Walking through a log that is longer than what is read at a time, and letting go of what was opened."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from spacetimedb_standalone.commitlog import CannotResume, LogDamage, open_log, read_commits, replay_commits
from spacetimedb_standalone.commitlog.errors import BadHeader, ShortCommit
from spacetimedb_standalone.commitlog.format import (
    SEGMENT_HEADER_SIZE,
    VERSION,
    SegmentHeader,
    encode_commit,
)
from spacetimedb_standalone.commitlog.offset_index import index_path
from spacetimedb_standalone.commitlog.opening import Driver
from spacetimedb_standalone.commitlog.recovery import ResumePoint, resume
from spacetimedb_standalone.commitlog.segment import CHUNK, CommitWalk, Segment, open_readable
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.ports import DiskFiles, MemoryFiles

VECTORS = Path(__file__).parent.parent / "vectors" / "commitlog"
DIRECTORY = Path("/clog")
FIRST = DIRECTORY / "00000000000000000000.stdb.log"
OPEN = Path("/proc/self/fd")
HEADER = SegmentHeader(VERSION, 0).encode()
BEGINS_AS_SEALED = b"\x28\xb5\x2f\xfd" + bytes(20)


def stored(*commits: bytes) -> MemoryFiles:
    files = MemoryFiles()
    files.put(FIRST, HEADER + b"".join(commits))
    return files


def commits_of(sizes: list[int]) -> list[bytes]:
    return [encode_commit(offset, 0, 1, bytes([offset % 251]) * size) for offset, size in enumerate(sizes)]


LENGTHS = {
    "many that cross the border of a chunk": [300_007] * 9,
    "one longer than a chunk": [10, 2 * CHUNK + 5, 10],
    "the last one longer than a chunk": [10, 2 * CHUNK],
    "the first chunk ends with a commit": [CHUNK - SEGMENT_HEADER_SIZE - 26, 5, 7],
    "a chunk ends inside a frame": [CHUNK - SEGMENT_HEADER_SIZE - 26 - 11, 5, 7],
    "the last one alone in its chunk": [CHUNK, 0],
    "nothing but frames": [0] * 50_000,
}


@pytest.mark.parametrize("name", LENGTHS)
def test_a_log_longer_than_a_chunk(name: str) -> None:
    commits = commits_of(LENGTHS[name])
    files = stored(*commits)
    read = list(read_commits(files, DIRECTORY))
    assert [commit.encoded for commit in read] == commits
    assert resume(files, DIRECTORY) == ResumePoint(len(commits), 0, FIRST, len(files.read(FIRST)))


@pytest.mark.parametrize(
    ("cut", "error"),
    [
        (1, "failed to read checksum"),
        (4, "failed to read checksum"),
        (5, "failed to read 4 bytes of commit payload"),
        (8, "failed to read 4 bytes of commit payload"),
        (9, None),
        (30, None),
    ],
)
def test_the_end_of_a_long_log_is_found_wherever_it_was_cut(cut: int, error: str | None) -> None:
    """The last commit has four bytes. Less than a frame of it is no commit at all."""
    commits = commits_of([CHUNK, CHUNK // 2, 3, 4])
    files = MemoryFiles()
    files.put(FIRST, (HEADER + b"".join(commits))[:-cut])
    read: list[bytes] = []
    with contextlib.nullcontext() if error is None else pytest.raises(ShortCommit, match=error):
        read.extend(commit.encoded for commit in read_commits(files, DIRECTORY))
    assert read == commits[:-1]


def test_old_commits_are_written_anew_in_the_current_version() -> None:
    """As when a log of version 0 is imported: the same but for the epoch, which there was none of."""
    old = list(read_commits(DiskFiles(), VECTORS / "v0-basic"))
    new = list(read_commits(DiskFiles(), VECTORS / "v1-basic"))
    assert {commit.version for commit in old} == {0} and {commit.version for commit in new} == {1}
    assert [commit.encoded for commit in old] == [
        encode_commit(commit.min_tx_offset, 0, commit.n, commit.records) for commit in old
    ]
    segment = (VECTORS / "v1-basic" / FIRST.name).read_bytes()
    assert b"".join(commit.encoded for commit in new) == segment[SEGMENT_HEADER_SIZE:]


def test_a_broken_commit_is_reported_under_the_transaction_that_is_due() -> None:
    first, second, third = commits_of([30, 30, 30])
    walk = CommitWalk(stored(first, second, third[:-1] + b"?").open(FIRST), VERSION)
    with pytest.raises(LogDamage, match="checksum mismatch at offset=2"):
        list(walk)
    assert walk.position == SEGMENT_HEADER_SIZE + len(first) + len(second)
    with pytest.raises(LogDamage, match="checksum mismatch at offset=0"):
        list(CommitWalk(stored(first[:-1] + b"?").open(FIRST), VERSION))


def test_what_only_begins_as_a_sealed_segment_is_refused_by_name() -> None:
    files = MemoryFiles()
    files.put(FIRST, BEGINS_AS_SEALED)
    with pytest.raises(BadHeader, match=rf"^{FIRST.name} \[reading segment header\]: .*no seek table"):
        open_readable(files, FIRST)
    with pytest.raises(CannotResume, match=rf"^{FIRST.name} \[opening segment for resume\]: .*no seek table"):
        resume(files, DIRECTORY)


# --- nothing stays open


def read_all(directory: Path) -> None:
    list(read_commits(DiskFiles(), directory))


def replay_all(directory: Path) -> None:
    list(replay_commits(DiskFiles(), directory, 0, 5))


def find_the_end(directory: Path) -> None:
    resume(DiskFiles(), directory)


def open_and_close(directory: Path) -> None:
    open_log(DiskFiles(), directory, CommitLogSettings(max_segment_size=200)).start(Driver.INLINE).close()


def begin_sealed(directory: Path) -> None:
    (directory / FIRST.name).write_bytes(BEGINS_AS_SEALED)


def begin_wrong(directory: Path) -> None:
    (directory / FIRST.name).write_bytes(b"?" * 40)


def add_an_empty_one(directory: Path) -> None:
    (directory / f"{5:020}.stdb.log").write_bytes(HEADER)


def unharmed(directory: Path) -> None:
    """As it was written."""


@pytest.mark.skipif(not OPEN.is_dir(), reason="this system does not tell what is open")
@pytest.mark.parametrize("harm", [unharmed, begin_sealed, begin_wrong, add_an_empty_one])
@pytest.mark.parametrize("action", [read_all, replay_all, find_the_end, open_and_close])
def test_every_file_is_closed_again(
    tmp_path: Path, action: Callable[[Path], None], harm: Callable[[Path], None]
) -> None:
    log = open_log(DiskFiles(), tmp_path, CommitLogSettings(max_segment_size=200)).start(Driver.INLINE)
    for offset, commit in enumerate(commits_of([60] * 5)):
        log.submit(commit, offset)
    log.close()
    harm(tmp_path)
    before = len(list(OPEN.iterdir()))
    for _ in range(3):
        try:
            action(tmp_path)
        except LogDamage:
            assert harm in (begin_sealed, begin_wrong)
    assert len(list(OPEN.iterdir())) == before


def test_segments_that_hold_nothing_go_with_their_indexes() -> None:
    commits = commits_of([10, 10])
    files = stored(*commits)
    empty = DIRECTORY / f"{2:020}.stdb.log"
    files.put(empty, HEADER)
    files.put(index_path(empty), bytes(16))
    assert resume(files, DIRECTORY) == ResumePoint(2, 0, FIRST, len(files.read(FIRST)))
    assert files.names(DIRECTORY) == [FIRST.name]


def test_only_a_segment_that_is_named_by_a_number_of_64_bits_is_one() -> None:
    files = stored(*commits_of([1]))
    for name in (
        f"{1 << 64}.stdb.log",
        "x.stdb.log",
        "1.stdb.log.tmp",
        ".stdb.log",
        "²3.stdb.log",
        "-1.stdb.log",
    ):
        files.put(DIRECTORY / name, b"?")
    assert len(list(read_commits(files, DIRECTORY))) == 1


def test_a_segment_knows_its_place_and_form() -> None:
    with Segment.open(stored(*commits_of([1])), FIRST) as segment:
        assert (segment.path, segment.sealed, segment.header()) == (FIRST, False, SegmentHeader(VERSION, 0))
