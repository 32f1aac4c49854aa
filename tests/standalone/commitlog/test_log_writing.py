"""What the writer leaves on the disk, to the byte: segments, offset indexes, and what is durable when."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from spacetimedb_standalone.commitlog import LogError, LogFailed, read_commits
from spacetimedb_standalone.commitlog.format import (
    SEGMENT_HEADER_SIZE,
    VERSION,
    SegmentHeader,
    encode_commit,
)
from spacetimedb_standalone.commitlog.offset_index import (
    IndexWriter,
    find_start,
    index_path,
    points_at,
    read_entries,
)
from spacetimedb_standalone.commitlog.recovery import ResumePoint, resume
from spacetimedb_standalone.commitlog.writer import LogWriter
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.ports import CrashPoint, DiskFiles, MemoryFiles, PowerLoss
from spacetimedb_standalone.ports.memory_files import MemoryFile

DIRECTORY = Path("/clog")
OPEN = Path("/proc/self/fd")
HEADER = SegmentHeader(VERSION, 0).encode()
SIZE = 100
"""Of every commit here."""
NEW = ResumePoint(0, 0, None, 0)


def settings(segment: int = 1 << 20, interval: int = 250) -> CommitLogSettings:
    return CommitLogSettings(max_segment_size=segment, offset_index_interval_bytes=interval)


def commit(offset: int) -> bytes:
    return encode_commit(offset, 0, 1, bytes([offset]) * (SIZE - 26))


def commits(first: int, behind: int) -> bytes:
    return b"".join(commit(offset) for offset in range(first, behind))


def segment(offset: int) -> Path:
    return DIRECTORY / f"{offset:020}.stdb.log"


def at(number: int) -> int:
    """Where the commit with this number in its segment begins."""
    return SEGMENT_HEADER_SIZE + number * SIZE


# --- segments


@pytest.mark.parametrize(
    ("limit", "lengths"),
    [
        (at(3) + 1, {0: 4, 4: 4, 8: 2}),
        (at(3), {0: 3, 3: 3, 6: 3, 9: 1}),
        (at(5), {0: 5, 5: 5, 10: 0}),
        (at(10) + 1, {0: 10}),
        (1, {0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 1, 10: 0}),
    ],
)
@pytest.mark.parametrize("piece", [1, 3, 10])
def test_a_segment_ends_with_the_commit_that_fills_it(
    limit: int, lengths: dict[int, int], piece: int
) -> None:
    """However many commits are written at a time."""
    files = MemoryFiles()
    writer = LogWriter(files, DIRECTORY, NEW, settings(limit))
    for first in range(0, 10, piece):
        behind = min(first + piece, 10)
        writer.append(commits(first, behind), behind - 1)
        assert writer.next_offset == behind
    assert writer.sync() == writer.synced_offset == 10
    found = {offset: files.read(segment(offset)) for offset in lengths}
    assert found == {offset: HEADER + commits(offset, offset + count) for offset, count in lengths.items()}
    assert len([name for name in files.names(DIRECTORY) if name.endswith(".log")]) == len(lengths)


def test_what_is_rotated_is_durable_and_what_follows_is_not() -> None:
    files = MemoryFiles()
    writer = LogWriter(files, DIRECTORY, NEW, settings(at(3)))
    writer.append(commits(0, 5), 4)
    assert (writer.next_offset, writer.synced_offset) == (5, 3)
    assert writer.sync() == 5


@pytest.mark.skipif(not OPEN.is_dir(), reason="this system does not tell what is open")
def test_a_segment_that_is_left_is_closed(tmp_path: Path) -> None:
    before = len(list(OPEN.iterdir()))
    writer = LogWriter(DiskFiles(), tmp_path, NEW, settings(at(1)))
    one_segment = len(list(OPEN.iterdir()))
    writer.append(commits(0, 9), 8)
    assert len(list(OPEN.iterdir())) == one_segment > before
    writer.close()
    assert len(list(OPEN.iterdir())) == before


def test_commits_of_several_transactions_are_counted() -> None:
    files = MemoryFiles()
    writer = LogWriter(files, DIRECTORY, NEW, settings(60))
    writer.append(encode_commit(0, 0, 3, b"x" * 40) + encode_commit(3, 0, 2, b"y" * 40), 4)
    assert writer.next_offset == 5
    assert files.read(segment(3)) == HEADER + encode_commit(3, 0, 2, b"y" * 40)


def test_a_log_goes_on_in_its_last_segment() -> None:
    files = MemoryFiles()
    files.put(segment(0), HEADER + commits(0, 3) + b"less than a frame")
    point = resume(files, DIRECTORY)
    syncs = files.syncs
    writer = LogWriter(files, DIRECTORY, point, settings(at(5)))
    assert (files.read(segment(0)), files.syncs) == (HEADER + commits(0, 3), syncs + 1), "cut off, durably"
    assert (writer.next_offset, writer.synced_offset, writer.epoch) == (3, 3, 0)
    writer.append(commits(3, 7), 6)
    writer.sync()
    assert files.read(segment(0)) == HEADER + commits(0, 5)
    assert files.read(segment(5)) == HEADER + commits(5, 7)


def test_nothing_is_cut_off_where_nothing_is_too_much() -> None:
    files = MemoryFiles()
    files.put(segment(0), HEADER + commits(0, 3))
    point = resume(files, DIRECTORY)
    syncs = files.syncs
    LogWriter(files, DIRECTORY, point, settings())
    assert files.syncs == syncs


def test_commits_come_in_their_order() -> None:
    writer = LogWriter(MemoryFiles(), DIRECTORY, NEW, settings())
    with pytest.raises(LogError, match="commit 1 was appended where 0 is due"):
        writer.append(commit(1), 1)
    writer.append(commit(0), 0)
    with pytest.raises(LogError, match="commit 0 was appended where 1 is due"):
        writer.append(commit(0), 0)


@pytest.mark.parametrize(
    ("point", "reached"),
    [(CrashPoint.LOG_APPENDED, 3), (CrashPoint.LOG_SYNCED, 3), (CrashPoint.LOG_ROTATING, 5)],
)
def test_steps_at_which_power_may_go(point: CrashPoint, reached: int) -> None:
    files = MemoryFiles()
    writer = LogWriter(files, DIRECTORY, NEW, settings(at(5)))
    files.lose_power_at(point, time=3 if reached == 3 else 1)
    with pytest.raises(PowerLoss):
        for offset in range(9):
            writer.append(commit(offset), offset)
            writer.sync()
    assert files.read(segment(0)) == HEADER + commits(0, reached)


# --- a disk that refuses


def test_after_a_refused_sync_nothing_is_written_and_what_was_not_durable_is_gone() -> None:
    files = MemoryFiles()
    writer = LogWriter(files, DIRECTORY, NEW, settings())
    writer.append(commits(0, 2), 1)
    writer.sync()
    writer.append(commits(2, 4), 3)
    files.sync_error = OSError(5, "Input/output error")
    with pytest.raises(LogFailed, match=r"refused a sync .*transactions from offset 2 on are not durable"):
        writer.sync()
    assert files.read(segment(0)) == HEADER + commits(0, 2)
    files.sync_error = None
    for action in (lambda: writer.append(commit(4), 4), writer.sync):
        with pytest.raises(LogFailed, match="refused a sync"):
            action()
    assert files.read(segment(0)) == HEADER + commits(0, 2)


def test_after_a_refused_write() -> None:
    files = MemoryFiles()
    writer = LogWriter(files, DIRECTORY, NEW, settings())
    writer.append(commit(0), 0)
    files.full_at = at(2)
    with pytest.raises(LogFailed, match=r"refused a write .*transactions from offset 0 on are not durable"):
        writer.append(commits(1, 3), 2)
    assert files.read(segment(0)) == HEADER
    assert writer.next_offset == 1, "the caller's last word that was taken"


def test_a_disk_that_does_not_even_cut_off_what_it_refused(caplog: pytest.LogCaptureFixture) -> None:
    """Then a restart may find transactions that nobody was told of; that is said."""

    class Stubborn(MemoryFile):
        def truncate(self, size: int) -> None:
            if self._files.sync_error is not None:
                raise OSError(5, "Input/output error")
            super().truncate(size)

    class StubbornFiles(MemoryFiles):
        def open(self, path: Path, *, create: bool = False) -> MemoryFile:
            super().open(path, create=create)
            return Stubborn(self, self._seen[path])

    files = StubbornFiles()
    writer = LogWriter(files, DIRECTORY, NEW, settings())
    writer.append(commit(0), 0)
    files.sync_error = OSError(5, "Input/output error")
    with pytest.raises(LogFailed, match="refused a sync"):
        writer.sync()
    assert "the unsynced tail of the commit log could not be cut off" in caplog.text


def test_somebody_else_s_sync() -> None:
    """The kernel's, in the background: it tells the writer how it went."""
    files = MemoryFiles()
    writer = LogWriter(files, DIRECTORY, NEW, settings())
    writer.append(commits(0, 2), 1)
    assert writer.synced() == writer.synced_offset == 2
    writer.append(commit(2), 2)
    failure = writer.sync_failed(OSError(5, "Input/output error"))
    assert "transactions from offset 2 on are not durable" in str(failure)
    assert files.read(segment(0)) == HEADER + commits(0, 2)


def test_a_log_that_cannot_be_opened() -> None:
    with pytest.raises(LogFailed, match="the commit log in /clog cannot be opened for writing"):
        LogWriter(MemoryFiles(), DIRECTORY, ResumePoint(3, 0, segment(0), 10), settings())


# --- the offset index


def entries(files: MemoryFiles, offset: int) -> list[tuple[int, int]]:
    data = files.read(index_path(segment(offset)))
    return [entry for entry in struct.iter_unpack("<QQ", data) if entry != (0, 0)]


@pytest.mark.parametrize(
    ("unsynced", "indexed"), [((), [3, 6, 9]), ((5,), [3, 7]), ((2, 3, 4), [6, 9]), (range(11), [])]
)
def test_the_first_commit_after_every_interval_is_indexed_once_it_is_durable(
    unsynced: tuple[int, ...], indexed: list[int]
) -> None:
    """Three commits are an interval; the entries of the last one come with the next interval."""
    files = MemoryFiles()
    writer = LogWriter(files, DIRECTORY, NEW, settings(at(20), interval=250))
    for offset in range(12):
        writer.append(commit(offset), offset)
        if offset not in unsynced:
            writer.sync()
            assert all(entry <= (offset, at(offset)) for entry in entries(files, 0))
    assert entries(files, 0) == [(number, at(number)) for number in indexed]
    assert len(files.read(index_path(segment(0)))) == at(20) // 250 * 16


def test_an_index_has_room_for_one_entry_at_least() -> None:
    files = MemoryFiles()
    LogWriter(files, DIRECTORY, NEW, settings(segment=100, interval=250))
    assert len(files.read(index_path(segment(0)))) == 16


def test_a_full_segment_is_indexed_before_it_is_left() -> None:
    files = MemoryFiles()
    writer = LogWriter(files, DIRECTORY, NEW, settings(at(4), interval=SIZE))
    writer.append(commit(0), 0)
    writer.sync()
    writer.append(commits(1, 6), 5)
    assert entries(files, 0) == [(1, at(1))]
    assert entries(files, 4) == []
    writer.sync()
    assert entries(files, 4) == [(4, at(0))]


def test_an_index_goes_on_behind_what_is_good_of_it() -> None:
    files = MemoryFiles()
    files.put(segment(0), HEADER + commits(0, 4))
    stale = [(2, at(2)), (3, at(3)), (4, at(4) + 7), (9, at(9))]
    files.put(index_path(segment(0)), b"".join(struct.pack("<QQ", *entry) for entry in stale) + bytes(64))
    writer = LogWriter(files, DIRECTORY, resume(files, DIRECTORY), settings(at(20), interval=SIZE))
    assert entries(files, 0) == [(2, at(2)), (3, at(3))]
    writer.append(commit(4), 4)
    writer.sync()
    assert entries(files, 0) == [(2, at(2)), (3, at(3)), (4, at(4))]
    assert len(files.read(index_path(segment(0)))) == at(20) // SIZE * 16


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([(3, 50), (9, 80)], [(3, 50), (9, 80)]),
        ([(3, 50), (0, 0), (9, 80)], [(3, 50)]),
        ([(3, 50), (3, 80)], [(3, 50)]),
        ([(3, 50), (2, 80)], [(3, 50)]),
        ([(3, 50), (4, 50)], [(3, 50)]),
        ([(3, 50), (4, 40)], [(3, 50)]),
        ([(1, SEGMENT_HEADER_SIZE)], [(1, SEGMENT_HEADER_SIZE)]),
        ([(1, SEGMENT_HEADER_SIZE - 1)], []),
        ([(0, SEGMENT_HEADER_SIZE)], []),
    ],
)
@pytest.mark.parametrize("odd", [b"", b"\1" * 15])
def test_entries_are_believed_up_to_the_first_that_cannot_be_one(
    data: list[tuple[int, int]], expected: list[tuple[int, int]], odd: bytes
) -> None:
    files = MemoryFiles()
    files.put(index_path(segment(0)), b"".join(struct.pack("<QQ", *entry) for entry in data) + odd)
    assert read_entries(files, segment(0)) == expected


def test_no_index_has_no_entries() -> None:
    assert read_entries(MemoryFiles(), segment(0)) == []


def test_a_log_is_opened_and_read_without_an_index_that_cannot_be_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Unreadable(MemoryFiles):
        def open(self, path: Path, *, create: bool = False):  # type: ignore[no-untyped-def]
            if path.suffix == ".ofs":
                raise OSError(5, "Input/output error")
            return super().open(path, create=create)

    files = Unreadable()
    files.put(segment(0), HEADER + commits(0, 5))
    files.put(index_path(segment(0)), struct.pack("<QQ", 3, at(3)))
    assert resume(files, DIRECTORY).next_offset == 5
    assert [commit.min_tx_offset for commit in read_commits(files, DIRECTORY, 2)] == [2, 3, 4]
    assert "is not used: [Errno 5] Input/output error" in caplog.text


def test_the_best_entry_is_the_last_good_one_not_behind_what_is_looked_for() -> None:
    files = MemoryFiles()
    files.put(segment(0), HEADER + commits(0, 8))
    source = files.open(segment(0))
    good = [(number, at(number)) for number in (2, 4, 6)]
    assert [find_start(good, source, offset) for offset in (0, 1, 2, 3, 4, 7, 99)] == [
        at(number) for number in (0, 0, 2, 2, 4, 6, 6)
    ]
    assert find_start([(2, at(2)), (4, at(4) + 1), (6, at(5))], source, 99) == at(2)
    assert find_start([(2, at(3))], source, 99) == SEGMENT_HEADER_SIZE
    assert find_start([], source, 5) == SEGMENT_HEADER_SIZE


def test_an_entry_is_good_if_a_whole_commit_of_its_offset_is_there() -> None:
    files = MemoryFiles()
    broken = commit(2)[:-1] + b"?"
    files.put(segment(0), HEADER + commits(0, 2) + broken + commit(3)[:-5])
    source = files.open(segment(0))
    assert points_at(source, at(0), 0) and points_at(source, at(1), 1)
    assert not points_at(source, at(1), 2)
    for position in (0, 9, at(0) + 1, at(2), at(3), source.size() - 1, source.size(), source.size() + 100):
        assert not any(points_at(source, position, offset) for offset in range(5))


def test_entries_that_cannot_be_added_are_left_out() -> None:
    files = MemoryFiles()
    files.put(segment(0), HEADER)
    index = IndexWriter.open(files, segment(0), below=1 << 63, capacity=3)
    for entry in ((0, 10), (5, 200), (5, 300), (4, 300), (6, 300), (7, 400), (8, 500)):
        index.add(*entry)
    assert entries(files, 0) == [(5, 200), (6, 300), (7, 400)], "there is room for three"
    assert len(files.read(index_path(segment(0)))) == 48
    index.close()
    index.add(9, 600)
    assert len(entries(files, 0)) == 3
    again = IndexWriter.open(files, segment(0), below=7, capacity=3)
    again.add(6, 300)
    again.add(8, 500)
    assert entries(files, 0) == [(5, 200), (6, 300), (8, 500)], "nothing is there twice"


def test_an_index_is_given_up_when_the_disk_refuses_an_entry(caplog: pytest.LogCaptureFixture) -> None:
    class Full(MemoryFile):
        closed = False

        def write_at(self, offset: int, data: bytes) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            Full.closed = True

    files = MemoryFiles()
    files.put(index_path(segment(0)), bytes(48))
    file = files.open(index_path(segment(0)))
    index = IndexWriter(Full(files, file._inode), 0, 0, 3)
    index.add(1, 100)
    assert Full.closed and "the offset index is given up" in caplog.text
    caplog.clear()
    index.add(2, 200)
    assert not caplog.text, "that is said once"


def test_an_index_that_the_disk_refuses_never_stops_the_log(caplog: pytest.LogCaptureFixture) -> None:
    class Refusing(MemoryFiles):
        def open(self, path: Path, *, create: bool = False):  # type: ignore[no-untyped-def]
            if path.suffix == ".ofs":
                raise OSError(13, "Permission denied")
            return super().open(path, create=create)

    files = Refusing()
    writer = LogWriter(files, DIRECTORY, NEW, settings(interval=1))
    for offset in range(3):
        writer.append(commit(offset), offset)
        writer.sync()
    writer.close()
    assert files.read(segment(0)) == HEADER + commits(0, 3)
    assert "no offset index is kept for" in caplog.text
