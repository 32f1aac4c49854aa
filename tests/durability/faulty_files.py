"""A disk that fails at its n-th operation, in one of several ways."""

from __future__ import annotations

import errno
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from spacetimedb_standalone.ports import CrashPoint, File, FileLock, MemoryFiles


class Fault(StrEnum):
    EIO = "EIO, nothing done"
    ENOSPC = "ENOSPC, nothing done"
    SHORT = "ENOSPC, half done"
    """Half of what was to be written is; a rename, a sync and the like is done, and yet called failed."""
    BROKEN = "EIO, then EIO for ever"


def error(fault: Fault) -> OSError:
    if fault in (Fault.ENOSPC, Fault.SHORT):
        return OSError(errno.ENOSPC, "No space left on device")
    return OSError(errno.EIO, "Input/output error")


class FaultyFiles:
    """`disk` as it is, until operation number `at` (from 1 on), whatever it does: open, read, write, sync, rename.

    `operations` tells them: "append 00000000000000000000.stdb.log".
    """

    def __init__(self, disk: MemoryFiles, at: int = 0, fault: Fault = Fault.EIO) -> None:
        self.disk = disk
        self.operations: list[str] = []
        self._at, self._fault = at, fault

    @property
    def failed(self) -> str | None:
        """The operation that failed."""
        return self.operations[self._at - 1] if 0 < self._at <= len(self.operations) else None

    def step(
        self, name: str, path: Path, whole: Callable[[], Any], half: Callable[[], Any] | None = None
    ) -> Any:
        """Carry out an operation, or fail in it."""
        self.operations.append(f"{name} {path.name}")
        number = len(self.operations)
        if number == self._at or (number > self._at > 0 and self._fault is Fault.BROKEN):
            if self._fault is Fault.SHORT:
                (half or whole)()
            raise error(self._fault)
        return whole()

    # --- the port

    def open(self, path: Path, *, create: bool = False) -> File:
        there = path.name in self.disk.names(path.parent)
        if not there and not create:
            return self.disk.open(path)
        verb = "open" if there else "create"
        return FaultyFile(self, path, self.step(verb, path, lambda: self.disk.open(path, create=create)))

    def names(self, directory: Path) -> list[str]:
        return self.disk.names(directory)

    def make_directory(self, path: Path) -> None:
        self.step("make directory", path, lambda: None)

    def rename(self, source: Path, target: Path) -> None:
        self.step("rename to", target, lambda: self.disk.rename(source, target))

    def remove(self, path: Path) -> None:
        self.step("remove", path, lambda: self.disk.remove(path))

    def sync_directory(self, path: Path) -> None:
        self.step("sync directory", path, lambda: self.disk.sync_directory(path))

    def lock(self, path: Path) -> FileLock:
        return self.disk.lock(path)

    def reached(self, point: CrashPoint) -> None:
        """Every operation is such a point here."""


class FaultyFile:
    def __init__(self, files: FaultyFiles, path: Path, file: File) -> None:
        self._files, self._path, self._file = files, path, file

    def append(self, data: bytes | bytearray | memoryview) -> None:
        half = data[: len(data) // 2]
        self._step("append", lambda: self._file.append(data), lambda: self._file.append(half))

    def write_at(self, offset: int, data: bytes) -> None:
        half = data[: len(data) // 2]
        self._step(
            "write", lambda: self._file.write_at(offset, data), lambda: self._file.write_at(offset, half)
        )

    def read_at(self, offset: int, size: int) -> bytes:
        data: bytes = self._files.step("read", self._path, lambda: self._file.read_at(offset, size))
        return data

    def size(self) -> int:
        return self._file.size()

    def truncate(self, size: int) -> None:
        self._step("truncate", lambda: self._file.truncate(size))

    def sync_data(self) -> None:
        self._step("sync", lambda: self._file.sync_data())

    def fileno(self) -> int | None:
        return None

    def close(self) -> None:
        self._file.close()

    def _step(self, name: str, whole: Callable[[], Any], half: Callable[[], Any] | None = None) -> None:
        self._files.step(name, self._path, whole, half)
