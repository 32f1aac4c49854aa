"""`self-uninstall`: everything goes but what is the user's own, unless told."""

from __future__ import annotations

from argparse import Namespace
from contextlib import suppress
from pathlib import Path

from spacetimedb_update.changes.lock import locked
from spacetimedb_update.commands.run import Run
from spacetimedb_update.errors import UserError
from spacetimedb_update.installation.links import remove_retired
from spacetimedb_update.installation.survey import running_server
from spacetimedb_update.ports.file_trees import remove_if_there, remove_tree
from spacetimedb_update.selfinstall.record import InstallRecord
from spacetimedb_update.selfinstall.search_path import RegistryPath, remove_from, remove_from_user_path

KEYS = ("id_ecdsa", "id_ecdsa.pub")
"""Without these the databases' owners are nobody: they belong to the data."""


def run(run: Run, arguments: Namespace) -> int:
    for line in announcement(run, arguments.data):
        run.host.terminal.err(line)
    server = running_server(run.site, run.host)
    if server is not None:
        raise UserError(f"a server (process {server.pid}) is running: stop it, then run the command again")
    if not arguments.yes and not run.host.terminal.confirm("Remove all of this?"):
        run.host.terminal.err("Nothing was removed.")
        return 1
    with locked(run.site, run.host, "spacetime self-uninstall"):
        _remove_traces(run)
        _remove_configuration(run, arguments.data)
        if arguments.data:
            remove_tree(run.host.files, run.site.data_dir)
        _remove_command(run)
        remove_tree(run.host.files, run.site.bin_dir)
    _remove_records(run, arguments.data)
    _remove_empty_folders(run)
    run.host.terminal.err("SpacetimeDB is removed.")
    return 0


def announcement(run: Run, with_data: bool) -> list[str]:
    site = run.site
    lines = [
        "This removes:",
        f"\tthe command {site.command}",
        f"\tall versions in {site.bin_dir}",
        f"\tthe version manager's records in {site.update_dir}",
        f"\tthe configuration in {site.config_dir}",
        "\tshell completions, and what was added to start-up files",
    ]
    if with_data:
        return [*lines, f"\tALL DATABASES in {site.data_dir}, their backups and keys"]
    return [
        *lines,
        f"It keeps the databases in {site.data_dir}, their backups and keys (--data removes them too).",
    ]


def _remove_traces(run: Run) -> None:
    """What the installer put outside of its own folders."""
    files = run.host.files
    record = InstallRecord.read(files, run.site.self_install_record)
    for path in record.completions:
        remove_if_there(files, Path(path))
    for path in record.start_up_files:
        remove_from(files, Path(path))
    if record.user_path:
        remove_from_user_path(RegistryPath(), Path(record.user_path))


def _remove_configuration(run: Run, with_keys: bool) -> None:
    files, folder = run.host.files, run.site.config_dir
    for name in files.names(folder):
        if with_keys or name not in KEYS:
            remove_tree(files, folder / name)


def _remove_command(run: Run) -> None:
    if run.site.windows:  # it is what runs now: Windows lets it be renamed, not removed
        run.host.files.rename(run.site.command, run.site.command.with_name(f"{run.site.command.name}.old0"))
        remove_retired(run.site, run.host.files)
    else:
        remove_if_there(run.host.files, run.site.command)


def _remove_records(run: Run, with_backups: bool) -> None:
    """Last, since the lock lies there."""
    files, site = run.host.files, run.site
    keeps_backups = not with_backups and bool(files.names(site.backups))
    for name in files.names(site.update_dir):
        if not (keeps_backups and site.update_dir / name == site.backups):
            remove_tree(files, site.update_dir / name)


def _remove_empty_folders(run: Run) -> None:
    files, site = run.host.files, run.site
    candidates = [
        site.command.parent / "completions",
        site.backups,
        site.update_dir,
        site.config_dir,
        site.data_dir,
    ]
    for folder in (*candidates, site.bin_dir.parent):
        if files.kind(folder) == "directory" and not files.names(folder):
            with suppress(OSError):  # one that cannot go, such as a mount point, does no harm
                files.remove_directory(folder)
