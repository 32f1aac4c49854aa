"""One process at a time writes the log of a database: `db.lock` in its directory.

The lock belongs to the open file, so it ends with the process. The file stays and says who took it last.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from spacetimedb_standalone.commitlog.errors import LogLocked
from spacetimedb_standalone.ports import Clock, FileLock, FileLocked, Files

NAME = "db.lock"


def lock_database(files: Files, replica: Path, clock: Clock) -> FileLock:
    """Take the lock on a replica's directory, which must be there. Raises `LogLocked`."""
    try:
        lock = files.lock(replica / NAME)
    except FileLocked as error:
        raise LogLocked(f"commitlog directory is locked: {error}") from error
    taken = datetime.fromtimestamp(clock.now() // 1_000_000, UTC)
    lock.write(f"pid={os.getpid()};timestamp_utc={taken.isoformat().replace('+00:00', 'Z')}")
    return lock
