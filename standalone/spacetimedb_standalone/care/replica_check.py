"""One replica's directory: log, snapshots, module logs, and what does not belong there."""

from __future__ import annotations

import json
from pathlib import Path

from spacetimedb_paths.server import ReplicaDir
from spacetimedb_standalone.care.findings import Findings
from spacetimedb_standalone.care.log_check import check_log
from spacetimedb_standalone.care.replay_check import check_replay
from spacetimedb_standalone.care.snapshot_check import check_snapshots
from spacetimedb_standalone.control.records import Database
from spacetimedb_standalone.ports import Files

_KNOWN = {"clog", "snapshots", "module_logs", "db.lock"}


def check_replica(
    files: Files, place: ReplicaDir, database: Database | None, *, replay: bool, findings: Findings
) -> None:
    """`database`: whose data it is; None: nobody's that is known. `replay`: also see that it makes a state."""
    directory = Path(place)
    log_dir, snapshot_dir = Path(place.commit_log()), Path(place.snapshots())
    identity = None if database is None else database.identity.bsatn
    good = check_snapshots(files, snapshot_dir, identity, findings)
    survey = check_log(files, log_dir, good, findings)
    if database is not None and not good and survey.end == 0:
        # A database is registered when it has its first transaction on the disk, and one that is kept in memory
        # has no directory.
        what = f"the log of database {database.identity} has lost all of its transactions"
        findings.damage(log_dir, what, "restore the directory from a backup before the next start")
    if replay and survey.segments:
        check_replay(files, log_dir, survey, good, database, findings)
    _check_module_logs(files, Path(place.module_logs()), findings)
    for entry in sorted(directory.iterdir()):
        if entry.name not in _KNOWN:
            findings.note(entry, "not a file of the server", "it may be deleted")


def _check_module_logs(files: Files, directory: Path, findings: Findings) -> None:
    """Every line is JSON. The last one of a file may be cut short, for these files are not synced."""
    for name in sorted(files.names(directory)):
        path = directory / name
        findings.count("module logs")
        position = 0
        lines = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines):
            if line and number < len(lines) - 1 and not _is_json(line):
                what = f"line {number + 1} is no JSON"
                findings.warning(path, what, "nothing but what the module logged is affected", position)
            position += len(line) + 1


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
