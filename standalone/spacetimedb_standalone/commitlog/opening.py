"""Opening a log for reading and going on with it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from spacetimedb_standalone.commitlog.durability import Durability, InlineLog
from spacetimedb_standalone.commitlog.format import StoredCommit
from spacetimedb_standalone.commitlog.kernel_log import KernelLog
from spacetimedb_standalone.commitlog.reader import first_segment, list_segments, replay_commits
from spacetimedb_standalone.commitlog.recovery import ResumePoint, TailPolicy, resume
from spacetimedb_standalone.commitlog.runs import read_runs
from spacetimedb_standalone.commitlog.thread_log import ThreadLog
from spacetimedb_standalone.commitlog.writer import LogWriter
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.ports import Files

logger = logging.getLogger(__name__)


class Driver(StrEnum):
    """Who waits for the disk; see `durability`."""

    AUTO = "auto"
    """The kernel where it can, else a thread."""
    KERNEL = "kernel"
    THREAD = "thread"
    INLINE = "inline"


@dataclass(frozen=True, slots=True)
class OpenedLog:
    """A log whose end is known. Replay it, then `start` writing."""

    files: Files
    directory: Path
    resume: ResumePoint
    settings: CommitLogSettings

    @property
    def first_offset(self) -> int:
        """The transaction that the log begins with; earlier ones were removed. 0 for an empty log."""
        segments = list_segments(self.files, self.directory)
        return segments[0].offset if segments else 0

    def segment_of(self, offset: int) -> str:
        """The name of the segment that this transaction is in, or ought to be."""
        segments = list_segments(self.files, self.directory)
        return segments[first_segment(segments, offset)].path.name if segments else self.directory.name

    def runs(self, start: int = 0) -> Iterator[bytes]:
        """The log in large pieces, as long as it is sound; see `runs`."""
        return read_runs(self.files, self.directory, start)

    def commits(self, start: int) -> Iterator[StoredCommit]:
        """The commits from a transaction on, up to the end that was found. Raises `LogDamage`."""
        return replay_commits(self.files, self.directory, start, self.resume.next_offset)

    def start(self, driver: Driver = Driver.AUTO) -> Durability:
        """Go on writing. Raises `LogFailed` if the disk refuses."""
        return _drive(LogWriter(self.files, self.directory, self.resume, self.settings), driver)


def open_log(
    files: Files,
    directory: Path,
    settings: CommitLogSettings,
    policy: TailPolicy = TailPolicy.REFUSE_DAMAGE,
) -> OpenedLog:
    """Find the end of a log, made if it is not there. Raises `CannotResume`, or `OSError` of the host."""
    files.make_directory(directory)
    return OpenedLog(files, directory, resume(files, directory, policy), settings)


def _drive(writer: LogWriter, driver: Driver) -> Durability:
    if driver is Driver.INLINE:
        return InlineLog(writer)
    if driver is not Driver.THREAD:
        try:
            return KernelLog(writer)
        except OSError as error:
            if driver is Driver.KERNEL:
                writer.close()
                raise
            logger.info("syncing in a thread, for the kernel does not do it in the background: %s", error)
    return ThreadLog(writer)
