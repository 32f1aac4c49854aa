"""`spacetimedb-standalone repair`: a database whose log is damaged goes on with what is left.

A start refuses such a log, since transactions that were acknowledged would be gone without a word. This is the
deliberate way: it says what is lost, asks, makes a copy of the furthest state that can be reached in a replica of its own,
opens it once, and only then lets the database have it, in one transaction of the control state. The damaged replica
stays as it is for somebody to look at. A loss of power in between leaves the database as it was.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePath

from spacetimedb_paths.pidfile import PidFile
from spacetimedb_paths.server import ReplicaDir, ServerDataDir
from spacetimedb_standalone.care.copying import Copied, Plan, Source, copy_replica, plan_copy
from spacetimedb_standalone.care.errors import CareError
from spacetimedb_standalone.care.findings import Span
from spacetimedb_standalone.care.holders import kept_from_others
from spacetimedb_standalone.care.sources import Registered, find_database, look_at
from spacetimedb_standalone.config.config_file import load_config
from spacetimedb_standalone.config.stamp import Version, stamp_data_dir
from spacetimedb_standalone.control.schema import open_control_db
from spacetimedb_standalone.control.writer import ControlWriter
from spacetimedb_standalone.ports import Clock, DiskFiles
from spacetimedb_standalone.ports.read_only import ReadOnlyFiles
from spacetimedb_standalone.version import VERSION


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a repair would do: the state it would lead to, and the transactions that are lost (None: none)."""

    end: int
    lost: Span | None
    whole_history: bool
    """Does the log still begin where it did?"""

    def __str__(self) -> str:
        kept = f"the database will be as it was behind transaction {self.end - 1}"
        if self.lost is not None:
            return f"{kept}; {self.lost} will be lost"
        return f"{kept}, so nothing of its state is lost" + (
            "" if self.whole_history else ", but its history is"
        )


@dataclass(frozen=True, slots=True)
class Repaired:
    copied: Copied
    replica: Path
    """Where the data is now."""
    aside: Path
    """The damaged replica."""


def repair(data_dir: Path, wanted: str, agreed: Callable[[Proposal], bool], clock: Clock) -> Repaired | None:
    """Repair the database `wanted` if `agreed` to the proposal; None: not agreed, and nothing was changed.

    Raises `CareError`, `InUse` and `DataDirError` for a running server, `ConfigError`, `ControlStateError`, `StorageError`,
    `LogError` and `OSError`; the database is then as it was.
    """
    place = ServerDataDir(PurePath(data_dir))
    if not place.control_db().path.is_dir():
        raise CareError(
            f"{data_dir} is no data directory of this server: say with --data-dir where the data is"
        )
    with PidFile.take(place):
        registered = find_database(place, wanted)
        damaged = place.replica(registered.replica_id)
        with kept_from_others(Path(damaged) / "db.lock"):
            found = look_at(ReadOnlyFiles(), damaged, registered.database.identity.bsatn)
            plan = plan_copy(found, None)
            if not agreed(_proposal(found, plan)):
                return None
            stamp_data_dir(place.metadata_toml(), Version.parse(VERSION))
            return _carry_out(place, registered, found, plan, clock)


def _proposal(found: Source, plan: Plan) -> Proposal:
    """Raises `CareError` if a start would find nothing wrong."""
    survey = found.survey
    known = max([survey.end, *(snapshot.next_offset for snapshot in found.snapshots)])
    damaged = any(broken.is_loss for broken in survey.breaks)
    end = plan.end - plan.is_snapshot_alone
    if not damaged and end == known and survey.end == known:
        raise CareError(
            "there is nothing to repair: the log is whole, and whatever else is damaged a start puts aside"
        )
    open_ended = any(broken.is_loss and broken.resumes is None for broken in survey.breaks)
    if end < known or open_ended:
        lost: Span | None = Span(end, None if open_ended else known - 1)
    else:
        lost = None
    return Proposal(end, lost, plan.stretch.first == survey.first)


def _carry_out(
    place: ServerDataDir, registered: Registered, found: Source, plan: Plan, clock: Clock
) -> Repaired:
    settings = load_config(place.config_toml()).commitlog
    with closing(open_control_db(place.control_db().path)) as connection:
        writer = ControlWriter(connection)
        replica_id = unused_replica(place, writer)
        target = place.replica(replica_id)
        try:
            copied = copy_replica(found, plan, target, DiskFiles(), clock, settings)
            copy_module_logs(found.place, target)
        except BaseException:
            shutil.rmtree(Path(target), ignore_errors=True)
            raise
        database = registered.database
        writer.replace_replica(database, database.host_type, database.initial_program, replica_id)
    return Repaired(copied, Path(target), Path(found.place))


def unused_replica(place: ServerDataDir, writer: ControlWriter) -> int:
    """A replica id that has no directory yet."""
    while Path(place.replica(number := writer.reserve_id())).exists():
        continue
    return number


def copy_module_logs(source: ReplicaDir, target: ReplicaDir) -> None:
    """What the module has logged; nothing depends on it, so it is not synced."""
    directory = Path(source.module_logs())
    if directory.is_dir():
        shutil.copytree(directory, Path(target.module_logs()))
