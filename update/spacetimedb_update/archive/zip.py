"""Reading `.zip` archives that nobody vouches for."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from spacetimedb_update.archive.members import ArchiveReader, BadArchive, Member

DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class ZipReader:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def members(self) -> Iterator[tuple[Member, IO[bytes] | None]]:
        try:
            for info in self._archive.infolist():
                member = _member(info)
                if member.kind == "directory":
                    yield member, None
                else:
                    with self._archive.open(info) as content:
                        yield member, content
        except DAMAGE as error:
            raise BadArchive(f"it is damaged or cut off ({error})") from None


@contextmanager
def open_zip(file: IO[bytes], byte_limit: int) -> Iterator[ArchiveReader]:
    """A zip archive; its sizes are bounded member by member. Raises `BadArchive`."""
    try:
        archive = zipfile.ZipFile(file)
    except DAMAGE as error:
        raise BadArchive(f"it is no zip file, or cut off ({error})") from None
    with archive:
        yield ZipReader(archive)


def _member(info: zipfile.ZipInfo) -> Member:
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadArchive(f"`{info.filename}` is neither a file nor a folder")
    if info.is_dir():
        return Member(info.filename, "directory")
    return Member(info.filename, "file", info.file_size, bool(mode & 0o100))
