"""A copy of the data directory from before an upgrade that may change its format.

It is taken as it stands, also while a server runs: the commit log is made to be cut off anywhere, so a
copy of it is what a power failure would leave. SQLite files are copied with SQLite's own backup, which
gives one state in spite of writers; they come first, so that nothing in them is missing from the rest.
Locks, process ids and caches are left out.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from spacetimedb_update.errors import DiskError
from spacetimedb_update.host import Host
from spacetimedb_update.installation.site import Site
from spacetimedb_update.installation.survey import ABOUT_BACKUP, BACKUP_DATA
from spacetimedb_update.ports.file_trees import directories, replace_file, tree_bytes, walk
from spacetimedb_update.ports.files import Files

SQLITE_HEAD = b"SQLite format 3\0"
SQLITE_COMPANIONS = ("-wal", "-shm", "-journal")
LEFT_OUT = ("spacetime.pid", "cache", "logs")


def back_up(site: Site, host: Host, written_by: str, before: str, now: datetime) -> Path:
    """Copy the data directory into a new folder of `backups/`; the folder counts once it is whole.

    Raises `DiskError` where the space does not suffice.
    """
    files = host.files
    check_space(files, site.data_dir, site.backups)
    folder = site.backups / _name(before, now)
    files.make_directory(folder)
    copy_data(host, site.data_dir, folder / BACKUP_DATA)
    about = {"taken": now.isoformat(), "written_by": written_by, "before": before}
    replace_file(files, folder / ABOUT_BACKUP, (json.dumps(about) + "\n").encode())
    files.sync_directory(site.backups)
    return folder


def _name(before: str, now: datetime) -> str:
    return f"before-{before}-{now:%Y%m%dT%H%M%S.%f}"


def check_space(files: Files, data: Path, backups: Path) -> None:
    needed, free = tree_bytes(files, data), files.free_bytes(backups)
    if needed > free:
        raise DiskError(
            f"a backup of {data} needs {_mebibytes(needed)} at {backups}, where {_mebibytes(free)} are free: "
            "free some space, or upgrade without a backup (`spacetime version upgrade --no-backup`)"
        )


def _mebibytes(count: int) -> str:
    return f"{count / (1 << 20):.1f} MiB"


def copy_data(host: Host, source: Path, destination: Path) -> None:
    files = host.files
    files.make_directory(destination)
    paths = [path for path, kind in walk(files, source) if kind == "file" and _belongs(path)]
    databases = [path for path in paths if _is_sqlite(files, source / path)]
    skipped = {path + ending for path in databases for ending in SQLITE_COMPANIONS}
    for path in databases:
        files.make_directory((destination / path).parent)
        _copy_sqlite(source / path, destination / path)
        host.crash_points.reached("backing-up")
    for path in paths:
        if path not in databases and path not in skipped:
            _copy_file(files, source / path, destination / path)
            host.crash_points.reached("backing-up")
    for folder in directories(files, destination):
        files.sync_directory(folder)


def _belongs(path: str) -> bool:
    return path.partition("/")[0] not in LEFT_OUT


def _copy_file(files: Files, source: Path, destination: Path) -> None:
    files.make_directory(destination.parent)
    try:
        files.copy(source, destination)
    except FileNotFoundError:
        if files.kind(source) is not None:
            raise  # else a running server has removed it since: it is not part of the data any more


def _is_sqlite(files: Files, path: Path) -> bool:
    with files.open_read(path) as file:
        return file.read(len(SQLITE_HEAD)) == SQLITE_HEAD


def _copy_sqlite(source: Path, destination: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reader,
            closing(sqlite3.connect(destination)) as writer,
        ):
            reader.backup(writer)
    except sqlite3.Error as error:
        raise DiskError(
            f"cannot back up {source} ({error}): stop the server, then run the command again"
        ) from error
