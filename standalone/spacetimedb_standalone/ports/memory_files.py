"""A file system in memory that loses power like a real one, for tests.

What survives `crash`:

* bytes that were synced, always;
* of bytes written since, any choice of 512-byte sectors; a lost sector reads as it was before, so as
  zeros where the file was shorter; the length is any between the synced and the written one;
* of names made, replaced or removed since the directory was synced, a prefix in the order of the calls
  (a journalling file system keeps that order).

Handles and locks of the time before the crash are dead. Nothing here is safe for several threads at
once except appending and syncing one file in one thread while another looks at `pending`.
"""

from __future__ import annotations

import random
from pathlib import Path

from spacetimedb_standalone.ports.crash_points import CrashPoint
from spacetimedb_standalone.ports.files import FileLocked

SECTOR = 512


class PowerLoss(Exception):
    """The plug was pulled; only `MemoryFiles.crash` goes on from here."""


class _Inode:
    """The content of a file, as processes see it and as the medium has it."""

    def __init__(self) -> None:
        self.seen = bytearray()
        self.kept = bytearray()

    def tear(self, choice: random.Random) -> None:
        """Let the medium take what it likes of the writes since the last sync."""
        if self.seen == self.kept:
            return
        short, long = sorted((len(self.kept), len(self.seen)))
        length = choice.choice((len(self.kept), len(self.seen), choice.randint(short, long)))
        old, new = self.kept.ljust(length, b"\0"), self.seen.ljust(length, b"\0")
        torn = bytearray()
        for start in range(0, length, SECTOR):
            torn += (new if choice.random() < 0.5 else old)[start : min(start + SECTOR, length)]
        self.seen = torn
        self.kept = bytearray(torn)


class MemoryFile:
    """A file open in memory."""

    def __init__(self, files: MemoryFiles, inode: _Inode) -> None:
        self._files = files
        self._inode = inode
        self._life = files.life

    def append(self, data: bytes | bytearray | memoryview) -> None:
        self._alive()
        full_at = self._files.full_at
        if full_at is not None and len(self._inode.seen) + len(data) > full_at:
            self._inode.seen += data[: max(0, full_at - len(self._inode.seen))]  # as a real disk does
            raise OSError(28, "No space left on device")
        self._inode.seen += data

    def write_at(self, offset: int, data: bytes) -> None:
        self._alive()
        seen = self._inode.seen
        if len(seen) < offset:
            seen.extend(bytes(offset - len(seen)))
        seen[offset : offset + len(data)] = data

    def read_at(self, offset: int, size: int) -> bytes:
        self._alive()
        return bytes(self._inode.seen[offset : offset + size])

    def size(self) -> int:
        self._alive()
        return len(self._inode.seen)

    def truncate(self, size: int) -> None:
        self._alive()
        del self._inode.seen[size:]
        self._inode.seen.extend(bytes(size - len(self._inode.seen)))

    def sync_data(self) -> None:
        self._alive()
        self._files.syncs += 1
        if self._files.sync_error is not None:
            raise self._files.sync_error
        self._inode.kept = bytearray(self._inode.seen)

    def fileno(self) -> int | None:
        return None

    def close(self) -> None:
        """Open handles hold nothing."""

    def _alive(self) -> None:
        if self._life is not self._files.life:
            raise PowerLoss("this handle is from before the crash")


class MemoryLock:
    def __init__(self, files: MemoryFiles, path: Path) -> None:
        self._files = files
        self._path = path

    def write(self, contents: str) -> None:
        file = self._files.open(self._path)
        file.truncate(0)
        file.append(contents.encode())
        file.sync_data()

    def release(self) -> None:
        self._files.locked.discard(self._path)


class MemoryFiles:
    """See the head of this file. `full_at`: no file can be appended to beyond this size, but up to it.
    `sync_error`: make the next syncs fail."""

    def __init__(self) -> None:
        self.life = object()
        self.locked: set[Path] = set()
        self.syncs = 0
        self.sync_error: OSError | None = None
        self.full_at: int | None = None
        self._seen: dict[Path, _Inode] = {}
        self._kept: dict[Path, _Inode] = {}
        self._unsynced: list[tuple[Path, dict[Path, _Inode | None]]] = []
        self._armed: dict[CrashPoint, int] = {}

    def open(self, path: Path, *, create: bool = False) -> MemoryFile:
        if path not in self._seen:
            if not create:
                raise FileNotFoundError(2, "No such file or directory", str(path))
            self._change(path.parent, {path: _Inode()})
        return MemoryFile(self, self._seen[path])

    def names(self, directory: Path) -> list[str]:
        return [path.name for path in self._seen if path.parent == directory]

    def make_directory(self, path: Path) -> None:
        """Directories are everywhere."""

    def rename(self, source: Path, target: Path) -> None:
        if source.parent != target.parent:
            raise OSError(18, "only renames within a directory are atomic here")
        self._change(source.parent, {target: self._seen[source], source: None})

    def remove(self, path: Path) -> None:
        if path not in self._seen:
            raise FileNotFoundError(2, "No such file or directory", str(path))
        self._change(path.parent, {path: None})

    def sync_directory(self, path: Path) -> None:
        for directory, change in self._unsynced:
            if directory == path:
                _apply(self._kept, change)
        self._unsynced = [entry for entry in self._unsynced if entry[0] != path]

    def lock(self, path: Path) -> MemoryLock:
        if path in self.locked:
            raise FileLocked(path, self.read(path).decode())
        self.open(path, create=True)
        self.locked.add(path)
        return MemoryLock(self, path)

    def reached(self, point: CrashPoint) -> None:
        if point not in self._armed:
            return
        self._armed[point] -= 1
        if self._armed[point] == 0:
            del self._armed[point]
            raise PowerLoss(point)

    # --- for tests ---

    def lose_power_at(self, point: CrashPoint, time: int = 1) -> None:
        """Raise `PowerLoss` when the point is reached for the `time`-th time from now."""
        self._armed[point] = time

    def crash(self, choice: random.Random) -> None:
        """Power is lost and comes back; `choice` decides the fate of what was not synced."""
        kept_changes = choice.randint(0, len(self._unsynced))
        for _, change in self._unsynced[:kept_changes]:
            _apply(self._kept, change)
        for inode in {id(inode): inode for inode in self._kept.values()}.values():
            inode.tear(choice)
        self.restart()
        self._seen = dict(self._kept)
        self._unsynced = []

    def restart(self) -> None:
        """All processes die and nothing is lost: handles and locks are gone, the files stay as seen."""
        self.life = object()
        self.locked.clear()
        self.sync_error = None
        self.full_at = None
        self._armed.clear()

    def read(self, path: Path) -> bytes:
        return bytes(self._seen[path].seen)

    def put(self, path: Path, data: bytes) -> None:
        """A file that is durably there."""
        inode = _Inode()
        inode.seen += data
        inode.kept += data
        self._seen[path] = self._kept[path] = inode

    def _change(self, directory: Path, change: dict[Path, _Inode | None]) -> None:
        _apply(self._seen, change)
        self._unsynced.append((directory, change))


def _apply(names: dict[Path, _Inode], change: dict[Path, _Inode | None]) -> None:
    for path, inode in change.items():
        if inode is None:
            names.pop(path, None)
        else:
            names[path] = inode
