"""What can be wrong with a commit log. The texts are those of the public system.

`LogDamage` and its kin: the bytes on the disk are at fault. `LogFailed`: the disk refused to take or keep
bytes, and what it holds is unknown. `LogLocked`: another process has the log.
"""

from __future__ import annotations


class LogError(Exception):
    """Anything that keeps a log from being read or written."""


class LogDamage(LogError):
    """The bytes of the log are not what was written."""


class ShortCommit(LogDamage):
    """A commit is cut off by the end of its segment: what a torn write leaves behind."""


class ChecksumMismatch(LogDamage):
    """A commit is complete, but its bytes are not those that were checksummed."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"checksum mismatch at offset={offset}: checksum mismatch")
        self.offset = offset


class BadHeader(LogDamage):
    """A segment does not begin as a segment of a version that is understood here."""


class OutOfOrder(LogDamage):
    """A commit does not follow its predecessor. `cause` is the damage before the gap, if there was one."""

    def __init__(self, expected: int, actual: int, cause: LogDamage | None) -> None:
        text = f"out-of-order commit: expected-offset={expected} actual-offset={actual}"
        super().__init__(text if cause is None else f"{text}: {cause}")
        self.expected = expected
        self.actual = actual


class ForkedHistory(LogDamage):
    """Two different commits claim the same offset."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"forked history: offset={offset}")
        self.offset = offset


class CannotResume(LogDamage):
    """The log cannot be continued. The text names the segment, the step that failed and the cause."""


class DamagedInside(CannotResume):
    """A commit is broken although later ones were written, and no torn write explains that."""

    def __init__(self, segment: str, offset: int, position: int, cause: LogDamage) -> None:
        super().__init__(
            f"{segment} is damaged at transaction offset {offset} (byte {position}), but not behind it: "
            f"{cause}; nothing was changed, restore the file from a backup"
        )
        self.offset = offset
        self.position = position


class LogLocked(LogError):
    """Another process has opened this log for writing."""


class LogFailed(LogError):
    """The disk refused a write or a sync; nothing more is written until the database is opened again."""
