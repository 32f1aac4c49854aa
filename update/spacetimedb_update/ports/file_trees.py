"""What is made of several file operations: replacing a file safely, removing and syncing whole trees."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from spacetimedb_update.ports.files import Files, Kind

CHUNK_BYTES = 1 << 20
TEMPORARY = ".new"


def read_bytes(files: Files, path: Path) -> bytes:
    with files.open_read(path) as file:
        return file.read()


def read_or_none(files: Files, path: Path) -> bytes | None:
    """The content of a file, None where there is none."""
    try:
        return read_bytes(files, path)
    except FileNotFoundError:
        return None


def replace_file(files: Files, path: Path, data: bytes, like_before: bool = False) -> None:
    """Make `path` hold `data`: after a crash it holds the old content or the new. Its folder is made.

    `like_before`: it keeps the permissions that it has.
    """
    files.make_directory(path.parent)
    temporary = path.with_name(path.name + TEMPORARY)
    if files.kind(temporary) is not None:
        files.remove_file(temporary)
    try:
        with files.open_new(temporary) as file:
            file.write(data)
            files.sync(file)
        if like_before and files.kind(path) is not None:
            files.copy_mode(path, temporary)
        files.rename(temporary, path)
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
    files.sync_directory(path.parent)


def sha256_of(files: Files, path: Path) -> str:
    digest = hashlib.sha256()
    with files.open_read(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def remove_if_there(files: Files, path: Path) -> None:
    """Remove a file or link; nothing there is fine."""
    if files.kind(path) is not None:
        files.remove_file(path)


def remove_tree(files: Files, path: Path) -> None:
    """Remove whatever is at `path`, links as links; nothing there is fine."""
    kind = files.kind(path)
    if kind is None:
        return
    if kind != "directory":
        remove_entry(files, path)
        return
    if not files.may_write(path):
        files.allow_changes(path)
    for name in files.names(path):
        remove_tree(files, path / name)
    files.remove_directory(path)


def remove_entry(files: Files, path: Path) -> None:
    """Remove a file or a link; a junction goes the way of an empty folder, its target stays."""
    try:
        files.remove_file(path)
    except (PermissionError, IsADirectoryError):
        if files.kind(path) != "link":
            raise
        files.remove_directory(path)


def walk(files: Files, top: Path, below: str = "") -> Iterator[tuple[str, Kind]]:
    """Everything below `top` but folders: paths relative to it with `/`, sorted within each folder."""
    for name in files.names(top / below if below else top):
        relative = f"{below}/{name}" if below else name
        kind = files.kind(top / relative)
        if kind == "directory":
            yield from walk(files, top, relative)
        elif kind is not None:
            yield relative, kind


def directories(files: Files, top: Path) -> Iterator[Path]:
    """`top` and all folders below it, inner ones first."""
    for name in files.names(top):
        if files.kind(top / name) == "directory":
            yield from directories(files, top / name)
    yield top


def tree_bytes(files: Files, top: Path) -> int:
    """The size of all files below `top`; 0 where nothing is."""
    return sum(files.size(top / path) for path, kind in walk(files, top) if kind == "file")
