"""The link `{bin}/current`, which is the only record of the current version.

On Unix it is a symbolic link, on Windows an NTFS junction, because symbolic links need a privilege
there. `Links` is the port; the Windows rules are written against the few calls of `WindowsCalls`, so
that their order is tested on any system.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class LinkError(OSError):
    """A link that cannot be read or set; the text says why."""


class Links(Protocol):
    def target(self, link: Path) -> str | None:
        """The text of the link, or None where nothing is. Raises `LinkError` if it is not UTF-8."""
        ...

    def point(self, link: Path, target: Path) -> None:
        """Make `link` lead to `target`, replacing a link that is there. `target` need not exist.

        The link's text is relative where `target` lies in the link's own directory.
        """
        ...

    def is_link(self, path: Path) -> bool: ...


class UnixLinks:
    """Symbolic links."""

    def target(self, link: Path) -> str | None:
        return _read(link)

    def point(self, link: Path, target: Path) -> None:
        link.unlink(missing_ok=True)
        link.symlink_to(_relative(link, target))

    def is_link(self, path: Path) -> bool:
        return path.is_symlink()


def _create_junction(target: str, link: str) -> None:
    if sys.platform == "win32":
        import _winapi

        _winapi.CreateJunction(target, link)
    else:
        raise LinkError(f"cannot make the junction {link}: only Windows has junctions")


def _symlink_dir(target: str, link: Path) -> None:
    link.symlink_to(target, target_is_directory=True)


def _remove_directory_entry(link: Path) -> None:
    """A junction and a directory symlink go the way of an empty directory; their target stays."""
    try:
        link.rmdir()
    except NotADirectoryError:
        link.unlink()


@dataclass(frozen=True, slots=True)
class WindowsCalls:
    """The system calls behind `WindowsLinks`."""

    create_junction: Callable[[str, str], None] = _create_junction
    symlink_dir: Callable[[str, Path], None] = _symlink_dir
    remove: Callable[[Path], None] = _remove_directory_entry


@dataclass(frozen=True, slots=True)
class WindowsLinks:
    """Junctions, which hold an absolute path; a directory symlink where none can be made."""

    calls: WindowsCalls = WindowsCalls()

    def target(self, link: Path) -> str | None:
        text = _read(link)
        return text.removeprefix("\\\\?\\") if text else text

    def point(self, link: Path, target: Path) -> None:
        if os.path.lexists(link):
            self.calls.remove(link)
        try:
            self.calls.create_junction(str(target.absolute()), str(link))
        except OSError:
            self.calls.symlink_dir(_relative(link, target), link)

    def is_link(self, path: Path) -> bool:
        return path.is_symlink() or (os.path.lexists(path) and _is_junction(path))


def system_links() -> Links:
    """The links of the system this process runs on."""
    return WindowsLinks() if sys.platform == "win32" else UnixLinks()


def _is_junction(path: Path) -> bool:
    try:
        path.readlink()
    except OSError:
        return False
    return True


def _read(link: Path) -> str | None:
    try:
        text = str(link.readlink())
    except FileNotFoundError:
        return None
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:  # undecodable bytes came in as lone surrogates
        raise LinkError("not utf8") from error
    return text


def _relative(link: Path, target: Path) -> str:
    return str(target.relative_to(link.parent) if target.is_relative_to(link.parent) else target)
