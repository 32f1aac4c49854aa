"""`spacetime version bundle export`: a release as one file."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from spacetimedb_update.bundles.write import write_bundle
from spacetimedb_update.commands.run import Run
from spacetimedb_update.errors import UserError
from spacetimedb_update.ports.file_trees import remove_tree
from spacetimedb_update.ports.files import Files
from spacetimedb_update.ports.machine import archive_name
from spacetimedb_update.releases.catalogue import Artifact
from spacetimedb_update.releases.repository import Releases


def run(run: Run, arguments: Namespace) -> int:
    path = run.absolute(arguments.file)
    files = run.host.files
    _check_place(files, path)
    with run.change("spacetime version bundle export"):
        releases = run.releases()
        catalogue = releases.catalogue(run.host.clock.now())
        version = str(catalogue.latest())
        if arguments.version is not None:
            version = arguments.parser.parse_version(arguments.version)
        targets = arguments.target or [run.host.machine.triple]
        is_default = arguments.target is None
        artifacts = [catalogue.artifact(version, archive_name(target), is_default) for target in targets]
        folder = run.site.downloads / "bundle"
        remove_tree(files, folder)
        files.make_directory(folder)
        try:
            found = [pair for artifact in artifacts for pair in _download(run, releases, artifact)]
            write_bundle(files, path, catalogue.trusted, found)
        finally:
            remove_tree(files, folder)
    run.host.terminal.err(f"v{version} for {', '.join(targets)} is in {path}")
    return 0


def _check_place(files: Files, path: Path) -> None:
    """Before anything is downloaded. Raises `UserError` where the file cannot be made."""
    if files.kind(path) == "directory":
        raise UserError(f"{path} is a folder: name the file to write, such as {path / 'spacetime.bundle'}")
    if files.kind(path.parent) is None:
        raise UserError(f"there is no folder {path.parent} to write {path.name} into: make it first")


def _download(run: Run, releases: Releases, artifact: Artifact) -> list[tuple[str, Path]]:
    found = []
    for wanted in (artifact.archive, artifact.file_list):
        place = run.site.downloads / "bundle" / wanted.sha256
        with run.host.terminal.progress(f"downloading {wanted.name}", wanted.size) as progress:
            releases.download(wanted, place, run.host.files, progress)
        found.append((wanted.name, place))
    return found
