"""Who uses a data directory now: asked without leaving a trace.

The locks are those of `spacetime.pid` and of each replica's `db.lock`. A shared lock is tried on a file opened for
reading; it is given back at once, or held by whoever wants that no server starts meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class InUse(Exception):
    """Another process holds a lock of the data directory: it must be stopped first."""

    def __init__(self, path: Path, contents: str) -> None:
        owner = f" (it says: {contents})" if contents else ""
        super().__init__(f"{path} is locked{owner}: stop the server first")
        self.contents = contents


@contextlib.contextmanager
def kept_from_others(path: Path) -> Iterator[None]:
    """Nobody takes the exclusive lock on `path` meanwhile, if the file is there. Raises `InUse`, `OSError`."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield
        return
    try:
        _share(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def holder(path: Path) -> str | None:
    """What the holder of the lock has written into the file ('' if nothing can be read); None: nobody has it."""
    try:
        with kept_from_others(path):
            return None
    except InUse as error:
        return error.contents


def _share(descriptor: int, path: Path) -> None:
    try:
        if sys.platform == "win32":
            # There is no shared lock there; servers lock one byte far behind the text.
            os.lseek(descriptor, 1 << 30, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        raise InUse(path, _text(descriptor)) from error


def _text(descriptor: int) -> str:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        return os.read(descriptor, 200).decode("utf-8", "replace").strip()
    except OSError:  # Windows forbids reading what another process has locked
        return ""
