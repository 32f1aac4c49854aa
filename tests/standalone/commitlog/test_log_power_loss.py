"""What the log promises when the power goes: all that was called durable is there, and it can go on.

A run commits transactions in batches, with power failing at one of the named points; the next run must find
a prefix of what was committed that holds everything durable, and go on behind it.
"""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacetimedb_standalone.commitlog import (
    CannotResume,
    DamagedInside,
    LogDamage,
    LogFailed,
    TailPolicy,
    open_log,
    read_commits,
    replay_commits,
)
from spacetimedb_standalone.commitlog.format import encode_commit
from spacetimedb_standalone.commitlog.opening import Driver
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.ports import CrashPoint, MemoryFiles, PowerLoss
from tests.durability.losses import Nothing

DIRECTORY = Path("/clog")
SMALL = CommitLogSettings(max_segment_size=4000, offset_index_interval_bytes=256)
FIRST = DIRECTORY / "00000000000000000000.stdb.log"


def record(offset: int) -> bytes:
    """The transaction of this offset: of varying length, zeros and commit-like bytes among it."""
    choice = random.Random(offset)
    filling = choice.choice((b"\0", b"\xff", bytes(range(256)), encode_commit(offset, 0, 1, b"x")))
    return b"%d " % offset + filling * choice.choice((0, 1, 3, 40))


def batch(offset: int, count: int) -> bytes:
    return b"".join(encode_commit(number, 0, 1, record(number)) for number in range(offset, offset + count))


def run(files: MemoryFiles, batches: list[int]) -> tuple[int, int]:
    """Recover, check, then commit batches of these sizes; (offsets committed, offsets called durable)."""
    durable = committed = 0
    try:
        opened = open_log(files, DIRECTORY, SMALL)
        committed = durable = opened.resume.next_offset
        replayed = list(replay_commits(files, DIRECTORY, 0, opened.resume.next_offset))
        assert [commit.min_tx_offset for commit in replayed] == list(range(opened.resume.next_offset))
        assert all(commit.records == record(commit.min_tx_offset) for commit in replayed)
        log = opened.start(Driver.INLINE)
        for count in batches:
            committed += count
            log.submit(batch(committed - count, count), committed - 1)
            durable = log.durable_offset + 1
    except PowerLoss:
        pass
    return committed, durable


@given(
    seed=st.integers(0, 2**32),
    lives=st.lists(
        st.tuples(st.lists(st.integers(1, 12), max_size=12), st.sampled_from(CrashPoint), st.integers(1, 12)),
        min_size=1,
        max_size=5,
    ),
)
def test_nothing_durable_is_ever_lost(seed: int, lives: list[tuple[list[int], CrashPoint, int]]) -> None:
    files, choice = MemoryFiles(), random.Random(seed)
    lowest = 0
    for batches, point, time in lives:
        files.lose_power_at(point, time)
        committed, durable = run(files, batches)
        lowest = max(lowest, durable)
        files.crash(choice)
        found = sum(
            1
            for _ in replay_commits(files, DIRECTORY, 0, open_log(files, DIRECTORY, SMALL).resume.next_offset)
        )
        assert lowest <= found <= max(committed, lowest)
        lowest = found  # it was found, so it was told


@given(seed=st.integers(0, 2**32), count=st.integers(2, 60))
def test_a_lost_sector_among_unsynced_writes_is_a_torn_tail_however_much_follows_it(
    seed: int, count: int
) -> None:
    files = MemoryFiles()
    run(files, [5])
    files.lose_power_at(CrashPoint.LOG_APPENDED)
    run(files, [count])
    files.crash(random.Random(seed))
    found = open_log(files, DIRECTORY, SMALL).resume.next_offset
    assert 5 <= found <= 5 + count


@given(position=st.integers(0, 2**20), bit=st.integers(0, 7))
def test_a_flipped_bit_never_passes_unnoticed(position: int, bit: int) -> None:
    """It is refused, or lies in the last commit, which then counts as the torn end."""
    files = MemoryFiles()
    run(files, [1] * 10)
    data = bytearray(files.read(FIRST))
    position %= len(data)
    last = len(data) - len(batch(9, 1))
    data[position] ^= 1 << bit
    files.put(FIRST, bytes(data))
    if position in (8, 9):  # reserved in the header
        return
    try:
        end = open_log(files, DIRECTORY, SMALL).resume.next_offset
        commits = list(replay_commits(files, DIRECTORY, 0, end))
    except LogDamage:
        return
    assert position >= last and len(commits) == 9


def test_damage_before_the_last_index_entry_is_found_by_replay() -> None:
    """Recovery starts at the index and does not see it; the end it reports is out of replay's reach."""
    files = MemoryFiles()
    run(files, [1] * 20)
    assert read_index_keys(files)
    data = bytearray(files.read(FIRST))
    data[40] ^= 1
    files.put(FIRST, bytes(data))
    end = open_log(files, DIRECTORY, SMALL).resume.next_offset
    assert end == 20
    with pytest.raises(DamagedInside, match=r"transaction offset 0 \(byte 10\)") as refused:
        list(replay_commits(files, DIRECTORY, 0, end))
    assert (refused.value.offset, refused.value.position) == (0, 10)


def read_index_keys(files: MemoryFiles) -> list[int]:
    data = files.read(FIRST.with_name("00000000000000000000.stdb.ofs"))
    keys = [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 16)]
    return [key for key in keys if key]


def test_the_index_of_a_segment_leads_to_its_commits() -> None:
    files = MemoryFiles()
    run(files, [3] * 10)
    for key in read_index_keys(files):
        assert next(read_commits(files, DIRECTORY, key)).min_tx_offset == key


def test_a_segment_whose_first_commit_was_torn_makes_way_for_its_predecessor() -> None:
    files = MemoryFiles()
    run(files, [1] * 5)
    files.put(DIRECTORY / "00000000000000000005.stdb.log", files.read(FIRST)[:10] + batch(5, 1)[:-1])
    assert open_log(files, DIRECTORY, SMALL).resume.next_offset == 5
    assert sorted(name for name in files.names(DIRECTORY) if "log" in name) == [
        FIRST.name,
        "00000000000000000005.stdb.log.torn",
    ]
    assert run(files, [1]) == (6, 6)


@pytest.mark.parametrize("epoch", [0, 3])
def test_a_segment_whose_first_commit_alone_is_broken_is_refused(epoch: int) -> None:
    files = MemoryFiles()
    commits = [bytearray(encode_commit(offset, epoch, 1, record(offset))) for offset in range(3)]
    commits[0][-1] ^= 1
    data = b"(ds)^2\1\0\0\0" + b"".join(commits)
    files.put(FIRST, data)
    with pytest.raises(CannotResume, match="no valid commits in segment"):
        open_log(files, DIRECTORY, SMALL)
    assert files.read(FIRST) == data


def test_a_failed_sync_kills_the_log_and_what_it_did_not_cover() -> None:
    files = MemoryFiles()
    log = open_log(files, DIRECTORY, SMALL).start(Driver.INLINE)
    failures: list[LogFailed] = []
    log.on_failed(failures.append)
    log.submit(batch(0, 2), 1)
    files.sync_error = OSError(5, "Input/output error")
    with pytest.raises(LogFailed, match=r"refused a sync.*from offset 2 on are not durable"):
        log.submit(batch(2, 1), 2)
    assert log.durable_offset == 1 and len(failures) == 1
    files.sync_error = None
    with pytest.raises(LogFailed):
        log.submit(batch(2, 1), 2)
    files.restart()
    assert open_log(files, DIRECTORY, SMALL).resume.next_offset == 2, (
        "the cache did not pass it off as durable"
    )


def test_a_full_disk_kills_the_log_and_what_fitted_of_the_write_is_gone() -> None:
    files = MemoryFiles()
    log = open_log(files, DIRECTORY, SMALL).start(Driver.INLINE)
    log.submit(batch(0, 2), 1)
    files.full_at = len(files.read(FIRST)) + 3
    with pytest.raises(LogFailed, match="No space left"):
        log.submit(batch(2, 1), 2)
    files.restart()
    assert run(files, [1]) == (3, 3)


def test_rotation_closes_a_segment_with_the_commit_that_fills_it() -> None:
    files = MemoryFiles()
    run(files, [200])
    names = sorted(name for name in files.names(DIRECTORY) if name.endswith(".log"))
    assert len(names) > 3
    for name, following in pairwise(names):
        data = files.read(DIRECTORY / name)
        last = batch(int(following[:20]) - 1, 1)
        assert data.endswith(last)
        assert len(data) - len(last) < SMALL.max_segment_size <= len(data)


def test_cutting_a_damaged_log_leaves_the_damaged_segment_for_the_curious() -> None:
    files = MemoryFiles()
    run(files, [1] * 9)
    data = bytearray(files.read(FIRST))
    data[-2 * len(batch(8, 1))] ^= 1
    files.put(FIRST, bytes(data))
    files.remove(FIRST.with_suffix(".ofs"))
    with pytest.raises(DamagedInside):
        open_log(files, DIRECTORY, SMALL)
    opened = open_log(files, DIRECTORY, SMALL, TailPolicy.CUT)
    opened.start(Driver.INLINE).close()
    assert files.read(FIRST) == bytes(data)
    assert f"{opened.resume.next_offset:020}.stdb.log" in files.names(DIRECTORY)


def test_what_is_cut_off_is_off_the_disk_before_anything_is_appended() -> None:
    """Else a sector that the next append does not reach would hold it still, in front of sectors that were written."""
    files = MemoryFiles()
    run(files, [3])
    whole = files.read(FIRST)
    files.put(FIRST, whole + b"\x19")
    open_log(files, DIRECTORY, SMALL).start(Driver.INLINE)
    files.crash(Nothing())
    assert files.read(FIRST) == whole


def torn_with(inside: bytes) -> MemoryFiles:
    """A log of three transactions, then a fourth with this in it, cut off by a power loss in its last bytes."""
    files = MemoryFiles()
    run(files, [3])
    files.put(FIRST, files.read(FIRST) + encode_commit(3, 0, 1, b"row " + inside + b" of a user")[:-6])
    return files


@pytest.mark.parametrize("likeness", [encode_commit(4, 0, 1, b"row"), encode_commit(4, 0, 1, b"row") * 3])
def test_a_row_that_looks_like_a_commit_does_not_make_a_torn_tail_damage(likeness: bytes) -> None:
    assert run(torn_with(likeness), [2]) == (5, 5)


@pytest.mark.parametrize("bit", range(32))
def test_a_commit_whose_length_has_rotted_does_not_pass_for_a_torn_tail(bit: int) -> None:
    """However long it claims to be: with its true length its checksum holds, and others follow it."""
    files = MemoryFiles()
    run(files, [1] * 6)
    files.remove(FIRST.with_suffix(".ofs"))
    data = bytearray(files.read(FIRST))
    data[10 + len(batch(0, 3)) + 18 + bit // 8] ^= 1 << bit % 8
    files.put(FIRST, bytes(data))
    with pytest.raises(DamagedInside, match=rf"transaction offset 3 \(byte {10 + len(batch(0, 3))}\)"):
        open_log(files, DIRECTORY, SMALL)


def test_a_commit_that_is_broken_in_two_places_does_not_pass_for_a_torn_tail() -> None:
    """Its length and its records: the commits behind it go on to the end of the file."""
    files = MemoryFiles()
    run(files, [1] * 6)
    files.remove(FIRST.with_suffix(".ofs"))
    data = bytearray(files.read(FIRST))
    at = 10 + len(batch(0, 3))
    data[at + 20] ^= 0x7F
    data[at + 23] ^= 1
    files.put(FIRST, bytes(data))
    with pytest.raises(DamagedInside):
        open_log(files, DIRECTORY, SMALL)
