"""Finding a database's state again: the newest snapshot that is good, and what the log has behind it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from spacetimedb_engine import Store
from spacetimedb_standalone.commitlog import OpenedLog, TailPolicy
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.datastore.rebuild import Rebuild
from spacetimedb_standalone.datastore.schema import Schema
from spacetimedb_standalone.snapshots import (
    Shelf,
    SnapshotDamage,
    SnapshotFile,
    SnapshotReader,
    SnapshotTooNew,
    verify_snapshot,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovered:
    """A state, and what it took to find it."""

    store: Store
    schema: Schema
    snapshot: SnapshotFile | None
    """What it began with; None: the log alone."""
    replayed_bytes: int
    replayed_transactions: int


def recover(shelf: Shelf, log: OpenedLog, policy: TailPolicy) -> Recovered:
    """The state at the end of the log.

    A snapshot that is damaged is put aside, and the next older one taken. Raises `StorageError` if no snapshot
    leads to where the log begins, or if one holds transactions that the log has lost; and what replaying raises.
    """
    rebuild, snapshot = _begin(shelf, log, policy)
    start = rebuild.store.next_offset
    replayed = rebuild.replay(log)
    transactions = rebuild.store.next_offset - start
    return Recovered(rebuild.store, rebuild.finish(), snapshot, replayed, transactions)


def _begin(shelf: Shelf, log: OpenedLog, policy: TailPolicy) -> tuple[Rebuild, SnapshotFile | None]:
    """The store as some snapshot has it, or empty."""
    first, end = log.first_offset, log.resume.next_offset
    troubles: list[str] = []
    for snapshot in shelf.newest_first():
        if snapshot.next_offset < first:
            logger.warning("%s is of no use: the log begins with transaction %s", snapshot.path.name, first)
        elif snapshot.next_offset > end:
            _beyond(shelf, snapshot, log, policy)
        elif (rebuild := _restored(shelf, snapshot, troubles)) is not None:
            return rebuild, snapshot
    if first > 0:
        why = "".join(f" ({trouble})" for trouble in troubles)
        raise StorageError(
            f"the log begins with transaction {first}, and there is no good snapshot of what was before{why}: "
            f"restore {shelf.directory} from a backup"
        )
    return Rebuild(), None


def _restored(shelf: Shelf, snapshot: SnapshotFile, troubles: list[str]) -> Rebuild | None:
    """None: the snapshot cannot be read, and `troubles` tells why."""
    rebuild = Rebuild()
    try:
        with SnapshotReader.open(shelf.files, snapshot.path) as reader:
            rebuild.restore(reader)
    except SnapshotDamage as damage:
        troubles.append(str(damage))
        _put_aside(shelf, snapshot, damage)
    except SnapshotTooNew as error:
        troubles.append(str(error))
        logger.warning("a snapshot is passed over: %s", error)
    except OSError as error:
        troubles.append(f"{snapshot.path.name} cannot be read: {error}")
        logger.warning("a snapshot is passed over: %s", troubles[-1])
    else:
        return rebuild
    return None


def _put_aside(shelf: Shelf, snapshot: SnapshotFile, reason: object) -> None:
    logger.warning("a snapshot is put aside as %s: %s", shelf.set_aside(snapshot).name, reason)


def _beyond(shelf: Shelf, snapshot: SnapshotFile, log: OpenedLog, policy: TailPolicy) -> None:
    """A snapshot that holds more than the log does: all of it was durable when it was taken, so if it is good,
    the log has lost commits. It is not for us to choose between the two."""
    reason = f"the log ends before transaction {log.resume.next_offset}"
    if policy is TailPolicy.REFUSE_DAMAGE:
        try:
            verify_snapshot(shelf.files, snapshot.path)
        except SnapshotDamage as damage:
            _put_aside(shelf, snapshot, damage)
            return
        except (SnapshotTooNew, OSError) as error:
            logger.warning("a snapshot is passed over: %s", error)
            return
        raise StorageError(
            f"{reason}, but {snapshot.path.name} shows that {snapshot.next_offset} were durable: commits are "
            f"missing from the end of {log.directory}; nothing was changed, restore the log from a backup"
        )
    _put_aside(shelf, snapshot, reason)
