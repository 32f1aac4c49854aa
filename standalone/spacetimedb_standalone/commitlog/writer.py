"""Writing a log: appending, syncing, and going over to the next segment.

The writer takes commits as the engine has framed them, any number in one piece of bytes, and does nothing
by itself: whoever drives it (`drivers`) says when to append and when to sync, in one thread or another but
never in two at once.

Invariants:

* `next_offset` is the offset behind the last appended commit, `synced_offset` the one behind the last that
  a sync covers;
* a segment is left only when it is synced, so a sync of the current segment covers everything;
* a segment ends with the commit that makes it reach `max_segment_size`, as the format wants it;
* after any error of the disk the writer is dead: every further call raises `LogFailed`. What was written
  after the last sync is cut off then, as far as the disk still obeys, lest a restart find it in the cache
  of the system and call it durable.
"""

from __future__ import annotations

import logging
from pathlib import Path

from spacetimedb_standalone.commitlog.errors import LogError, LogFailed
from spacetimedb_standalone.commitlog.format import (
    CRC32C,
    CRC_SIZE,
    FRAME_SIZES,
    SEGMENT_HEADER_SIZE,
    VERSION,
    SegmentHeader,
    decode_frame,
)
from spacetimedb_standalone.commitlog.offset_index import IndexWriter
from spacetimedb_standalone.commitlog.reader import SUFFIX
from spacetimedb_standalone.commitlog.recovery import ResumePoint
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.ports import CrashPoint, File, Files, write_replacing

logger = logging.getLogger(__name__)


class LogWriter:
    """Appends to the log in a directory. See the head of this file."""

    def __init__(
        self, files: Files, directory: Path, resume: ResumePoint, settings: CommitLogSettings
    ) -> None:
        """Continue a log where recovery says. Raises `LogFailed` if the disk refuses."""
        self._files = files
        self._directory = directory
        self._settings = settings
        self._failure: LogFailed | None = None
        self._unindexed: tuple[int, int] | None = None
        self._indexed_to = SEGMENT_HEADER_SIZE
        self.epoch = resume.epoch
        self.next_offset = self.synced_offset = resume.next_offset
        try:
            if resume.segment is None:
                self._file, self._index = self._create(resume.next_offset)
                self._length = SEGMENT_HEADER_SIZE
            else:
                self._file, self._index = self._reopen(resume.segment, resume.next_offset)
                self._cut_off_behind(resume.length)
                self._length = self._indexed_to = resume.length
        except OSError as error:
            raise LogFailed(f"the commit log in {directory} cannot be opened for writing: {error}") from error
        self._synced_length = self._length

    def append(self, commits: bytes, last_offset: int) -> None:
        """Write whole commits, those of the transactions `next_offset` to `last_offset`.

        They go into as many segments as the sizes ask for. Nothing of it is durable yet. Raises `LogFailed`.
        """
        self._require_alive()
        first = decode_frame(commits, 0, VERSION).min_tx_offset
        if first != self.next_offset:
            raise LogError(f"commit {first} was appended where {self.next_offset} is due")
        try:
            if self._length + len(commits) < self._settings.max_segment_size:
                self._write(commits, first)
            else:
                self._write_rotating(commits)
        except OSError as error:
            raise self._die("write", error) from error
        self.next_offset = last_offset + 1
        self._files.reached(CrashPoint.LOG_APPENDED)

    def sync(self) -> int:
        """Make all that was appended durable and return the offset behind it. Raises `LogFailed`."""
        self._require_alive()
        try:
            self._file.sync_data()
        except OSError as error:
            raise self._die("sync", error) from error
        return self.synced()

    def synced(self) -> int:
        """The file was synced, by `sync` or by somebody else, since the last `append`."""
        self._synced_length = self._length
        self.synced_offset = self.next_offset
        self._note_index()
        self._files.reached(CrashPoint.LOG_SYNCED)
        return self.synced_offset

    def sync_failed(self, error: OSError) -> LogFailed:
        """Somebody else's sync failed: the writer is dead. Returns why, for others."""
        return self._die("sync", error)

    def fileno(self) -> int | None:
        """The descriptor to sync; it changes with the segment, so ask after every `append`."""
        return self._file.fileno()

    def close(self) -> None:
        """Let go of the files; nothing is synced."""
        self._file.close()
        self._index.close()

    # --- segments ---

    def _cut_off_behind(self, length: int) -> None:
        """Off the disk too, before anything is appended: what a sector held that a later append did not reach
        would look like bytes that were written and have changed since."""
        if self._file.size() > length:
            self._file.truncate(length)
            self._file.sync_data()

    def _write(self, commits: bytes | memoryview, first: int) -> None:
        if self._unindexed is None:
            self._unindexed = (first, self._length)
        self._file.append(commits)
        self._length += len(commits)

    def _write_rotating(self, commits: bytes) -> None:
        """Write commit after commit up to the one that fills the segment, then begin the next one."""
        view = memoryview(commits)
        begin = at = 0
        first = self.next_offset
        while at < len(commits):
            frame = decode_frame(commits, at, VERSION)
            at += FRAME_SIZES[VERSION] + frame.length + CRC_SIZE
            if self._length + at - begin >= self._settings.max_segment_size:
                self._write(view[begin:at], first)
                begin = at
                first = frame.min_tx_offset + frame.n
                self._rotate(first)
        if begin < at:
            self._write(view[begin:at], first)

    def _rotate(self, next_offset: int) -> None:
        self._file.sync_data()
        self._note_index()
        self._files.reached(CrashPoint.LOG_ROTATING)
        file, index = self._create(next_offset)
        self.close()
        self._file, self._index = file, index
        self._length = self._synced_length = self._indexed_to = SEGMENT_HEADER_SIZE
        self._unindexed = None
        self.synced_offset = next_offset

    def _create(self, offset: int) -> tuple[File, IndexWriter]:
        """A new segment, durably there with its header."""
        path = self._directory / f"{offset:020}{SUFFIX}"
        write_replacing(self._files, path, SegmentHeader(VERSION, CRC32C).encode())
        return self._reopen(path, 0)

    def _reopen(self, path: Path, next_offset: int) -> tuple[File, IndexWriter]:
        settings = self._settings
        capacity = max(1, settings.max_segment_size // settings.offset_index_interval_bytes)
        index = IndexWriter.open(self._files, path, below=next_offset, capacity=capacity)
        return self._files.open(path), index

    def _note_index(self) -> None:
        """Index the first commit since the last entry, now that it is durable, if it is far enough."""
        far_enough = self._length - self._indexed_to >= self._settings.offset_index_interval_bytes
        if self._unindexed is not None and far_enough:
            self._index.add(*self._unindexed)
            self._indexed_to = self._length
            self._unindexed = None

    # --- failure ---

    def _require_alive(self) -> None:
        if self._failure is not None:
            raise LogFailed(*self._failure.args)

    def _die(self, what: str, error: OSError) -> LogFailed:
        self._failure = LogFailed(
            f"the disk refused a {what} of the commit log in {self._directory}: {error}; transactions from "
            f"offset {self.synced_offset} on are not durable. Mend the disk, then open the database again"
        )
        try:
            self._file.truncate(self._synced_length)
        except OSError as refused:
            logger.error("the unsynced tail of the commit log could not be cut off: %s", refused)
        return self._failure
