"""Walking through the commits of one segment.

A segment ends cleanly where fewer bytes are left than the frame of a commit has, whatever they are. Where
a frame can be read but its records or checksum are cut off, or the checksum is wrong, the walk ends with
an error. Version 0 also ends at a frame of zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from spacetimedb_standalone.commitlog.errors import BadHeader, ChecksumMismatch, LogDamage, ShortCommit
from spacetimedb_standalone.commitlog.format import (
    CRC_SIZE,
    FRAME_SIZES,
    SEGMENT_HEADER_SIZE,
    CommitFrame,
    SegmentHeader,
    StoredCommit,
    checksum_holds,
    decode_checksum,
    decode_frame,
    decode_segment_header,
)
from spacetimedb_standalone.commitlog.sealed import ZSTD_MAGIC, SealedSource
from spacetimedb_standalone.ports import File, Files

CHUNK = 1 << 20
"""Bytes read at a time."""


class Source(Protocol):
    """Bytes at positions; a plain file or a sealed one."""

    def size(self) -> int: ...

    def read_at(self, offset: int, size: int) -> bytes: ...


class Segment:
    """A segment open for reading. Close it, or use it in a `with`."""

    def __init__(self, path: Path, file: File) -> None:
        self.path = path
        self._file = file
        self.sealed = file.read_at(0, 4) == ZSTD_MAGIC
        self.source: Source = SealedSource(file) if self.sealed else file

    @classmethod
    def open(cls, files: Files, path: Path) -> Segment:
        file = files.open(path)
        try:
            return cls(path, file)
        except LogDamage:
            file.close()
            raise

    def header(self) -> SegmentHeader:
        """Raises `BadHeader`."""
        return decode_segment_header(self.source.read_at(0, SEGMENT_HEADER_SIZE))

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Segment:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class CommitWalk:
    """Iterates over `(position, commit)` from a position on.

    `position` is where the next commit begins, and after an error where the broken one does. `expected`
    is the transaction offset that a broken commit is reported under.
    """

    def __init__(self, source: Source, version: int, position: int = SEGMENT_HEADER_SIZE) -> None:
        self._source = source
        self._version = version
        self._frame_size = FRAME_SIZES[version]
        self._chunk = b""
        self._chunk_at = position
        self.position = position
        self.expected = 0

    def __iter__(self) -> Iterator[tuple[int, StoredCommit]]:
        while (commit := self._next()) is not None:
            at = self.position
            self.position = at + len(commit.body) + CRC_SIZE
            self.expected = commit.end_offset
            yield at, commit

    def _next(self) -> StoredCommit | None:
        start = self._have(self._frame_size)
        if start is None:
            return None
        frame = decode_frame(self._chunk, start, self._version)
        if self._version == 0 and frame == CommitFrame(0, 0, 0, 0):
            return None
        body_size = self._frame_size + frame.length
        start = self._have(body_size + CRC_SIZE)
        if start is None:
            raise self._short(frame)
        body = self._chunk[start : start + body_size]
        checksum = decode_checksum(self._chunk, start + body_size)
        if not checksum_holds(body, checksum):
            raise ChecksumMismatch(self.expected)
        return StoredCommit(frame.min_tx_offset, frame.epoch, frame.n, body, self._version, checksum)

    def _have(self, size: int) -> int | None:
        """Make `size` bytes at `position` available and say where in the chunk. None: the file ends."""
        start = self.position - self._chunk_at
        if start + size > len(self._chunk):
            if self.position + size > self._source.size():
                return None
            self._chunk = self._source.read_at(self.position, max(size, CHUNK))
            self._chunk_at = self.position
            start = 0
            if len(self._chunk) < size:
                return None
        return start

    def _short(self, frame: CommitFrame) -> ShortCommit:
        left = self._source.size() - self.position - self._frame_size
        missing = f"{frame.length} bytes of commit payload" if left < frame.length else "checksum"
        return ShortCommit(f"failed to read {missing}: failed to fill whole buffer")


def open_readable(files: Files, path: Path) -> tuple[Segment, SegmentHeader]:
    """Open a segment whose header is understood here.

    Raises `BadHeader` that names the segment.
    """
    try:
        segment = Segment.open(files, path)
    except LogDamage as error:
        raise BadHeader(f"{path.name} [reading segment header]: {error}") from error
    try:
        header = segment.header()
        header.require_readable()
    except LogDamage as error:
        segment.close()
        raise BadHeader(f"{path.name} [reading segment header]: {error}") from error
    return segment, header
