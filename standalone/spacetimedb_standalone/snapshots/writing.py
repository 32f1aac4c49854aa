"""Writing a snapshot into a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import zstandard

from spacetimedb_standalone.ports import File
from spacetimedb_standalone.snapshots.format import (
    End,
    Head,
    Kind,
    Packing,
    encode_frame,
    encode_preamble,
    encode_rows_header,
    first_digest,
    next_digest,
)

LEVEL = 1
"""Of compression: higher ones take several times the time and save a few percent on rows."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one table, one behind the other in BSATN."""

    table_id: int
    count: int
    rows: bytes


class SnapshotWriter:
    """Chunks at the end of an empty file: one head, pieces, one end. Raises the `OSError`s of the disk."""

    def __init__(self, file: File, head: Head) -> None:
        self._file = file
        self._compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False)
        self._chunks = self._rows = 0
        preamble = encode_preamble()
        self._digest = first_digest(preamble)
        file.append(preamble)
        self._add(Kind.HEAD, head.encode())

    def add(self, piece: Piece) -> None:
        self._rows += piece.count
        self._add(Kind.ROWS, encode_rows_header(piece.table_id, piece.count) + piece.rows)

    def end(self) -> int:
        """The last chunk; the number of rows that were added. Nothing is durable before the file is synced."""
        self._add(Kind.END, End(self._chunks, self._rows).encode())
        return self._rows

    def _add(self, kind: Kind, payload: bytes) -> None:
        packed = self._compressor.compress(payload) if kind is Kind.ROWS else payload
        packing = Packing.ZSTD if len(packed) < len(payload) else Packing.RAW
        stored = packed if packing is Packing.ZSTD else payload
        frame = encode_frame(kind, packing, len(stored), len(payload))
        self._digest = next_digest(self._digest, frame, stored)
        self._file.append(frame + self._digest + stored)
        self._chunks += 1


def write_snapshot(file: File, head: Head, pieces: Iterable[Piece]) -> int:
    """A whole snapshot at the end of an empty file; the number of its rows."""
    writer = SnapshotWriter(file, head)
    for piece in pieces:
        writer.add(piece)
    return writer.end()
