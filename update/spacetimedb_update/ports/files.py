"""The file system: the few operations that the version manager is made of.

Each method that changes something is one system call, or as near as may be, so that a test can let
every single one fail, or stop the process between any two.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

Kind = Literal["file", "directory", "link", "other"]
Obstacle = Literal["file system", "owner", "mode"]
"""It is mounted to be read only, it is somebody else's, or its own permissions say so."""


class Files(Protocol):
    """All methods raise `OSError` as the system does."""

    def kind(self, path: Path) -> Kind | None:
        """What stands at `path` itself (a link is not followed); None where nothing is."""
        ...

    def names(self, directory: Path) -> list[str]:
        """The entries of a folder, sorted; an empty list where it does not exist."""
        ...

    def open_read(self, path: Path) -> BinaryIO: ...

    def size(self, path: Path) -> int: ...

    def is_executable(self, path: Path) -> bool: ...

    def modified(self, path: Path) -> float:
        """When its content last changed, in seconds since 1970."""
        ...

    def may_write(self, directory: Path) -> bool: ...

    def obstacle(self, directory: Path) -> Obstacle:
        """What keeps us from changing a folder that we may not write."""
        ...

    def free_bytes(self, path: Path) -> int:
        """Space left on the file system that `path` is on, or would be on."""
        ...

    def link_text(self, link: Path) -> str:
        """What a symbolic link or junction leads to."""
        ...

    def make_directory(self, path: Path) -> None:
        """Make a folder and those above it; one that exists is fine."""
        ...

    def open_new(self, path: Path, executable: bool = False) -> BinaryIO:
        """A new, empty file. Raises `FileExistsError` where something is."""
        ...

    def open_append(self, path: Path) -> BinaryIO: ...

    def sync(self, file: BinaryIO) -> None:
        """Bring what was written to the disk."""
        ...

    def begin_sync(self) -> None:
        """Let the system write out all that it holds: syncing many files one by one afterwards costs little."""
        ...

    def sync_directory(self, path: Path) -> None:
        """Bring the names in a folder to the disk."""
        ...

    def rename(self, source: Path, destination: Path) -> None:
        """Move within one file system; a file or link at `destination` is replaced in the same instant."""
        ...

    def exchange(self, first: Path, second: Path) -> bool:
        """Let two names swap what they stand for, in one instant; False where the system cannot."""
        ...

    def make_link(self, link: Path, text: str) -> None:
        """A new symbolic link."""
        ...

    def make_junction(self, link: Path, target: Path) -> None:
        """A new NTFS junction, or a link to a folder where none can be made."""
        ...

    def copy(self, source: Path, destination: Path) -> None:
        """Content and permissions of one file into a new one, sharing blocks where the system can."""
        ...

    def copy_mode(self, source: Path, destination: Path) -> None:
        """Let a file be read, written and run by whom another one can be."""
        ...

    def remove_file(self, path: Path) -> None:
        """Remove a file or link."""
        ...

    def remove_directory(self, path: Path) -> None:
        """Remove an empty folder, or a junction."""
        ...

    def allow_changes(self, directory: Path) -> None:
        """Let the owner change what is in a folder."""
        ...


class RealFiles:
    """The file system of this machine."""

    def kind(self, path: Path) -> Kind | None:
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return None
        if os.path.islink(path) or _is_junction(path):  # noqa: PTH114  # `path` may be a junction
            return "link"
        formats: dict[int, Kind] = {0o100000: "file", 0o040000: "directory"}
        return formats.get(mode & 0o170000, "other")

    def names(self, directory: Path) -> list[str]:
        try:
            return sorted(os.listdir(directory))  # noqa: PTH208  # names, not paths
        except FileNotFoundError:
            return []

    def open_read(self, path: Path) -> BinaryIO:
        return path.open("rb")

    def size(self, path: Path) -> int:
        return path.stat().st_size

    def is_executable(self, path: Path) -> bool:
        return path.is_file() and os.access(path, os.X_OK)

    def modified(self, path: Path) -> float:
        return path.stat().st_mtime

    def may_write(self, directory: Path) -> bool:
        return os.access(directory, os.W_OK | os.X_OK)

    def obstacle(self, directory: Path) -> Obstacle:
        if sys.platform == "win32":
            return "mode"
        if os.statvfs(directory).f_flag & os.ST_RDONLY:
            return "file system"
        return "mode" if directory.stat().st_uid == os.getuid() else "owner"

    def free_bytes(self, path: Path) -> int:
        while not path.exists() and path != path.parent:
            path = path.parent
        return shutil.disk_usage(path).free

    def link_text(self, link: Path) -> str:
        return os.readlink(link).removeprefix("\\\\?\\")  # noqa: PTH115  # the text as it is

    def make_directory(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)

    def open_new(self, path: Path, executable: bool = False) -> BinaryIO:
        flags = (
            os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        )
        return os.fdopen(os.open(path, flags, 0o755 if executable else 0o644), "wb")

    def open_append(self, path: Path) -> BinaryIO:
        return path.open("ab")

    def sync(self, file: BinaryIO) -> None:
        file.flush()
        os.fsync(file.fileno())

    def begin_sync(self) -> None:
        if sys.platform != "win32":
            os.sync()

    def sync_directory(self, path: Path) -> None:
        if sys.platform == "win32":  # it offers no handle to sync a folder by
            return
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, source: Path, destination: Path) -> None:
        source.replace(destination)

    def exchange(self, first: Path, second: Path) -> bool:
        return sys.platform == "linux" and _exchange_on_linux(first, second)

    def make_link(self, link: Path, text: str) -> None:
        link.symlink_to(text)

    def make_junction(self, link: Path, target: Path) -> None:
        if sys.platform == "win32":
            import _winapi

            try:
                _winapi.CreateJunction(str(target.absolute()), str(link))
            except OSError:
                link.symlink_to(target.absolute(), target_is_directory=True)
        else:
            link.symlink_to(target.absolute(), target_is_directory=True)

    def copy(self, source: Path, destination: Path) -> None:
        with source.open("rb") as reader, destination.open("xb") as writer:
            if not _copy_in_kernel(reader.fileno(), writer.fileno()):
                shutil.copyfileobj(reader, writer, 1 << 20)
            writer.flush()
            os.fsync(writer.fileno())
        shutil.copystat(source, destination)

    def copy_mode(self, source: Path, destination: Path) -> None:
        shutil.copymode(source, destination)

    def remove_file(self, path: Path) -> None:
        path.unlink()

    def remove_directory(self, path: Path) -> None:
        path.rmdir()

    def allow_changes(self, directory: Path) -> None:
        directory.chmod(0o755)


def _is_junction(path: Path) -> bool:
    if sys.platform != "win32":
        return False
    try:
        path.readlink()
    except OSError:
        return False
    return True


def _exchange_on_linux(first: Path, second: Path) -> bool:
    """`renameat2` with RENAME_EXCHANGE; False for a C library, kernel or file system that does not know it."""
    import ctypes

    at_working_directory, exchange = -100, 2
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    result: int = rename(
        at_working_directory, os.fsencode(first), at_working_directory, os.fsencode(second), exchange
    )
    if result == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.EXDEV):
        return False
    raise OSError(number, os.strerror(number), str(first))


def _copy_in_kernel(source: int, destination: int) -> bool:
    """Copy the rest of a file without reading it here; False, with nothing written, where that is not to be had."""
    copy = getattr(os, "copy_file_range", None)
    if copy is None:
        return False
    written = 0
    while True:
        try:
            count: int = copy(source, destination, 1 << 30)
        except OSError:
            if written:
                raise
            return False
        if count == 0:
            return written > 0 or os.fstat(source).st_size == 0
        written += count
