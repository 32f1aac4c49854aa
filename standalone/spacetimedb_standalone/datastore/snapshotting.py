"""Taking a snapshot of an open database."""

from __future__ import annotations

from collections.abc import Iterator

from spacetimedb_standalone.datastore.datastore import DRAIN_SECONDS, Datastore
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.datastore.image import image
from spacetimedb_standalone.ports import Clock
from spacetimedb_standalone.snapshots import Head, Piece, SnapshotFile, SnapshotJob


def snapshot_job(datastore: Datastore, clock: Clock) -> SnapshotJob | None:
    """What is to be done for a snapshot of the state as it is now.

    None: there is nothing worth it, because the database is in memory or nothing was ever committed to it.
    """
    if datastore.disk is None or not datastore.initialized or datastore.store.next_offset == 0:
        return None
    head = Head(
        datastore.database_identity.bsatn, datastore.store.next_offset, datastore.store.epoch, clock.now()
    )
    disk = datastore.disk
    return SnapshotJob(disk.files, disk.shelf.directory, disk.log_dir, head, disk.settings)


def snapshot_pieces(datastore: Datastore) -> Iterator[Piece]:
    """The rows that belong to the job; the database must not change before the last of them is taken."""
    return image(datastore.store, datastore.schema)


def take_snapshot(datastore: Datastore, clock: Clock) -> SnapshotFile | None:
    """All steps at once; the caller waits. None as for `snapshot_job`.

    Raises `OSError`, `SnapshotDamage`, `LogFailed`, and `StorageError` if the log does not get durable.
    """
    job = snapshot_job(datastore, clock)
    if job is None:
        return None
    datastore.flush_log()
    job.write(snapshot_pieces(datastore))
    if not datastore.log.drain(DRAIN_SECONDS):
        raise StorageError(f"no snapshot was taken: the disk did not take the log within {DRAIN_SECONDS} s")
    snapshot = job.publish()
    job.tidy()
    return snapshot
