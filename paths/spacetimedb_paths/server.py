"""Paths below the server's data directory.

::

    {data}/
      spacetime.pid   config.toml   metadata.toml
      control-db/   program-bytes/   cache/wasmtime/   logs/
      replicas/{id}/
        clog/{offset:020}.stdb.log   clog/{offset:020}.stdb.ofs
        module_logs/{YYYY-MM-DD}.log
        snapshots/{tx_offset:020}.snapshot_dir/{tx_offset:020}.snapshot_bsatn, objects/
"""

from __future__ import annotations

from datetime import date
from pathlib import PurePath

from spacetimedb_paths.typed import TypedDir, TypedFile

U64_LIMIT = 1 << 64


class ConfigToml(TypedFile):
    """The server's settings."""

    __slots__ = ()


class MetadataTomlPath(TypedFile):
    """Which version and edition wrote the directory (`spacetimedb_paths.metadata`)."""

    __slots__ = ()


class WasmtimeCacheDir(TypedDir):
    """Compiled modules."""

    __slots__ = ()


class ControlDbDir(TypedDir):
    """Names, databases and owners."""

    __slots__ = ()


class ProgramBytesDir(TypedDir):
    """Published programs by the hash of their bytes."""

    __slots__ = ()

    def program(self, module_hash: str) -> TypedFile:
        """The program with this hash (64 hex digits): the first two digits are a directory."""
        return TypedFile(self.pure / module_hash[:2] / module_hash[2:])


class LogsDir(TypedDir):
    """The server's own log, `spacetime-{edition}.log`; readers also accept dated names."""

    __slots__ = ()

    @staticmethod
    def filename_prefix(edition: str) -> str:
        return f"spacetime-{edition}"

    @staticmethod
    def filename_extension() -> str:
        return "log"

    def server_log(self, edition: str) -> TypedFile:
        return TypedFile(self.pure / f"{self.filename_prefix(edition)}.{self.filename_extension()}")


class ModuleLogPath(TypedFile):
    """What a module logged on one day (UTC)."""

    __slots__ = ()

    def date(self) -> date | None:
        """The day in the name, None for another kind of name."""
        try:
            return date.fromisoformat(self.pure.stem)
        except ValueError:
            return None


class ModuleLogsDir(TypedDir):
    __slots__ = ()

    def on(self, day: date) -> ModuleLogPath:
        """The log of one day (UTC)."""
        return ModuleLogPath(self.pure / f"{day.isoformat()}.log")

    def most_recent(self) -> ModuleLogPath | None:
        """The last entry in the order of names, None in an empty directory."""
        names = [entry.name for entry in self.read_dir()]
        return ModuleLogPath(self.pure / max(names)) if names else None


class SnapshotFilePath(TypedFile):
    """The BSATN index of a snapshot."""

    __slots__ = ()


class SnapshotObjectsPath(TypedDir):
    """The content-addressed pages and blobs of a snapshot."""

    __slots__ = ()


class ArchivedSnapshotDirPath(TypedDir):
    """A compressed snapshot."""

    __slots__ = ()


class SnapshotDirPath(TypedDir):
    """One snapshot, named by the transaction offset it was taken at."""

    __slots__ = ()

    def tx_offset(self) -> int | None:
        """The offset in the name, None for another kind of name."""
        digits = self.pure.name.partition(".")[0]
        if not (digits.isascii() and digits.isdigit()) or int(digits) >= U64_LIMIT:
            return None
        return int(digits)

    def snapshot_file(self, tx_offset: int) -> SnapshotFilePath:
        return SnapshotFilePath(self.pure / f"{tx_offset:020}.snapshot_bsatn")

    def objects(self) -> SnapshotObjectsPath:
        return SnapshotObjectsPath(self.pure / "objects")

    def rename_invalid(self) -> None:
        """Move the snapshot out of the readers' way, for somebody to look at."""
        self.path.rename(self.path.with_suffix(".invalid_snapshot"))


class SnapshotsPath(TypedDir):
    __slots__ = ()

    def snapshot_dir(self, tx_offset: int) -> SnapshotDirPath:
        return SnapshotDirPath(self.pure / f"{tx_offset:020}.snapshot_dir")

    def archived_snapshot_dir(self, tx_offset: int) -> ArchivedSnapshotDirPath:
        return ArchivedSnapshotDirPath(self.pure / f"{tx_offset:020}.archived_snapshot")


class SegmentFile(TypedFile):
    """A segment of the commit log, named by the offset of its first transaction."""

    __slots__ = ()


class OffsetIndexFile(TypedFile):
    """The index of a segment: transaction offsets to file positions."""

    __slots__ = ()


class CommitLogDir(TypedDir):
    __slots__ = ()

    def segment(self, offset: int) -> SegmentFile:
        return SegmentFile(self.pure / f"{offset:020}.stdb.log")

    def index(self, offset: int) -> OffsetIndexFile:
        return OffsetIndexFile(self.pure / f"{offset:020}.stdb.ofs")


class ReplicaDir(TypedDir):
    """The data of one database."""

    __slots__ = ()

    def commit_log(self) -> CommitLogDir:
        return CommitLogDir(self.pure / "clog")

    def module_logs(self) -> ModuleLogsDir:
        return ModuleLogsDir(self.pure / "module_logs")

    def snapshots(self) -> SnapshotsPath:
        return SnapshotsPath(self.pure / "snapshots")


class ServerDataDir(TypedDir):
    __slots__ = ()

    def config_toml(self) -> ConfigToml:
        return ConfigToml(self.pure / "config.toml")

    def metadata_toml(self) -> MetadataTomlPath:
        return MetadataTomlPath(self.pure / "metadata.toml")

    def logs(self) -> LogsDir:
        return LogsDir(self.pure / "logs")

    def wasmtime_cache(self) -> WasmtimeCacheDir:
        return WasmtimeCacheDir(self.pure / "cache" / "wasmtime")

    def control_db(self) -> ControlDbDir:
        return ControlDbDir(self.pure / "control-db")

    def program_bytes(self) -> ProgramBytesDir:
        return ProgramBytesDir(self.pure / "program-bytes")

    def replica(self, replica_id: int) -> ReplicaDir:
        return ReplicaDir(self.pure / "replicas" / str(replica_id))

    def pid_file(self) -> PurePath:
        """Lock and process id; take it with `spacetimedb_paths.pidfile.PidFile.take`."""
        return self.pure / "spacetime.pid"
