"""How much room a database takes on the disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from spacetimedb_paths.server import ReplicaDir

BLOCK = 512
"""Bytes that `st_blocks` counts by."""


@dataclass(frozen=True, slots=True)
class DiskUse:
    """Bytes that are allocated, which for sparse files is less than their length."""

    log: int
    """Segments and their indexes."""
    snapshots: int
    module_logs: int

    @property
    def total(self) -> int:
        return self.log + self.snapshots + self.module_logs


def disk_use(replica_dir: Path) -> DiskUse:
    place = ReplicaDir(replica_dir)
    return DiskUse(
        _allocated(Path(place.commit_log())),
        _allocated(Path(place.snapshots())),
        _allocated(Path(place.module_logs())),
    )


def _allocated(directory: Path) -> int:
    """0 for a directory that is not there; files that vanish meanwhile do not count."""
    total = 0
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                total += _size(entry)
    except FileNotFoundError:
        return 0
    return total


def _size(entry: os.DirEntry[str]) -> int:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return 0
    return status.st_blocks * BLOCK if hasattr(status, "st_blocks") else status.st_size
