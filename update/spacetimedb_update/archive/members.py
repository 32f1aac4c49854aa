"""What may be in an archive, decided before a byte of it is written.

Nothing leads out of the folder it is unpacked into: no absolute path, no `..`, no link that points
outside, no file behind a link of the archive. Nothing stands in for something else: no name twice (on
systems that ignore case: not twice in any case), no devices, no hard links, no special permissions.
Nothing grows without end: the number of entries and the sum of their sizes are bounded, and a member
must have the size it was announced with.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Literal, Protocol

from spacetimedb_update.errors import RepositoryError

MemberKind = Literal["file", "directory", "link"]

MAX_ENTRIES = 50_000
MAX_TOTAL_BYTES = 4 << 30
MAX_PATH_BYTES = 512

_RESERVED_ON_WINDOWS = frozenset(
    ["con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))]
)


class BadArchive(RepositoryError):
    """The archive is damaged or malicious; nothing of it stays."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"the archive is refused: {detail}; nothing was installed, use another mirror")


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of an archive: its path as it is written there, its size in bytes, a link's text."""

    path: str
    kind: MemberKind
    size: int = 0
    executable: bool = False
    link: str = ""


class ArchiveReader(Protocol):
    """An open archive: its members in order, each with its content while it is the current one."""

    def members(self) -> Iterator[tuple[Member, IO[bytes] | None]]:
        """Raises `BadArchive` for damage and for kinds of entries that no release has."""
        ...


@dataclass(slots=True)
class Gate:
    """Lets members pass one by one and keeps count. `fold_case`: names differing in case are the same."""

    max_entries: int = MAX_ENTRIES
    max_bytes: int = MAX_TOTAL_BYTES
    fold_case: bool = False
    _entries: int = 0
    _bytes: int = 0
    _seen: dict[str, MemberKind] = field(default_factory=dict)

    def admit(self, member: Member) -> str:
        """The clean relative path of a member. Raises `BadArchive` for one that must not be unpacked."""
        self._entries += 1
        self._bytes += member.size
        if self._entries > self.max_entries:
            raise BadArchive(f"it has more than the {self.max_entries} entries it should have")
        if self._bytes > self.max_bytes:
            raise BadArchive(f"it unpacks to more than the {self.max_bytes} bytes it should have")
        path = clean_path(member.path)
        self._check_place(path, member.kind)
        if member.kind == "link":
            check_link(path, member.link)
        return path

    def _check_place(self, path: str, kind: MemberKind) -> None:
        key = path.casefold() if self.fold_case else path
        before = self._seen.get(key)
        if before is not None and not (before == kind == "directory"):
            raise BadArchive(f"`{path}` is in it twice")
        parent = key
        while parent := posixpath.dirname(parent):
            if self._seen.get(parent, "directory") != "directory":
                raise BadArchive(f"`{path}` lies below a link or a file")
            self._seen[parent] = "directory"
        self._seen[key] = kind


def clean_path(path: str) -> str:
    """A member's path without `./` and a trailing `/`. Raises `BadArchive` if it could lead outside."""
    shown = ascii(path)
    if not path or len(path.encode("utf-8", "surrogateescape")) > MAX_PATH_BYTES:
        raise BadArchive(f"the name {shown[:80]} is empty or too long")
    if path.startswith("/") or "\\" in path or ":" in path:
        raise BadArchive(f"the name {shown} is absolute or not portable")
    if any(ord(character) < 32 or "\ud800" <= character <= "\udfff" for character in path):
        raise BadArchive(f"the name {shown} has control characters or is not UTF-8")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise BadArchive(f"the name {shown} leads outside")
    for part in parts:
        if part.endswith((" ", ".")) or part.partition(".")[0].lower() in _RESERVED_ON_WINDOWS:
            raise BadArchive(f"the name {shown} is not portable")
    return "/".join(parts)


def check_link(path: str, text: str) -> None:
    """A link may lead to something within the archive, by a relative path. Raises `BadArchive`."""
    if not text or text.startswith("/") or "\\" in text or ":" in text or "\0" in text:
        raise BadArchive(f"the link `{path}` leads to {text!a}, which is absolute or empty")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
    if target == ".." or target.startswith("../"):
        raise BadArchive(f"the link `{path}` leads outside, to {text!a}")
