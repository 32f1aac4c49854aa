"""Reading a snapshot, believing nothing that its digests do not vouch for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import zstandard

from spacetimedb_standalone.ports import File, Files
from spacetimedb_standalone.snapshots.errors import SnapshotDamage, SnapshotTooNew
from spacetimedb_standalone.snapshots.format import (
    CHUNK_HEADER_SIZE,
    DIGEST_SIZE,
    FRAME_SIZE,
    PREAMBLE_SIZE,
    ROWS_HEADER_SIZE,
    VERSION,
    End,
    Frame,
    Head,
    Kind,
    Packing,
    decode_end,
    decode_frame,
    decode_head,
    decode_preamble,
    decode_rows_header,
    first_digest,
    next_digest,
)
from spacetimedb_standalone.snapshots.writing import Piece


class SnapshotReader:
    """A snapshot open for reading. Close it, or use it in a `with`.

    Raises `SnapshotDamage` with the position of the first chunk that is not as it was written, and
    `SnapshotTooNew`, when it is opened and while it is read.
    """

    def __init__(self, path: Path, file: File) -> None:
        self.path = path
        self._file = file
        self._size = file.size()
        self._decompressor = zstandard.ZstdDecompressor()
        self.position = 0
        """Where the next chunk begins."""
        preamble = file.read_at(0, PREAMBLE_SIZE)
        version = decode_preamble(preamble)
        if version is None:
            raise self._damage("it does not begin as a snapshot")
        if version > VERSION:
            raise SnapshotTooNew(path, version)
        if version != VERSION:
            raise self._damage(f"there is no format version {version}")
        self._digest = first_digest(preamble)
        self.position = PREAMBLE_SIZE
        frame, payload = self._chunk()
        if frame.kind != Kind.HEAD:
            raise self._damage("its first chunk is no head")
        self.head: Head = decode_head(payload)

    @classmethod
    def open(cls, files: Files, path: Path) -> SnapshotReader:
        file = files.open(path)
        try:
            return cls(path, file)
        except BaseException:
            file.close()
            raise

    def pieces(self) -> Iterator[Piece]:
        """All rows, once. Only when the iteration has ended is it sure that none are missing."""
        chunks, rows = 1, 0
        while True:
            at = self.position
            frame, payload = self._chunk()
            if frame.kind == Kind.END:
                break
            if frame.kind != Kind.ROWS:
                raise SnapshotDamage(self.path, at, f"there is no kind {frame.kind} of chunk here")
            table_id, count = decode_rows_header(payload)
            yield Piece(table_id, count, payload[ROWS_HEADER_SIZE:])
            chunks += 1
            rows += count
        if decode_end(payload) != End(chunks, rows):
            raise SnapshotDamage(self.path, at, "its end does not know its beginning")
        if self.position != self._size:
            raise self._damage("something follows its end")

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> SnapshotReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _chunk(self) -> tuple[Frame, bytes]:
        """The next chunk, checked and unpacked."""
        header = self._file.read_at(self.position, CHUNK_HEADER_SIZE)
        if len(header) < CHUNK_HEADER_SIZE:
            raise self._damage("it is cut off")
        frame = decode_frame(header)
        if frame.stored > self._size - self.position - CHUNK_HEADER_SIZE:
            raise self._damage("a chunk is longer than the file")
        stored = self._file.read_at(self.position + CHUNK_HEADER_SIZE, frame.stored)
        digest = next_digest(self._digest, frame.encoded, stored)
        if digest != header[FRAME_SIZE : FRAME_SIZE + DIGEST_SIZE]:
            raise self._damage("a chunk does not have its digest")
        payload = self._unpacked(frame, stored)
        self._digest = digest
        self.position += CHUNK_HEADER_SIZE + frame.stored
        return frame, payload

    def _unpacked(self, frame: Frame, stored: bytes) -> bytes:
        if frame.packing == Packing.RAW:
            return stored
        if frame.packing != Packing.ZSTD:
            raise self._damage(f"a chunk is packed in way {frame.packing}, which is not known")
        try:
            payload = self._decompressor.decompress(stored, max_output_size=frame.raw)
        except zstandard.ZstdError as error:
            raise self._damage(f"a chunk cannot be unpacked: {error}") from error
        if len(payload) != frame.raw:
            raise self._damage(f"a chunk unpacks to {len(payload)} bytes, not {frame.raw}")
        return payload

    def _damage(self, cause: str) -> SnapshotDamage:
        return SnapshotDamage(self.path, self.position, cause)


def verify_snapshot(files: Files, path: Path) -> Head:
    """Read all of a snapshot and check it. Raises `SnapshotDamage`, `SnapshotTooNew` or `OSError`."""
    with SnapshotReader.open(files, path) as reader:
        for _ in reader.pieces():
            pass
        return reader.head
