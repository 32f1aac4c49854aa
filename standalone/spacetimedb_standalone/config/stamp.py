"""Whether this server may open a data directory: the rules about the version in `metadata.toml`.

A directory of the same major and of no later minor version is fine, as is one of version 1; another edition
or another version is refused, and the stamp is never lowered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from spacetimedb_paths.metadata import MetadataFile
from spacetimedb_paths.server import MetadataTomlPath
from spacetimedb_standalone.config.readers import ConfigError

EDITION: Final = "standalone"

_VERSION: Final = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?"
)


@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version; `build` takes no part in comparisons."""

    major: int
    minor: int
    patch: int
    pre: str = ""
    build: str = ""

    @classmethod
    def parse(cls, text: str) -> Version:
        """Raises `ValueError` for text that is no semantic version."""
        match = _VERSION.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no version such as 2.10.0")
        return cls(int(match[1]), int(match[2]), int(match[3]), match[4] or "", match[5] or "")

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.patch}"
        return text + (f"-{self.pre}" if self.pre else "") + (f"+{self.build}" if self.build else "")

    def shown(self) -> str:
        """The form used in the error about incompatible versions."""
        parts = f"major: {self.major}, minor: {self.minor}, patch: {self.patch}"
        parts += f', pre: Prerelease("{self.pre}")' if self.pre else ""
        parts += f', build: BuildMetadata("{self.build}")' if self.build else ""
        return f"Version {{ {parts} }}"

    def order(self) -> tuple[int, int, int, bool, list[tuple[bool, int, str]]]:
        """A sort key: a release follows its pre-releases; numbers come before words among their parts."""
        parts = [
            (not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in self.pre.split(".")
        ]
        return self.major, self.minor, self.patch, not self.pre, parts if self.pre else []


def stamp_data_dir(path: MetadataTomlPath, running: Version) -> None:
    """Check the stamp at `path` against the running version and renew it.

    Raises `ConfigError` if the directory is not for this server, `MetadataError` if the file cannot be read.
    """
    found = MetadataFile.read(path)
    if found is None:
        MetadataFile(str(running), EDITION).write(path)
        return
    if found.edition != EDITION:
        raise ConfigError(
            f"metadata.toml at {path} indicates that this database is from a different edition of "
            f'SpacetimeDB (running "{EDITION}", but this database is "{found.edition}")'
        )
    try:
        on_disk = Version.parse(found.version)
    except ValueError as error:
        raise ConfigError(f"invalid version in {path}: {error}") from error
    check_compatible(on_disk, running)
    newest = max(on_disk, running, key=Version.order)
    MetadataFile(str(newest), EDITION, found.client_connection_id).write(path)


def check_compatible(on_disk: Version, running: Version) -> None:
    """Raises `ConfigError` if a server of version `running` must not open data of version `on_disk`."""
    if on_disk.order() == running.order() or (on_disk.major == 1 and running.major == 2):
        return
    if on_disk.major == running.major and running.minor >= on_disk.minor and not running.pre:
        return
    if on_disk.order() > running.order():
        relation = "a newer, incompatible"
    elif on_disk.order() < running.order():
        relation = "an older, incompatible"
    else:
        relation = "an incompatible"
    raise ConfigError(
        f"metadata.toml indicates that you are running {relation} database. "
        f"Your running version is {running.shown()}, but the database on disk is from {on_disk.shown()}."
    )
