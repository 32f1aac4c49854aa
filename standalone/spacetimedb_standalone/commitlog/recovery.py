"""Where a log goes on after its last process has died, and what may be cut off to get there.

A power loss leaves the last writes, those no sync has covered, in any state: cut short, or with sectors
that never reached the disk and read as zeros, intact commits among them. Nothing in them was
acknowledged, so the log goes on behind the last good commit: in a *new* segment named by the next offset,
while the torn one stays as it is (readers know how to pass over that).

Anything else that is broken was once intact and may have been acknowledged. It is refused, with its exact
place, and nothing is touched. How the two are told apart is in `torn_tail`; damage in front of the last
good entry of the offset index is found by `reader.replay_commits`, which knows where the log must end.

A segment without any good commit (the writes right after its making were lost) is put aside if it is torn,
and the log goes on in its predecessor. `TailPolicy.CUT` drops everything behind the last good commit
without asking, which is what the public server does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TypeVar

from spacetimedb_standalone.commitlog.errors import BadHeader, CannotResume, DamagedInside, LogDamage
from spacetimedb_standalone.commitlog.format import SEGMENT_HEADER_SIZE, VERSION, SegmentHeader, StoredCommit
from spacetimedb_standalone.commitlog.offset_index import find_start, index_path, read_entries
from spacetimedb_standalone.commitlog.reader import U64_LIMIT, SegmentFile, list_segments
from spacetimedb_standalone.commitlog.segment import CommitWalk, Segment
from spacetimedb_standalone.commitlog.torn_tail import proof_of_damage
from spacetimedb_standalone.ports import CrashPoint, Files

T = TypeVar("T")

ASIDE = ".torn"
"""Put behind the name of a segment of which nothing could be used."""


class TailPolicy(Enum):
    """What to do with a log whose last segment is broken."""

    REFUSE_DAMAGE = auto()
    """Cut torn writes, refuse everything else."""
    CUT = auto()
    """Cut whatever follows the last good commit. Acknowledged transactions may go."""


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """How writing goes on."""

    next_offset: int
    epoch: int
    segment: Path | None
    """The segment to append to; None: begin a new one, named by `next_offset`."""
    length: int
    """Where the good commits of that segment end, in bytes."""


def resume(files: Files, directory: Path, policy: TailPolicy = TailPolicy.REFUSE_DAMAGE) -> ResumePoint:
    """Find the end of a log and clear the way for writing.

    Raises `CannotResume` for a log that must not be continued. Segments that hold nothing are removed, or put
    aside if they hold a torn commit. What is found good is synced, for the process that wrote it may have died
    before it could.
    """
    segments = list_segments(files, directory)
    removed = False
    point = None
    while segments and point is None:
        point = _examine(files, segments[-1], policy)
        if point is None:
            _put_aside(files, segments.pop())
            removed = True
    if removed:
        files.sync_directory(directory)
    files.reached(CrashPoint.LOG_RECOVERED)
    return point or ResumePoint(0, 0, None, 0)


def _examine(files: Files, file: SegmentFile, policy: TailPolicy) -> ResumePoint | None:
    """How the log goes on behind this segment. None: the segment holds nothing and must go."""
    handle = files.open(file.path)
    try:
        if handle.size() <= SEGMENT_HEADER_SIZE:
            return None
        segment = _step(file, "opening segment for resume", lambda: Segment(file.path, handle))
        header = _step(file, "extracting segment metadata", segment.header)
        start = find_start(read_entries(files, file.path), segment.source, U64_LIMIT)
        last, walk, damage = _last_commit(file, segment, start)
        if last is None and damage is not None:
            plain = header.version == VERSION and not segment.sealed
            if plain and proof_of_damage(segment.source, walk.position, file.offset, None) is None:
                return None
            raise _cannot(file, "checking metadata", "no valid commits in segment")
        _step(file, "checking segment compatibility", lambda: _require_writable(header))
        if last is not None and damage is not None and policy is TailPolicy.REFUSE_DAMAGE:
            _require_torn(file, segment, walk.position, last, damage)
        handle.sync_data()
    finally:
        handle.close()
    if last is None:
        return ResumePoint(file.offset, 0, file.path, SEGMENT_HEADER_SIZE)
    if damage is not None or segment.sealed:
        return ResumePoint(last.end_offset, last.epoch, None, 0)
    return ResumePoint(last.end_offset, last.epoch, file.path, walk.position)


def _last_commit(
    file: SegmentFile, segment: Segment, start: int
) -> tuple[StoredCommit | None, CommitWalk, LogDamage | None]:
    """The last good commit in front of the end or the first damage; where that is; the damage."""
    walk = CommitWalk(segment.source, VERSION, start)
    last: StoredCommit | None = None
    try:
        for _, commit in walk:
            if last is not None and commit.min_tx_offset != last.end_offset:
                cause = f"out-of-order offset: expected={last.end_offset} actual={commit.min_tx_offset}"
                raise _cannot(file, "extracting segment metadata", cause)
            last = commit
    except CannotResume:
        raise
    except LogDamage as damage:
        return last, walk, damage
    return last, walk, None


def _require_torn(
    file: SegmentFile, segment: Segment, position: int, last: StoredCommit, damage: LogDamage
) -> None:
    """Raises `DamagedInside` unless the broken commit behind `last` is the work of a power loss.

    A sealed segment was whole, and synced, before it got its name.
    """
    if segment.sealed or proof_of_damage(segment.source, position, last.end_offset, last.epoch) is not None:
        raise DamagedInside(file.path.name, last.end_offset, position, damage) from damage


def _require_writable(header: SegmentHeader) -> None:
    header.require_readable()
    if header.version != VERSION:
        raise BadHeader(f"log format version mismatch: current={VERSION} segment={header.version}")


def _put_aside(files: Files, file: SegmentFile) -> None:
    """Out of the log's way; what is more than a header is kept for somebody to look at."""
    if index_path(file.path).name in files.names(file.path.parent):
        files.remove(index_path(file.path))
    if _size(files, file.path) <= SEGMENT_HEADER_SIZE:
        files.remove(file.path)
    else:
        files.rename(file.path, file.path.with_name(file.path.name + ASIDE))


def _size(files: Files, path: Path) -> int:
    file = files.open(path)
    try:
        return file.size()
    finally:
        file.close()


def _step(file: SegmentFile, step: str, action: Callable[[], T]) -> T:
    try:
        return action()
    except LogDamage as error:
        raise _cannot(file, step, error) from error


def _cannot(file: SegmentFile, step: str, cause: object) -> CannotResume:
    return CannotResume(f"{file.path.name} [{step}]: {cause}")
