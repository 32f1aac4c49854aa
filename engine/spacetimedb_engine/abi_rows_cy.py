"""Host functions that read rows. Bodies are as in `abi_bytes_cy`.

A scan copies all its rows when it begins; what is written afterwards does not show in it. While a view runs, each
read is noted: the whole table, or the key that was looked for in an index.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.foreign import arg, rawp
    from spacetimedb_engine.guest_cy import Guest
    from spacetimedb_engine.habits_cy import note
    from spacetimedb_engine.handles_cy import RowIter
    from spacetimedb_engine.memory import copy, get_bytes, ld32, st32, st64


def row_count(g: Guest, a: rawp) -> cython.longlong:
    """table, out *u64"""
    out: cython.size_t = arg(a, 1)
    e: cython.int
    if not g.transaction:
        return 2
    e = g.store.row_count(arg(a, 0))
    if e != 0:
        return e
    if g.viewing:
        g.reads.append((True, arg(a, 0), b""))
    e = g.bad(out, 8)
    if e != 0:
        return e
    st64(g.mem, out, g.store.result)
    return 0


def table_scan(g: Guest, a: rawp) -> cython.longlong:
    """table, out *u32 iterator"""
    it: RowIter
    if not g.transaction:
        return 2
    it = g.iters.open()
    if g.viewing:
        g.reads.append((True, arg(a, 0), b""))
    return give_iter(g, it, g.store.scan_rows(arg(a, 0), it.rows, it.ends), arg(a, 1))


def point_scan(g: Guest, a: rawp) -> cython.longlong:
    """index, key, its length, out *u32 iterator"""
    it: RowIter
    p: cython.size_t = arg(a, 1)
    n: cython.size_t = arg(a, 2)
    e: cython.int = g.bad(p, n)
    if e != 0:
        return e
    if not g.transaction:
        return 2
    it = g.iters.open()
    if g.viewing:
        g.reads.append((False, arg(a, 0), get_bytes(g.mem, p, n)))
    if g.noting:
        g.noting = note(g.lookups, arg(a, 0), g.mem, p, n)
    return give_iter(g, it, g.store.seek_rows(arg(a, 0), g.mem, p, n, it.rows, it.ends), arg(a, 3))


def range_args(g: Guest, a: rawp) -> cython.int:
    """The first eight arguments of the functions over ranges: index, prefix (pointer, length, elements), start, end."""
    e: cython.int = 0
    if arg(a, 3) > 65535:
        return -7
    if arg(a, 3) > 0:
        e = g.bad(arg(a, 1), arg(a, 2))
    if e == 0:
        e = g.bad(arg(a, 4), arg(a, 5))
    if e == 0:
        e = g.bad(arg(a, 6), arg(a, 7))
    if e == 0 and not g.transaction:
        e = 2
    return e


def note_range(g: Guest, a: rawp) -> None:
    """A view's range: a point if it can only be one, else it counts as the whole table that the index is of."""
    prefix_n: cython.size_t = arg(a, 2) if arg(a, 3) > 0 else 0
    key = get_bytes(g.mem, arg(a, 1), prefix_n) if prefix_n > 0 else b""
    if g.store.is_point(arg(a, 0), arg(a, 3), g.mem, arg(a, 4), arg(a, 5), g.mem, arg(a, 6), arg(a, 7)):
        g.reads.append((False, arg(a, 0), key + get_bytes(g.mem, arg(a, 4) + 1, arg(a, 5) - 1)))
    else:
        g.reads.append((True, g.store.index_of(arg(a, 0)).table_id, b""))


def range_scan(g: Guest, a: rawp) -> cython.longlong:
    """see `range_args`; out *u32 iterator"""
    it: RowIter
    prefix_n: cython.size_t = arg(a, 2) if arg(a, 3) > 0 else 0
    e: cython.int = range_args(g, a)
    if e != 0:
        return e
    it = g.iters.open()
    e = g.store.range_rows(
        arg(a, 0), g.mem, arg(a, 1), prefix_n, arg(a, 3),
        g.mem, arg(a, 4), arg(a, 5), g.mem, arg(a, 6), arg(a, 7), it.rows, it.ends,
    )  # fmt: skip
    if e == 0 and g.viewing:
        note_range(g, a)
    return give_iter(g, it, e, arg(a, 8))


def give_iter(g: Guest, it: RowIter, e: cython.int, out: cython.size_t) -> cython.longlong:
    """Writes the handle of an iterator to `out`, unless the scan that filled it failed with `e`."""
    g.iters.held += it.rows.n
    if e == 0:
        e = -8 if g.iters.held > g.row_limit else g.bad(out, 4)
    if e != 0:
        g.iters.close(it)
        return e
    st32(g.mem, out, it.handle)
    return 0


def advance(g: Guest, a: rawp) -> cython.longlong:
    """iterator, buffer, *u32 its length: -1 with the last rows, 0 with others, 11 and the length that is needed"""
    it: RowIter | None = g.iters.get(arg(a, 0))
    p: cython.size_t = arg(a, 1)
    length_p: cython.size_t = arg(a, 2)
    room: cython.size_t
    n: cython.size_t
    e: cython.int
    if it is None:
        return 6
    e = g.bad(length_p, 4)
    if e != 0:
        return e
    room = ld32(g.mem, length_p)
    e = g.bad(p, room)
    if e != 0:
        return e
    n = it.rows.n - it.pos
    if n <= room:
        if n > 0:
            copy(g.mem, p, it.rows.data, it.pos, n)
        st32(g.mem, length_p, n)
        g.iters.close(it)
        return 0xFFFFFFFF
    n = it.fitting(room)
    if n == 0:
        st32(g.mem, length_p, it.next_chunk())
        return 11
    copy(g.mem, p, it.rows.data, it.pos, n)
    it.pos += n
    st32(g.mem, length_p, n)
    return 0


def close(g: Guest, a: rawp) -> cython.longlong:
    """iterator"""
    it: RowIter | None = g.iters.get(arg(a, 0))
    if it is None:
        return 6
    g.iters.close(it)
    return 0
