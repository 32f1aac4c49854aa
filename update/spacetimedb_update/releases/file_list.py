"""The signed list of everything that a release's archive unpacks to.

JSON, format version 1::

    {"format": 1, "version": "2.10.0", "target": "x86_64-unknown-linux-gnu",
     "files": {"spacetimedb-cli": {"sha256": "…", "size": 123, "executable": true},
               "lib/libz.so": {"link": "libz.so.1"}}}

Paths are relative with `/`, sorted. `executable` is left out where it is false.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spacetimedb_update.errors import RepositoryError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file by SHA-256 (hex) and size in bytes, or a symbolic link by its text."""

    sha256: str = ""
    size: int = 0
    executable: bool = False
    link: str | None = None


@dataclass(frozen=True, slots=True)
class FileList:
    version: str
    target: str
    files: Mapping[str, ListedFile] = field(default_factory=dict)

    @property
    def total_bytes(self) -> int:
        return sum(file.size for file in self.files.values())

    def to_json(self) -> bytes:
        files = {path: _to_json(self.files[path]) for path in sorted(self.files)}
        table = {"format": FORMAT, "version": self.version, "target": self.target, "files": files}
        return (json.dumps(table, indent=1, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> FileList:
        """Raises `RepositoryError` for anything but this format."""
        try:
            table = json.loads(data)
            if table["format"] != FORMAT:
                raise RepositoryError(
                    f"the list of files has format {table['format']}, this program knows {FORMAT}: "
                    "upgrade it first (`spacetime version upgrade`)"
                )
            files = {str(path): _from_json(entry) for path, entry in table["files"].items()}
            return cls(str(table["version"]), str(table["target"]), files)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RepositoryError(f"the list of files is damaged ({error}): use another mirror") from None


def _to_json(file: ListedFile) -> dict[str, Any]:
    if file.link is not None:
        return {"link": file.link}
    entry: dict[str, Any] = {"sha256": file.sha256, "size": file.size}
    return {**entry, "executable": True} if file.executable else entry


def _from_json(entry: Mapping[str, Any]) -> ListedFile:
    if "link" in entry:
        return ListedFile(link=str(entry["link"]))
    return ListedFile(str(entry["sha256"]), int(entry["size"]), bool(entry.get("executable", False)))


def differences(
    wanted: Mapping[str, ListedFile], found: Mapping[str, ListedFile], modes: bool = True
) -> list[str]:
    """What is wrong with `found`, a line each, in the order of the paths; `modes`: compare `executable` too."""
    lines = []
    for path in sorted({*wanted, *found}):
        if path not in found:
            lines.append(f"{path} is missing")
        elif path not in wanted:
            lines.append(f"{path} does not belong there")
        else:
            lines += [f"{path} {text}" for text in _difference(wanted[path], found[path], modes)]
    return lines


def _difference(wanted: ListedFile, found: ListedFile, modes: bool) -> list[str]:
    if (wanted.link is None) != (found.link is None):
        return ["is a link" if wanted.link is None else "is no link"]
    if wanted.link is not None:
        return [] if wanted.link == found.link else [f"leads to {found.link} instead of {wanted.link}"]
    if wanted.size != found.size:
        return [f"has {found.size} bytes instead of {wanted.size}"]
    if wanted.sha256 != found.sha256:
        return ["has other content"]
    if modes and wanted.executable and not found.executable:
        return ["is not executable"]
    return []
