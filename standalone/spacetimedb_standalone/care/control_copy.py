"""Control state looked at without touching it: in a copy, since opening its file may write to it.

The copy has the write-ahead file with it, so it holds all that was committed. A server may be changing the files
while they are copied: if it moves commits from the one to the other in between, a copy may lack them and be sound all
the same. So files that are not what they were before are copied again, and so is what SQLite finds unsound.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from spacetimedb_standalone.control.schema import FILE_NAME, FORMAT_VERSION, ControlStateError

_ATTEMPTS: Final = 3
_CHANGED: Final = "was changed each time while it was copied: try again"


@contextmanager
def control_copy(directory: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a copy of the control state below `directory`.

    Raises `ControlStateError` if there is none, if it is of a later version, if it is damaged, or if it keeps changing.
    """
    path = directory / FILE_NAME
    with (
        tempfile.TemporaryDirectory(prefix="spacetime-control-") as beside,
        closing(_copied(path, Path(beside))) as connection,
    ):
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if not 0 < version <= FORMAT_VERSION:
            raise ControlStateError(f"{path} has format {version}, which this server does not know")
        yield connection


def _copied(path: Path, beside: Path) -> sqlite3.Connection:
    wal = path.with_name(path.name + "-wal")
    complaint = ""
    for attempt in range(_ATTEMPTS):
        copy = beside / f"{attempt}.sqlite3"
        try:
            before = _stamp(path), _stamp(wal)
            shutil.copyfile(path, copy)
            if before[1] is not None:
                shutil.copyfile(wal, copy.with_name(copy.name + "-wal"))
            if (_stamp(path), _stamp(wal)) != before:
                complaint = _CHANGED
                continue
            connection = sqlite3.connect(copy, isolation_level=None)
        except FileNotFoundError as error:
            if not path.exists():
                raise ControlStateError(f"there is no control state in {path}") from error
            complaint = _CHANGED  # the write-ahead file went away
            continue
        except (sqlite3.Error, OSError) as error:
            complaint = f"is damaged: {error}"
            continue
        unsound = _unsoundness(connection)
        if unsound is None:
            return connection
        connection.close()
        complaint = f"is damaged: {unsound}"
    raise ControlStateError(f"the control state in {path} {complaint}")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes if the file is replaced or written to; None: there is no file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _unsoundness(connection: sqlite3.Connection) -> str | None:
    try:
        answer = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    return None if answer == "ok" else answer
