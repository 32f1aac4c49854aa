"""Is the end of this log torn, or has it been damaged? Each rule of `torn_tail` with the smallest example of it.

A torn end is cut off, a damaged one refused. Transactions 0 to 2 are whole in all of these logs; 3 is broken.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from spacetimedb_standalone.commitlog import DamagedInside, torn_tail
from spacetimedb_standalone.commitlog.format import VERSION, SegmentHeader, StoredCommit, encode_commit
from spacetimedb_standalone.commitlog.reader import SegmentFile, first_segment
from spacetimedb_standalone.commitlog.recovery import resume
from spacetimedb_standalone.commitlog.torn_tail import (
    MOST_INSIDE,
    SECTOR,
    SearchBudget,
    TooManyLookAlikes,
    intact_commit_behind,
    proof_of_damage,
)
from spacetimedb_standalone.ports import File, MemoryFiles

DIRECTORY = Path("/clog")
PATH = DIRECTORY / f"{0:020}.stdb.log"
HEADER = SegmentHeader(VERSION, 0).encode()
EPOCH = 2
FRAME = 22
LENGTH_AT = FRAME - 4


def commit(offset: int, size: int = 40, epoch: int = EPOCH) -> bytes:
    return encode_commit(offset, epoch, 1, bytes([0x50 + offset]) * size)


WHOLE = HEADER + b"".join(commit(offset) for offset in range(3))
BROKEN_AT = len(WHOLE)


def changed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


BROKEN = changed(commit(3), FRAME + 5)


def is_torn(tail: bytes, whole: bytes = WHOLE) -> bool:
    """What opening the log makes of it; the byte of a refusal is always that of the broken commit."""
    files = MemoryFiles()
    files.put(PATH, whole + tail)
    try:
        assert resume(files, DIRECTORY).next_offset == 3
    except DamagedInside as damaged:
        assert (damaged.offset, damaged.position) == (3, len(whole))
        return False
    return True


def test_nothing_behind_it() -> None:
    assert is_torn(BROKEN)
    assert is_torn(BROKEN + b"?" * 100)


def test_a_whole_commit_behind_it() -> None:
    assert not is_torn(BROKEN + commit(4))


def test_the_next_one_is_whole_and_the_last_one_is_not() -> None:
    """It begins just where the broken one ends, so it is no row of that."""
    assert not is_torn(BROKEN + commit(4) + changed(commit(5), FRAME))


def test_a_frame_of_which_nothing_is_left() -> None:
    """Then it cannot tell where the commit ends, and whatever is whole behind it counts."""
    assert not is_torn(b"\xaa" * FRAME + commit(3)[FRAME:] + commit(4))
    assert not is_torn(changed(BROKEN, 3) + commit(4))
    assert not is_torn(changed(BROKEN, 12) + commit(4))


@pytest.mark.parametrize("last", [commit(5), changed(commit(5), FRAME)], ids=["all whole behind", "not all"])
def test_a_length_that_leads_too_far(last: bytes) -> None:
    """The broken commit would be whole without it; or a row of commits goes on from there to the end."""
    too_long = bytearray(commit(3))
    too_long[LENGTH_AT + 2] = 1
    assert not is_torn(bytes(too_long) + commit(4) + last)


def test_a_length_and_an_offset_that_are_both_wrong() -> None:
    """Such a frame is not that of the commit that is due, so it is not asked where the commit ends."""
    frame = bytearray(commit(3))
    frame[LENGTH_AT + 2] = frame[5] = 1
    assert not is_torn(bytes(frame) + commit(4) + changed(commit(5), FRAME))


def test_a_length_that_leads_too_far_and_nothing_that_follows_in_order() -> None:
    """What looks like commits may then be rows of the broken one."""
    too_long = bytearray(BROKEN)
    too_long[LENGTH_AT + 2] = 1
    assert is_torn(bytes(too_long) + commit(4) + commit(7))
    assert is_torn(bytes(too_long) + commit(4) + changed(commit(5), FRAME))
    assert is_torn(bytes(too_long) + commit(4) + b"?")
    assert not is_torn(bytes(too_long) + commit(4) + commit(5))


def test_a_row_that_holds_a_commit() -> None:
    """Somebody's data may be anything; such a row says nothing about a commit whose end was not written."""
    row = b"*" * 30 + commit(4) + b"*" * 30
    assert is_torn(encode_commit(3, EPOCH, 1, row)[:-10])
    row = b"*" * 30 + encode_commit(4, EPOCH, 1, b"")
    assert is_torn(encode_commit(3, EPOCH, 1, row)[:-2])


class Counted:
    """A file that counts how often it is read, and how much."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.reads = self.bytes = 0

    def size(self) -> int:
        return len(self._data)

    def read_at(self, offset: int, size: int) -> bytes:
        piece = self._data[offset : offset + size]
        self.reads += 1
        self.bytes += len(piece)
        return piece


def test_a_row_that_holds_more_commits_than_anybody_examines() -> None:
    """They are taken for proof, lest each of them costs a look at all in front of it."""
    fakes = MOST_INSIDE * 8
    source = Counted(HEADER + encode_commit(3, EPOCH, 1, b"*" + commit(5, 1) * fakes)[:-10])
    assert proof_of_damage(source, len(HEADER), 3, EPOCH) is not None
    assert source.reads < 4 * MOST_INSIDE

    bearable = Counted(HEADER + encode_commit(3, EPOCH, 1, b"*" + commit(5, 1) * MOST_INSIDE)[:-10])
    assert proof_of_damage(bearable, len(HEADER), 3, EPOCH) is None


def test_a_row_that_holds_more_long_broken_commits_than_anybody_examines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torn_tail, "MOST_INSIDE", 10)
    fakes, size = 2000, 22
    frames = b"".join(
        changed(encode_commit(5, EPOCH, 1, b"")[:FRAME], LENGTH_AT)[:LENGTH_AT]
        + (size * (fakes - number)).to_bytes(4, "little")
        for number in range(fakes)
    )
    source = Counted(HEADER + encode_commit(3, EPOCH, 1, frames + b"*" * 40)[:-10])
    assert proof_of_damage(source, len(HEADER), 3, EPOCH) is not None
    assert source.bytes < 20 * source.size()


def test_rows_of_small_numbers_are_no_commits() -> None:
    """With many zeros they resemble short frames often; a long torn commit of them is torn nevertheless."""
    rows = b"".join(number.to_bytes(8, "little") + bytes(8) for number in range(1, 20 * MOST_INSIDE))
    source = Counted(HEADER + encode_commit(3, 0, 1, rows)[:-10])
    with pytest.raises(TooManyLookAlikes):
        intact_commit_behind(source, len(HEADER), 3, 0, SearchBudget(MOST_INSIDE * (FRAME + 4)))
    assert proof_of_damage(source, len(HEADER), 3, 0) is None


def test_commits_of_the_past_prove_nothing() -> None:
    """What lay there before the file grew: older transactions, or those of another epoch."""
    assert is_torn(BROKEN + commit(1) + commit(2))
    assert is_torn(BROKEN + commit(3))
    assert is_torn(BROKEN + commit(4, epoch=EPOCH - 1))


# --- sectors that never arrived


def with_zeros(begin: int, end: int) -> bytes:
    """Behind the whole commits, a long one with zeros in this range of the file, and a whole one."""
    tail = commit(3, 4 * SECTOR) + commit(4)
    begin, end = begin - BROKEN_AT, end - BROKEN_AT
    return tail[:begin] + bytes(end - begin) + tail[end:]


def test_a_sector_of_zeros_was_never_written() -> None:
    assert is_torn(with_zeros(2 * SECTOR, 3 * SECTOR))


def test_the_rest_of_the_sector_in_which_the_commit_begins() -> None:
    assert is_torn(with_zeros(BROKEN_AT, SECTOR))


@pytest.mark.parametrize(("begin", "end"), [(1, 0), (0, -1), (1, 1), (-7, -7)])
def test_zeros_that_are_no_sector_are_damage(begin: int, end: int) -> None:
    assert not is_torn(with_zeros(2 * SECTOR + begin, 3 * SECTOR + end))


def test_a_lost_sector_behind_the_next_whole_commit_explains_nothing() -> None:
    tail = BROKEN + commit(4) + commit(5, 3 * SECTOR)
    at = 2 * SECTOR - BROKEN_AT
    assert not is_torn(tail[:at] + bytes(SECTOR) + tail[at + SECTOR :])


# --- looking behind a break


def behind(file: File, position: int, offset: int, epoch: int | None) -> tuple[int, StoredCommit] | None:
    return intact_commit_behind(file, position, offset, epoch, SearchBudget.for_bytes(file.size()))


def test_the_first_whole_commit_behind_a_break_and_where_it_is() -> None:
    files = MemoryFiles()
    files.put(PATH, WHOLE + BROKEN + changed(commit(4), FRAME) + commit(5) + commit(6))
    found = behind(files.open(PATH), BROKEN_AT, 3, EPOCH)
    assert found is not None
    assert (found[0], found[1].min_tx_offset) == (BROKEN_AT + len(BROKEN) + len(commit(4)), 5)
    assert behind(files.open(PATH), BROKEN_AT, 3, EPOCH + 1) is None
    assert behind(files.open(PATH), BROKEN_AT, 3, None) == found
    assert behind(files.open(PATH), found[0] + len(commit(5)), 6, EPOCH) is None


@pytest.mark.parametrize(
    "due", [0, 0xFF, 0xFFFE, 0xFFFFFE, 0xFFFFFF, 0x1234567, (1 << 40) + 5, (1 << 56) - 2]
)
def test_whole_commits_are_found_whatever_their_numbers_are(due: int) -> None:
    files = MemoryFiles()
    body = b"?" * 50 + encode_commit(due + 2, EPOCH, 1, b"row") + encode_commit(due + 3, EPOCH, 1, b"row")
    files.put(PATH, HEADER + body)
    for epoch in (EPOCH, None):
        found = behind(files.open(PATH), len(HEADER), due, epoch)
        assert found is not None and (found[0], found[1].min_tx_offset) == (len(HEADER) + 50, due + 2)
        assert proof_of_damage(files.open(PATH), len(HEADER), due, epoch) == due + 2


def test_whole_commits_are_found_wherever_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is searched a window at a time."""
    monkeypatch.setattr(torn_tail, "WINDOW", 64)
    for before in range(1, 200):
        files = MemoryFiles()
        files.put(PATH, HEADER + b"?" * before + commit(4) + b"?" * 30)
        found = behind(files.open(PATH), len(HEADER), 3, EPOCH)
        assert found is not None and found[0] == len(HEADER) + before


def test_a_search_among_too_many_look_alikes_is_given_up() -> None:
    """Each costs a look at all that it claims as its own."""
    files = MemoryFiles()
    claim = 1 << 16
    frame = commit(4)[:LENGTH_AT] + claim.to_bytes(4, "little")
    files.put(PATH, WHOLE + BROKEN + frame * 200 + bytes(claim) + commit(5))
    file = files.open(PATH)
    found = intact_commit_behind(file, BROKEN_AT, 3, EPOCH, SearchBudget(200 * (claim + FRAME + 4)))
    assert found is not None and found[1].min_tx_offset == 5
    with pytest.raises(TooManyLookAlikes):
        intact_commit_behind(file, BROKEN_AT, 3, EPOCH, SearchBudget(199 * (claim + FRAME + 4)))
    assert SearchBudget.for_bytes(1 << 40).left == torn_tail.MOST_READ


def test_a_transaction_is_in_the_last_segment_that_does_not_begin_behind_it() -> None:
    segments = [SegmentFile(offset, PATH) for offset in (0, 4, 8)]
    assert [first_segment(segments, start) for start in (0, 3, 4, 7, 8, 100)] == [0, 0, 1, 1, 2, 2]
    assert first_segment(segments[1:], 2) == 0
