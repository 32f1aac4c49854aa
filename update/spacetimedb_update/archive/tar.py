"""Reading `.tar.gz` archives that nobody vouches for."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from spacetimedb_update.archive.members import ArchiveReader, BadArchive, Member

HEADER_BYTES = 2048
"""What an entry takes in the archive besides its content, with an extended header and padding."""

MAX_READ_BYTES = 1 << 22
"""Longest piece that is decompressed at once; an extended header that wants more is an attack."""

DAMAGE = (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, UnicodeError, ValueError)


class BoundedStream(io.RawIOBase):
    """Decompressed bytes, up to a limit; tells its position and can only move forward."""

    def __init__(self, compressed: IO[bytes], limit: int) -> None:
        self._source = gzip.GzipFile(fileobj=compressed, mode="rb")
        self._limit = limit

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._source.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET or offset < self._source.tell():
            raise BadArchive("its entries are not in order")
        while (gap := offset - self._source.tell()) > 0:
            if not self.read(min(gap, MAX_READ_BYTES)):
                break
        return self._source.tell()

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_READ_BYTES:
            raise BadArchive("an extended header is far too long")
        data = self._source.read(size)
        if self._source.tell() > self._limit:
            raise BadArchive(f"it unpacks to more than the {self._limit} bytes it should have")
        return data

    def drain(self) -> None:
        """Read what is left, so that a stream cut off behind the last entry is noticed."""
        while self.read(MAX_READ_BYTES):
            continue


class TarReader:
    def __init__(self, archive: tarfile.TarFile, stream: BoundedStream) -> None:
        self._archive = archive
        self._stream = stream

    def members(self) -> Iterator[tuple[Member, IO[bytes] | None]]:
        try:
            while (info := self._archive.next()) is not None:
                self._archive.members = []  # type: ignore[attr-defined]  # it would remember all of them
                member = _member(info)
                yield member, self._archive.extractfile(info) if member.kind == "file" else None
            self._stream.drain()
        except DAMAGE as error:
            raise BadArchive(f"it is damaged or cut off ({error})") from None


@contextmanager
def open_tar(file: IO[bytes], byte_limit: int) -> Iterator[ArchiveReader]:
    """A gzipped tar archive whose stream may have at most `byte_limit` bytes. Raises `BadArchive`."""
    stream = BoundedStream(file, byte_limit)
    try:
        archive = tarfile.open(fileobj=stream, mode="r:", errorlevel=2)  # noqa: SIM115
    except DAMAGE as error:
        raise BadArchive(f"it is no gzipped tar file, or cut off ({error})") from None
    with archive:
        yield TarReader(archive, stream)


def _member(info: tarfile.TarInfo) -> Member:
    executable = bool(info.mode & 0o100)
    if info.isreg() and not info.issparse():
        return Member(info.name, "file", info.size, executable)
    if info.isdir():
        return Member(info.name, "directory")
    if info.issym():
        return Member(info.name, "link", link=info.linkname)
    raise BadArchive(f"`{info.name}` is neither a file, a folder nor a symbolic link")
