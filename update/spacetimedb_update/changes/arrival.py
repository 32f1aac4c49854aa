"""Bringing a release in: downloaded, unpacked beside, checked, and only then given its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spacetimedb_update.archive.program_format import HEAD_BYTES, suits
from spacetimedb_update.archive.unpack import unpack as unpack_archive
from spacetimedb_update.errors import RepositoryError
from spacetimedb_update.host import Host
from spacetimedb_update.installation.site import FILES_JSON, PROGRAMS, RECEIPT, TARGETS_JSON, Site
from spacetimedb_update.ports.file_trees import directories, read_bytes, remove_tree, replace_file, walk
from spacetimedb_update.releases.catalogue import Artifact
from spacetimedb_update.releases.fetcher import Wanted
from spacetimedb_update.releases.file_list import FileList
from spacetimedb_update.releases.repository import Releases


@dataclass(frozen=True, slots=True)
class Supply:
    """Where releases come from: the repository, its signed metadata as bytes, and perhaps an archive at hand."""

    releases: Releases
    targets_document: bytes
    archive_at_hand: Path | None = None


class Arrival:
    """The way of a release from the repository into `bin/`."""

    def __init__(self, site: Site, host: Host, supply: Supply) -> None:
        self._site, self._host, self._supply = site, host, supply

    def _archive(self, artifact: Artifact) -> Path:
        return self._site.downloads / f"{artifact.archive.sha256}-{artifact.file_name}"

    def _list(self, artifact: Artifact) -> Path:
        return self._site.downloads / f"{artifact.file_list.sha256}.files.json"

    def download(self, artifact: Artifact) -> None:
        """Get the archive and its list of files, or what is missing of them."""
        self._host.files.make_directory(self._site.downloads)
        self._get(artifact.file_list, self._list(artifact), f"v{artifact.version}: list of files")
        self._take_archive_at_hand(artifact)
        self._get(
            artifact.archive, self._archive(artifact), f"Installing v{artifact.version}: downloading..."
        )
        self._host.crash_points.reached("fetched")

    def _get(self, wanted: Wanted, destination: Path, label: str) -> None:
        with self._host.terminal.progress(label, wanted.size) as show:

            def progress(done: int) -> None:
                show(done)
                self._host.crash_points.reached("fetching")

            self._supply.releases.download(wanted, destination, self._host.files, progress)

    def _take_archive_at_hand(self, artifact: Artifact) -> None:
        """Start the download with what somebody has got already; its hash is checked like any other's."""
        at_hand, archive = self._supply.archive_at_hand, self._archive(artifact)
        files = self._host.files
        if at_hand is None or files.kind(archive) is not None or files.size(at_hand) != artifact.archive.size:
            return
        files.copy(at_hand, archive)

    def unpack(self, artifact: Artifact) -> None:
        """Unpack into staging, with the receipt that `verify` goes by, and bring all of it to the disk."""
        files, staged = self._host.files, self._site.staging / artifact.version
        remove_tree(files, staged)
        list_bytes = read_bytes(files, self._list(artifact))
        wanted = FileList.from_json(list_bytes)
        if (wanted.version, wanted.target) != (artifact.version, artifact.target):
            raise RepositoryError(
                f"the list of files is for {wanted.version} on {wanted.target}, not for {artifact.version} on "
                f"{artifact.target}: use another mirror"
            )
        unpack_archive(
            files,
            self._archive(artifact),
            staged,
            wanted,
            fold_case=self._host.machine.platform.system != "linux",
            unpacked=lambda path: self._host.crash_points.reached("unpacking"),
        )
        self._check_programs(staged, artifact)
        files.make_directory(staged / RECEIPT)
        replace_file(files, staged / RECEIPT / FILES_JSON, list_bytes)
        replace_file(files, staged / RECEIPT / TARGETS_JSON, self._supply.targets_document)
        self._host.crash_points.reached("unpacked")
        self._sync(staged)
        self._host.crash_points.reached("synced")

    def _check_programs(self, staged: Path, artifact: Artifact) -> None:
        """What was unpacked must be a version, and one for this machine."""
        for name in PROGRAMS:
            file_name = self._site.program("", name).name
            if not self._host.files.is_executable(staged / file_name):
                raise RepositoryError(
                    f"{artifact.file_name} has no program {file_name}: it is no release of SpacetimeDB"
                )
            with self._host.files.open_read(staged / file_name) as file:
                if not suits(file.read(HEAD_BYTES), self._host.machine.triple):
                    raise RepositoryError(
                        f"{file_name} in {artifact.file_name} was built for another machine than this "
                        f"({self._host.machine.triple}): nothing was installed"
                    )

    def _sync(self, tree: Path) -> None:
        """A release has thousands of files; each asked for alone, the disk takes five times as long."""
        files = self._host.files
        files.begin_sync()
        for path, kind in walk(files, tree):
            if kind == "file":
                with files.open_append(tree / path) as file:
                    files.sync(file)
        for folder in directories(files, tree):
            files.sync_directory(folder)

    def place(self, version: str, displaces: bool) -> None:
        """Give the staged version its name; a damaged one that has it goes to the trash first."""
        files, destination = self._host.files, self._site.version_dir(version)
        files.make_directory(self._site.bin_dir)
        if displaces:
            files.make_directory(self._site.trash)
            remove_tree(files, self._site.trash / version)
            files.rename(destination, self._site.trash / version)
            self._host.crash_points.reached("displaced")
        files.rename(self._site.staging / version, destination)
        files.sync_directory(self._site.bin_dir)
        self._host.crash_points.reached("placed")
