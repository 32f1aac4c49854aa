"""The offset index of a segment against its commits, while somebody else walks through them."""

from __future__ import annotations

import struct
from pathlib import Path

from spacetimedb_standalone.commitlog.offset_index import index_path
from spacetimedb_standalone.ports import Files

_ENTRY = struct.Struct("<QQ")


class IndexCheck:
    """`bad` are the entries so far that point at no commit of their transaction: (file, position, transaction)."""

    def __init__(self, path: Path, entries: list[tuple[int, int]]) -> None:
        self._path = path
        self._entries = entries
        self._number = 0
        self.bad: list[tuple[Path, int, int]] = []

    @classmethod
    def open(cls, files: Files, segment: Path) -> IndexCheck:
        """All entries of a segment's index, as they stand there; none without a file."""
        path = index_path(segment)
        try:
            file = files.open(path)
        except FileNotFoundError:
            return cls(path, [])
        try:
            data = file.read_at(0, file.size())
        finally:
            file.close()
        entries: list[tuple[int, int]] = []
        for offset, position in _ENTRY.iter_unpack(data[: len(data) // _ENTRY.size * _ENTRY.size]):
            if offset == 0:
                break
            entries.append((offset, position))
        return cls(path, entries)

    @property
    def count(self) -> int:
        return len(self._entries)

    def passed(self, position: int, offset: int) -> None:
        """There is a whole commit of this transaction at this position; all before it were told of."""
        while self._number < len(self._entries):
            wanted, at = self._entries[self._number]
            if at > position:
                return
            if (at, wanted) != (position, offset):
                self._note(wanted)
            self._number += 1

    def ended(self) -> None:
        """There are no more commits."""
        while self._number < len(self._entries):
            self._note(self._entries[self._number][0])
            self._number += 1

    def _note(self, transaction: int) -> None:
        self.bad.append((self._path, self._number * _ENTRY.size, transaction))
