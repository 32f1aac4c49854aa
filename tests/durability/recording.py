"""Every operation on the disk, recorded through the port, and the medium that they lead to step by step.

A medium knows for each file what is certainly on it, and what was written since the file was last synced; the same
for the names in directories. `losses` has what may become of the rest when the power goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from spacetimedb_standalone.ports import CrashPoint, File, FileLock, MemoryFiles

Contents = dict[Path, bytes]
"""All files of a disk."""


def disk_with(contents: Contents) -> MemoryFiles:
    """All of it durable."""
    disk = MemoryFiles()
    for path, content in contents.items():
        disk.put(path, content)
    return disk


@dataclass(frozen=True, slots=True)
class Wrote:
    """Bytes in the file with this number."""

    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A file got this length."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    file: int


@dataclass(frozen=True, slots=True)
class Renamed:
    """Names that came to stand for other files, or for none, at once."""

    directory: Path
    names: dict[Path, int | None]


@dataclass(frozen=True, slots=True)
class SyncedDirectory:
    directory: Path


Operation = Wrote | Cut | Synced | Renamed | SyncedDirectory


@dataclass(slots=True)
class FileOnMedium:
    kept: bytes = b""
    """What is certainly there."""
    pending: list[Wrote | Cut] = field(default_factory=list)
    """What was done since; any part of it may be there, or not."""

    def seen(self, count: int | None = None) -> bytes:
        """What a process sees, after all or the first so many pending operations."""
        content = bytearray(self.kept)
        for operation in self.pending[:count]:
            match operation:
                case Cut(_, size):
                    del content[size:]
                    content.extend(bytes(size - len(content)))
                case Wrote(_, offset, data):
                    content.extend(bytes(max(0, offset - len(content))))
                    content[offset : offset + len(data)] = data
        return bytes(content)


@dataclass(slots=True)
class Medium:
    files: dict[int, FileOnMedium] = field(default_factory=dict)
    names: dict[Path, int] = field(default_factory=dict)
    """The names that are certainly there."""
    pending: list[Renamed] = field(default_factory=list)

    def apply(self, operation: Operation) -> None:
        match operation:
            case Wrote() | Cut():
                self.files.setdefault(operation.file, FileOnMedium()).pending.append(operation)
            case Synced(file):
                on_medium = self.files.setdefault(file, FileOnMedium())
                on_medium.kept = on_medium.seen()
                on_medium.pending.clear()
            case Renamed():
                self.pending.append(operation)
            case SyncedDirectory(directory):
                self.names = self.named([entry for entry in self.pending if entry.directory == directory])
                self.pending = [entry for entry in self.pending if entry.directory != directory]

    def named(self, applied: list[Renamed]) -> dict[Path, int]:
        """The names, with these changes on the medium too."""
        names: dict[Path, int | None] = dict(self.names)
        for entry in applied:
            names.update(entry.names)
        return {path: file for path, file in names.items() if file is not None}


class RecordingFiles:
    """A disk that is as it is in `disk`, and remembers what was done to it since. `before`: its first contents."""

    def __init__(self, before: Contents) -> None:
        self.disk = disk_with(before)
        self.operations: list[Operation] = []
        self.steps: list[str] = []
        """What each operation was: "append 00000000000000000000.stdb.log"."""
        self.after: Callable[[], None] = lambda: None
        """Called after each operation."""
        self._numbers: dict[Path, int] = {}
        self._made = 0
        for path, content in before.items():
            number = self._numbers[path] = self._next()
            self.record("begin with", path, Wrote(number, 0, content))
            self.record("begin with", path, Synced(number))
            self.record("begin with", path, Renamed(path.parent, {path: number}))
            self.record("begin with", path, SyncedDirectory(path.parent))
        self.beginning = len(self.operations)
        """So many operations only made `before`."""

    def record(self, verb: str, path: Path, operation: Operation) -> None:
        self.operations.append(operation)
        self.steps.append(f"{verb} {path.name}")
        self.after()

    def _next(self) -> int:
        self._made += 1
        return self._made

    # --- the port

    def open(self, path: Path, *, create: bool = False) -> File:
        file = self.disk.open(path, create=create)
        if path not in self._numbers:
            number = self._numbers[path] = self._next()
            self.record("create", path, Renamed(path.parent, {path: number}))
        return RecordedFile(self, path, self._numbers[path], file)

    def names(self, directory: Path) -> list[str]:
        return self.disk.names(directory)

    def make_directory(self, path: Path) -> None:
        """Directories are everywhere."""

    def rename(self, source: Path, target: Path) -> None:
        self.disk.rename(source, target)
        self._numbers[target] = self._numbers.pop(source)
        names = {target: self._numbers[target], source: None}
        self.record("rename to", target, Renamed(target.parent, names))

    def remove(self, path: Path) -> None:
        self.disk.remove(path)
        del self._numbers[path]
        self.record("remove", path, Renamed(path.parent, {path: None}))

    def sync_directory(self, path: Path) -> None:
        self.disk.sync_directory(path)
        self.record("sync directory", path, SyncedDirectory(path))

    def lock(self, path: Path) -> FileLock:
        """What a lock file says matters to nobody who opens the disk afterwards."""
        return self.disk.lock(path)

    def reached(self, point: CrashPoint) -> None:
        """Power is lost between all operations here, not at named points."""


class RecordedFile:
    def __init__(self, files: RecordingFiles, path: Path, number: int, file: File) -> None:
        self._files, self._path, self._number, self._file = files, path, number, file

    def append(self, data: bytes | bytearray | memoryview) -> None:
        at = self._file.size()
        self._file.append(data)
        self._files.record("append", self._path, Wrote(self._number, at, bytes(data)))

    def write_at(self, offset: int, data: bytes) -> None:
        self._file.write_at(offset, data)
        self._files.record("write", self._path, Wrote(self._number, offset, data))

    def read_at(self, offset: int, size: int) -> bytes:
        return self._file.read_at(offset, size)

    def size(self) -> int:
        return self._file.size()

    def truncate(self, size: int) -> None:
        self._file.truncate(size)
        self._files.record("truncate", self._path, Cut(self._number, size))

    def sync_data(self) -> None:
        self._file.sync_data()
        self._files.record("sync", self._path, Synced(self._number))

    def fileno(self) -> int | None:
        return None

    def close(self) -> None:
        self._file.close()
