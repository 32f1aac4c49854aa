"""What is left of a log: the runs of transactions that are there whole, and where they are broken off.

A *stretch* is a run of transactions without a gap, as the parts of files that hold it. A sound log is one stretch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from spacetimedb_standalone.care.breaks import Break
from spacetimedb_standalone.care.index_check import BadEntry
from spacetimedb_standalone.commitlog.reader import SegmentFile


@dataclass(frozen=True, slots=True)
class Part:
    """Whole commits of one segment, from byte `begin` up to `stop`, as uncompressed."""

    path: Path
    version: int
    begin: int
    stop: int


@dataclass(slots=True)
class Stretch:
    """The transactions from `first` up to, and without, `end`."""

    first: int
    end: int
    parts: list[Part] = field(default_factory=list)


@dataclass(slots=True)
class LogSurvey:
    segments: list[SegmentFile]
    stretches: list[Stretch] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    bad_entries: list[BadEntry] = field(default_factory=list)
    entries: int = 0
    """Of offset indexes."""
    commits: int = 0
    repeated: int = 0
    """Commits that stand twice, which is allowed."""
    last_version: int | None = None
    """Format version of the newest segment, if its header can be read."""

    @property
    def first(self) -> int:
        """The transaction that the log begins with by the name of its oldest segment."""
        return self.segments[0].offset if self.segments else 0

    @property
    def end(self) -> int:
        """The offset behind the last transaction that is there whole."""
        return max((stretch.end for stretch in self.stretches), default=self.first)

    def ends_before(self, entry: BadEntry) -> bool:
        """Does the entry speak of what would follow on the last commit?"""
        newest = self.segments[-1].path
        stop = max(
            (part.stop for stretch in self.stretches for part in stretch.parts if part.path == newest),
            default=0,
        )
        return entry.segment == newest and entry.transaction >= self.end and entry.points_at >= stop
