"""Compressing the segments that nothing is appended to any more.

A sealed segment keeps its name and its positions: the public seekable form of Zstandard, whose frames hold
16 KiB each, so that its offset index stays good (see `sealed` for the form and its reader). Only a segment whose
every commit is intact is sealed; a torn one stays as it is.

This runs beside the loop that serves clients, on a log that may grow by 50 MB a second: all work is done a
window at a time by calls that let the loop go on meanwhile. Frame and level are what cost least: frames of
16 KiB at level 1 take half the time of the customary 4 KiB at level 3, and no more space.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator

import zstandard

from spacetimedb_engine import pass_commits
from spacetimedb_standalone.commitlog.errors import LogDamage
from spacetimedb_standalone.commitlog.format import (
    CRC_SIZE,
    FRAME_SIZES,
    SEGMENT_HEADER_SIZE,
    VERSION,
    decode_frame,
)
from spacetimedb_standalone.commitlog.reader import SegmentFile
from spacetimedb_standalone.commitlog.segment import Segment, Source
from spacetimedb_standalone.ports import File, Files

logger = logging.getLogger(__name__)

FRAME = 16 << 10
LEVEL = 1
WINDOW = 1 << 20
"""Bytes read, checked, compressed and written at a time."""
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
    except LogDamage:
        return None
    length = segment.source.size()
    return length if _last_offset(segment.source, length, file.offset) == end else None


def _last_offset(source: Source, length: int, offset: int) -> int | None:
    """The transaction offset after the last commit, if the first is at `offset` and all are sound."""
    at, size = SEGMENT_HEADER_SIZE, WINDOW
    while at < length:
        window = source.read_at(at, size)
        passed, offset = pass_commits(window, offset)
        at += passed
        size = WINDOW if passed else _next_size(window)
        if not passed and not len(window) < size <= length - at:
            return None
    return offset


def _next_size(data: bytes) -> int:
    """How many bytes the commit at the beginning takes; 0 if that cannot be told."""
    frame_size = FRAME_SIZES[VERSION]
    if len(data) < frame_size:
        return 0
    return frame_size + decode_frame(data, 0, VERSION).length + CRC_SIZE


def _compress(source: Source, length: int, file: File) -> None:
    entries = bytearray()
    for window in _windows(source, length):
        out = bytearray()
        for packed, size in _frames(window):
            entries += _ENTRY.pack(len(packed), size)
            out += packed
        file.append(bytes(out))
    seek_table_size = len(entries) + _FOOTER.size
    footer = _FOOTER.pack(len(entries) // _ENTRY.size, 0, _FOOTER_MAGIC)
    file.append(_SKIPPABLE.pack(_SKIPPABLE_MAGIC, seek_table_size) + entries + footer)


def _windows(source: Source, length: int) -> Iterator[bytes]:
    for at in range(0, length, WINDOW):
        yield source.read_at(at, min(WINDOW, length - at))


def _frames(window: bytes) -> Iterator[tuple[bytes, int]]:
    """(compressed, size before) of one frame after the other; all are compressed in one call where that is had."""
    frames: list[bytes | bytearray | memoryview] = [
        window[at : at + FRAME] for at in range(0, len(window), FRAME)
    ]
    compressor = zstandard.ZstdCompressor(level=LEVEL)
    if "multi_compress_to_buffer" not in zstandard.backend_features:  # the library without its C part
        for frame in frames:
            yield compressor.compress(frame), len(frame)
        return
    packed = compressor.multi_compress_to_buffer(frames)
    for number, frame in enumerate(frames):
        yield packed[number].tobytes(), len(frame)
