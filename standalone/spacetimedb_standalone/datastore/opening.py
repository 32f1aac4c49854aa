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
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.datastore.initialization import create_parts, create_system_tables
from spacetimedb_standalone.datastore.replay import replay
from spacetimedb_standalone.datastore.schema import Schema
from spacetimedb_standalone.datastore.system_tables import system_schema
from spacetimedb_standalone.ports import Clock, FileLock, Files


@dataclass(frozen=True)
class State:
    """What a `Datastore` owns."""

    store: Store
    schema: Schema
    log: Durability
    lock: FileLock | None


def new_state() -> State:
    """An empty database that is gone with the process."""
    store = Store()
    create_system_tables(store)
    schema = system_schema()
    create_parts(store, schema.tables.values())
    return State(store, schema, NoLog(), None)


def open_state(
    replica_dir: Path,
    files: Files,
    clock: Clock,
    options: CommitLogSettings,
    driver: Driver,
    policy: TailPolicy,
    loop: asyncio.AbstractEventLoop | None,
) -> State:
    """Lock the directory, recover the log, replay it, and go on writing. Raises `StorageError`."""
    lock: FileLock | None = None
    try:
        files.make_directory(replica_dir)
        lock = lock_database(files, replica_dir, clock)
        opened = open_log(files, Path(ReplicaDir(replica_dir).commit_log()), options, policy)
        store = Store()
        create_system_tables(store)
        schema = replay(store, opened)
        store.epoch = opened.resume.epoch
        log = opened.start(driver)
    except (LogError, EngineError, OSError, StorageError) as error:
        if lock is not None:
            lock.release()
        if isinstance(error, StorageError):
            raise
        raise StorageError(str(error)) from error
    if loop is not None:
        log.attach(loop)
    return State(store, schema, log, lock)
