"""Host functions over bytes sources and sinks.

The body of a host function takes the guest and the raw arguments, pointers being offsets in guest memory. It
returns what the guest gets (an errno, or the function's value), or a code below zero that becomes a trap (`traps`).
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.foreign import arg, rawp
    from spacetimedb_engine.guest_cy import Guest
    from spacetimedb_engine.memory import bufp, copy, ld32, st32


def source_remaining(g: Guest, a: rawp) -> cython.longlong:
    """source, out *u32"""
    n: cython.longlong = g.sources.remaining(arg(a, 0))
    out: cython.size_t = arg(a, 1)
    e: cython.int
    if n < 0:
        return 8
    e = g.bad(out, 4)
    if e != 0:
        return e
    st32(g.mem, out, n)
    return 0


def source_read(g: Guest, a: rawp) -> cython.longlong:
    """source, buffer, *u32 its length: -1 once the source is drained, else 0"""
    left: cython.longlong = g.sources.remaining(arg(a, 0))
    p: cython.size_t = arg(a, 1)
    length_p: cython.size_t = arg(a, 2)
    room: cython.size_t
    e: cython.int
    if left < 0:
        return 8
    e = g.bad(length_p, 4)
    if e != 0:
        return e
    room = ld32(g.mem, length_p)
    e = g.bad(p, room)
    if e != 0:
        return e
    st32(g.mem, length_p, g.sources.read(arg(a, 0), g.mem, p, room))
    return 0xFFFFFFFF if cython.cast(cython.size_t, left) <= room else 0


def sink_write(g: Guest, a: rawp) -> cython.longlong:
    """sink, buffer, *u32 its length"""
    sink: Buffer | None = g.sinks.get(arg(a, 0))
    p: cython.size_t = arg(a, 1)
    length_p: cython.size_t = arg(a, 2)
    n: cython.size_t
    e: cython.int
    if sink is None:
        return 8
    e = g.bad(length_p, 4)
    if e != 0:
        return e
    n = ld32(g.mem, length_p)
    e = g.bad(p, n)
    if e != 0:
        return e
    if sink.n + n > g.row_limit or sink.append(g.mem, p, n) != 0:
        return 9
    return 0


def identity(g: Guest, a: rawp) -> cython.longlong:
    """out *[u8; 32]"""
    out: cython.size_t = arg(a, 0)
    e: cython.int = g.bad(out, 32)
    if e != 0:
        return e
    copy(g.mem, out, bufp(g.identity), 0, 32)
    return 0


def give_source(g: Guest, content: bytes | None, out: cython.size_t) -> cython.longlong:
    """Writes the handle of a new source of this content, or 0 for None, to `out`."""
    handle: cython.longlong = 0
    e: cython.int
    if content is not None:
        handle = g.sources.open_copy(bufp(content), 0, len(content))
        if handle < 0:
            return handle
    e = g.bad(out, 4)
    if e != 0:
        return e
    st32(g.mem, out, handle)
    return 0
