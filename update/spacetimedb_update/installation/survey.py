"""A look at an installation, as data: what every plan starts from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from spacetimedb_update.errors import UpdateError, disk_error
from spacetimedb_update.host import Host
from spacetimedb_update.installation.formats import can_open, data_version
from spacetimedb_update.installation.history import read_history
from spacetimedb_update.installation.links import command_version, current_name, link_text
from spacetimedb_update.installation.site import CLI, UPDATE, Site
from spacetimedb_update.ports.file_trees import read_or_none
from spacetimedb_update.ports.files import Files
from spacetimedb_update.proxy.names import CURRENT
from spacetimedb_update.proxy.semver import Version, version_or_none

ABOUT_BACKUP = "backup.json"
BACKUP_DATA = "data"
PID_DIGITS = 9
"""No system counts processes any higher; asked for a larger number, it only fails."""


@dataclass(frozen=True, slots=True)
class Installed:
    """One entry of `bin/`: a version, or a link (`link` is its text) to one elsewhere."""

    name: str
    link: str | None
    has_cli: bool
    has_update: bool
    is_release: bool


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of the data directory: `before` is the version it was made before an upgrade to."""

    name: str
    folder: Path
    taken: datetime
    written_by: str
    before: str

    @property
    def data(self) -> Path:
        return self.folder / BACKUP_DATA


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server on our data directory; `version` as far as its program's path tells."""

    pid: int
    version: str | None


@dataclass(frozen=True, slots=True)
class Installation:
    """What is there. `current` and `command` name versions that need not exist (`links`).

    `data_trouble` is why nobody can tell who wrote the data: only what depends on that fails by it.
    `has_whole_path`: `current` is a link by a whole path, as old installations have it.
    """

    versions: tuple[Installed, ...]
    current: str | None
    command: str | None
    history: tuple[str, ...]
    data_version: str | None
    backups: tuple[Backup, ...]
    server: RunningServer | None
    has_downloads: bool = False
    data_trouble: UpdateError | None = None
    has_whole_path: bool = False

    def find(self, name: str) -> Installed | None:
        return next((version for version in self.versions if version.name == name), None)

    def data_written_by(self) -> str | None:
        """The version that last wrote the data, None where there is none. Raises `data_trouble`."""
        if self.data_trouble is not None:
            raise self.data_trouble
        return self.data_version

    def previous(self) -> str | None:
        """The version that was selected before the current one, as far as it is still there."""
        for name in reversed(self.history):
            if name != self.current and self.find(name) is not None:
                return name
        return None

    def newest_backup(self, readable_by: str) -> Backup | None:
        fitting = [backup for backup in self.backups if can_open(readable_by, backup.written_by)]
        return max(fitting, key=lambda backup: backup.taken, default=None)


def survey(site: Site, host: Host) -> Installation:
    """Look at everything. Raises `OSError`."""
    files = host.files
    written_by, trouble = _data_version(files, site.paths.data_dir.metadata_toml().path)
    return Installation(
        installed_versions(site, files),
        current_name(site, files),
        command_version(site, files),
        read_history(files, site.history),
        written_by,
        backups(site, files),
        running_server(site, host),
        bool(files.names(site.downloads)),
        trouble,
        not site.windows and "/" in (link_text(files, site.current) or ""),
    )


def _data_version(files: Files, metadata_toml: Path) -> tuple[str | None, UpdateError | None]:
    try:
        return data_version(files, metadata_toml), None
    except UpdateError as error:
        return None, error
    except OSError as error:
        return None, disk_error(error)


def installed_versions(site: Site, files: Files) -> tuple[Installed, ...]:
    """Versions in descending order, then other names as the folder lists them."""
    found = [
        _installed(site, files, name)
        for name in files.names(site.bin_dir)
        if name != CURRENT
        and not name.startswith(".")
        and files.kind(site.bin_dir / name) in ("directory", "link")
    ]
    versions = [entry for entry in found if version_or_none(entry.name)]
    versions.sort(key=lambda entry: Version(entry.name), reverse=True)
    return (*versions, *(entry for entry in found if entry not in versions))


def _installed(site: Site, files: Files, name: str) -> Installed:
    folder = site.version_dir(name)
    text = files.link_text(folder) if files.kind(folder) == "link" else None
    return Installed(
        name,
        text,
        _is_program(files, site.program(name, CLI)),
        _is_program(files, site.program(name, UPDATE)),
        text is None and files.kind(site.receipt(name)) == "directory",
    )


def _is_program(files: Files, path: Path) -> bool:
    try:
        return files.is_executable(path)
    except OSError:  # a circle of links
        return False


def backups(site: Site, files: Files) -> tuple[Backup, ...]:
    """The backups that are whole: `backup.json` is written last. One that is damaged is left alone."""
    found = []
    for name in files.names(site.backups):
        folder = site.backups / name
        about = read_or_none(files, folder / ABOUT_BACKUP)
        if about is None or files.kind(folder / BACKUP_DATA) is None:
            continue
        try:
            table = json.loads(about)
            taken = datetime.fromisoformat(table["taken"]).astimezone(UTC)
            found.append(Backup(name, folder, taken, str(table["written_by"]), str(table["before"])))
        except (ValueError, LookupError, TypeError):
            continue
    return tuple(found)


def running_server(site: Site, host: Host) -> RunningServer | None:
    """The server that holds the data directory, None where none runs (a stale pid file is none)."""
    pid = pid_in_file(site, host.files)
    if pid is None or not host.processes.is_alive(pid):
        return None
    command = host.processes.command_of(pid)
    if command is not None and "spacetimedb" not in command:
        return None  # the number belongs to somebody else now
    return RunningServer(pid, _version_in(command or "", site))


def pid_in_file(site: Site, files: Files) -> int | None:
    """The process id in `spacetime.pid`, None where there is none, or the data is kept from us."""
    try:
        text = (read_or_none(files, Path(site.paths.data_dir.pid_file())) or b"").strip()
    except PermissionError:
        return None
    number = int(text) if text.isdigit() and len(text) <= PID_DIGITS else 0
    return number or None


def _version_in(command: str, site: Site) -> str | None:
    """The version whose folder a command line names."""
    folder = f"{site.bin_dir.resolve()}/".replace("\\", "/")
    _, found, rest = command.replace("\\", "/").partition(folder)
    name = rest.partition("/")[0]
    return name if found and version_or_none(name) else None
