"""The places where a log is not a sequence of commits, as a survey finds them.

How the end of the log is judged: the writer adds an entry to an offset index only after a sync that covers the commit
(see `commitlog.offset_index`). Whatever a power loss takes of the log, it takes from behind the last sync, and of the
index it may leave any part; so it never leaves an entry for a commit that the log has lost. An index that is sound
but for entries behind the end of the log therefore proves a loss, however cleanly the log ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from spacetimedb_standalone.care.index_check import BadEntry


class BreakKind(Enum):
    TORN = auto()
    """The end of the last segment, as a power loss leaves it: none of it was ever acknowledged."""
    SHORT = auto()
    """The end of the last segment; it may look as a power loss leaves it, but more was durable. A start does not see it."""
    HEALED = auto()
    """The next segment goes on with the very transaction: a torn end that was cut off long ago."""
    DAMAGE = auto()
    """Transactions are missing that were once there."""


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the log is not a sequence of commits."""

    kind: BreakKind
    path: Path
    position: int
    first: int
    """The transaction that is due here."""
    resumes: int | None
    """The transaction with which the log goes on behind the break; None: with none."""
    cause: str
    given_up: bool = False
    """The search for what follows in this segment was given up: there is too much that looks like commits."""

    @property
    def is_loss(self) -> bool:
        """Are transactions missing that were once durable?"""
        return self.kind in (BreakKind.SHORT, BreakKind.DAMAGE)

    def hides(self, entry: BadEntry) -> bool:
        """Does the entry speak of what is lost here? Then it may well be right. Nothing torn was ever indexed."""
        behind = entry.points_at >= self.position and entry.transaction >= self.first
        return (
            behind
            and self.kind is not BreakKind.TORN
            and self.path == entry.segment
            and (self.resumes is None or entry.transaction < self.resumes)
        )
