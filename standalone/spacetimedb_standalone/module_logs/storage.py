"""Where the lines of a module's log lie: in one file a day, or in a ring in memory."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from spacetimedb_standalone.ports import Clock, File, Files

logger = logging.getLogger(__name__)

DAY = 86_400_000_000
"""Microseconds."""
CHUNK = 1 << 16
RING_SIZE = 16 << 20
SUFFIX = ".log"


class Storage(Protocol):
    def append(self, ts: int, line: bytes) -> None:
        """Keep a line that was written at this time (microseconds since the epoch)."""
        ...

    def last_lines(self, count: int | None) -> Iterator[bytes]:
        """The last `count` lines, or all that can be had, in pieces."""
        ...

    def sync(self) -> None:
        """Make what was kept durable, as far as that goes."""
        ...

    def close(self) -> None: ...


class DayFiles:
    """A file for each UTC day, `YYYY-MM-DD.log`; kept for ever.

    A module's log is a convenience: a disk that refuses a line loses it, and the database goes on. A line of which
    only a part got to the disk, by that or because the process died, is cut off before the next one is written:
    each line must be one that can be read.
    """

    def __init__(self, directory: Path, files: Files, clock: Clock) -> None:
        """Opens the file of today. Raises `OSError`."""
        self._directory, self._files, self._clock = directory, files, clock
        files.make_directory(directory)
        self._complained = False
        self._day = clock.now() // DAY
        self._torn = False
        self._file: File | None = self._open(self._day)

    def append(self, ts: int, line: bytes) -> None:
        try:
            if ts // DAY > self._day or self._file is None:
                self._turn(max(ts // DAY, self._day))
            assert self._file is not None
            if self._torn:
                _cut_torn_line(self._file)
            self._torn = True
            self._file.append(line)
        except OSError as error:
            if not self._complained:
                logger.warning("lines of the module log in %s are lost: %s", self._directory, error)
            self._complained = True
        else:
            self._torn = self._complained = False

    def last_lines(self, count: int | None) -> Iterator[bytes]:
        return stored_lines(self._files, self._directory, self._clock, count)

    def sync(self) -> None:
        if self._file is not None:
            self._file.sync_data()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _turn(self, day: int) -> None:
        """Go over to the file of a later day."""
        self.close()
        self._file = self._open(day)
        self._day = day

    def _open(self, day: int) -> File:
        file = self._files.open(self._directory / _name(day), create=True)
        try:
            _cut_torn_line(file)
        except OSError:
            file.close()
            raise
        return file


class Ring:
    """The last 16 MiB of lines, in memory."""

    def __init__(self, limit: int = RING_SIZE) -> None:
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._limit = limit

    def append(self, ts: int, line: bytes) -> None:
        self._lines.append(line)
        self._size += len(line)
        while self._size > self._limit:
            self._size -= len(self._lines.popleft())

    def last_lines(self, count: int | None) -> Iterator[bytes]:
        lines = list(self._lines)
        yield from lines if count is None else lines[max(0, len(lines) - count) :]

    def sync(self) -> None:
        """Nothing is durable."""

    def close(self) -> None:
        """Nothing is held."""


def stored_lines(files: Files, directory: Path, clock: Clock, count: int | None) -> Iterator[bytes]:
    """The last `count` lines (None: all) of today's file, or else of the latest, in pieces."""
    today = _name(clock.now() // DAY)
    names = [name for name in files.names(directory) if name.endswith(SUFFIX)]
    if not names:
        return
    file = files.open(directory / (today if today in names else max(names)))
    try:
        end = file.size()
        at = 0 if count is None else _start_of_last(file, end, count)
        while at < end and (piece := file.read_at(at, min(CHUNK, end - at))):
            yield piece
            at += len(piece)
    finally:
        file.close()


def _start_of_last(file: File, end: int, count: int) -> int:
    """Where the last `count` lines of a file begin, looking from its end."""
    at = end
    left = count + 1  # the end of the line before the first one wanted
    while at:
        begin = max(0, at - CHUNK)
        piece = file.read_at(begin, at - begin)
        if at == end and not piece.endswith(b"\n"):
            left -= 1  # a last line that is not finished counts as one
        cut = len(piece)
        while left and (cut := piece.rfind(b"\n", 0, cut)) >= 0:
            left -= 1
        if not left:
            return begin + cut + 1
        at = begin
    return 0


def _cut_torn_line(file: File) -> None:
    """Cut off what stands behind the last end of a line."""
    end = file.size()
    if end and file.read_at(end - 1, 1) != b"\n":
        file.truncate(_start_of_last(file, end, 1))


def _name(day: int) -> str:
    return datetime.fromtimestamp(day * DAY // 1_000_000, UTC).date().isoformat() + SUFFIX
