"""Packing: an archive whose bytes depend on nothing but the files and one time.

Members are regular files only, sorted by their slashed paths, owned by nobody in particular, with the mode 0755 for
programs and libraries and 0644 for the rest.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from scripts.releasing.commands import BuildError

EXECUTABLE, PLAIN = 0o755, 0o644
OLDEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def members(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file below `folder` by its slashed path, sorted. Raises `BuildError` for anything but files."""
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise BuildError(f"{path} is neither file nor folder: archives hold nothing else")
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def mode_of(path: Path) -> int:
    return EXECUTABLE if path.stat().st_mode & 0o100 else PLAIN


def pack(folder: Path, archive: Path, epoch: int) -> None:
    """Pack every file below `folder` into `archive`, all with the time `epoch` (seconds since 1970)."""
    if archive.suffix == ".zip":
        _pack_zip(folder, archive, epoch)
    else:
        _pack_tar(folder, archive, epoch)


def extract_tar(archive: Path, folder: Path) -> None:
    """Unpack a tar file of our own making; Python before 3.11.4 knows no filter that it could be given."""
    with tarfile.open(archive) as packed:
        packed.extraction_filter = getattr(tarfile, "data_filter", None)
        packed.extractall(folder)


def _pack_tar(folder: Path, archive: Path, epoch: int) -> None:
    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, path in members(folder):
            data = path.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(data), mode_of(path), epoch
            tar.addfile(entry, io.BytesIO(data))


def _pack_zip(folder: Path, archive: Path, epoch: int) -> None:
    when = max(time.gmtime(epoch)[:6], OLDEST_ZIP_TIME)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, path in members(folder):
            entry = zipfile.ZipInfo(name, when)
            entry.create_system = 3
            entry.external_attr = (0o100000 | mode_of(path)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())
