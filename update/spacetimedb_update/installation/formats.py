"""Which version of the server can open which data directory.

The rule of the server for `metadata.toml`, repeated here because a rollback must know it in advance.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from spacetimedb_update.errors import UserError
from spacetimedb_update.ports.file_trees import read_or_none
from spacetimedb_update.ports.files import Files
from spacetimedb_update.proxy.semver import version_or_none


def can_open(running: str, written_by: str) -> bool:
    """Can the server of one version open data that was last written by another?

    The same version can; a stable version with the same major number and a minor number that is not
    smaller can; a version 2 can open data of version 1. A name that is no version (`dev`) is taken on trust.
    """
    mine, theirs = version_or_none(running), version_or_none(written_by)
    if mine is None or theirs is None or mine == theirs:
        return True
    (major, minor, _), (data_major, data_minor, _) = mine.numbers, theirs.numbers
    if (major, data_major) == (2, 1):
        return True
    if mine.is_prerelease or major != data_major:
        return False
    return minor == data_minor if major == 0 else minor >= data_minor


def data_version(files: Files, metadata_toml: Path) -> str | None:
    """The version that last wrote a data directory, None where there is no data.

    Raises `UserError` for a file that does not say.
    """
    data = read_or_none(files, metadata_toml)
    if data is None:
        return None
    try:
        version = tomllib.loads(data.decode())["version"]
    except (ValueError, KeyError):
        version = None
    if not isinstance(version, str):
        raise UserError(f"{metadata_toml} does not tell which version wrote it: restore it from a backup")
    return version
