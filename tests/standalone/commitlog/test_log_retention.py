"""Finished segments are compressed, and removed when they are not needed; the log reads as before."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from spacetimedb_standalone.commitlog import CannotResume, open_log, read_commits
from spacetimedb_standalone.commitlog.format import encode_commit
from spacetimedb_standalone.commitlog.opening import Driver
from spacetimedb_standalone.commitlog.reader import list_segments
from spacetimedb_standalone.commitlog.retention import clear_unfinished, remove_below, seal_finished
from spacetimedb_standalone.commitlog.sealed import ZSTD_MAGIC
from spacetimedb_standalone.commitlog.segment import Segment
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.ports import DiskFiles, MemoryFiles

DIRECTORY = Path("/clog")
SMALL = CommitLogSettings(max_segment_size=20_000, offset_index_interval_bytes=512)


def record(offset: int) -> bytes:
    choice = random.Random(offset)
    return (
        b"%d " % offset + bytes(choice.choice((0, 30, 300))) + choice.randbytes(choice.choice((0, 50, 6000)))
    )


def write(files: MemoryFiles, count: int) -> None:
    """So many commits of one transaction each behind those there are."""
    opened = open_log(files, DIRECTORY, SMALL)
    log, first = opened.start(Driver.INLINE), opened.resume.next_offset
    for offset in range(first, first + count):
        log.submit(encode_commit(offset, 0, 1, record(offset)), offset)
    log.close()


def test_a_sealed_log_reads_as_before_and_goes_on() -> None:
    files = MemoryFiles()
    write(files, 100)
    before = list(read_commits(files, DIRECTORY))
    *finished, head = list_segments(files, DIRECTORY)
    sizes = {segment: len(files.read(segment.path)) for segment in finished}
    assert len(finished) > 3
    assert seal_finished(files, DIRECTORY) == finished
    assert all(files.read(segment.path).startswith(ZSTD_MAGIC) for segment in finished)
    assert not files.read(head.path).startswith(ZSTD_MAGIC), "the segment that is being written is left alone"
    assert sum(len(files.read(segment.path)) for segment in finished) < sum(sizes.values())
    assert list(read_commits(files, DIRECTORY)) == before
    assert seal_finished(files, DIRECTORY) == [], "there is nothing left to do"
    write(files, 50)
    assert [commit.min_tx_offset for commit in read_commits(files, DIRECTORY)] == list(range(150))


def test_every_commit_of_a_sealed_log_is_found_by_its_index() -> None:
    files = MemoryFiles()
    write(files, 60)
    seal_finished(files, DIRECTORY)
    opened = open_log(files, DIRECTORY, SMALL)
    for start in range(61):
        (first, *_) = [*read_commits(files, DIRECTORY, start), None]
        assert first is None if start == 60 else first is not None and first.min_tx_offset == start
        run = b"".join(opened.runs(start))
        expected = b"".join(encode_commit(offset, 0, 1, record(offset)) for offset in range(start, 60))
        assert run == expected


def test_a_log_all_of_whose_segments_are_sealed_goes_on_in_a_new_one() -> None:
    """As when the last segment held nothing and was removed."""
    files = MemoryFiles()
    write(files, 60)
    files.remove(list_segments(files, DIRECTORY)[-1].path)
    end = list_segments(files, DIRECTORY)[-1].offset
    write_header_only(files, end)
    seal_finished(files, DIRECTORY)
    opened = open_log(files, DIRECTORY, SMALL)
    assert opened.resume.next_offset == end
    write(files, 3)
    assert [commit.min_tx_offset for commit in read_commits(files, DIRECTORY)] == list(range(end + 3))


@pytest.mark.parametrize("commit", [0, -1])
def test_a_sealed_segment_is_never_taken_for_a_torn_one(commit: int) -> None:
    """Even if it is the last one, and nothing intact follows the damage: it was whole before it got its name."""
    files = MemoryFiles()
    write(files, 60)
    *finished, head = list_segments(files, DIRECTORY)
    seal_finished(files, DIRECTORY)
    files.remove(head.path)
    last = finished[-1].path
    files.remove(last.with_suffix(".ofs"))
    data = bytearray(files.read(last))
    with Segment.open(files, last) as segment:
        frames = segment.source._positions  # type: ignore[attr-defined]
    data[frames[:-1][commit] + 20] ^= 0xFF
    files.put(last, bytes(data))
    with pytest.raises(CannotResume, match=last.name):
        open_log(files, DIRECTORY, SMALL)
    assert files.read(last) == bytes(data)


def write_header_only(files: MemoryFiles, offset: int) -> None:
    first = list_segments(files, DIRECTORY)[0]
    files.put(DIRECTORY / f"{offset:020}.stdb.log", files.read(first.path)[:10])


def test_a_torn_segment_is_not_sealed() -> None:
    files = MemoryFiles()
    write(files, 30)
    *_, torn, last = list_segments(files, DIRECTORY)
    files.remove(last.path)
    files.put(torn.path, files.read(torn.path)[:-3])
    write(files, 30)
    segments = list_segments(files, DIRECTORY)
    assert torn in segments[:-1] and torn not in seal_finished(files, DIRECTORY)
    count = last.offset - 1 + 30
    assert [commit.min_tx_offset for commit in read_commits(files, DIRECTORY)] == list(range(count))


def test_only_whole_segments_below_an_offset_are_removed() -> None:
    files = MemoryFiles()
    write(files, 60)
    segments = list_segments(files, DIRECTORY)
    third = segments[2].offset
    assert remove_below(files, DIRECTORY, third - 1) == segments[:1]
    assert remove_below(files, DIRECTORY, third) == segments[1:2]
    assert remove_below(files, DIRECTORY, third) == []
    assert remove_below(files, DIRECTORY, 1000) == segments[2:-1], "the last segment always stays"
    assert sorted(files.names(DIRECTORY)) == [
        segments[-1].path.name,
        segments[-1].path.name.replace(".log", ".ofs"),
    ]
    write(files, 5)
    assert next(read_commits(files, DIRECTORY, 62)).min_tx_offset == 62


def test_what_a_dying_process_left_is_removed() -> None:
    files = MemoryFiles()
    write(files, 30)
    names = set(files.names(DIRECTORY))
    for name in ("00000000000000000000.stdb.log.tmp", "00000000000000000007.stdb.ofs"):
        files.put(DIRECTORY / name, b"?")
    files.put(DIRECTORY / "00000000000000000030.stdb.log.torn", b"kept")
    clear_unfinished(files, DIRECTORY)
    assert set(files.names(DIRECTORY)) == names | {"00000000000000000030.stdb.log.torn"}


@pytest.mark.parametrize("size", [10, 16384, 16385, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_segments_of_any_length_are_sealed(tmp_path: Path, size: int) -> None:
    files = DiskFiles()
    settings = CommitLogSettings(max_segment_size=max(size, 40))
    log = open_log(files, tmp_path, settings).start(Driver.INLINE)
    for offset in range(2):
        log.submit(encode_commit(offset, 0, 1, b"\1" * size), offset)
    log.close()
    before = list(read_commits(files, tmp_path))
    sealed = seal_finished(files, tmp_path)
    assert len(sealed) == 2 and list(read_commits(files, tmp_path)) == before


def test_a_damaged_segment_is_not_sealed() -> None:
    files = MemoryFiles()
    write(files, 30)
    damaged, *others = list_segments(files, DIRECTORY)
    content = bytearray(files.read(damaged.path))
    content[40] ^= 1
    files.put(damaged.path, bytes(content))
    assert seal_finished(files, DIRECTORY) == others[:-1]
    assert files.read(damaged.path) == content, "nothing of it is touched"
