"""Mending what an interrupted run left, before the next change begins.

A run can be stopped between any two operations. What can then be there:

* files in staging, downloads that broke off, temporary links: swept (downloads are kept, to go on);
* a damaged version moved to the trash and its successor not yet in place: moved back;
* a version moved to the trash for good: deleted;
* on Windows, no `current`, since a junction cannot be replaced: set to what the journal names; and no
  `spacetime`, since a running program cannot be replaced: the old one gets its name back;
* a backup half put back: finished;
* a backup half made (it has no `backup.json`): deleted.
"""

from __future__ import annotations

import json
from pathlib import Path

from spacetimedb_update.changes.journal import Journal, read_journal
from spacetimedb_update.host import Host
from spacetimedb_update.installation.formats import data_version
from spacetimedb_update.installation.links import bring_back_command, remove_temporaries, select_version
from spacetimedb_update.installation.site import Site
from spacetimedb_update.installation.survey import ABOUT_BACKUP, BACKUP_DATA
from spacetimedb_update.ports.file_trees import TEMPORARY, read_or_none, remove_if_there, remove_tree
from spacetimedb_update.ports.files import Files

REPLACES = ("install", "upgrade")
SELECTS = ("use", "upgrade", "rollback", "install", "link")
ASIDE_PREFIX = "replaced-"
METADATA_TOML = "metadata.toml"


def recover(site: Site, host: Host) -> Journal | None:
    """Mend and sweep; returns the journal of the interrupted run, if there was one. Needs the lock."""
    journal = read_journal(site, host)
    if journal is not None:
        _finish_put_back(site, host, journal)
        _bring_back_displaced(site, host, journal)
        _restore_current(site, host, journal)
    bring_back_command(site, host.files)
    sweep(site, host)
    _sweep_backups(site, host)
    host.crash_points.reached("recovered")
    return journal


def sweep(site: Site, host: Host) -> None:
    """Delete staging, trash and temporary names."""
    files = host.files
    for folder in (site.staging, site.trash):
        for name in files.names(folder):
            remove_tree(files, folder / name)
    remove_temporaries(site, files)
    for name in files.names(site.update_dir):
        if name.endswith(TEMPORARY):
            remove_if_there(files, site.update_dir / name)


def _bring_back_displaced(site: Site, host: Host, journal: Journal) -> None:
    displaced = site.trash / journal.version
    if journal.operation not in REPLACES or not journal.version or host.files.kind(displaced) is None:
        return
    if host.files.kind(site.version_dir(journal.version)) is None:
        host.files.rename(displaced, site.version_dir(journal.version))


def _restore_current(site: Site, host: Host, journal: Journal) -> None:
    if not site.windows or journal.operation not in SELECTS or host.files.kind(site.current) is not None:
        return
    if host.files.kind(site.version_dir(journal.version)) is not None:
        select_version(site, host, journal.version)


def _finish_put_back(site: Site, host: Host, journal: Journal) -> None:
    """Names that were exchanged are told from names that were not by the version inside the data."""
    if journal.backup is None or journal.aside is None:
        return
    files, folder = host.files, site.backups / journal.backup
    backup, aside = folder / BACKUP_DATA, site.backups / journal.aside / BACKUP_DATA
    if files.kind(backup) is None:
        return
    if files.kind(site.data_dir) is None:
        files.rename(backup, site.data_dir)
    elif _written_by(files, backup) != _announced(files, folder):
        files.make_directory(aside.parent)
        files.rename(backup, aside)


def _written_by(files: Files, data: Path) -> str | None:
    return data_version(files, data / METADATA_TOML)


def _announced(files: Files, folder: Path) -> str | None:
    try:
        written_by: str = json.loads(read_or_none(files, folder / ABOUT_BACKUP) or b"{}")["written_by"]
    except (ValueError, LookupError, TypeError):
        return None
    return written_by


def _sweep_backups(site: Site, host: Host) -> None:
    """A backup is whole with its data and `backup.json`. What was set aside is swept only if it is empty."""
    files = host.files
    for name in files.names(site.backups):
        folder = site.backups / name
        has_data = files.kind(folder / BACKUP_DATA) is not None
        if not has_data or not (name.startswith(ASIDE_PREFIX) or files.kind(folder / ABOUT_BACKUP)):
            remove_tree(files, folder)
