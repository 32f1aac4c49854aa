"""The offset index of a segment against its commits, while somebody else walks through them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from spacetimedb_standalone.commitlog.offset_index import index_path
from spacetimedb_standalone.ports import Files

_ENTRY = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class BadEntry:
    """An entry that points at no commit of its transaction: where it stands, and what it says."""

    segment: Path
    index: Path
    position: int
    """Of the entry in the index."""
    transaction: int
    points_at: int


class IndexCheck:
    """`bad` are the bad entries so far."""

    def __init__(self, segment: Path, entries: list[tuple[int, int]]) -> None:
        self._segment = segment
        self._entries = entries
        self._number = 0
        self.bad: list[BadEntry] = []

    @classmethod
    def open(cls, files: Files, segment: Path) -> IndexCheck:
        """All entries of a segment's index, as they stand there; none without a file."""
        try:
            file = files.open(index_path(segment))
        except FileNotFoundError:
            return cls(segment, [])
        try:
            data = file.read_at(0, file.size())
        finally:
            file.close()
        entries: list[tuple[int, int]] = []
        for offset, position in _ENTRY.iter_unpack(data[: len(data) // _ENTRY.size * _ENTRY.size]):
            if offset == 0:
                break
            entries.append((offset, position))
        return cls(segment, entries)

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
                self._note(wanted, at)
            self._number += 1

    def proves(self, position: int, transaction: int) -> int | None:
        """The last transaction that was durable, by this index, at or behind a position where `transaction` is due.

        None if it knows of none, or is wrong elsewhere as well, and so proves nothing.
        """
        known = self._entries[self._number :]
        ascending = all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(known))
        if not known or self.bad or not ascending or known[0][0] < transaction or known[0][1] < position:
            return None
        return known[-1][0]

    def ended(self) -> None:
        """There are no more commits."""
        while self._number < len(self._entries):
            self._note(*self._entries[self._number])
            self._number += 1

    def _note(self, transaction: int, points_at: int) -> None:
        position = self._number * _ENTRY.size
        self.bad.append(BadEntry(self._segment, index_path(self._segment), position, transaction, points_at))
