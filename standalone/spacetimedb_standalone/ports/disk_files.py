"""The files of the host behind the port `Files`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from spacetimedb_standalone.ports.crash_points import CrashPoint
from spacetimedb_standalone.ports.files import FileLocked

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

BINARY = getattr(os, "O_BINARY", 0)  # Windows alone has another way of opening


class DiskFile:
    """A file of the host."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def append(self, data: bytes | bytearray | memoryview) -> None:
        written = os.write(self._descriptor, data)
        if written < len(data):
            rest = memoryview(data)[written:]
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def write_at(self, offset: int, data: bytes) -> None:
        """Of index files and the like: the position for appending is not kept."""
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def read_at(self, offset: int, size: int) -> bytes:
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        parts: list[bytes] = []
        while size and (part := os.read(self._descriptor, size)):
            parts.append(part)
            size -= len(part)
        os.lseek(self._descriptor, 0, os.SEEK_END)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def truncate(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)
        os.lseek(self._descriptor, 0, os.SEEK_END)

    def sync_data(self) -> None:
        if sys.platform == "linux":
            os.fdatasync(self._descriptor)
        elif sys.platform == "darwin":
            fcntl.fcntl(self._descriptor, fcntl.F_FULLFSYNC)  # fsync leaves it in the drive's cache there
        else:
            os.fsync(self._descriptor)

    def fileno(self) -> int | None:
        return self._descriptor

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class DiskLock:
    """An advisory lock of the host, gone with the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, contents: str) -> None:
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, contents.encode())
        os.fsync(self._descriptor)

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class DiskFiles:
    """The files of the host."""

    def open(self, path: Path, *, create: bool = False) -> DiskFile:
        descriptor = os.open(path, os.O_RDWR | BINARY | (os.O_CREAT if create else 0), 0o644)
        os.lseek(descriptor, 0, os.SEEK_END)
        return DiskFile(descriptor)

    def names(self, directory: Path) -> list[str]:
        try:
            with os.scandir(directory) as entries:
                return [entry.name for entry in entries if entry.is_file()]
        except FileNotFoundError:
            return []

    def make_directory(self, path: Path) -> None:
        if not path.parent.exists():
            self.make_directory(path.parent)
        path.mkdir(exist_ok=True)
        self.sync_directory(path.parent)  # even if it was there: who made it may have died before this

    def rename(self, source: Path, target: Path) -> None:
        source.replace(target)

    def remove(self, path: Path) -> None:
        path.unlink()

    def sync_directory(self, path: Path) -> None:
        if sys.platform == "win32":  # a directory cannot be opened there; NTFS journals its entries
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def lock(self, path: Path) -> DiskLock:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if sys.platform == "win32":
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            contents = _read_text(descriptor)
            os.close(descriptor)
            raise FileLocked(path, contents) from error
        except OSError:
            os.close(descriptor)
            raise
        return DiskLock(descriptor)

    def reached(self, point: CrashPoint) -> None:
        """Nothing happens on a real disk."""


def _read_text(descriptor: int) -> str:
    try:
        return os.read(descriptor, 4096).decode("utf-8", "replace")
    except OSError:  # Windows forbids reading what another process has locked
        return ""
