"""The offset index of a segment: where in the file some of its commits begin.

The public format: 16-byte entries `min_tx_offset:u64 position:u64`, little-endian, offsets strictly
ascending, ended by a zero offset or the end of the file. Offset 0 is therefore never indexed. An index is
a hint and may be absent, stale or wrong: every entry that is used is checked against the commit it points
at, and a log is complete without its indexes.

Our writer adds an entry only after a sync, so a good entry also proves that the disk once had everything
before its position (`recovery` relies on that).
"""

from __future__ import annotations

import logging
import struct
from bisect import bisect_right
from pathlib import Path

from spacetimedb_standalone.commitlog.errors import LogDamage
from spacetimedb_standalone.commitlog.format import SEGMENT_HEADER_SIZE
from spacetimedb_standalone.commitlog.segment import CommitWalk, Source
from spacetimedb_standalone.ports import File, Files

logger = logging.getLogger(__name__)

INDEX_SUFFIX = ".stdb.ofs"

_ENTRY = struct.Struct("<QQ")


def index_path(segment: Path) -> Path:
    """The index that belongs to a segment file."""
    return segment.with_name(segment.name.removesuffix(".stdb.log") + INDEX_SUFFIX)


def read_entries(files: Files, segment: Path) -> list[tuple[int, int]]:
    """The entries `(min_tx_offset, position)` up to the first that cannot be one; none without a file.

    None either if the disk does not give the index back: the log can be read without.
    """
    path = index_path(segment)
    try:
        file = files.open(path)
        try:
            data = file.read_at(0, file.size())
        finally:
            file.close()
    except FileNotFoundError:
        return []
    except OSError as error:
        logger.warning("the offset index %s is not used: %s", path, error)
        return []
    entries: list[tuple[int, int]] = []
    last = (0, SEGMENT_HEADER_SIZE - 1)
    for at in range(0, len(data) - _ENTRY.size + 1, _ENTRY.size):
        entry: tuple[int, int] = _ENTRY.unpack_from(data, at)
        if entry[0] <= last[0] or entry[1] <= last[1]:
            break
        entries.append(entry)
        last = entry
    return entries


def find_start(entries: list[tuple[int, int]], source: Source, offset: int) -> int:
    """A position at or before the commit with this transaction offset, where an intact commit begins.

    Entries that point elsewhere are passed over; without a good one it is the first position of all.
    """
    number = bisect_right(entries, offset, key=lambda entry: entry[0])
    while number:
        number -= 1
        key, position = entries[number]
        if points_at(source, position, key):
            return position
    return SEGMENT_HEADER_SIZE


def points_at(source: Source, position: int, offset: int) -> bool:
    """Is there an intact commit of format version 1 with this offset at this position?

    A segment of version 0 never passes and is read from its beginning.
    """
    if not SEGMENT_HEADER_SIZE <= position < source.size():
        return False
    try:
        _, commit = next(iter(CommitWalk(source, 1, position)))
    except (LogDamage, StopIteration):
        return False
    return commit.min_tx_offset == offset


class IndexWriter:
    """Adds entries to the index of the segment that is being written.

    A failing index never stops the log: it is given up, and readers do without.
    """

    def __init__(self, file: File | None, entries: int, last_key: int, capacity: int) -> None:
        self._file = file
        self._entries = entries
        self._last_key = last_key
        self._capacity = capacity

    @classmethod
    def open(cls, files: Files, segment: Path, *, below: int, capacity: int) -> IndexWriter:
        """Continue the index of a segment, keeping what is good of it below a transaction offset.

        `capacity`: entries for which the file has room; it is made that long at once (sparse), as other
        servers of the format expect.
        """
        try:
            entries = [entry for entry in read_entries(files, segment) if entry[0] < below]
            file = files.open(index_path(segment), create=True)
            file.truncate(len(entries) * _ENTRY.size)
            file.truncate(capacity * _ENTRY.size)
        except OSError as error:
            logger.warning("no offset index is kept for %s: %s", segment, error)
            return cls(None, 0, 0, 0)
        return cls(file, len(entries), entries[-1][0] if entries else 0, capacity)

    def add(self, offset: int, position: int) -> None:
        """Note where the commit with this offset begins. Offset 0 and repeats are left out."""
        if self._file is None or offset <= self._last_key or self._entries >= self._capacity:
            return
        try:
            self._file.write_at(self._entries * _ENTRY.size, _ENTRY.pack(offset, position))
        except OSError as error:
            logger.warning("the offset index is given up: %s", error)
            self.close()
            return
        self._entries += 1
        self._last_key = offset

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
