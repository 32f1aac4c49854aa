"""Lists of rows as clients receive them (BsatnRowList).

    size hint   u8 0, u16 size of every row   or   u8 1, u32 count, u64 start of each row
    data        u32 length, the rows one after the other

Rows of one size are told by the size, even if their type allows others; no rows at all, and rows of no
bytes, are told by offsets, so that their number is never lost.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate
from struct import Struct, error

NO_ROWS = b"\x01" + bytes(8)
"""The list without any row."""

_FIXED = Struct("<BHI")
_COUNT = Struct("<BI")
_LENGTH = Struct("<I")
_MAX_FIXED = 0xFFFF


def row_list(rows: Sequence[bytes]) -> bytes:
    """The list of these rows, each BSATN."""
    if not rows:
        return NO_ROWS
    data = b"".join(rows)
    sizes = list(map(len, rows))
    size = sizes[0]
    if 0 < size <= _MAX_FIXED and sizes.count(size) == len(sizes):
        return _FIXED.pack(0, size, len(data)) + data
    starts = array("Q", accumulate(sizes[:-1], initial=0))
    if sys.byteorder == "big":
        starts.byteswap()
    return b"".join((_COUNT.pack(1, len(starts)), starts.tobytes(), _LENGTH.pack(len(data)), data))


def rows_of(data: bytes, offset: int = 0) -> tuple[list[bytes], int]:
    """The rows of a list that begins at `offset`, and where it ends. Raises ValueError if it is not one."""
    try:
        return _rows_of(data, offset)
    except (IndexError, ValueError, error) as problem:
        raise ValueError(f"the data at offset {offset} is no list of rows: {problem}") from problem


def _rows_of(data: bytes, offset: int) -> tuple[list[bytes], int]:
    tag = data[offset]
    if tag == 0:
        _, size, length = _FIXED.unpack_from(data, offset)
        at = offset + _FIXED.size
        starts: Sequence[int] = range(0, length, size or 1)
    elif tag == 1:
        _, count = _COUNT.unpack_from(data, offset)
        at = offset + _COUNT.size
        starts = Struct(f"<{count}Q").unpack_from(data, at)
        at += 8 * count
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
    else:
        raise ValueError(f"unknown tag 0x{tag:x} for sum type RowSizeHint")
    if at + length > len(data):
        raise ValueError("it ends before its rows do")
    ends = [*starts[1:], length]
    return [data[at + s : at + e] for s, e in zip(starts, ends, strict=False)], at + length
