"""Sealed segments: a segment compressed whole, readable at any position.

The public seekable form of Zstandard: independent frames, then a skippable frame holding the seek table::

    seek table = 0x184D2A5E:u32  size:u32  (compressed:u32 uncompressed:u32 [checksum:u32])*  footer
    footer     = frames:u32  descriptor:u8 (0x80: entries have checksums)  0x8F92EAB1:u32

Positions in a sealed segment are those of the uncompressed one, so its offset index stays good.
"""

from __future__ import annotations

import struct
from bisect import bisect_right

import zstandard

from spacetimedb_standalone.commitlog.errors import BadHeader, LogDamage
from spacetimedb_standalone.ports import File

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
MAX_FRAME = 16 << 20
"""Frames hold 4 or 16 KiB as a rule; a table that promises more than this is not believed."""

_SKIPPABLE = struct.Struct("<II")
_FOOTER = struct.Struct("<IBI")
_SKIPPABLE_MAGIC = 0x184D2A5E
_FOOTER_MAGIC = 0x8F92EAB1


class SealedSource:
    """Reads a sealed segment as if it were not compressed."""

    def __init__(self, file: File) -> None:
        """Raises `BadHeader` if the seek table is missing or does not fit the file."""
        self._file = file
        self._positions, self._starts, self._length = _seek_table(file)
        self._decompressor = zstandard.ZstdDecompressor()
        self._frame_number = -1
        self._frame = b""

    def size(self) -> int:
        return self._length

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes of the uncompressed segment; fewer only at its end."""
        parts: list[bytes] = []
        end = min(offset + size, self._length)
        while offset < end:
            number = bisect_right(self._starts, offset) - 1
            frame = self._load(number)
            part = frame[offset - self._starts[number] : end - self._starts[number]]
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def _load(self, number: int) -> bytes:
        if number != self._frame_number:
            begin, stop = self._positions[number], self._positions[number + 1]
            expected = self._starts[number + 1] - self._starts[number]
            packed = self._file.read_at(begin, stop - begin)
            try:
                frame = self._decompressor.decompress(packed, max_output_size=expected)
            except zstandard.ZstdError as error:
                raise LogDamage(f"compressed frame at byte {begin} cannot be read: {error}") from error
            if len(frame) != expected:
                raise LogDamage(f"compressed frame at byte {begin} holds {len(frame)} bytes, not {expected}")
            self._frame, self._frame_number = frame, number
        return self._frame


def _seek_table(file: File) -> tuple[list[int], list[int], int]:
    """(file position of each frame and of the end, uncompressed start of each and the end, total length)."""
    size = file.size()
    footer = file.read_at(max(0, size - _FOOTER.size), _FOOTER.size)
    if len(footer) < _FOOTER.size:
        raise BadHeader("compressed segment has no seek table")
    frames, descriptor, magic = _FOOTER.unpack(footer)
    entry_size = 12 if descriptor & 0x80 else 8
    table_size = frames * entry_size + _FOOTER.size
    table_at = size - table_size - _SKIPPABLE.size
    if magic != _FOOTER_MAGIC or table_at < 0:
        raise BadHeader("compressed segment has no seek table")
    table = file.read_at(table_at, _SKIPPABLE.size + table_size)
    if _SKIPPABLE.unpack_from(table) != (_SKIPPABLE_MAGIC, table_size):
        raise BadHeader("compressed segment has no seek table")
    positions, starts = [0], [0]
    for number in range(frames):
        packed, unpacked = struct.unpack_from("<II", table, _SKIPPABLE.size + number * entry_size)
        if not 0 < unpacked <= MAX_FRAME:
            raise BadHeader(f"compressed segment has a frame of {unpacked} bytes")
        positions.append(positions[-1] + packed)
        starts.append(starts[-1] + unpacked)
    if positions[-1] != table_at:
        raise BadHeader("the seek table of the compressed segment does not fit the file")
    return positions, starts, starts[-1]
