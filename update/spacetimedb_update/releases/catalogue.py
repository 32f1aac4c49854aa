"""The releases that trusted metadata lists, and the files of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacetimedb_update.errors import RepositoryError, UserError
from spacetimedb_update.proxy.semver import Version, version_or_none
from spacetimedb_update.releases.fetcher import Wanted
from spacetimedb_update.releases.layout import (
    ARCHIVE_SUFFIXES,
    FILE_LIST_SUFFIX,
    target_path,
    version_of,
)

if TYPE_CHECKING:
    from spacetimedb_update.releases.trusted import Trusted
    from spacetimedb_update.releases.tuf_roles import TargetFile

NO_BINARIES = "no prebuilt binaries available for the detected OS and architecture"


@dataclass(frozen=True, slots=True)
class Artifact:
    """An archive of a release, as signed.

    `target` is the machine it is for, `glibc` the oldest it runs with (empty: none is needed),
    `unpacked_bytes` the size of its content.
    """

    version: str
    archive: Wanted
    file_list: Wanted
    target: str
    unpacked_bytes: int
    glibc: str

    @property
    def file_name(self) -> str:
        return self.archive.name.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Catalogue:
    trusted: Trusted

    def versions(self) -> list[Version]:
        """All releases, the newest first."""
        texts = {version_of(path) for path in self.trusted.targets.targets}
        return sorted(filter(None, map(version_or_none, texts)), reverse=True)

    def latest(self) -> Version:
        """The newest release; a pre-release only where there is nothing else. Raises `UserError`."""
        versions = self.versions()
        if not versions:
            raise UserError("the release repository holds no releases yet: try again later")
        return next((version for version in versions if not version.is_prerelease), versions[0])

    def artifact(self, version: str, name: str, is_default: bool = True) -> Artifact:
        """The archive `name` of a release. Raises `UserError` where there is no such thing.

        `is_default`: the name was made from this machine's target, nobody asked for it.
        """
        if not name.endswith(ARCHIVE_SUFFIXES):
            raise UserError("Unknown archive type: use a name that ends in .tar.gz or .zip")
        if version not in {str(known) for known in self.versions()}:
            raise UserError(
                f"No release found for version {version}: `spacetime version list --all` shows what there is"
            )
        targets = self.trusted.targets.targets
        archive = targets.get(target_path(version, name))
        listed = targets.get(target_path(version, name + FILE_LIST_SUFFIX))
        if archive is None or listed is None:
            released = ", ".join(
                sorted(path.rpartition("/")[2] for path in targets if _is_archive(path, version))
            )
            missing = UserError(f"artifact named {name} not found in version {version}")
            missing.__cause__ = UserError(f"{version} was released as {released}")
            if is_default:
                raise UserError(f"{NO_BINARIES}: install from source with pip instead") from missing
            raise missing
        return _artifact(version, archive, listed)

    def artifacts(self, version: str) -> Iterator[Artifact]:
        """All archives of a release."""
        for path in sorted(self.trusted.targets.targets):
            if _is_archive(path, version):
                yield self.artifact(version, path.rpartition("/")[2], is_default=False)


def _is_archive(path: str, version: str) -> bool:
    return version_of(path) == version and path.endswith(ARCHIVE_SUFFIXES)


def _artifact(version: str, archive: TargetFile, listed: TargetFile) -> Artifact:
    custom: dict[str, Any] = archive.custom or {}
    return Artifact(
        version,
        _wanted(archive),
        _wanted(listed),
        str(custom.get("target", "")),
        int(custom.get("unpacked", 0)),
        str(custom.get("glibc") or ""),
    )


def _wanted(target: TargetFile) -> Wanted:
    sha256 = target.hashes.get("sha256")
    if sha256 is None:
        raise RepositoryError(f"{target.path} is signed without a SHA-256 hash: use another mirror")
    return Wanted(target.path, target.length, sha256)
