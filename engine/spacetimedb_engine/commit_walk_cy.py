"""Passing over the commits of a log, format version 1, without looking into their records (`record_cy` has
the format)."""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.memory import bufp, crc32c, ld16, ld32, ld64, u8p

HEADER = cython.declare(cython.size_t, 22)
CHECKSUM = cython.declare(cython.size_t, 4)


def pass_commits(data: bytes, offset: int) -> tuple[int, int]:
    """Passes the commits at the beginning of the bytes: (bytes passed, transaction offset after them).

    The first is to be at transaction `offset`, each further one where the one before ends. Stops where the
    bytes end, and at the first commit that is cut off, out of turn, or whose checksum is wrong.
    """
    buf: u8p = bufp(data)
    size: cython.size_t = len(data)
    after: cython.ulonglong = offset
    at: cython.size_t = 0
    n: cython.size_t
    while size - at >= HEADER + CHECKSUM:
        n = ld32(buf, at + 18)
        if size - at - HEADER - CHECKSUM < n or ld64(buf, at) != after:
            break
        if crc32c(buf, at, HEADER + n) != ld32(buf, at + HEADER + n):
            break
        after += ld16(buf, at + 16)
        at += HEADER + n + CHECKSUM
    return at, after


def whole_commits(data: bytes) -> int:
    """How many of the bytes are commits of which nothing is missing, going by the lengths they state. Nothing
    is verified."""
    buf: u8p = bufp(data)
    size: cython.size_t = len(data)
    at: cython.size_t = 0
    n: cython.size_t
    while size - at >= HEADER + CHECKSUM:
        n = ld32(buf, at + 18)
        if size - at - HEADER - CHECKSUM < n:
            break
        at += HEADER + n + CHECKSUM
    return at
