"""Data directories on the disk with a small busy database in them, made without a server."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from spacetimedb_lib.identity import Identity
from spacetimedb_paths.metadata import MetadataFile
from spacetimedb_paths.server import ReplicaDir, ServerDataDir
from spacetimedb_standalone.care.doctor import diagnose
from spacetimedb_standalone.care.findings import Finding, Severity
from spacetimedb_standalone.commitlog import Driver
from spacetimedb_standalone.commitlog.reader import list_segments
from spacetimedb_standalone.config.config_file import default_config_text
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.control.programs import ProgramStore
from spacetimedb_standalone.control.records import HostType
from spacetimedb_standalone.control.schema import open_control_db
from spacetimedb_standalone.control.writer import ControlWriter
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.snapshotting import take_snapshot
from spacetimedb_standalone.ports import DiskFiles, ManualClock
from tests.standalone.datastore.busy import PROGRAM, State, change, initialize, state, story_module

IDENTITY, OWNER = Identity.from_int(1), Identity.from_int(2)
"""As `busy.initialize` has them."""
NAME = "busy"
PLAIN = CommitLogSettings(
    max_segment_size=3000, offset_index_interval_bytes=256, compress_segments=False, retention=False
)
SEALED = CommitLogSettings(max_segment_size=3000, offset_index_interval_bytes=256, retention=False)
SHORTENED = CommitLogSettings(max_segment_size=3000, offset_index_interval_bytes=256)


@dataclass
class Made:
    """A directory that no server uses. `states[n]`: the rows behind transaction n."""

    path: Path
    states: dict[int, State] = field(default_factory=dict)

    @property
    def place(self) -> ServerDataDir:
        return ServerDataDir(PurePath(self.path))

    @property
    def replica(self) -> ReplicaDir:
        return self.place.replica(1)

    @property
    def log(self) -> Path:
        return Path(self.replica.commit_log())

    @property
    def segments(self) -> list[Path]:
        return [segment.path for segment in list_segments(DiskFiles(), self.log)]

    @property
    def snapshots(self) -> list[Path]:
        return sorted(Path(self.replica.snapshots()).glob("*.stdb.snap"))

    @property
    def last(self) -> int:
        return max(self.states)

    def state(self, replica: int = 1) -> tuple[int, State]:
        """(the last transaction, rows) as a start finds them."""
        datastore = open_replica(self.place.replica(replica))
        try:
            return datastore.store.next_offset - 1, state(datastore)
        finally:
            datastore.close()

    def damage(self, *, replay: bool = False) -> list[Finding]:
        found = diagnose(self.path, replay=replay).findings.found
        return [finding for finding in found if finding.severity is Severity.DAMAGE]


def open_replica(place: ReplicaDir, settings: CommitLogSettings = PLAIN) -> Datastore:
    return Datastore.open(Path(place), DiskFiles(), ManualClock(), options=settings, driver=Driver.INLINE)


def made(
    path: Path, changes: int, *, every: int = 0, settings: CommitLogSettings = PLAIN, seed: int = 1
) -> Made:
    """A directory whose database saw so many changes, with a snapshot after `every` so many (0: none)."""
    directory, choice = Made(path), random.Random(seed)
    datastore = open_replica(directory.replica, settings)
    initialize(datastore, story_module())
    directory.states[0] = state(datastore)
    for number in range(1, changes + 1):
        change(datastore, choice)
        directory.states[datastore.store.next_offset - 1] = state(datastore)
        if every and number % every == 0:
            take_snapshot(datastore, ManualClock())
    datastore.close()
    register(directory)
    return directory


def register(directory: Made) -> None:
    place = directory.place
    program = ProgramStore(place.program_bytes()).put(PROGRAM.data)
    with closing(open_control_db(place.control_db().path)) as connection:
        writer = ControlWriter(connection)
        writer.insert_database(IDENTITY, OWNER, HostType.WASM, program, writer.reserve_id())
        writer.add_name(NAME, OWNER, IDENTITY)
    MetadataFile("2.10.0", "standalone").write(place.metadata_toml())
    place.config_toml().write(default_config_text())
    logs = Path(directory.replica.module_logs())
    logs.mkdir()
    (logs / "2026-08-22.log").write_text('{"level":"Info","ts":1,"message":"hi"}\n')


def flip(path: Path, position: int, mask: int = 0x40) -> None:
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[position] ^= mask
    path.write_bytes(data)


def contents(path: Path) -> dict[Path, tuple[bytes, int]]:
    """All files below a directory: bytes and the time of the last change."""
    return {
        file: (file.read_bytes(), file.stat().st_mtime_ns)
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }
