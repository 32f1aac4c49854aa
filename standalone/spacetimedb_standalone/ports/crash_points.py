"""The moments at which a test pulls the plug.

Code that makes something durable names its steps with `Files.reached`; on a real disk that does
nothing, `MemoryFiles` can be told to lose power there.
"""

from __future__ import annotations

from enum import StrEnum


class CrashPoint(StrEnum):
    REPLACING_WRITTEN = "replacing.written"
    """The temporary file is written and synced, not yet renamed."""
    REPLACING_RENAMED = "replacing.renamed"
    """Renamed into place; the directory is not yet synced."""
    LOG_APPENDED = "log.appended"
    """Commits are handed to the file, not yet synced."""
    LOG_SYNCED = "log.synced"
    """Synced, but nobody has been told yet."""
    LOG_ROTATING = "log.rotating"
    """The full segment is synced, the next one does not exist."""
    LOG_RECOVERED = "log.recovered"
    """A tail was examined and what must go is gone; nothing new is written yet."""
