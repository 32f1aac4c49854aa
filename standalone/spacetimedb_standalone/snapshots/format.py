"""Bytes of a snapshot: preamble, chunks, and the chain of digests that holds them together. No I/O.

The format, version 1, is described in docs/snapshot-format.md; integers are little-endian::

    snapshot = preamble chunk*
    preamble = magic "STDBsnap"  version:u32
    chunk    = kind:u8  packing:u8  reserved:u16  reserved:u32  stored:u64  raw:u64  digest[32]  payload[stored]

    head (kind 1, the first)  database_identity[32]  next_offset:u64  epoch:u64  taken_at:i64
    rows (kind 2)             table_id:u32  count:u32  rows
    end  (kind 3, the last)   chunks:u64  rows:u64

A digest is the BLAKE3 of the digest before it (of the preamble, for the first chunk), the 24 bytes in front of
the digest, and the payload as it is stored. So each chunk can be checked when it is read, and the last one
vouches for all: none can be changed, moved, left out or taken from another snapshot.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from blake3 import blake3

MAGIC = b"STDBsnap"
VERSION = 1

_PREAMBLE = struct.Struct("<8sI")
_FRAME = struct.Struct("<BBHIQQ")
_HEAD = struct.Struct("<32sQQq")
_ROWS = struct.Struct("<II")
_END = struct.Struct("<QQ")

PREAMBLE_SIZE = _PREAMBLE.size
FRAME_SIZE = _FRAME.size
DIGEST_SIZE = 32
CHUNK_HEADER_SIZE = FRAME_SIZE + DIGEST_SIZE
ROWS_HEADER_SIZE = _ROWS.size


class Kind(IntEnum):
    HEAD = 1
    ROWS = 2
    END = 3


class Packing(IntEnum):
    """How a payload is stored."""

    RAW = 0
    ZSTD = 1


@dataclass(frozen=True, slots=True)
class Head:
    """Which state it is that the snapshot holds."""

    database_identity: bytes
    """32 bytes, as in BSATN."""
    next_offset: int
    """The offset behind the last transaction that is in it."""
    epoch: int
    taken_at: int
    """Microseconds since the Unix epoch."""

    def encode(self) -> bytes:
        return _HEAD.pack(self.database_identity, self.next_offset, self.epoch, self.taken_at)


@dataclass(frozen=True, slots=True)
class End:
    """How much there is: `chunks` counts all in front of this one."""

    chunks: int
    rows: int

    def encode(self) -> bytes:
        return _END.pack(self.chunks, self.rows)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands in front of a digest."""

    kind: int
    packing: int
    stored: int
    """Bytes of the payload in the file."""
    raw: int
    """Bytes of the payload when it is unpacked."""
    encoded: bytes


def encode_preamble() -> bytes:
    return _PREAMBLE.pack(MAGIC, VERSION)


def decode_preamble(data: bytes) -> int | None:
    """The format version; None if the bytes do not begin a snapshot."""
    if len(data) < PREAMBLE_SIZE or not data.startswith(MAGIC):
        return None
    version: int = _PREAMBLE.unpack_from(data)[1]
    return version


def encode_frame(kind: Kind, packing: Packing, stored: int, raw: int) -> bytes:
    return _FRAME.pack(kind, packing, 0, 0, stored, raw)


def decode_frame(data: bytes) -> Frame:
    """The caller has checked that all of it is there."""
    kind, packing, _, _, stored, raw = _FRAME.unpack_from(data)
    return Frame(kind, packing, stored, raw, data[:FRAME_SIZE])


def encode_rows_header(table_id: int, count: int) -> bytes:
    return _ROWS.pack(table_id, count)


def decode_rows_header(payload: bytes) -> tuple[int, int]:
    """(table id, number of rows)."""
    table_id, count = _ROWS.unpack_from(payload)
    return table_id, count


def decode_head(payload: bytes) -> Head:
    return Head(*_HEAD.unpack(payload))


def decode_end(payload: bytes) -> End:
    return End(*_END.unpack(payload))


def first_digest(preamble: bytes) -> bytes:
    """What the first chunk's digest goes on from."""
    return blake3(preamble).digest()


def next_digest(before: bytes, frame: bytes, payload: bytes) -> bytes:
    hasher = blake3(before)
    hasher.update(frame)
    hasher.update(payload)
    return hasher.digest()
