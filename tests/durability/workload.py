"""A database's life on a disk that may fail, and what must be true of it afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from spacetimedb_lib.identity import ConnectionId
from spacetimedb_lib.moduledef import ModuleDef
from spacetimedb_standalone.commitlog import LogFailed
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.ports import Files
from spacetimedb_standalone.snapshots import SnapshotError
from tests.standalone.datastore.busy import State, change, initialize, open_database, snapshot, state

SETTINGS = CommitLogSettings(max_segment_size=2000, offset_index_interval_bytes=128)
GROUPS = (1, 1, 2, 4)
"""So many transactions may be handed to the log at once."""


@dataclass
class Life:
    """What has been done, as its clients know it."""

    states: list[State] = field(default_factory=list)
    """After each transaction that was committed, be it durable or not."""
    durable: int = 0
    """So many transactions were acknowledged."""
    refusals: list[str] = field(default_factory=list)
    """What was said when the disk failed."""

    def copy(self) -> Life:
        """The same past, of which nobody has complained yet."""
        return Life(list(self.states), self.durable)

    def begin_again(self, found: int) -> None:
        """A new life begins with what was found on the disk: that is durable now."""
        del self.states[found:]
        self.durable = found


def live(
    files: Files,
    life: Life,
    module: ModuleDef,
    seed: int,
    changes: int,
    every: int,
    settings: CommitLogSettings = SETTINGS,
) -> None:
    """Open the database, check what is found, and change it so often; a snapshot after every so many changes.

    Ends early when the disk fails: `StorageError` or `LogFailed` are kept in `refusals`. A
    snapshot that cannot be taken ends nothing.
    """
    try:
        datastore = open_database(files, settings)
    except StorageError as error:
        life.refusals.append(str(error))
        return
    check(datastore, life)
    choice = random.Random(seed)
    try:
        if changes and not datastore.initialized:
            _together(datastore, life, lambda: initialize(datastore, module))
        for number in range(1, changes + 1):
            _together(datastore, life, *[lambda: change(datastore, choice)] * choice.choice(GROUPS))
            if number % every == 0:
                _snapshot(datastore, life)
    except LogFailed as error:
        life.refusals.append(str(error))
        require_dead(datastore)
    datastore.close()


def check(datastore: Datastore, life: Life) -> None:
    """It begins with everything that was acknowledged, and nothing that was never committed."""
    found = datastore.store.next_offset
    assert life.durable <= found <= len(life.states), (life.durable, found, len(life.states))
    if found:
        assert state(datastore) == life.states[found - 1]
    life.begin_again(found)


def require_dead(datastore: Datastore) -> None:
    """Once the disk has refused, nothing is acknowledged any more, whether the disk would take it or not."""
    durable = datastore.log.durable_offset
    for number in (1, 2):
        datastore.begin()
        datastore.insert_client(datastore.owner, ConnectionId.from_int(number), "{}")
        try:
            datastore.commit()
        except LogFailed:
            continue
        raise AssertionError("a commit was accepted after the log had failed")
    assert datastore.log.durable_offset == durable


def _together(datastore: Datastore, life: Life, *transactions: Callable[[], None]) -> None:
    """Transactions that go to the disk in one piece; the state after each is kept before the log has it."""
    log, submit = datastore.log, datastore.log.submit
    waiting: list[bytes] = []

    def hold(commits: bytes, last_offset: int) -> None:
        life.states.append(state(datastore))
        waiting.append(commits)

    log.submit = hold  # type: ignore[method-assign]
    try:
        for transact in transactions:
            transact()
    finally:
        log.submit = submit  # type: ignore[method-assign]
    if waiting:
        submit(b"".join(waiting), len(life.states) - 1)
    life.durable = log.durable_offset + 1


def _snapshot(datastore: Datastore, life: Life) -> None:
    try:
        snapshot(datastore)
    except (OSError, SnapshotError) as error:
        life.refusals.append(str(error))
