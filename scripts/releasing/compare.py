"""What differs between two builds of the same commit."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path


def differences(first: Path, second: Path) -> list[str]:
    """A line for each member that is not the same in both archives; empty if their bytes are equal."""
    if first.read_bytes() == second.read_bytes():
        return []
    left, right = dict(_contents(first)), dict(_contents(second))
    lines = [_told(name, left.get(name), right.get(name)) for name in sorted(left.keys() | right.keys())]
    found = [line for line in lines if line]
    return found or ["the members are equal, but not the way they are packed"]


def _told(name: str, left: tuple[int, str] | None, right: tuple[int, str] | None) -> str:
    if left is None or right is None:
        return f"{name}: only in the {'second' if left is None else 'first'} build"
    if left[0] != right[0]:
        return f"{name}: mode {left[0]:o}, then {right[0]:o}"
    return f"{name}: other content" if left != right else ""


def _contents(archive: Path) -> Iterator[tuple[str, tuple[int, str]]]:
    """Each member's name, mode and digest."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                yield entry.filename, (entry.external_attr >> 16, _digest(packed.read(entry)))
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member)
            yield member.name, (member.mode, _digest(file.read() if file is not None else b""))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
