"""`spacetimedb-standalone import-data`: the databases of an official server's data directory, taken over.

All there is to know about a database is in its commit log, read from transaction 0: rows, definitions, the module
itself, identity and owner. Each log is copied into a replica of this server's own (the format's current version, whatever
version and compression the source has) and opened once. What is only in the official control state, whose format is
not public, cannot be had: names, locks, which databases were deleted. Of a database that was emptied and so
has several replicas, the newest counts. One that is older than a replica of which nobody can tell whose it is may be
out of date, and is taken only if it was asked for by its identity. The source is only read; its locks are held
meanwhile, so that no server starts on it.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from spacetimedb_engine import EngineError
from spacetimedb_lib.identity import Identity
from spacetimedb_paths.metadata import MetadataError, MetadataFile
from spacetimedb_paths.pidfile import PidFile
from spacetimedb_paths.server import ReplicaDir, ServerDataDir
from spacetimedb_standalone.care.breaks import BreakKind
from spacetimedb_standalone.care.copying import Copied, Plan, Source, copy_replica
from spacetimedb_standalone.care.errors import CareError
from spacetimedb_standalone.care.holders import kept_from_others
from spacetimedb_standalone.care.log_survey import survey_log
from spacetimedb_standalone.care.official import replica_directories
from spacetimedb_standalone.care.repairing import copy_module_logs, unused_replica
from spacetimedb_standalone.commitlog import LogError
from spacetimedb_standalone.config.config_file import load_config
from spacetimedb_standalone.config.readers import ConfigError
from spacetimedb_standalone.config.stamp import EDITION, Version, check_compatible, stamp_data_dir
from spacetimedb_standalone.control.programs import ProgramStore
from spacetimedb_standalone.control.reader import ControlReader
from spacetimedb_standalone.control.records import HostType
from spacetimedb_standalone.control.schema import FILE_NAME, open_control_db
from spacetimedb_standalone.control.writer import ControlWriter
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.datastore.program import ProgramKind, StoredModule
from spacetimedb_standalone.ports import Clock, DiskFiles
from spacetimedb_standalone.ports.read_only import ReadOnlyFiles
from spacetimedb_standalone.version import VERSION


@dataclass(frozen=True, slots=True)
class Imported:
    """A database that this server has now. `name`: what it is called here, if it was given a name."""

    source: Path
    identity: Identity
    owner: Identity
    name: str | None
    copied: Copied
    torn: bool
    """Was a commit left out at the end that was not whole?"""


@dataclass(frozen=True, slots=True)
class Refused:
    """A replica that was not taken over, and why."""

    source: Path
    reason: str


Outcome = Imported | Refused


@dataclass(frozen=True, slots=True)
class _Ready:
    """A copied replica that only has to be registered."""

    source: Path
    module: StoredModule
    name: str | None
    program: bytes
    """Its hash."""
    copied: Copied
    torn: bool


class _Skip(Exception):
    """This replica cannot be taken over; the others may be. The text says why."""


_REFUSALS = (_Skip, LogError, EngineError, StorageError)


def import_data(
    source: Path, data_dir: Path, wanted: Mapping[str, str | None], clock: Clock
) -> list[Outcome]:
    """Take over the databases below `source`, newest replica first.

    `wanted`: identities (hex) with the names they shall have or None; empty: all, without names. Raises `CareError` if
    nothing can be imported from there, `InUse`, `DataDirError`, `ConfigError`, `ControlStateError`, and `OSError`.
    """
    replicas = _require_official(source, data_dir)
    origin, target = ServerDataDir(PurePath(source)), ServerDataDir(PurePath(data_dir))
    with contextlib.ExitStack() as held:
        held.enter_context(kept_from_others(Path(origin.pid_file())))
        for _, directory in replicas:
            held.enter_context(kept_from_others(directory / "db.lock"))
        held.enter_context(PidFile.take(target))
        load_config(target.config_toml())
        stamp_data_dir(target.metadata_toml(), Version.parse(VERSION))
        connection = held.enter_context(contextlib.closing(open_control_db(target.control_db().path)))
        importer = _Importer(target, ControlWriter(connection), ControlReader(connection), wanted, clock)
        outcomes = [importer.take(directory) for _, directory in reversed(replicas)]
    missing = wanted.keys() - importer.seen
    if missing:
        raise CareError(f"there is no database {', '.join(sorted(missing))} in {source}")
    return [outcome for outcome in outcomes if outcome is not None]


def _require_official(source: Path, data_dir: Path) -> list[tuple[int, Path]]:
    """The replicas of a data directory that can be imported."""
    if not source.is_dir():
        raise CareError(f"there is no directory {source}")
    if source.resolve() == data_dir.resolve():
        raise CareError(
            f"{source} cannot be imported into itself: say with --data-dir where the data shall be"
        )
    if (source / "control-db" / FILE_NAME).exists():
        raise CareError(
            f"{source} is a data directory of this server already: start it with --data-dir, "
            "or take one database out of it with `spacetime replay`"
        )
    replicas = replica_directories(source)
    if not replicas:
        raise CareError(f"{source} is no data directory with databases: it has nothing below replicas/")
    place = ServerDataDir(PurePath(source)).metadata_toml()
    try:
        stamp = MetadataFile.read(place)
        if stamp is not None:
            if stamp.edition != EDITION:
                raise CareError(
                    f'{place} is of edition "{stamp.edition}": only those of "{EDITION}" can be imported'
                )
            check_compatible(Version.parse(stamp.version), Version.parse(VERSION))
    except (MetadataError, ConfigError, ValueError) as error:
        raise CareError(f"{source} cannot be imported: {error}") from error
    return replicas


class _Importer:
    """Takes one replica after the other, newest first."""

    def __init__(
        self,
        target: ServerDataDir,
        writer: ControlWriter,
        reader: ControlReader,
        wanted: Mapping[str, str | None],
        clock: Clock,
    ) -> None:
        self._target = target
        self._writer = writer
        self._reader = reader
        self._wanted = wanted
        self._clock = clock
        self.seen: set[str] = set()
        """Identities (hex) of the databases that were there."""
        self._unknown: list[Path] = []
        """Refused without knowing whose they are."""

    def take(self, directory: Path) -> Outcome | None:
        """None: it is of a database that was not asked for, or of which a newer replica was there."""
        replica_id = unused_replica(self._target, self._writer)
        place = self._target.replica(replica_id)
        ready: _Ready | None = None
        try:
            ready = self._prepare(directory, place)
        except _REFUSALS as error:
            return Refused(directory, str(error))
        finally:
            if ready is None:
                shutil.rmtree(Path(place), ignore_errors=True)
        return None if ready is None else self._register(ready, replica_id)

    def _prepare(self, directory: Path, place: ReplicaDir) -> _Ready | None:
        """All but the registration, so whatever fails here leaves nothing that anybody knows of."""
        origin = ReplicaDir(PurePath(directory))
        try:
            copied, module, torn = self._copy(origin, place)
        except _REFUSALS:
            self._unknown.append(directory)
            raise
        identity = module.database_identity
        if identity.hex() in self.seen:
            return None
        self.seen.add(identity.hex())
        if self._wanted and identity.hex() not in self._wanted:
            return None
        if self._unknown and not self._wanted:
            newer = " and ".join(str(path) for path in self._unknown)
            raise _Skip(
                f"it is of database {identity}, and so may be the newer {newer}, which could not be read: to take "
                f"this one all the same, import with --database {identity}"
            )
        if module.program.kind is not ProgramKind.WASM:
            raise _Skip(
                f"the module of database {identity} is JavaScript, which this server does not run: publish a "
                "WebAssembly one to it on the server that it is from, then import again"
            )
        name = self._wanted.get(identity.hex())
        self._require_free(identity, module.owner, name)
        copy_module_logs(origin, place)
        program = ProgramStore(self._target.program_bytes()).put(module.program.data)
        return _Ready(directory, module, name, program, copied, torn)

    def _copy(self, origin: ReplicaDir, place: ReplicaDir) -> tuple[Copied, StoredModule, bool]:
        """The copy, whose it is, and whether the end of the log was torn."""
        survey = survey_log(ReadOnlyFiles(), Path(origin.commit_log()), only_synced_is_indexed=False)
        source = Source(ReadOnlyFiles(), origin, survey, snapshots=[])
        plan = _plan(source)
        settings = load_config(self._target.config_toml()).commitlog
        copied = copy_replica(source, plan, place, DiskFiles(), self._clock, settings)
        if copied.module is None:
            raise _Skip("it was never initialized: no module was ever published to it")
        # An official server may index a commit before it is synced, so its index proves no loss.
        torn = any(broken.kind in (BreakKind.TORN, BreakKind.SHORT) for broken in survey.breaks)
        return copied, copied.module, torn

    def _register(self, ready: _Ready, replica_id: int) -> Imported:
        """Whatever fails from here on, the database may be registered: its files stay."""
        identity, owner = ready.module.database_identity, ready.module.owner
        self._writer.insert_database(identity, owner, HostType.WASM, ready.program, replica_id)
        if ready.name is not None:
            self._writer.add_name(ready.name, owner, identity)
        return Imported(ready.source, identity, owner, ready.name, ready.copied, ready.torn)

    def _require_free(self, identity: Identity, owner: Identity, name: str | None) -> None:
        if self._reader.database(identity) is not None:
            raise _Skip(
                f"database {identity} is in {self._target} already: delete it there to import it again"
            )
        if name is None:
            return
        if self._reader.identity_of_name(name) is not None:
            raise _Skip(f"another database is called {name} already: choose another name for {identity}")
        if self._reader.owner_of_name(name) not in (None, owner):
            raise _Skip(f"the name {name} belongs to another identity: choose another one for {identity}")


def _plan(source: Source) -> Plan:
    """The whole log. Raises `_Skip`."""
    survey = source.survey
    if not survey.segments:
        raise _Skip("it has no commit log")
    for broken in survey.breaks:
        if broken.kind is BreakKind.DAMAGE:
            raise _Skip(
                f"{broken.path.name} is damaged at byte {broken.position}, transaction {broken.first}: "
                f"{broken.cause}; restore it from a backup"
            )
    if survey.first > 0:
        raise _Skip(
            f"its log begins with transaction {survey.first}, and the official server's snapshots are not read: "
            "put the older segments back that were moved elsewhere"
        )
    if not survey.stretches:
        raise _Skip("its log is empty")
    (stretch,) = survey.stretches
    return Plan(stretch, None, stretch.end)
