"""A release repository as a folder: adding releases to it, and signing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from spacetimedb_update.errors import UserError
from spacetimedb_update.ports.file_trees import replace_file
from spacetimedb_update.ports.files import Files, RealFiles
from spacetimedb_update.proxy.semver import Version, version_or_none
from spacetimedb_update.publish.contents import list_archive
from spacetimedb_update.publish.keys import KeyRing
from spacetimedb_update.publish.policy import ROLES, Policy
from spacetimedb_update.releases.layout import (
    ARCHIVE_SUFFIXES,
    CHECKSUMS,
    FILE_LIST_SUFFIX,
    LATEST_VERSION,
    METADATA,
    TARGETS,
    target_path,
    version_of,
    versioned,
)
from spacetimedb_update.releases.tuf_roles import (
    Key,
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)


@dataclass(frozen=True, slots=True)
class ReleasedArchive:
    """An archive to publish under its own file name. `glibc`: the oldest it runs with, as in `2.35`."""

    path: Path
    target: str
    glibc: str | None = None


class ReleaseRepository:
    """The repository in `folder`. All times are in UTC and passed in."""

    def __init__(self, folder: Path, policy: Policy, files: Files | None = None) -> None:
        self.folder = folder
        self._policy = policy
        self._files = files or RealFiles()

    # --- what is there ---

    def root_metadata(self) -> bytes:
        """The newest root metadata: what clients are given as their anchor."""
        return (self._metadata / versioned("root", self._newest("root"))).read_bytes()

    def versions(self) -> list[Version]:
        """All releases, the newest first."""
        targets = self._load("targets").signed
        assert isinstance(targets, Targets)
        return sorted(filter(None, map(version_or_none, map(version_of, targets.targets))), reverse=True)

    # --- changing it ---

    def create(self, keys: KeyRing, now: datetime) -> None:
        """Make an empty repository. Raises `UserError` where one is."""
        if self._metadata.exists():
            raise UserError(f"{self.folder} holds a repository already")
        self._sign(self._new_root(keys, 1), keys, now)
        self._publish(Targets(), 1, keys, now)

    def add(self, version: str, archives: list[ReleasedArchive], keys: KeyRing, now: datetime) -> None:
        """Add a release, or archives of other targets to one. Raises `UserError` for a changed archive."""
        Version(version)
        targets = self._load("targets").signed
        assert isinstance(targets, Targets)
        for archive in archives:
            for path, data, custom in self._contents(version, archive):
                self._write_target(path, data)
                entry = TargetFile.from_data(path, data, ["sha256"])
                entry.unrecognized_fields["custom"] = custom
                targets.targets[path] = entry
        self._write_checksums(version, targets)
        self._publish(targets, targets.version + 1, keys, now)

    def renew(self, keys: KeyRing, now: datetime) -> str | None:
        """A new timestamp; what else has less than a third of its time left is signed anew as well.

        The keys of the root are often kept elsewhere: where too few are here, what is to be done about it
        is returned. Raises `UserError` where no repository is.
        """
        if not self._metadata.exists():
            raise UserError(f"there is no release repository in {self.folder}: publish a release there first")
        targets, snapshot = self._load("targets").signed, self._load("snapshot").signed
        assert isinstance(targets, Targets)
        assert isinstance(snapshot, Snapshot)
        if self._is_ending(targets, now):
            self._publish(targets, targets.version + 1, keys, now)
        elif self._is_ending(snapshot, now):
            self._publish_snapshot(snapshot.meta["targets.json"], keys, now)
        else:
            self._publish_timestamp(self._load_timestamp().snapshot_meta, keys, now)
        return self._renew_root(keys, now)

    def _renew_root(self, keys: KeyRing, now: datetime) -> str | None:
        root = self._load("root").signed
        assert isinstance(root, Root)
        if not self._is_ending(root, now):
            return None
        role = root.roles["root"]
        count = sum(signer.public_key.keyid in role.keyids for signer in keys.signers.get("root", []))
        if count < role.threshold:
            return (
                f"the root metadata expires on {root.expires:%Y-%m-%d}, and nobody trusts the repository any more "
                f"then: put {role.threshold} of its keys (root-1.pem …) into the key folder and renew once more"
            )
        root.version += 1
        self._sign(root, keys, now)
        return None

    def rotate(self, old: KeyRing, new: KeyRing, now: datetime) -> None:
        """Let other keys count from now on: a root signed by both, and everything signed by the new ones."""
        root = self._new_root(new, self._newest("root") + 1)
        self._sign(root, new, now, also=old)
        targets = self._load("targets").signed
        assert isinstance(targets, Targets)
        self._publish(targets, targets.version + 1, new, now)

    # --- targets ---

    def _contents(self, version: str, archive: ReleasedArchive) -> list[tuple[str, bytes, dict[str, Any]]]:
        name = archive.path.name
        if not name.endswith(ARCHIVE_SUFFIXES):
            raise UserError(f"{name} cannot be released: its name must end in .tar.gz or .zip")
        listed = list_archive(archive.path, version, archive.target)
        custom = {"target": archive.target, "unpacked": listed.total_bytes, "entries": len(listed.files)}
        if archive.glibc is not None:
            custom["glibc"] = archive.glibc
        path = target_path(version, name)
        return [
            (path, archive.path.read_bytes(), custom),
            (path + FILE_LIST_SUFFIX, listed.to_json(), {"target": archive.target}),
        ]

    def _write_target(self, path: str, data: bytes) -> None:
        place = self.folder / TARGETS / path
        if place.exists():
            if place.read_bytes() != data:
                raise UserError(
                    f"{path} was released with other content: a release never changes, raise the version"
                )
            return
        replace_file(self._files, place, data)

    def _write_checksums(self, version: str, targets: Targets) -> None:
        lines = [
            f"{target.hashes['sha256']}  {path.rpartition('/')[2]}\n"
            for path, target in sorted(targets.targets.items())
            if version_of(path) == version
        ]
        replace_file(self._files, self.folder / TARGETS / version / CHECKSUMS, "".join(lines).encode())

    def _write_latest(self) -> None:
        versions = self.versions()
        latest = next((version for version in versions if not version.is_prerelease), None)
        if latest := latest or next(iter(versions), None):
            replace_file(self._files, self.folder / LATEST_VERSION, f"{latest}\n".encode())

    # --- metadata ---

    @property
    def _metadata(self) -> Path:
        return self.folder / METADATA

    def _new_root(self, keys: KeyRing, version: int) -> Root:
        root = Root(version=version, consistent_snapshot=True)
        for role in ROLES:
            public: list[Key] = [signer.public_key for signer in keys.for_role(role)]
            for key in public:
                root.add_key(key, role)
            root.roles[role].threshold = self._policy[role].threshold
        return root

    def _publish(self, targets: Targets, version: int, keys: KeyRing, now: datetime) -> None:
        """Sign the targets, a snapshot of them and a timestamp of that."""
        targets.version = version
        self._sign(targets, keys, now)
        self._publish_snapshot(MetaFile(version), keys, now)
        self._write_latest()

    def _publish_snapshot(self, meta: MetaFile, keys: KeyRing, now: datetime) -> None:
        version = self._newest("snapshot") + 1
        self._sign(Snapshot(version=version, meta={"targets.json": meta}), keys, now)
        self._publish_timestamp(MetaFile(version), keys, now)

    def _publish_timestamp(self, meta: MetaFile, keys: KeyRing, now: datetime) -> None:
        before = self._load_timestamp().version if (self._metadata / "timestamp.json").exists() else 0
        self._sign(Timestamp(version=before + 1, snapshot_meta=meta), keys, now)

    def _sign(self, signed: Signed, keys: KeyRing, now: datetime, also: KeyRing | None = None) -> None:
        role = signed.type
        signed.expires = now.replace(microsecond=0) + self._policy[role].lifetime
        metadata: Metadata[Any] = Metadata(signed)
        for ring in (keys, also):
            for signer in ring.for_role(role) if ring is not None else []:
                metadata.sign(signer, append=True)
        name = "timestamp.json" if role == "timestamp" else versioned(role, signed.version)
        replace_file(self._files, self._metadata / name, metadata.to_bytes())

    def _newest(self, role: str) -> int:
        numbers = [int(path.name.split(".")[0]) for path in self._metadata.glob(f"*.{role}.json")]
        return max(numbers, default=0)

    def _load(self, role: str) -> Metadata[Any]:
        return Metadata.from_bytes((self._metadata / versioned(role, self._newest(role))).read_bytes())

    def _load_timestamp(self) -> Timestamp:
        signed = Metadata.from_bytes((self._metadata / "timestamp.json").read_bytes()).signed
        assert isinstance(signed, Timestamp)
        return signed

    def _is_ending(self, signed: Signed, now: datetime) -> bool:
        return signed.expires - now < self._policy[signed.type].lifetime / 3
