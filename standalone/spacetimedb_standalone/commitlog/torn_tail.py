"""Was this commit broken by a power loss, or later?

Asked of a broken commit in the last segment of a log. A disk takes sectors of 512 bytes whole or not at
all; of the writes that no sync has covered it may have taken any, in any order, and a sector it has not
taken reads as zeros. So:

* no intact commit behind the broken one: this is the torn end of the log;
* else, a sector between the two that holds nothing but zeros from where the good commits end: a write
  that did not arrive, followed by one that did;
* else the bytes were written, and have changed since.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacetimedb_standalone.commitlog.errors import LogDamage
from spacetimedb_standalone.commitlog.format import FRAME_SIZES, VERSION, StoredCommit
from spacetimedb_standalone.commitlog.segment import CommitWalk, Source

SECTOR = 512
WINDOW = 4 << 20
LOW_BITS = 24
"""Intact commits are looked for within this many bits of offsets: more than fit between two syncs."""


def proof_of_damage(source: Source, position: int, offset: int, epoch: int | None) -> int | None:
    """Offset of the intact commit that shows the broken one at `position` to be damaged, not torn.

    `offset` and `epoch` (None: any) are what the broken commit should have. None comes back if a power loss
    explains it.
    """
    behind = intact_commit_behind(source, position, offset, epoch)
    if behind is None or _has_lost_sector(source, position, behind[0]):
        return None
    return behind[1].min_tx_offset


def intact_commit_behind(
    source: Source, position: int, offset: int, epoch: int | None
) -> tuple[int, StoredCommit] | None:
    """The first whole commit of this epoch and a later offset behind `position`, with its position."""
    for at in _candidates(source, position + 1, offset, epoch):
        try:
            _, commit = next(iter(CommitWalk(source, VERSION, at)))
        except (LogDamage, StopIteration):
            continue
        if offset < commit.min_tx_offset < offset + (1 << LOW_BITS):
            return at, commit
    return None


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
