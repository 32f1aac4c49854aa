"""The snapshots of a database: files in a directory, named by the last transaction that is in them.

A snapshot is written beside its place under a name that no reader looks at, and renamed when all of it is on
the disk and everything in it is durable in the log. So what has a snapshot's name was whole once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spacetimedb_standalone.ports import Files

SUFFIX = ".stdb.snap"
UNFINISHED = ".tmp"
ASIDE = ".invalid"
"""Put behind the name of a snapshot that was found damaged."""
U64_LIMIT = 1 << 64


@dataclass(frozen=True, slots=True, order=True)
class SnapshotFile:
    """A snapshot by the transaction offset in its name."""

    offset: int
    path: Path

    @property
    def next_offset(self) -> int:
        """Where the log goes on behind it."""
        return self.offset + 1


class Shelf:
    def __init__(self, files: Files, directory: Path) -> None:
        self.files = files
        self.directory = directory

    def newest_first(self) -> list[SnapshotFile]:
        found = []
        for name in self.files.names(self.directory):
            stem = name.removesuffix(SUFFIX)
            if stem != name and stem.isascii() and stem.isdigit() and int(stem) < U64_LIMIT:
                found.append(SnapshotFile(int(stem), self.directory / name))
        return sorted(found, reverse=True)

    def place(self, offset: int) -> SnapshotFile:
        """Where the snapshot with this last transaction belongs."""
        return SnapshotFile(offset, self.directory / f"{offset:020}{SUFFIX}")

    def beside(self, offset: int) -> Path:
        """Where it is written."""
        place = self.place(offset).path
        return place.with_name(place.name + UNFINISHED)

    def publish(self, offset: int) -> SnapshotFile:
        """What was written and synced beside its place is put there, durably."""
        place = self.place(offset)
        self.files.rename(self.beside(offset), place.path)
        self.files.sync_directory(self.directory)
        return place

    def set_aside(self, snapshot: SnapshotFile) -> Path:
        """Out of the readers' way, for somebody to look at."""
        aside = snapshot.path.with_name(snapshot.path.name + ASIDE)
        self.files.rename(snapshot.path, aside)
        self.files.sync_directory(self.directory)
        return aside

    def remove(self, snapshots: list[SnapshotFile]) -> None:
        for snapshot in snapshots:
            self.files.remove(snapshot.path)
        if snapshots:
            self.files.sync_directory(self.directory)

    def clear_unfinished(self) -> None:
        """What a process left that died while it was writing."""
        for name in self.files.names(self.directory):
            if name.endswith(SUFFIX + UNFINISHED):
                self.files.remove(self.directory / name)
