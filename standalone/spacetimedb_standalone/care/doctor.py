"""`spacetimedb-standalone doctor`: everything in a data directory that has a checksum or a form, looked at.

Nothing is ever written, so it may run beside a server. What a server is writing at that moment may look torn, and
files may go while they are read; the report says that a server was running, and then such things are no damage.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath

from spacetimedb_paths.metadata import MetadataError, MetadataFile
from spacetimedb_paths.server import ServerDataDir
from spacetimedb_standalone.care.control_check import Served, check_control, check_programs
from spacetimedb_standalone.care.errors import CareError
from spacetimedb_standalone.care.findings import Findings
from spacetimedb_standalone.care.holders import holder
from spacetimedb_standalone.care.official import replica_directories
from spacetimedb_standalone.care.replica_check import check_replica
from spacetimedb_standalone.config.config_file import load_config
from spacetimedb_standalone.config.readers import ConfigError
from spacetimedb_standalone.config.stamp import EDITION, Version, check_compatible
from spacetimedb_standalone.ports.files import Files
from spacetimedb_standalone.ports.read_only import ReadOnlyFiles
from spacetimedb_standalone.version import VERSION


@dataclass(frozen=True, slots=True)
class Diagnosis:
    data_dir: Path
    server: str | None
    """The process id of the running server as text; None: none runs."""
    findings: Findings


def diagnose(data_dir: Path, *, replay: bool = False) -> Diagnosis:
    """Check a data directory. `replay`: also replay each log in memory.

    What cannot be read of one replica is a finding. Raises `CareError` if there is no data directory, and `OSError`
    if it or what belongs to all databases cannot be read.
    """
    place, findings = ServerDataDir(PurePath(data_dir)), Findings()
    if not data_dir.is_dir():
        raise CareError(f"there is no directory {data_dir}: say with --data-dir where the data is")
    if not (data_dir / "replicas").exists() and not place.metadata_toml().exists():
        raise CareError(f"{data_dir} is no data directory: it has neither metadata.toml nor replicas/")
    server = holder(Path(place.pid_file()))
    _check_stamp(place, findings)
    _check_settings(place, findings)
    _check_pid(place, server, findings)
    served = check_control(place, findings)
    check_programs(place, findings)
    _check_replicas(ReadOnlyFiles(), place, served, replay, server is not None, findings)
    return Diagnosis(data_dir, server, findings)


def _check_stamp(place: ServerDataDir, findings: Findings) -> None:
    path = place.metadata_toml().path
    try:
        found = MetadataFile.read(place.metadata_toml())
        if found is None:
            findings.warning(path, "it is missing", "the next start writes it with its own version")
            return
        findings.count("stamps")
        if found.edition != EDITION:
            raise ConfigError(f'it is of edition "{found.edition}", and this server is "{EDITION}"')
        check_compatible(Version.parse(found.version), Version.parse(VERSION))
    except MetadataError as error:
        findings.damage(path, str(error), "restore it from a backup")
    except (ConfigError, ValueError) as error:
        findings.warning(path, str(error), "start the server that wrote the directory")


def _check_settings(place: ServerDataDir, findings: Findings) -> None:
    path = place.config_toml().path
    if path.exists():
        findings.count("settings files")
        try:
            load_config(place.config_toml())
        except (ConfigError, UnicodeDecodeError) as error:
            findings.damage(path, str(error), "mend it, or delete it: then the defaults hold")


def _check_pid(place: ServerDataDir, server: str | None, findings: Findings) -> None:
    path = Path(place.pid_file())
    if server is not None:
        what = "a server is running on this directory"
        findings.note(path, what, "stop it to have judged as well what it is writing now")
    elif path.exists():
        text = path.read_bytes()[:40].decode("utf-8", "replace")
        what = f"left by process {text!r}, which did not end cleanly"
        findings.note(path, what, "the next start takes it over")


def _check_replicas(
    files: Files,
    place: ServerDataDir,
    served: list[Served] | None,
    replay: bool,
    running: bool,
    findings: Findings,
) -> None:
    owners = {entry.replica_id: entry for entry in served or ()}
    present = dict(replica_directories(place.path))
    for number, directory in present.items():
        owner = owners.get(number)
        if owner is None and served is not None:
            what = "no database has this replica: it was deleted, emptied or repaired, and its files stay"
            findings.note(directory, what, "delete the directory once nobody wants the data back")
        database = None if owner is None else owner.database
        findings.count("replicas")
        try:
            check_replica(files, place.replica(number), database, replay=replay, findings=findings)
        except FileNotFoundError as error:
            if not running:
                raise
            what = f"{error.filename} went away while it was looked at"
            findings.note(directory, what, "check again")
        except OSError as error:
            path = Path(error.filename) if isinstance(error.filename, str) else directory
            what = f"it cannot be read: {error.strerror or error}; the rest of this replica was not checked"
            findings.damage(
                path, what, "let the disk be checked, or restore it from a backup; then check again"
            )
    for number, owner in owners.items():
        if number not in present:
            what = f"it is missing, and database {owner.database.identity} has its data there"
            advice = "restore it from a backup; a server that was started with --in-memory has none"
            findings.warning(Path(place.replica(number)), what, advice)
