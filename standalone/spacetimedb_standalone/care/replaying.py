"""`spacetimedb-standalone replay`: a data directory with one database as it was behind a transaction.

The source is only read, and may be served meanwhile. What is made is a data directory like any other: the database
has the identity, the owner and the names that it has in the source.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePath

from spacetimedb_paths.metadata import MetadataFile
from spacetimedb_paths.server import ServerDataDir
from spacetimedb_standalone.care.copying import Copied, copy_replica, plan_copy
from spacetimedb_standalone.care.errors import CareError
from spacetimedb_standalone.care.sources import Registered, find_database, look_at
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.config.stamp import EDITION
from spacetimedb_standalone.control.programs import ProgramStore
from spacetimedb_standalone.control.schema import open_control_db
from spacetimedb_standalone.control.writer import ControlWriter
from spacetimedb_standalone.ports import Clock, DiskFiles
from spacetimedb_standalone.ports.read_only import ReadOnlyFiles
from spacetimedb_standalone.version import VERSION


def replay(data_dir: Path, wanted: str, last: int | None, into: Path, clock: Clock) -> Copied:
    """Copy the database `wanted` into the new directory `into`, up to and with transaction `last` (None: all).

    Raises `CareError`, `ControlStateError`, `StorageError`, `LogError`, `OSError`; `into` is gone then.
    """
    source, target = ServerDataDir(PurePath(data_dir)), ServerDataDir(PurePath(into))
    registered = find_database(source, wanted)
    found = look_at(
        ReadOnlyFiles(), source.replica(registered.replica_id), registered.database.identity.bsatn
    )
    plan = plan_copy(found, None if last is None else last + 1)
    with _new_directory(into):
        with closing(open_control_db(target.control_db().path)) as connection:
            writer = ControlWriter(connection)
            replica_id = writer.reserve_id()
            place = target.replica(replica_id)
            copied = copy_replica(found, plan, place, DiskFiles(), clock, CommitLogSettings())
            _register(writer, target, registered, copied, replica_id)
        if source.config_toml().exists():
            target.config_toml().write(source.config_toml().read())
        stamp = MetadataFile.read(source.metadata_toml()) or MetadataFile(VERSION, EDITION)
        stamp.write(target.metadata_toml())
    return copied


@contextmanager
def _new_directory(path: Path) -> Iterator[None]:
    """`path` is made, and removed again if something fails meanwhile."""
    try:
        path.mkdir(parents=True)
    except FileExistsError as error:
        raise CareError(f"{path} is there already: say with --into a directory that is not") from error
    try:
        yield
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


def _register(
    writer: ControlWriter, target: ServerDataDir, registered: Registered, copied: Copied, replica_id: int
) -> None:
    if copied.module is None:
        raise CareError("the database was not initialized yet behind that transaction")
    program = ProgramStore(target.program_bytes()).put(copied.module.program.data)
    database = registered.database
    writer.insert_database(database.identity, database.owner, database.host_type, program, replica_id)
    writer.replace_names(registered.names, database.owner, database.identity)
    writer.set_locked(database.identity, registered.locked)
