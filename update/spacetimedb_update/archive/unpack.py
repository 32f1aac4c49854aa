"""Unpacking a release into a staging folder, file by file against the signed list."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from spacetimedb_update.archive.members import BadArchive, Gate, Member
from spacetimedb_update.archive.tar import DAMAGE as TAR_DAMAGE
from spacetimedb_update.archive.tar import HEADER_BYTES, open_tar
from spacetimedb_update.archive.zip import DAMAGE as ZIP_DAMAGE
from spacetimedb_update.archive.zip import open_zip
from spacetimedb_update.ports.files import Files
from spacetimedb_update.releases.file_list import FileList, ListedFile, differences

CHUNK_BYTES = 1 << 18
DAMAGE = (*TAR_DAMAGE, *ZIP_DAMAGE)


def unpack(
    files: Files,
    archive: Path,
    destination: Path,
    wanted: FileList,
    fold_case: bool,
    unpacked: Callable[[str], None] = lambda path: None,
) -> None:
    """Write the content of `archive` below the new folder `destination`.

    It must be exactly what `wanted` lists; `unpacked` is told of each path. Raises `BadArchive`, and
    whatever the file system refuses; what is then in `destination` is the caller's to sweep.
    """
    limit = wanted.total_bytes
    # A folder has no place in the list, but each listed file accounts for the folders above it.
    entries = sum(1 + path.count("/") for path in wanted.files)
    gate = Gate(entries + 1, limit, fold_case)
    open_archive = open_zip if archive.name.endswith(".zip") else open_tar
    found: dict[str, ListedFile] = {}
    files.make_directory(destination)
    with (
        files.open_read(archive) as file,
        open_archive(file, limit + (entries + 16) * HEADER_BYTES) as reader,
    ):
        for member, content in reader.members():
            if member.path in (".", "./"):
                continue
            path = gate.admit(member)
            if member.kind == "directory":
                files.make_directory(destination / path)
            else:
                _check_listed(path, member, wanted)
                found[path] = _write(files, destination / path, member, content)
                unpacked(path)
    wrong = differences(wanted.files, found)
    if wrong:
        raise BadArchive(f"it does not hold what was signed: {_some(wrong)}")


def _check_listed(path: str, member: Member, wanted: FileList) -> None:
    """Before anything is written: what is not on the list, or has another size, is not wanted."""
    listed = wanted.files.get(path)
    if listed is None:
        raise BadArchive(f"`{path}` is not on the signed list")
    if listed.link is None and member.size != listed.size:
        raise BadArchive(f"`{path}` has {member.size} bytes instead of {listed.size}")


def _write(files: Files, path: Path, member: Member, content: IO[bytes] | None) -> ListedFile:
    files.make_directory(path.parent)
    if member.kind == "link":
        files.make_link(path, member.link)
        return ListedFile(link=member.link)
    assert content is not None
    digest = hashlib.sha256()
    written = 0
    with files.open_new(path, member.executable) as file:
        for chunk in _chunks(content):
            written += len(chunk)
            if written > member.size:
                raise BadArchive(f"`{member.path}` is longer than announced")
            digest.update(chunk)
            file.write(chunk)
    if written != member.size:
        raise BadArchive(f"`{member.path}` is cut off")
    return ListedFile(digest.hexdigest(), written, member.executable)


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    try:
        while chunk := content.read(CHUNK_BYTES):
            yield chunk
    except DAMAGE as error:
        raise BadArchive(f"it is damaged or cut off ({error})") from None


def _some(lines: list[str]) -> str:
    more = f", and {len(lines) - 5} more" if len(lines) > 5 else ""
    return ", ".join(lines[:5]) + more
