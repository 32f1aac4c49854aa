"""Reading a sound log fast: whole commits in large pieces, not looked into.

For whoever checks every commit's checksum and offset anyway, as the engine does. The pieces end where the log
stops being a plain sequence of commits of the current version; what is to be made of that place is a matter
for `reader`, which takes one commit at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spacetimedb_engine import whole_commits
from spacetimedb_standalone.commitlog.errors import LogDamage
from spacetimedb_standalone.commitlog.format import CRC_SIZE, FRAME_SIZES, SEGMENT_HEADER_SIZE, VERSION
from spacetimedb_standalone.commitlog.offset_index import find_start, read_entries
from spacetimedb_standalone.commitlog.reader import SegmentFile, first_segment, list_segments
from spacetimedb_standalone.commitlog.segment import CHUNK, CommitWalk, Source, open_readable
from spacetimedb_standalone.ports import Files

_LENGTH_AT = FRAME_SIZES[VERSION] - 4
_OVERHEAD = FRAME_SIZES[VERSION] + CRC_SIZE


def read_runs(files: Files, directory: Path, start: int = 0) -> Iterator[bytes]:
    """Runs of commits from the one that begins with transaction `start` on, as they lie there.

    What is left of a segment behind its last whole commit is passed over: the next segment goes on there, or
    its first commit is out of order. Raises `LogDamage` where a segment cannot be read.
    """
    segments = list_segments(files, directory)
    for file in segments[first_segment(segments, start) :]:
        segment, header = open_readable(files, file.path)
        with segment:
            if header.version != VERSION:
                return
            position = SEGMENT_HEADER_SIZE
            if start > file.offset:
                position = _position_of(files, file, segment.source, start)
            yield from _runs_of(segment.source, position)


def _position_of(files: Files, file: SegmentFile, source: Source, offset: int) -> int:
    """Where in a segment the commit with this offset, or the first behind it, begins."""
    walk = CommitWalk(source, VERSION, find_start(read_entries(files, file.path), source, offset))
    try:
        for at, commit in walk:
            if commit.min_tx_offset >= offset:
                return at
    except LogDamage:  # whoever looks at the run will find it
        return walk.position
    return walk.position


def _runs_of(source: Source, position: int) -> Iterator[bytes]:
    while chunk := source.read_at(position, CHUNK):
        whole = whole_commits(chunk)
        if not whole:  # a commit longer than a chunk, or the end
            whole = _commit_size(chunk)
            if position + whole > source.size():
                return
            chunk = source.read_at(position, whole)
        yield chunk[:whole]
        position += whole


def _commit_size(chunk: bytes) -> int:
    """Bytes of the commit that begins here; more than there are if not even its frame is whole."""
    if len(chunk) < _OVERHEAD:
        return _OVERHEAD
    return _OVERHEAD + int.from_bytes(chunk[_LENGTH_AT : _LENGTH_AT + 4], "little")
