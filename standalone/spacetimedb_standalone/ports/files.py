"""Files as a port: exactly what durable storage needs.

Whoever writes through this port follows three rules:

* a new file is written beside its place, synced, renamed, and the directory synced (`write_replacing`);
* an appended byte is durable once `File.sync_data` has returned, not before;
* a failed sync is final: what the disk holds is then unknown, so the file is not written again.

Errors are the `OSError`s of the host; `FileLocked` is the one that is not the host's fault.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from spacetimedb_standalone.ports.crash_points import CrashPoint


class FileLocked(Exception):
    """Somebody else holds the lock. `contents` is what the holder wrote into the file ('' if unreadable)."""

    def __init__(self, path: Path, contents: str) -> None:
        super().__init__(f"failed to lock {path} (existing contents: {contents!r})")
        self.path = path
        self.contents = contents


class File(Protocol):
    """One file open for reading and writing. Offsets and sizes in bytes."""

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of it at the end."""
        ...

    def write_at(self, offset: int, data: bytes) -> None: ...

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes; fewer only where the file ends."""
        ...

    def size(self) -> int: ...

    def truncate(self, size: int) -> None:
        """Cut, or lengthen with zeros."""
        ...

    def sync_data(self) -> None:
        """Return once the bytes and the length are on the medium. Other threads run meanwhile."""
        ...

    def fileno(self) -> int | None:
        """The descriptor, None where there is none."""
        ...

    def close(self) -> None: ...


class FileLock(Protocol):
    """An exclusive lock on a file, held until `release` or the end of the process."""

    def write(self, contents: str) -> None:
        """Replace what the lock file says about its holder."""
        ...

    def release(self) -> None: ...


class Files(Protocol):
    def open(self, path: Path, *, create: bool = False) -> File: ...

    def names(self, directory: Path) -> list[str]:
        """Names of the plain files in a directory, in no order; none if there is no directory."""
        ...

    def make_directory(self, path: Path) -> None:
        """With all missing parents, durably; fine if it is there."""
        ...

    def rename(self, source: Path, target: Path) -> None:
        """Replaces the target. Durable after `sync_directory`."""
        ...

    def remove(self, path: Path) -> None: ...

    def sync_directory(self, path: Path) -> None: ...

    def lock(self, path: Path) -> FileLock:
        """Take the exclusive lock at once or raise `FileLocked`."""
        ...

    def reached(self, point: CrashPoint) -> None:
        """A step of a durable operation is done (for tests)."""
        ...


def write_replacing(files: Files, path: Path, data: bytes) -> None:
    """Put a file in its place whole: after a crash either the old or the new one is there."""
    beside = path.with_name(path.name + ".tmp")
    file = files.open(beside, create=True)
    try:
        file.truncate(0)
        file.append(data)
        file.sync_data()
    finally:
        file.close()
    files.reached(CrashPoint.REPLACING_WRITTEN)
    files.rename(beside, path)
    files.reached(CrashPoint.REPLACING_RENAMED)
    files.sync_directory(path.parent)
