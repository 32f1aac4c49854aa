"""A database copied up to a transaction: what is good of its log, written anew, and the snapshot that it needs.

The copy begins where the source's log does, or at the stretch of it that leads furthest; the log in it is of the
current version, in segments of its own, without what was torn, repeated or broken. If it does not begin with
transaction 0, the newest good snapshot that it can go on from comes along, byte for byte. When all of it is
synced, the copy is opened once, as a server would, so what comes back is known to start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spacetimedb_paths.server import ReplicaDir
from spacetimedb_standalone.care.errors import CareError
from spacetimedb_standalone.care.log_survey import commits_of
from spacetimedb_standalone.care.stretches import LogSurvey, Stretch
from spacetimedb_standalone.commitlog import Driver
from spacetimedb_standalone.commitlog.format import StoredCommit, encode_commit
from spacetimedb_standalone.commitlog.recovery import ResumePoint
from spacetimedb_standalone.commitlog.writer import LogWriter
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.program import StoredModule, read_module
from spacetimedb_standalone.datastore.schema import TableKind
from spacetimedb_standalone.ports import Clock, Files
from spacetimedb_standalone.snapshots import Shelf, SnapshotFile, verify_snapshot

PIECE = 1 << 20
"""Bytes that are copied at a time."""
NOTHING = b"\x20\0\0\0"
"""The record of a transaction that changes no row: flags, and no groups of three kinds."""


@dataclass(frozen=True, slots=True)
class Source:
    """A replica to copy from, as it was found."""

    files: Files
    place: ReplicaDir
    survey: LogSurvey
    snapshots: list[SnapshotFile]
    """The good ones, newest first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is copied: the transactions of `stretch` in front of `end`, and the snapshot, if one is needed."""

    stretch: Stretch
    snapshot: SnapshotFile | None
    end: int

    @property
    def is_snapshot_alone(self) -> bool:
        """The log has nothing to add to the snapshot. As no log is empty, it gets one transaction that does nothing."""
        return not self.stretch.parts


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that starts."""

    module: StoredModule | None
    transactions: int
    """In the log of the copy."""
    end: int
    """The next transaction of the copy."""
    tables: int
    """Of users."""
    rows: int


def plan_copy(source: Source, end: int | None) -> Plan:
    """The copy that ends with transaction `end` - 1; None: with the last that can be reached.

    Raises `CareError` if there is no such state.
    """
    plans = [plan for stretch in source.survey.stretches if (plan := _plan(source, stretch, end)) is not None]
    if end is None:
        plans += [
            Plan(Stretch(shot.next_offset, shot.next_offset), shot, shot.next_offset + 1)
            for shot in source.snapshots
        ]
    if not plans:
        raise CareError(_unreachable(source, end))
    return max(plans, key=lambda plan: (plan.end - plan.is_snapshot_alone, -plan.stretch.first))


def _plan(source: Source, stretch: Stretch, end: int | None) -> Plan | None:
    """How far this stretch leads, from the log's beginning or from a snapshot."""
    stop = stretch.end if end is None else end
    if not stretch.first < stop <= stretch.end:
        return None
    if stretch.first == 0:
        return Plan(stretch, None, stop)
    for snapshot in source.snapshots:
        if stretch.first <= snapshot.next_offset <= stop:
            return Plan(stretch, snapshot, stop)
    return None


def _unreachable(source: Source, end: int | None) -> str:
    survey = source.survey
    if not survey.stretches:
        return f"{Path(source.place)} holds no whole transaction"
    reachable = []
    for stretch in survey.stretches:
        begins = [0] if stretch.first == 0 else []
        begins += [
            shot.offset for shot in source.snapshots if stretch.first <= shot.next_offset <= stretch.end
        ]
        if begins:
            first = max(min(begins), stretch.first)
            reachable.append(f"{first} to {stretch.end - 1}")
    wanted = "a state" if end is None else f"the state behind transaction {end - 1}"
    if not reachable:
        return (
            f"{wanted} cannot be had from {Path(source.place)}: its log begins with transaction "
            f"{survey.first}, and no good snapshot holds what was before; restore it from a backup"
        )
    return f"{wanted} cannot be had: the log reaches transactions {' and '.join(reachable)}"


def copy_replica(
    source: Source, plan: Plan, target: ReplicaDir, files: Files, clock: Clock, settings: CommitLogSettings
) -> Copied:
    """Make the copy in `target`, which must not be there, and open it once.

    Raises `CareError`, `StorageError`, `LogError` and `OSError`; a part of the copy is there then.
    """
    log_dir = Path(target.commit_log())
    files.make_directory(log_dir)
    transactions = _copy_log(source, plan, log_dir, files, settings)
    if plan.snapshot is not None:
        _copy_snapshot(source.files, plan.snapshot, Path(target.snapshots()), files)
    return _opened(target, plan, transactions, files, clock, settings)


def _copy_log(source: Source, plan: Plan, log_dir: Path, files: Files, settings: CommitLogSettings) -> int:
    writer = LogWriter(files, log_dir, ResumePoint(plan.stretch.first, 0, None, 0), settings)
    try:
        for piece, last in _pieces(source, plan):
            writer.append(piece, last)
        writer.sync()
        return writer.next_offset - plan.stretch.first
    finally:
        writer.close()


def _pieces(source: Source, plan: Plan) -> Iterator[tuple[bytes, int]]:
    """(commits in the current version, the last transaction of them)."""
    if plan.is_snapshot_alone:
        yield encode_commit(plan.stretch.first, 0, 1, NOTHING), plan.stretch.first
        return
    piece, last = bytearray(), -1
    for commit in _commits(source, plan):
        piece += commit.encoded
        last = commit.end_offset - 1
        if len(piece) >= PIECE:
            yield bytes(piece), last
            piece.clear()
    if piece:
        yield bytes(piece), last


def _commits(source: Source, plan: Plan) -> Iterator[StoredCommit]:
    for commit in commits_of(source.files, plan.stretch):
        if commit.min_tx_offset >= plan.end:
            return
        if commit.end_offset > plan.end:
            raise CareError(
                f"transactions {commit.min_tx_offset} to {commit.end_offset - 1} are one commit: "
                f"take {commit.min_tx_offset - 1} or {commit.end_offset - 1}"
            )
        yield commit


def _copy_snapshot(source: Files, snapshot: SnapshotFile, directory: Path, files: Files) -> None:
    files.make_directory(directory)
    shelf = Shelf(files, directory)
    reading, writing = source.open(snapshot.path), files.open(shelf.beside(snapshot.offset), create=True)
    try:
        size = reading.size()
        for at in range(0, size, PIECE):
            writing.append(reading.read_at(at, PIECE))
        writing.sync_data()
    finally:
        reading.close()
        writing.close()
    verify_snapshot(files, shelf.beside(snapshot.offset))
    shelf.publish(snapshot.offset)


def _opened(
    target: ReplicaDir,
    plan: Plan,
    transactions: int,
    files: Files,
    clock: Clock,
    settings: CommitLogSettings,
) -> Copied:
    datastore = Datastore.open(Path(target), files, clock, options=settings, driver=Driver.INLINE)
    try:
        end = datastore.store.next_offset
        if end != plan.end:
            raise CareError(f"the copy in {Path(target)} ends before transaction {end}, not {plan.end}")
        tables = datastore.schema.tables.values()
        users = [table for table in tables if table.kind is TableKind.USER and table.view is None]
        rows = sum(datastore.store.count(table.id) for table in users)
        return Copied(read_module(datastore.store), transactions, end, len(users), rows)
    finally:
        datastore.close()
