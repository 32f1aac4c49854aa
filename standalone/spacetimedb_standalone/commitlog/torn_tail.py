"""Was this commit broken by a power loss, or later?

Asked of a broken commit in the last segment of a log. A disk takes sectors of 512 bytes whole or not at
all; of the writes that no sync has covered it may have taken any, in any order, and a sector it has not
taken reads as zeros. So:

* no intact commit behind the broken one: this is the torn end of the log;
* else, a sector between the two that holds nothing but zeros from where the good commits end: a write
  that did not arrive, followed by one that did;
* else the bytes were written, and have changed since.

What lies inside a commit is somebody's data and may look like a commit. So as long as the broken commit's own frame
is what is due here, and tells where the commit ends, an intact one in front of that end proves something only if
the broken one would be whole without the length in its frame, or if it is the next one and a row of commits goes on
from it to the very end of the file.

Each look-alike costs a look at everything in front of it. Nobody's data holds many of them by chance, so beyond
`MOST_INSIDE` the question stays open, and the safe answer is given: damage, which is refused and can be repaired.
What is read for look-alikes that are not whole is bounded by a `SearchBudget`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from spacetimedb_standalone.commitlog.errors import LogDamage
from spacetimedb_standalone.commitlog.format import (
    CRC_SIZE,
    FRAME_SIZES,
    VERSION,
    CommitFrame,
    StoredCommit,
    checksum_holds,
    decode_checksum,
    decode_frame,
    encode_commit,
)
from spacetimedb_standalone.commitlog.segment import CommitWalk, Source

SECTOR = 512
WINDOW = 4 << 20
LOW_BITS = 24
"""Intact commits are looked for within this many bits of offsets: more than fit between two syncs."""
MOST_INSIDE = 1000
"""Whole look-alikes inside a commit that are examined."""
MOST_READ = 32 << 30
"""Bytes that are read for look-alikes without a good checksum at most: about half a minute."""


class TooManyLookAlikes(Exception):
    """A search has read as much as it may for what only looks like commits."""


@dataclass(slots=True)
class SearchBudget:
    """Bytes that may still be read for look-alikes without a good checksum.

    Zeros among the data may resemble frames often, but mostly short ones: they are together examined for
    `MOST_INSIDE` times the bytes there are, and never for more than `MOST_READ`.
    """

    left: int

    @classmethod
    def for_bytes(cls, count: int) -> SearchBudget:
        return cls(min(MOST_INSIDE * count, MOST_READ))

    def spend(self, count: int) -> None:
        """Raises `TooManyLookAlikes`."""
        self.left -= count
        if self.left < 0:
            raise TooManyLookAlikes


def proof_of_damage(source: Source, position: int, offset: int, epoch: int | None) -> int | None:
    """Offset of the intact commit that shows the broken one at `position` to be damaged, not torn.

    `offset` and `epoch` (None: any) are what the broken commit should have. None comes back if a power loss
    explains it, and the offset after `offset` if there is too much to examine to tell.
    """
    frame = _frame_that_is_due(source, position, offset, epoch)
    budget = SearchBudget.for_bytes(source.size() - position)
    inside_left = MOST_INSIDE
    whole = _whole_look_alikes(source, position, offset, epoch, budget)
    while True:
        try:
            at, commit = next(whole)
        except StopIteration:
            return None
        except TooManyLookAlikes:
            return offset + 1
        if frame is not None and _is_inside(position, frame, at):
            inside_left -= 1
            if inside_left < 0:
                return offset + 1
            follows = commit.min_tx_offset == offset + frame.n and _leads_to_the_end(source, at)
            if not follows and not _is_whole_up_to(source, position, frame, at):
                continue
        return None if _has_lost_sector(source, position, at) else commit.min_tx_offset


def intact_commit_behind(
    source: Source, position: int, offset: int, epoch: int | None, budget: SearchBudget
) -> tuple[int, StoredCommit] | None:
    """The first whole commit of this epoch and a later offset behind `position`, with its position.

    Raises `TooManyLookAlikes` once the budget is spent.
    """
    return next(_whole_look_alikes(source, position, offset, epoch, budget), None)


def _frame_that_is_due(source: Source, position: int, offset: int, epoch: int | None) -> CommitFrame | None:
    """The frame of the broken commit, if it is one of this offset and epoch."""
    data = source.read_at(position, FRAME_SIZES[VERSION])
    if len(data) < FRAME_SIZES[VERSION]:
        return None
    frame = decode_frame(data, 0, VERSION)
    return frame if frame.min_tx_offset == offset and epoch in (None, frame.epoch) else None


def _is_inside(position: int, frame: CommitFrame, at: int) -> bool:
    """Is this position in front of where the commit ends, as its frame has it?"""
    return at < position + FRAME_SIZES[VERSION] + frame.length + CRC_SIZE


def _is_whole_up_to(source: Source, position: int, frame: CommitFrame, end: int) -> bool:
    """Does the broken commit have its checksum if it ends here, whatever length its frame says?"""
    records_at = position + FRAME_SIZES[VERSION]
    rest = source.read_at(records_at, end - records_at)
    mended = encode_commit(frame.min_tx_offset, frame.epoch, frame.n, rest[:-CRC_SIZE])
    return mended.endswith(rest) and len(rest) >= CRC_SIZE


def _leads_to_the_end(source: Source, position: int) -> bool:
    """Is there nothing but commits in order from this one on?"""
    walk, due = CommitWalk(source, VERSION, position), None
    try:
        for _, commit in walk:
            if due not in (None, commit.min_tx_offset):
                return False
            due = commit.end_offset
    except LogDamage:
        return False
    return walk.position == source.size()


def _whole_look_alikes(
    source: Source, position: int, offset: int, epoch: int | None, budget: SearchBudget
) -> Iterator[tuple[int, StoredCommit]]:
    """(position, commit) of what has the frame and the checksum of one of this epoch and a later offset.

    Raises `TooManyLookAlikes`.
    """
    end = source.size()
    for at in _candidates(source, position + 1, offset, epoch):
        header = source.read_at(at, FRAME_SIZES[VERSION])
        if len(header) < FRAME_SIZES[VERSION]:
            continue
        frame = decode_frame(header, 0, VERSION)
        size = FRAME_SIZES[VERSION] + frame.length + CRC_SIZE
        if at + size <= end and offset < frame.min_tx_offset < offset + (1 << LOW_BITS):
            commit = _whole_commit(source, at, size, frame)
            if commit is None:
                budget.spend(size)
            else:
                yield at, commit


def _whole_commit(source: Source, at: int, size: int, frame: CommitFrame) -> StoredCommit | None:
    try:
        data = source.read_at(at, size)
    except LogDamage:
        return None
    if len(data) < size:
        return None
    body, checksum = data[:-CRC_SIZE], decode_checksum(data, size - CRC_SIZE)
    if not checksum_holds(body, checksum):
        return None
    return StoredCommit(frame.min_tx_offset, frame.epoch, frame.n, body, VERSION, checksum)


def _candidates(source: Source, start: int, offset: int, epoch: int | None) -> Iterator[int]:
    """Positions where the frame of a commit with such an offset and epoch, and not no records, may begin."""
    low_bytes = LOW_BITS // 8
    highs = {
        high.to_bytes(8 - low_bytes, "little") for high in (offset >> LOW_BITS, (offset >> LOW_BITS) + 1)
    }
    high = b"|".join(re.escape(high) for high in sorted(highs))
    some_records = rb"(?:[^\0].|.[^\0])"
    term = b".{8}" if epoch is None else re.escape(epoch.to_bytes(8, "little"))
    frame = re.compile(rb"(?s)(?=(?:" + high + rb")" + term + some_records + rb")")
    size = source.size()
    overlap = FRAME_SIZES[VERSION]
    for window_at in range(start, size, WINDOW):
        window = source.read_at(window_at, WINDOW + overlap)
        for match in frame.finditer(window, low_bytes, min(len(window), WINDOW + overlap)):
            at = match.start() - low_bytes
            if at < WINDOW:
                yield window_at + at


def _has_lost_sector(source: Source, begin: int, end: int) -> bool:
    """Is there a sector in this range, or the part of one behind `begin`, that reads as zeros?"""
    at = begin
    while at < end:
        stop = (at // SECTOR + 1) * SECTOR
        sector = source.read_at(at, stop - at)
        if not any(sector):
            return True
        at = stop
    return False
