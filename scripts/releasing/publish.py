"""Putting a release into a release repository: archives, signatures, and installers that know their hashes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from scripts.releasing.commands import BuildError
from spacetimedb_update.errors import UserError
from spacetimedb_update.proxy.semver import Version
from spacetimedb_update.publish import KeyRing, Policy, ReleasedArchive, ReleaseRepository
from spacetimedb_update.releases.layout import ARCHIVE_SUFFIXES

INSTALLERS = ("install.sh", "install.ps1")
RELEASES, BASE = "@RELEASES@", "@BASE@"
SAFE_BASE = re.compile(r"[A-Za-z0-9:/._~%+@=-]*")
TRIPLE = re.compile(r"spacetime-(.+?)(?:\.tar\.gz|\.zip)")


@dataclass(frozen=True, slots=True)
class Publisher:
    """A repository folder, who signs for it, and the URL at which it will be found (empty if that is open)."""

    repository: ReleaseRepository
    keys: KeyRing
    scripts: Path
    url: str = ""

    @classmethod
    def open(cls, folder: Path, keys: Path, policy: Path | None, scripts: Path, url: str) -> Publisher:
        """Open a repository; an empty folder becomes one. Raises `BuildError`."""
        if not SAFE_BASE.fullmatch(url):
            raise BuildError(f"{url!r} cannot be the address of a repository: write it percent-encoded")
        try:
            rules = Policy.from_toml(policy.read_text(encoding="utf-8")) if policy else Policy.default()
            return cls(ReleaseRepository(folder, rules), KeyRing.load(keys), scripts, url)
        except (UserError, OSError) as error:
            raise BuildError(str(error)) from error

    def root_metadata(self, now: datetime) -> bytes:
        """What a release shall trust; a repository that does not exist yet is made. Raises `BuildError`."""
        try:
            if not (self.repository.folder / "metadata").exists():
                self.repository.create(self.keys, now)
            return self.repository.root_metadata()
        except (UserError, OSError) as error:
            raise BuildError(str(error)) from error

    def publish(
        self, version: str, archive: Path, target: str, glibc: str | None, now: datetime
    ) -> list[Path]:
        """Add an archive to a release and write the installers anew; these. Raises `BuildError`."""
        try:
            self.repository.add(version, [ReleasedArchive(archive, target, glibc)], self.keys, now)
        except (UserError, OSError) as error:
            raise BuildError(str(error)) from error
        return self.write_installers()

    def renew(self, now: datetime) -> str | None:
        """Sign again what would expire; what is to be done by hand besides. Raises `BuildError`."""
        try:
            return self.repository.renew(self.keys, now)
        except (UserError, OSError) as error:
            raise BuildError(str(error)) from error

    def write_installers(self) -> list[Path]:
        """The installer scripts with every release of the repository filled in."""
        table = release_table(newest_targets(self.repository.folder))
        written = []
        for name in INSTALLERS:
            text = (self.scripts / name).read_text(encoding="utf-8")
            path = self.repository.folder / name
            path.write_text(text.replace(RELEASES, table).replace(BASE, self.url), encoding="utf-8")
            written.append(path)
        return written


def make_keys(folder: Path, policy: Path | None) -> None:
    """Make a new set of keys. Raises `BuildError`, also where keys are already."""
    try:
        rules = Policy.from_toml(policy.read_text(encoding="utf-8")) if policy else Policy.default()
        KeyRing.create(folder, rules)
    except (UserError, OSError) as error:
        raise BuildError(str(error)) from error


def newest_targets(repository: Path) -> dict[str, Any]:
    """The signed list of the repository's files: by path, with `hashes`, `length` and `custom`."""
    found = sorted(
        (repository / "metadata").glob("*.targets.json"), key=lambda path: int(path.name.split(".")[0])
    )
    targets: dict[str, Any] = json.loads(found[-1].read_bytes())["signed"]["targets"]
    return targets


def release_table(targets: dict[str, Any]) -> str:
    """`VERSION TARGET SHA256 GLIBC` a line, the newest release first."""
    rows = []
    for path, entry in targets.items():
        version, _, name = path.partition("/")
        if name.endswith(ARCHIVE_SUFFIXES) and (found := TRIPLE.fullmatch(name)):
            glibc = entry.get("custom", {}).get("glibc") or "-"
            rows.append((Version(version), f"{version} {found[1]} {entry['hashes']['sha256']} {glibc}"))
    rows.sort(key=lambda row: row[1])
    rows.sort(key=lambda row: row[0], reverse=True)
    return "\n".join(line for _, line in rows)
