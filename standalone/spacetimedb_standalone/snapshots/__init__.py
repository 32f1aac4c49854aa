"""Snapshots: the whole state of a database in a file, so that opening it need not replay its whole log."""

from spacetimedb_standalone.snapshots.errors import SnapshotDamage, SnapshotError, SnapshotTooNew
from spacetimedb_standalone.snapshots.format import Head
from spacetimedb_standalone.snapshots.job import SnapshotJob, Written
from spacetimedb_standalone.snapshots.reading import SnapshotReader, verify_snapshot
from spacetimedb_standalone.snapshots.schedule import Progress
from spacetimedb_standalone.snapshots.shelf import Shelf, SnapshotFile
from spacetimedb_standalone.snapshots.writing import Piece, write_snapshot

__all__ = [
    "Head",
    "Piece",
    "Progress",
    "Shelf",
    "SnapshotDamage",
    "SnapshotError",
    "SnapshotFile",
    "SnapshotJob",
    "SnapshotReader",
    "SnapshotTooNew",
    "Written",
    "verify_snapshot",
    "write_snapshot",
]
