"""What finding the end of a log, and replaying up to it, leave behind and say, step by step."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from spacetimedb_standalone.commitlog import DamagedInside, read_commits, replay_commits
from spacetimedb_standalone.commitlog.errors import OutOfOrder
from spacetimedb_standalone.commitlog.format import (
    SEGMENT_HEADER_SIZE,
    VERSION,
    SegmentHeader,
    encode_commit,
)
from spacetimedb_standalone.commitlog.recovery import ResumePoint, resume
from spacetimedb_standalone.ports import CrashPoint, MemoryFiles, PowerLoss

DIRECTORY = Path("/clog")
FIRST, SECOND, THIRD = (DIRECTORY / f"{offset:020}.stdb.log" for offset in (0, 4, 8))
HEADER = SegmentHeader(VERSION, 0).encode()
EPOCH = 3


class WatchedFiles(MemoryFiles):
    """Knows which directories were synced."""

    def __init__(self) -> None:
        super().__init__()
        self.synced: list[Path] = []

    def sync_directory(self, path: Path) -> None:
        self.synced.append(path)
        super().sync_directory(path)


def commits(first: int, count: int) -> bytes:
    """So many, of 36 bytes each."""
    return b"".join(
        encode_commit(offset, EPOCH, 1, bytes([offset]) * 10) for offset in range(first, first + count)
    )


@pytest.fixture
def files() -> WatchedFiles:
    """Four transactions a segment, two segments."""
    files = WatchedFiles()
    files.put(FIRST, HEADER + commits(0, 4))
    files.put(SECOND, HEADER + commits(4, 4))
    return files


def cut(files: MemoryFiles, path: Path, size: int) -> None:
    files.put(path, files.read(path)[:-size])


def flip(files: MemoryFiles, path: Path, position: int) -> None:
    data = bytearray(files.read(path))
    data[position] ^= 1
    files.put(path, bytes(data))


# --- where writing goes on


def test_nothing_yet() -> None:
    assert resume(MemoryFiles(), DIRECTORY) == ResumePoint(0, 0, None, 0)


def test_behind_the_last_commit(files: WatchedFiles) -> None:
    assert resume(files, DIRECTORY) == ResumePoint(8, EPOCH, SECOND, len(files.read(SECOND)))
    assert files.synced == [], "nothing was removed"


def test_in_a_new_segment_behind_a_torn_one(files: WatchedFiles) -> None:
    cut(files, SECOND, 1)
    assert resume(files, DIRECTORY) == ResumePoint(7, EPOCH, None, 0)


def test_over_bytes_that_are_less_than_a_commit(files: WatchedFiles) -> None:
    files.put(SECOND, HEADER + b"12345")
    assert resume(files, DIRECTORY) == ResumePoint(4, 0, SECOND, SEGMENT_HEADER_SIZE)


# --- what is made durable


@pytest.mark.parametrize("nothing", [b"", HEADER[:3], HEADER, HEADER + commits(8, 1)[:-5]])
def test_what_is_put_out_of_the_way_stays_there(files: WatchedFiles, nothing: bytes) -> None:
    files.put(THIRD, nothing)
    assert resume(files, DIRECTORY).next_offset == 8
    assert files.synced == [DIRECTORY]
    for seed in range(5):
        files.crash(random.Random(seed))
        assert THIRD.name not in files.names(DIRECTORY)


def test_what_is_found_is_durable_though_its_writer_never_synced_it(files: WatchedFiles) -> None:
    files.open(SECOND).append(commits(8, 5))
    files.restart()
    assert resume(files, DIRECTORY).next_offset == 13
    for seed in range(20):
        files.crash(random.Random(seed))
        assert len(list(read_commits(files, DIRECTORY))) == 13


def test_power_may_go_when_the_end_is_found(files: WatchedFiles) -> None:
    files.lose_power_at(CrashPoint.LOG_RECOVERED)
    with pytest.raises(PowerLoss):
        resume(files, DIRECTORY)


# --- replaying up to the end that was found


def offsets(files: MemoryFiles, start: int, end: int) -> list[int]:
    return [commit.min_tx_offset for commit in replay_commits(files, DIRECTORY, start, end)]


@pytest.mark.parametrize("behind", [b"no segment at all", HEADER + b"?" * 60])
def test_what_is_broken_behind_the_end_does_not_count(files: WatchedFiles, behind: bytes) -> None:
    files.put(THIRD, behind)
    assert offsets(files, 0, 8) == list(range(8))
    assert offsets(files, 5, 8) == [5, 6, 7]


def test_an_end_that_is_not_there_is_no_damage_of_a_file(files: WatchedFiles) -> None:
    with pytest.raises(OutOfOrder, match=r"^out-of-order commit: expected-offset=8 actual-offset=11$"):
        offsets(files, 0, 11)


def test_a_gap_is_told_where_it_is(files: WatchedFiles) -> None:
    files.put(FIRST, HEADER + commits(0, 2) + commits(3, 1))
    with pytest.raises(OutOfOrder, match=r"^out-of-order commit: expected-offset=2 actual-offset=3$"):
        offsets(files, 0, 8)


@pytest.mark.parametrize(("path", "transaction"), [(FIRST, 2), (SECOND, 6)])
def test_damage_is_told_with_its_file_and_byte(files: WatchedFiles, path: Path, transaction: int) -> None:
    position = SEGMENT_HEADER_SIZE + 2 * len(commits(0, 1))
    flip(files, path, position + 25)
    with pytest.raises(DamagedInside, match=rf"^{path.name} is damaged at") as damaged:
        offsets(files, 0, 8)
    assert (damaged.value.offset, damaged.value.position) == (transaction, position)
