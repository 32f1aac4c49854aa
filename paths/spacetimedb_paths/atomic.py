"""Replacing a file so that a crash leaves the old content or the new, never a mixture."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Make `path` hold exactly `data`, durably; its directory is made if need be.

    The new file is private to its owner (mode 0600): several of these files hold keys or tokens.
    Raises `OSError` (EINVAL) for a path without an enclosing directory, and whatever the file system
    refuses; the old content is then untouched and no temporary file stays behind.
    """
    parent = path.parent
    if path == parent or not path.name:
        raise OSError(errno.EINVAL, f"cannot replace {path} without enclosing directory")
    parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_directory(parent)


def _sync_directory(directory: Path) -> None:
    """Make the rename itself durable. Windows offers no handle to sync a directory by."""
    if sys.platform == "win32":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
