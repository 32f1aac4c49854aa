"""Whether a log whose checksums hold makes a state: it is replayed in memory, and the program's hash is checked."""

from __future__ import annotations

from pathlib import Path

from spacetimedb_engine import EngineError
from spacetimedb_lib.hashing import keccak256
from spacetimedb_standalone.care.findings import Findings
from spacetimedb_standalone.care.stretches import LogSurvey
from spacetimedb_standalone.commitlog import LogError, OpenedLog
from spacetimedb_standalone.commitlog.recovery import ResumePoint
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.control.records import Database
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.datastore.program import read_module
from spacetimedb_standalone.datastore.rebuild import Rebuild
from spacetimedb_standalone.ports import Files
from spacetimedb_standalone.snapshots import SnapshotDamage, SnapshotFile, SnapshotReader

_ADVICE = "restore the log from a backup, and report it: a log whose checksums hold should make a state"


def check_replay(
    files: Files,
    log_dir: Path,
    survey: LogSurvey,
    snapshots: list[SnapshotFile],
    database: Database | None,
    findings: Findings,
) -> None:
    """As a start does it, from the newest good snapshot on; nothing is written."""
    rebuild = Rebuild()
    log = OpenedLog(files, log_dir, ResumePoint(survey.end, 0, None, 0), CommitLogSettings())
    try:
        if snapshots:
            with SnapshotReader.open(files, snapshots[0].path) as reader:
                rebuild.restore(reader)
        rebuild.replay(log)
        rebuild.finish()
        module = read_module(rebuild.store)
    except (LogError, EngineError, StorageError, SnapshotDamage) as error:
        findings.damage(log_dir, f"it makes no state: {error}", _ADVICE)
        return
    findings.count("replayed transactions", rebuild.store.next_offset)
    if module is None:
        findings.note(log_dir, "the database was never initialized")
        return
    found = keccak256(module.program.data)
    if module.program.data and found != module.program.hash:
        what = f"the program's hash is {found.hex()}, but st_module says {module.program.hash.hex()}"
        findings.damage(log_dir, what, _ADVICE)
    if database is not None and module.database_identity != database.identity:
        what = f"it is of database {module.database_identity}, not of {database.identity}"
        findings.damage(log_dir, what, "put the directory where it belongs")
