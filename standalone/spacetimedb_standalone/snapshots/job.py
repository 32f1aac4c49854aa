"""Taking a snapshot and tidying up behind it, as steps that another process may carry out.

The steps, in this order; whoever runs them may stop after any, or lose power in it, without harm:

1. `write`: all rows into a file beside the place, synced, read back and checked;
2. the log must be durable up to the snapshot's last transaction: the caller waits for that. Otherwise a
   snapshot could tell of transactions that the log has lost;
3. `publish`: the file is renamed, and the directory synced;
4. `tidy`: older snapshots go but for one; with retention, segments go that hold only what is in both of the
   remaining snapshots, each of which is read again and checked first; the other finished ones are compressed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from spacetimedb_standalone.commitlog.retention import remove_below, seal_finished, segments_below
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.ports import Files
from spacetimedb_standalone.snapshots.errors import SnapshotDamage, SnapshotTooNew
from spacetimedb_standalone.snapshots.format import Head
from spacetimedb_standalone.snapshots.reading import verify_snapshot
from spacetimedb_standalone.snapshots.shelf import Shelf, SnapshotFile
from spacetimedb_standalone.snapshots.writing import Piece, write_snapshot

logger = logging.getLogger(__name__)

KEPT = 2
"""So many snapshots stay: should the newest not be readable, there is another one."""


@dataclass(frozen=True, slots=True)
class Written:
    """A snapshot that lies beside its place."""

    size: int
    rows: int


@dataclass(frozen=True, slots=True)
class SnapshotJob:
    """One snapshot of the state that `head` names. See the head of this file."""

    files: Files
    snapshots: Path
    log: Path
    head: Head
    log_settings: CommitLogSettings

    @property
    def last_offset(self) -> int:
        """The last transaction that is in it."""
        return self.head.next_offset - 1

    def write(self, pieces: Iterable[Piece]) -> Written:
        """Raises `OSError`, and `SnapshotDamage` if the disk does not give back what it was given."""
        shelf = Shelf(self.files, self.snapshots)
        self.files.make_directory(self.snapshots)
        beside = shelf.beside(self.last_offset)
        file = self.files.open(beside, create=True)
        try:
            file.truncate(0)
            rows = write_snapshot(file, self.head, pieces)
            file.sync_data()
            size = file.size()
        finally:
            file.close()
        verify_snapshot(self.files, beside)
        return Written(size, rows)

    def publish(self) -> SnapshotFile:
        return Shelf(self.files, self.snapshots).publish(self.last_offset)

    def tidy(self) -> None:
        """Raises `OSError`."""
        shelf = Shelf(self.files, self.snapshots)
        kept = shelf.newest_first()[:KEPT]
        shelf.remove(shelf.newest_first()[KEPT:])
        if self.log_settings.retention and len(kept) == KEPT:
            below = kept[-1].next_offset
            if segments_below(self.files, self.log, below) and self._all_sound(shelf, kept):
                remove_below(self.files, self.log, below)
        if self.log_settings.compress_segments:
            seal_finished(self.files, self.log)

    def _all_sound(self, shelf: Shelf, kept: list[SnapshotFile]) -> bool:
        for snapshot in kept:
            try:
                verify_snapshot(self.files, snapshot.path)
            except SnapshotTooNew as error:
                logger.warning("the log is not shortened: %s", error)
                return False
            except SnapshotDamage as damage:
                aside = shelf.set_aside(snapshot)
                logger.warning("the log is not shortened: %s; it was put aside as %s", damage, aside.name)
                return False
        return True
