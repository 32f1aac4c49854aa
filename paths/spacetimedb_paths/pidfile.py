"""The lock on a data directory: `spacetime.pid`, which holds the owner's process id as decimal text.

The lock is advisory and belongs to the open file, so it ends with the process however that ends; a
file left by a dead process is taken over. The owner deletes the file before letting go of the lock,
so a taker checks that the file it has locked is still the one with the name. Whoever only looks whether
somebody has it holds a shared lock for a moment, so a taker that finds it busy asks again for a while.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType

from spacetimedb_paths.server import ServerDataDir

_PATIENCE = 0.2
"""Seconds in which a taker asks again."""
_PAUSE = 0.02
"""Seconds between two questions."""


class DataDirError(OSError):
    """The data directory cannot be locked: the host refuses."""


class DataDirInUse(DataDirError):
    """Another process has the data directory; `pid` is its id as far as it can be read."""

    def __init__(self, pid: int | None):
        owner = f"Some({pid})" if pid is not None else "None"
        super().__init__(f"cannot take lock on database; spacetime.pid already exists (owned by pid {owner})")
        self.pid = pid


class PidFile:
    """A held lock on a data directory; keep it for as long as the directory is used."""

    def __init__(self, path: Path, descriptor: int):
        self._path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, data_dir: ServerDataDir) -> PidFile:
        """Lock the directory (made if need be) for this process.

        Raises `DataDirInUse` when another process holds it, `DataDirError` when the host refuses.
        """
        path = Path(data_dir.pid_file())
        try:
            data_dir.create()
            descriptor = _lock_patiently(path)
        except BlockingIOError:
            raise DataDirInUse(_read_pid(path)) from None
        except OSError as error:
            raise DataDirError(f"error while taking database lock on spacetime.pid: {error}") from error
        _write_pid(descriptor)
        return cls(path, descriptor)

    def release(self) -> None:
        """Delete the file and let go of the lock; a second call does nothing."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        if sys.platform == "win32":  # an open file cannot be deleted there
            os.close(descriptor)
            self._path.unlink(missing_ok=True)
        else:
            self._path.unlink(missing_ok=True)
            os.close(descriptor)

    def __enter__(self) -> PidFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _lock_patiently(path: Path) -> int:
    """As `_lock`, but raises `BlockingIOError` only if the file stays busy."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return _lock(path)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(_PAUSE)


def _lock(path: Path) -> int:
    """An open, locked descriptor of the file that `path` names. Raises `BlockingIOError` if it is busy."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        try:
            _lock_descriptor(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        if _is_file_at(descriptor, path):
            return descriptor
        os.close(descriptor)  # its owner deleted it between our open and our lock


def _lock_descriptor(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        # One byte far behind the text: a lock there is mandatory, and others must read the pid.
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(str(error)) from error
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_file_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _read_pid(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None


def _write_pid(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, str(os.getpid()).encode())
    os.fsync(descriptor)
