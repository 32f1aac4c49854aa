"""Putting a database's state together: from its directory, or from nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from spacetimedb_engine import EngineError, Store
from spacetimedb_paths.server import ReplicaDir
from spacetimedb_standalone.commitlog import (
    Driver,
    Durability,
    LogError,
    NoLog,
    TailPolicy,
    lock_database,
    open_log,
)
from spacetimedb_standalone.commitlog.retention import clear_unfinished
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.datastore.rebuild import Rebuild
from spacetimedb_standalone.datastore.recovery import Recovered, recover
from spacetimedb_standalone.datastore.schema import Schema
from spacetimedb_standalone.ports import Clock, FileLock, Files
from spacetimedb_standalone.snapshots import Shelf


@dataclass(frozen=True)
class Disk:
    """Where the database lies, and how it was found there."""

    files: Files
    log_dir: Path
    shelf: Shelf
    settings: CommitLogSettings
    lock: FileLock
    recovered: Recovered


@dataclass(frozen=True)
class State:
    """What a `Datastore` owns. Without a `disk` it is gone with the process."""

    store: Store
    schema: Schema
    log: Durability
    disk: Disk | None


def new_state() -> State:
    """An empty database that is gone with the process."""
    rebuild = Rebuild()
    return State(rebuild.store, rebuild.finish(), NoLog(), None)


def open_state(
    replica_dir: Path,
    files: Files,
    clock: Clock,
    options: CommitLogSettings,
    driver: Driver,
    policy: TailPolicy,
    loop: asyncio.AbstractEventLoop | None,
) -> State:
    """Lock the directory, find the state that it holds, and go on writing. Raises `StorageError`."""
    lock: FileLock | None = None
    place = ReplicaDir(replica_dir)
    log_dir, shelf = Path(place.commit_log()), Shelf(files, Path(place.snapshots()))
    try:
        files.make_directory(replica_dir)
        lock = lock_database(files, replica_dir, clock)
        clear_unfinished(files, log_dir)
        shelf.clear_unfinished()
        opened = open_log(files, log_dir, options, policy)
        recovered = recover(shelf, opened, policy)
        recovered.store.epoch = opened.resume.epoch
        log = opened.start(driver)
    except (LogError, EngineError, OSError, StorageError) as error:
        if lock is not None:
            lock.release()
        if isinstance(error, StorageError):
            raise
        if isinstance(error, OSError):
            raise StorageError(f"the disk refused when {replica_dir} was opened: {error}") from error
        raise StorageError(str(error)) from error
    if loop is not None:
        log.attach(loop)
    disk = Disk(files, log_dir, shelf, options, lock, recovered)
    return State(recovered.store, recovered.schema, log, disk)
