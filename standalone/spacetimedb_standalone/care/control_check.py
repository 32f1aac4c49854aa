"""Control state and published programs: readable, in themselves consistent, and what databases there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spacetimedb_lib.hashing import keccak256
from spacetimedb_paths.server import ServerDataDir
from spacetimedb_standalone.care.control_copy import control_copy
from spacetimedb_standalone.care.findings import Findings
from spacetimedb_standalone.care.official import is_official
from spacetimedb_standalone.control.reader import ControlReader
from spacetimedb_standalone.control.records import Database
from spacetimedb_standalone.control.schema import FILE_NAME, ControlStateError


@dataclass(frozen=True, slots=True)
class Served:
    """A database and the replica that has its data now."""

    database: Database
    replica_id: int
    names: tuple[str, ...]


def check_control(data_dir: ServerDataDir, findings: Findings) -> list[Served] | None:
    """The databases there are; None if that cannot be told."""
    directory = data_dir.control_db().path
    path = directory / FILE_NAME
    if is_official(directory):
        what = "the control state is that of an official server"
        findings.note(directory, what, "`spacetime import-data` takes its databases over")
        return None
    if not path.exists():
        what = "there is no control state, so nobody knows which database the replicas belong to"
        findings.damage(path, what, "restore it from a backup")
        return None
    findings.count("control databases")
    try:
        with control_copy(directory) as connection:
            return _served(ControlReader(connection), path, findings)
    except ControlStateError as error:
        findings.damage(
            path, str(error), "restore it from a backup, with the files of the same name beside it"
        )
        return None


def _served(reader: ControlReader, path: Path, findings: Findings) -> list[Served]:
    served = []
    for database in reader.databases():
        findings.count("databases")
        replica = reader.replica_of(database)
        if replica is None:
            what = f"database {database.identity} has no replica"
            findings.damage(path, what, "restore the control state from a backup, or delete the database")
        else:
            names = tuple(reader.names_of(database.identity))
            served.append(Served(database, replica.id, names))
    return served


def check_programs(data_dir: ServerDataDir, findings: Findings) -> None:
    """Each published program against the hash that is its name."""
    root = data_dir.program_bytes().path
    for path in sorted(file for file in root.glob("*/*") if file.is_file()):
        digits = path.parent.name + path.name
        try:
            wanted = bytes.fromhex(digits)
        except ValueError:
            wanted = b""
        if len(wanted) != 32:
            findings.note(path, "not the name of a program", "it may be deleted while the server is stopped")
            continue
        findings.count("programs")
        found = keccak256(path.read_bytes())
        if found != wanted:
            what = f"the program's hash is {found.hex()}, not that of its name"
            advice = (
                "restore it from a backup, or publish the module again; a running database has its own copy"
            )
            findings.damage(path, what, advice, 0)
