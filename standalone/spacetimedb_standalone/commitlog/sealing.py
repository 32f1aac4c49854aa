"""Compressing the segments that nothing is appended to any more.

A sealed segment keeps its name and its positions: the public seekable form of Zstandard, whose frames hold
4 KiB each, so that its offset index stays good (see `sealed` for the form and its reader). Only a segment whose
every commit is intact is sealed; a torn one stays as it is.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator

import zstandard

from spacetimedb_standalone.commitlog.errors import LogDamage
from spacetimedb_standalone.commitlog.format import VERSION
from spacetimedb_standalone.commitlog.reader import SegmentFile
from spacetimedb_standalone.commitlog.segment import CommitWalk, Segment, Source
from spacetimedb_standalone.ports import File, Files

logger = logging.getLogger(__name__)

FRAME = 4096
LEVEL = 3
WRITE = 1 << 20
UNFINISHED = ".tmp"

_SKIPPABLE = struct.Struct("<II")
_ENTRY = struct.Struct("<II")
_FOOTER = struct.Struct("<IBI")
_SKIPPABLE_MAGIC = 0x184D2A5E
_FOOTER_MAGIC = 0x8F92EAB1


def seal(files: Files, segment: SegmentFile, end: int) -> int | None:
    """Compress a segment that ends before transaction `end`; its new size, or None if it was left as it is.

    Raises the `OSError`s of the disk; the segment is then as it was.
    """
    with Segment.open(files, segment.path) as plain:
        if plain.sealed:
            return None
        length = _sound_length(plain, segment, end)
        if length is None:
            logger.info("%s is not compressed: it has a torn or damaged part", segment.path.name)
            return None
        beside = segment.path.with_name(segment.path.name + UNFINISHED)
        file = files.open(beside, create=True)
        try:
            file.truncate(0)
            _compress(plain.source, length, file)
            file.sync_data()
            size = file.size()
        finally:
            file.close()
    files.rename(beside, segment.path)
    files.sync_directory(segment.path.parent)
    return size


def _sound_length(segment: Segment, file: SegmentFile, end: int) -> int | None:
    """The whole length, if the segment holds the commits from its name up to `end` and nothing else."""
    try:
        if segment.header().version != VERSION:
            return None
        walk, expected = CommitWalk(segment.source, VERSION), file.offset
        for _, commit in walk:
            if commit.min_tx_offset != expected:
                return None
            expected = commit.end_offset
    except LogDamage:
        return None
    length = segment.source.size()
    return length if expected == end and walk.position == length else None


def _compress(source: Source, length: int, file: File) -> None:
    entries, out = [], bytearray()
    for packed, size in _frames(source, length):
        entries.append(_ENTRY.pack(len(packed), size))
        out += packed
        if len(out) >= WRITE:
            file.append(bytes(out))
            out.clear()
    table = b"".join(entries)
    out += _SKIPPABLE.pack(_SKIPPABLE_MAGIC, len(table) + _FOOTER.size) + table
    file.append(bytes(out) + _FOOTER.pack(len(entries), 0, _FOOTER_MAGIC))


def _frames(source: Source, length: int) -> Iterator[tuple[bytes, int]]:
    """(compressed, size before) of one frame after the other."""
    compressor = zstandard.ZstdCompressor(level=LEVEL)
    for window_at in range(0, length, WRITE):
        window = source.read_at(window_at, min(WRITE, length - window_at))
        for at in range(0, len(window), FRAME):
            frame = window[at : at + FRAME]
            yield compressor.compress(frame), len(frame)
