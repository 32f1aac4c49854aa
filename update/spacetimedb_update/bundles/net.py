"""A bundle in the place of the network: the same client verifies it the same way."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from spacetimedb_update.errors import RepositoryError
from spacetimedb_update.ports.files import Files
from spacetimedb_update.ports.net import CHUNK_BYTES, Answer, NetError, NotFound

BASE = "bundle:"
MAX_MEMBERS = 1000


@dataclass(frozen=True, slots=True)
class BundleNet:
    """The members of a bundle as `bundle:/{name}`; nothing is unpacked, each is read where it lies."""

    path: Path
    files: Files
    index: dict[str, tuple[int, int]]

    @classmethod
    def open(cls, path: Path, files: Files) -> BundleNet:
        """Read the table of contents. Raises `RepositoryError` for what is no bundle, or cut off."""
        index: dict[str, tuple[int, int]] = {}
        try:
            with files.open_read(path) as file, tarfile.open(fileobj=file, mode="r:") as archive:
                for member in archive:
                    if not member.isreg() or len(index) >= MAX_MEMBERS:
                        raise RepositoryError(
                            f"{path} is no bundle: `spacetime version bundle export` makes them"
                        )
                    index[member.name] = (member.offset_data, member.size)
        except (tarfile.TarError, EOFError, ValueError) as error:
            raise RepositoryError(
                f"{path} is no bundle, or cut off ({error}): copy it again from where it was made"
            ) from None
        return cls(path, files, index)

    def names(self) -> list[str]:
        return sorted(self.index)

    def get(self, url: str, start: int = 0) -> AbstractContextManager[Answer]:
        return self._read(url, start)

    @contextmanager
    def _read(self, url: str, start: int) -> Iterator[Answer]:
        name = unquote(url.removeprefix(BASE).lstrip("/"))
        if name not in self.index:
            raise NotFound(f"{name} in {self.path}")
        offset, size = self.index[name]
        with self.files.open_read(self.path) as file:
            file.seek(offset + start)
            yield Answer(start, self._chunks(file, size - start, name))

    def _chunks(self, file: IO[bytes], left: int, name: str) -> Iterator[bytes]:
        while left > 0:
            chunk = file.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise NetError(f"{self.path} is cut off in {name}: copy it again", may_pass=False)
            left -= len(chunk)
            yield chunk
