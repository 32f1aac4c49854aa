"""Reading a log from its directory, segment after segment.

Rules of the public format: a broken commit ends its segment but not the log, for the next segment may
begin just there (that is how a torn tail heals); a commit that stands twice counts once; anything else
that does not follow its predecessor is damage. Reading from an offset in the middle trusts what is
skipped only for its checksums, not for its order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spacetimedb_standalone.commitlog.errors import (
    DamagedInside,
    ForkedHistory,
    LogDamage,
    OutOfOrder,
)
from spacetimedb_standalone.commitlog.format import SEGMENT_HEADER_SIZE, StoredCommit
from spacetimedb_standalone.commitlog.offset_index import find_start, read_entries
from spacetimedb_standalone.commitlog.segment import CommitWalk, open_readable
from spacetimedb_standalone.ports import Files

SUFFIX = ".stdb.log"
U64_LIMIT = 1 << 64


@dataclass(frozen=True, slots=True, order=True)
class SegmentFile:
    """A segment by the transaction offset in its name."""

    offset: int
    path: Path


def list_segments(files: Files, directory: Path) -> list[SegmentFile]:
    """The segments of a log in the order of their offsets."""
    found = []
    for name in files.names(directory):
        stem = name.removesuffix(SUFFIX)
        if stem != name and stem.isascii() and stem.isdigit() and int(stem) < U64_LIMIT:
            found.append(SegmentFile(int(stem), directory / name))
    return sorted(found)


def read_commits(files: Files, directory: Path, start: int = 0) -> Iterator[StoredCommit]:
    """The commits of a log, from the one that holds transaction `start`, up to the first damage.

    The first commit may begin before `start`; its earlier transactions are the caller's to skip. Raises
    `LogDamage` where the log cannot be read on.
    """
    walk = _Traversal(start)
    segments = list_segments(files, directory)
    for segment in segments[first_segment(segments, start) :]:
        yield from walk.through(files, segment)
    if walk.damage is not None:
        raise walk.damage


def replay_commits(files: Files, directory: Path, start: int, end: int) -> Iterator[StoredCommit]:
    """The commits of a log from transaction `start` up to `end`, where `recovery.resume` has found its end.

    What is broken behind `end` is a torn tail and does not count. Raises `LogDamage` for anything before it.
    """
    walk = _Traversal(start)
    segments = list_segments(files, directory)
    for segment in segments[first_segment(segments, start) :]:
        try:
            yield from walk.through(files, segment)
        except OutOfOrder as error:
            raise walk.damaged_inside() or error from error
        if walk.reached(end):
            return
    if not walk.reached(end):
        raise walk.damaged_inside() or OutOfOrder(walk.next, end, None)


def first_segment(segments: list[SegmentFile], start: int) -> int:
    """Index of the segment that transaction `start` is in, if it is in the log at all."""
    below = [number for number, segment in enumerate(segments) if segment.offset <= start]
    return below[-1] if below else 0


class _Traversal:
    """What is known of the commits read so far."""

    def __init__(self, start: int) -> None:
        self.next = start
        self._last: StoredCommit | None = None
        self.damage: LogDamage | None = None
        self._damaged_at = ("", 0)

    def through(self, files: Files, file: SegmentFile) -> Iterator[StoredCommit]:
        """The new commits of the next segment; keeps its damage for later."""
        segment, header = open_readable(files, file.path)
        with segment:
            position = SEGMENT_HEADER_SIZE
            if self._last is None and self.next > file.offset:
                position = find_start(read_entries(files, file.path), segment.source, self.next)
            walk = CommitWalk(segment.source, header.version, position)
            walk.expected = self.next
            try:
                for _, commit in walk:
                    if self._accept(commit):
                        yield commit
                    walk.expected = self.next
            except (OutOfOrder, ForkedHistory):
                raise
            except LogDamage as error:
                self.damage = error
                self._damaged_at = (file.path.name, walk.position)

    def reached(self, end: int) -> bool:
        """Are all transactions before `end` read?"""
        return self.next >= end

    def damaged_inside(self) -> DamagedInside | None:
        """The damage that was met last and never healed, as one that hides what follows it."""
        if self.damage is None:
            return None
        segment, position = self._damaged_at
        return DamagedInside(segment, self.next, position, self.damage)

    def _accept(self, commit: StoredCommit) -> bool:
        """Is this the next commit? False: it has been seen, or lies before the start."""
        last = self._last
        if last is None:
            if commit.end_offset <= self.next:
                return False
            if self.damage is not None and commit.min_tx_offset > self.next:
                raise OutOfOrder(self.next, commit.min_tx_offset, self.damage)
        elif commit.min_tx_offset == last.min_tx_offset:
            if commit.checksum != last.checksum:
                raise ForkedHistory(commit.min_tx_offset)
            return False
        elif commit.min_tx_offset != self.next:
            raise OutOfOrder(self.next, commit.min_tx_offset, self.damage)
        self._last = commit
        self.next = commit.end_offset
        self.damage = None
        return True
