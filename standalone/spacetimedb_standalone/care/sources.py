"""Finding what is to be copied: a database by what a person calls it, and the state that its replica is in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spacetimedb_paths.server import ReplicaDir, ServerDataDir
from spacetimedb_standalone.care.control_copy import control_copy
from spacetimedb_standalone.care.copying import Source
from spacetimedb_standalone.care.errors import CareError
from spacetimedb_standalone.care.findings import Findings
from spacetimedb_standalone.care.log_survey import survey_log
from spacetimedb_standalone.care.snapshot_check import check_snapshots
from spacetimedb_standalone.control.reader import ControlReader
from spacetimedb_standalone.control.records import Database
from spacetimedb_standalone.ports import Files


@dataclass(frozen=True, slots=True)
class Registered:
    """What control state says of a database."""

    database: Database
    replica_id: int
    names: tuple[str, ...]
    locked: bool


def find_database(data_dir: ServerDataDir, wanted: str) -> Registered:
    """The database with this name or identity. Raises `CareError`, and `ControlStateError`."""
    with control_copy(data_dir.control_db().path) as connection:
        reader = ControlReader(connection)
        for database in reader.databases():
            names = reader.names_of(database.identity)
            if wanted.lower() in (database.identity.hex(), *(name.lower() for name in names)):
                replica = reader.replica_of(database)
                if replica is None:
                    raise CareError(
                        f"database {wanted} has no replica: restore the control state from a backup"
                    )
                locked = reader.is_locked(database.identity)
                return Registered(database, replica.id, tuple(names), locked)
        known = [_described(reader, database) for database in reader.databases()]
    there_are = f"there are {', '.join(known)}" if known else "there are none"
    raise CareError(f"no database is called {wanted!r} in {data_dir}: {there_are}")


def _described(reader: ControlReader, database: Database) -> str:
    names = reader.names_of(database.identity)
    return f"{names[0]} ({database.identity})" if names else str(database.identity)


def look_at(files: Files, place: ReplicaDir, identity: bytes | None) -> Source:
    """All of a replica's log and snapshots. `identity`: whose snapshots count; None: anybody's."""
    if not Path(place).is_dir():
        raise CareError(f"{Path(place)} is missing: restore it from a backup")
    snapshots = check_snapshots(files, Path(place.snapshots()), identity, Findings())
    return Source(files, place, survey_log(files, Path(place.commit_log())), snapshots)
