"""Bytes of a segment: header, commits and their checksums. No I/O.

The public commit log format, versions 0 (read only) and 1; integers are little-endian::

    segment = magic "(ds)^2"  version:u8  checksum_algorithm:u8  reserved:u16  commit*
    commit  = min_tx_offset:u64  epoch:u64 (version 1 only)  n:u16  len:u32  records[len]  crc:u32

`n` is the number of transactions in `records`; `crc` is the CRC32C (Castagnoli) of everything before it in
the commit. Commits follow each other without padding up to the end of the file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from google_crc32c import value as crc32c

from spacetimedb_standalone.commitlog.errors import BadHeader

MAGIC = b"(ds)^2"
SEGMENT_HEADER_SIZE = 10
VERSION = 1
CRC32C = 0

_SEGMENT_HEADER = struct.Struct("<6sBBH")
_FRAME_V0 = struct.Struct("<QHI")
_FRAME_V1 = struct.Struct("<QQHI")
_CRC = struct.Struct("<I")
CRC_SIZE = _CRC.size
FRAME_SIZES = (_FRAME_V0.size, _FRAME_V1.size)
"""Bytes before the records of a commit, by format version."""


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    version: int
    checksum_algorithm: int

    def encode(self) -> bytes:
        return _SEGMENT_HEADER.pack(MAGIC, self.version, self.checksum_algorithm, 0)

    def require_readable(self) -> None:
        """Raises `BadHeader` for a version or an algorithm of the future."""
        if self.version > VERSION:
            raise BadHeader(f"unsupported log format version: {self.version}")
        if self.checksum_algorithm != CRC32C:
            raise BadHeader(f"unsupported checksum algorithm: {self.checksum_algorithm}")


def decode_segment_header(data: bytes) -> SegmentHeader:
    """The header of a segment. Only its magic is checked; see `SegmentHeader.require_readable`."""
    if len(data) < SEGMENT_HEADER_SIZE:
        raise BadHeader("failed to read segment header (10 bytes): failed to fill whole buffer")
    magic, version, algorithm, _ = _SEGMENT_HEADER.unpack_from(data)
    if magic != MAGIC:
        raise BadHeader(
            f"segment header does not start with magic: expected {_hex_list(MAGIC)}, got {_hex_list(magic)}"
        )
    return SegmentHeader(version, algorithm)


@dataclass(frozen=True, slots=True)
class CommitFrame:
    """What stands before the records of a commit."""

    min_tx_offset: int
    epoch: int
    n: int
    length: int
    """Bytes of the records."""


@dataclass(frozen=True, slots=True)
class StoredCommit:
    """One commit as it lies in a log."""

    min_tx_offset: int
    epoch: int
    n: int
    body: bytes
    """Frame and records."""
    version: int
    checksum: int

    @property
    def end_offset(self) -> int:
        """The offset of the transaction after the last of this commit."""
        return self.min_tx_offset + self.n

    @property
    def records(self) -> bytes:
        return self.body[FRAME_SIZES[self.version] :]

    @property
    def encoded(self) -> bytes:
        """The whole commit in the current version."""
        if self.version == VERSION:
            return self.body + _CRC.pack(self.checksum)
        return encode_commit(self.min_tx_offset, self.epoch, self.n, self.records)


def decode_frame(data: bytes, at: int, version: int) -> CommitFrame:
    """The frame at a position; the caller has checked that it is there whole."""
    if version == 0:
        offset, n, length = _FRAME_V0.unpack_from(data, at)
        return CommitFrame(offset, 0, n, length)
    return CommitFrame(*_FRAME_V1.unpack_from(data, at))


def encode_commit(min_tx_offset: int, epoch: int, n: int, records: bytes) -> bytes:
    """A commit of the current version, checksum included."""
    body = _FRAME_V1.pack(min_tx_offset, epoch, n, len(records)) + records
    return body + _CRC.pack(crc32c(body))


def checksum_holds(body: bytes, checksum: int) -> bool:
    """`body` is a commit without its last four bytes, which are `checksum`."""
    return int(crc32c(body)) == checksum


def decode_checksum(data: bytes, at: int) -> int:
    checksum: int = _CRC.unpack_from(data, at)[0]
    return checksum


def _hex_list(data: bytes) -> str:
    return "[" + ", ".join(f"{byte:x}" for byte in data) + "]"
