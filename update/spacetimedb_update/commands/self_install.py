"""`spacetime-install` and `self-install`: from one program to a whole installation."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from spacetimedb_update.changes import plans
from spacetimedb_update.changes.arrival import Supply
from spacetimedb_update.commands.run import Run
from spacetimedb_update.errors import HostError
from spacetimedb_update.releases.repository import Releases
from spacetimedb_update.selfinstall.completions import completion_files
from spacetimedb_update.selfinstall.record import InstallRecord
from spacetimedb_update.selfinstall.search_path import (
    RegistryPath,
    add_to_user_path,
    advice,
    is_on_path,
    start_up_files,
)

DOCS = "https://spacetimedb.com/docs/"


def run(run: Run, arguments: Namespace) -> int:
    version: str | None = arguments.version
    if version is not None:
        version = arguments.parser.parse_version(version)
    terminal = run.host.terminal
    root: str | None = arguments.install_root or arguments.root_dir
    for line in announcement(run, root):
        terminal.err(line)
    if not arguments.yes and not terminal.confirm("Would you like to continue?", default=True):
        terminal.err("Exiting.")
        return 1
    if (reason := run.host.machine.unsupported()) is not None:
        raise HostError(reason)
    with run.change("spacetime-install"):
        _install(run, arguments, version)
        _make_folders(run)
        record = InstallRecord.read(run.host.files, run.site.self_install_record)
        if not arguments.no_completions:
            record = record.including(_write_completions(run, root is not None))
        if arguments.modify_path:
            record = record.including(_modify_path(run))
        record.write(run.host.files, run.site.self_install_record)
    _say_goodbye(run, arguments.modify_path)
    return 0


def announcement(run: Run, root: str | None) -> list[str]:
    """Where everything will go."""
    start = "The SpacetimeDB command line tool will now be installed"
    paths = run.site.paths
    if root is None and run.site.windows:
        shared = paths.to_root_dir()
        root = str(shared) if shared is not None else None
    if root is not None:
        return [f"{start} into {root}"]
    return [
        f"{start}:",
        f"\tCLI configuration directory: {paths.cli_config_dir}",
        f"\t`spacetime` binary: {paths.cli_bin_file}",
        f"\tdirectory for installed SpacetimeDB versions: {paths.cli_bin_dir}",
        f"\tdatabase directory: {paths.data_dir}",
    ]


def _make_folders(run: Run) -> None:
    site = run.site
    for folder in (site.config_dir, site.data_dir):
        run.host.files.make_directory(folder)


def _install(run: Run, arguments: Namespace, version: str | None) -> None:
    releases = _releases(run, arguments)
    catalogue = releases.catalogue(run.host.clock.now())
    if version is None:
        run.host.terminal.err("Downloading latest version...")
        version = _version_in_bundle(run, arguments) or str(catalogue.latest())
    there = run.survey()
    artifact = run.artifact(catalogue, version)
    plan = plans.upgrade(there, artifact, run.is_damaged(there, version), with_backup=True)
    archive = Path(run.absolute(arguments.archive)) if arguments.archive else None
    run.execute(plan, Supply(releases, catalogue.trusted.documents["targets"], archive))


def _releases(run: Run, arguments: Namespace) -> Releases:
    if arguments.bundle is None:
        return run.releases()
    from spacetimedb_update.bundles.net import BundleNet
    from spacetimedb_update.commands.bundle_install import releases_in

    net = BundleNet.open(run.absolute(arguments.bundle), run.host.files)
    return releases_in(run, net, arguments.allow_expired)


def _version_in_bundle(run: Run, arguments: Namespace) -> str | None:
    if arguments.bundle is None:
        return None
    from spacetimedb_update.bundles.net import BundleNet
    from spacetimedb_update.commands.bundle_install import version_in

    return version_in(BundleNet.open(run.absolute(arguments.bundle), run.host.files))


def _write_completions(run: Run, in_root: bool) -> InstallRecord:
    from spacetimedb_update.ports.file_trees import replace_file

    platform = run.host.machine.platform
    home = Path(platform.home) if platform.home is not None else None
    found = completion_files(run.site, run.host.environment, home, in_root)
    for path, text in found.items():
        replace_file(run.host.files, path, text.encode())
    return InstallRecord(completions=tuple(map(str, found)))


def _modify_path(run: Run) -> InstallRecord:
    folder = run.site.command.parent.absolute()
    if run.site.windows:
        add_to_user_path(RegistryPath(), folder)
        return InstallRecord(user_path=str(folder))
    home = run.host.machine.platform.home
    if home is None:
        raise HostError("PATH cannot be modified without a home directory: set HOME")
    changed = start_up_files(folder, run.host.environment, Path(home))
    for file in changed:
        file.add(run.host.files)
        run.host.terminal.err(f"{file.path} now puts {folder} on PATH; it counts in new shells.")
    return InstallRecord(start_up_files=tuple(str(file.path) for file in changed))


def _say_goodbye(run: Run, path_was_modified: bool) -> None:
    terminal, command = run.host.terminal, run.site.command
    terminal.err(f"The `spacetime` command has been installed as {command}")
    terminal.err("")
    folder = command.parent.absolute()
    if not path_was_modified and not is_on_path(folder, run.host.environment, run.site.windows):
        for line in advice(folder, run.site.windows):
            terminal.err(line)
        terminal.err("")
    terminal.err("The install process is complete; check out our quickstart guide to get started!")
    terminal.err(f"\t<{DOCS}>")
