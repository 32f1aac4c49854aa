"""Control state looked at without touching it: in a copy, since opening its file may write to it.

The copy has the write-ahead file with it, so it holds all that was committed. A server may be changing the files
while they are copied; then SQLite notices, and they are copied again.
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


@contextmanager
def control_copy(directory: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a copy of the control state below `directory`.

    Raises `ControlStateError` if there is none, if it is of a later version, or if it is damaged.
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
    complaint: object = "it cannot be read"
    for attempt in range(_ATTEMPTS):
        copy = beside / f"{attempt}.sqlite3"
        try:
            shutil.copyfile(path, copy)
            if (log := path.with_name(path.name + "-wal")).exists():
                shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
            connection = sqlite3.connect(copy, isolation_level=None)
            complaint = connection.execute("PRAGMA integrity_check").fetchone()[0]
            if complaint == "ok":
                return connection
            connection.close()
        except FileNotFoundError as error:
            raise ControlStateError(f"there is no control state in {path}") from error
        except (sqlite3.Error, OSError) as error:
            complaint = error
    raise ControlStateError(f"the control state in {path} is damaged: {complaint}")
