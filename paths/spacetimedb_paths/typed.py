"""What all typed paths share: a directory and a file, each a thin wrapper round a path.

A typed path promises nothing about what exists; it says what the path *is for*. It can be made from
any path, shows and serialises as the plain path, and works wherever an `os.PathLike` does.

Kinds of paths add no field, so they inherit what the dataclass decorator makes for `TypedPath`: to decorate each of
them again would take half a millisecond of every program's start. Paths are equal, or in order, within one kind only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PureWindowsPath
from typing import IO, Any

from spacetimedb_paths.atomic import write_atomically


@dataclass(frozen=True, order=True, slots=True)
class TypedPath:
    """A path with a meaning. `pure` may be of another system's notation; `path` is for access."""

    pure: PurePath

    @property
    def path(self) -> Path:
        return Path(self.pure)

    def __fspath__(self) -> str:
        return str(self.pure)

    def __str__(self) -> str:
        return str(self.pure)

    def display(self) -> str:
        return str(self.pure)

    def metadata(self) -> os.stat_result:
        """The file system's record of what the path points to. Raises `FileNotFoundError`."""
        return self.path.stat()

    def exists(self) -> bool:
        return self.path.exists()

    def executable(self, name: str) -> PurePath:
        """The program `name` below this path, with the suffix its notation asks for."""
        suffix = ".exe" if isinstance(self.pure, PureWindowsPath) else ""
        return self.pure / f"{name}{suffix}"


class TypedDir(TypedPath):
    """A path that is meant for a directory."""

    __slots__ = ()

    def create(self) -> None:
        """Make it and its parents; one that exists is fine."""
        self.path.mkdir(parents=True, exist_ok=True)

    def read_dir(self) -> Iterator[Path]:
        """Its entries in no particular order."""
        return self.path.iterdir()

    def is_dir(self) -> bool:
        return self.path.is_dir()


class TypedFile(TypedPath):
    """A path that is meant for a file."""

    __slots__ = ()

    def read(self) -> bytes:
        return self.path.read_bytes()

    def read_to_string(self) -> str:
        """Its content as UTF-8."""
        return self.path.read_text(encoding="utf-8")

    def write(self, data: bytes | str) -> None:
        """Replace the file atomically (`write_atomically`); parents are made."""
        write_atomically(self.path, data.encode() if isinstance(data, str) else data)

    def open_file(self, mode: str = "rb") -> IO[Any]:
        """Open it; parents are made first."""
        self.create_parent()
        return self.path.open(mode)

    def create_parent(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
