"""A list of rows as messages carry it (`BsatnRowList` of the client protocol)."""

from __future__ import annotations

import struct
from itertools import accumulate

FIXED_SIZE, ROW_OFFSETS = 0, 1
MAX_FIXED_SIZE = 0xFFFF


def row_list(rows: list[bytes], fixed_size: int) -> bytes:
    """Size hint and rows. `fixed_size`: the length of every row of the type, or 0 or less if they differ.

    The hint is one size (u16) when all rows have the same one, not zero, that fits; else the offset of each
    row (u64).
    """
    data = b"".join(rows)
    size = fixed_size
    if size <= 0 and rows:
        size = len(rows[0]) if all(len(row) == len(rows[0]) for row in rows) else 0
    if rows and 0 < size <= MAX_FIXED_SIZE:
        return struct.pack("<BHI", FIXED_SIZE, size, len(data)) + data
    offsets = [0, *accumulate(map(len, rows))][: len(rows)]
    hint = struct.pack(f"<BI{len(rows)}Q", ROW_OFFSETS, len(rows), *offsets)
    return hint + struct.pack("<I", len(data)) + data
