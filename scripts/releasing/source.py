"""The source of a release: the files of one commit, never what happens to lie about in a work tree."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from scripts.releasing.archive import extract_tar
from scripts.releasing.commands import BuildError, Run

VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
ASSIGNED = re.compile(r'^((?:VERSION(?:: \w+)?|version) = )"([^"]+)"$', re.MULTILINE)
VERSION_FILES = (
    "pyproject.toml",
    "cli/spacetimedb_cli/version.py",
    "standalone/spacetimedb_standalone/version.py",
    "update/spacetimedb_update/version.py",
)


@dataclass(frozen=True, slots=True)
class Source:
    """An exported commit: its files in `path`, its full hash, its time in seconds since 1970."""

    path: Path
    commit: str
    epoch: int
    version: str


def export(repository: Path, revision: str, into: Path, run: Run, rename_to: str | None = None) -> Source:
    """Put the files of `revision` into the empty folder `into`.

    `rename_to` gives the programs another version: for rehearsing an upgrade. Raises `BuildError`.
    """
    commit = run(["git", "-C", repository, "rev-parse", "--verify", f"{revision}^{{commit}}"]).strip()
    epoch = int(run(["git", "-C", repository, "show", "--no-patch", "--format=%ct", commit]))
    packed = into.with_name(f"{into.name}.tar")
    run(["git", "-C", repository, "archive", "--format=tar", f"--output={packed}", commit])
    into.mkdir(parents=True)
    extract_tar(packed, into)
    packed.unlink()
    version = read_version(into)
    if rename_to is not None:
        rename(into, rename_to)
        version = rename_to
    return Source(into, commit, epoch, version)


def uncommitted(repository: Path, run: Run) -> list[str]:
    """Changed files of the work tree that a release will not have; new files are not counted."""
    status = run(["git", "-C", repository, "status", "--porcelain", "--untracked-files=no"])
    return [line[3:] for line in status.splitlines()]


def read_version(source: Path) -> str:
    """The version in the build file, which all programs must report as well. Raises `BuildError`."""
    version: str = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]
    for name in VERSION_FILES:
        if (found := _assigned(source / name)) != version:
            raise BuildError(f"{name} says version {found}, pyproject.toml says {version}: make them agree")
    return version


def rename(source: Path, version: str) -> None:
    """Make every program in an exported source report `version`. Raises `BuildError`."""
    if not VERSION.fullmatch(version):
        raise BuildError(f"{version!r} is no version: write three numbers, as in 2.10.1")
    for name in VERSION_FILES:
        path = source / name
        text = path.read_text(encoding="utf-8")
        path.write_text(ASSIGNED.sub(rf'\g<1>"{version}"', text, count=1), encoding="utf-8")
    read_version(source)


def _assigned(path: Path) -> str:
    found = ASSIGNED.search(path.read_text(encoding="utf-8"))
    if found is None:
        raise BuildError(f"{path.name} does not assign a version")
    return found[2]
