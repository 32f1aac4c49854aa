"""Host functions that write rows. Bodies are as in `abi_bytes_cy`.

System tables may be read by modules and not be written: the server keeps what it has built in step with them, and a
database whose module changed them would not start again. To a write they are not there.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.abi_rare_cy import row_written
    from spacetimedb_engine.abi_rows_cy import range_args
    from spacetimedb_engine.foreign import arg, rawp
    from spacetimedb_engine.guest_cy import Guest
    from spacetimedb_engine.index_cy import Index
    from spacetimedb_engine.memory import copy, is_nothing, ld32, st32, st64
    from spacetimedb_engine.table_cy import FIRST_USER_TABLE


def insert(g: Guest, a: rawp) -> cython.longlong:
    """table, row, *u32 its length; back come the generated columns alone, from the row's beginning on"""
    p: cython.size_t = arg(a, 1)
    length_p: cython.size_t = arg(a, 2)
    n: cython.size_t
    e: cython.int = g.bad(length_p, 4)
    if e != 0:
        return e
    n = ld32(g.mem, length_p)
    e = g.bad(p, n)
    if e != 0:
        return e
    if not g.transaction:
        return 2
    if arg(a, 0) < FIRST_USER_TABLE:
        return 4
    e = g.store.insert_row(arg(a, 0), g.mem, p, n)
    if e != 0:
        return e
    return write_back(g, arg(a, 0), True, p, n, length_p)


def update(g: Guest, a: rawp) -> cython.longlong:
    """table, unique index, row, *u32 its length; back come the generated columns"""
    p: cython.size_t = arg(a, 2)
    length_p: cython.size_t = arg(a, 3)
    n: cython.size_t
    e: cython.int = g.bad(length_p, 4)
    if e != 0:
        return e
    n = ld32(g.mem, length_p)
    e = g.bad(p, n)
    if e != 0:
        return e
    if not g.transaction:
        return 2
    if arg(a, 0) < FIRST_USER_TABLE:
        return 4
    e = g.store.update_row(arg(a, 0), arg(a, 1), g.mem, p, n)
    if e != 0:
        return e
    return write_back(g, arg(a, 0), False, p, n, length_p)


def write_back(
    g: Guest,
    table: cython.uint,
    inserted: cython.bint,
    p: cython.size_t,
    n: cython.size_t,
    length_p: cython.size_t,
) -> cython.longlong:
    """After a row was written: tells those who want to know, and gives the guest what was generated."""
    made: cython.size_t
    e: cython.longlong
    if g.notified.n > 0 and g.is_notified(table):
        e = row_written(g, table, inserted)
        if e != 0:
            return e
    made = g.store.generated.n
    if made > 0:
        if made > n:
            made = n
        copy(g.mem, p, g.store.generated.data, 0, made)
    st32(g.mem, length_p, made)
    return 0


def delete_equal(g: Guest, a: rawp) -> cython.longlong:
    """table, relation (u32 count and whole rows), its length, out *u32 deleted"""
    p: cython.size_t = arg(a, 1)
    n: cython.size_t = arg(a, 2)
    e: cython.int = g.bad(p, n)
    if e != 0:
        return e
    if not g.transaction:
        return 2
    if arg(a, 0) < FIRST_USER_TABLE:
        return 4
    return give_count(g, g.store.delete_equal(arg(a, 0), g.mem, p, n), arg(a, 3))


def delete_point(g: Guest, a: rawp) -> cython.longlong:
    """index, key, its length, out *u32 deleted"""
    p: cython.size_t = arg(a, 1)
    n: cython.size_t = arg(a, 2)
    e: cython.int = g.bad(p, n)
    if e != 0:
        return e
    if not g.transaction:
        return 2
    if is_of_system_table(g, arg(a, 0)):
        return 5
    return give_count(g, g.store.delete_seek_rows(arg(a, 0), g.mem, p, n), arg(a, 3))


def delete_range(g: Guest, a: rawp) -> cython.longlong:
    """see `range_args`; out *u32 deleted"""
    prefix_n: cython.size_t = arg(a, 2) if arg(a, 3) > 0 else 0
    e: cython.int = range_args(g, a)
    if e != 0:
        return e
    if g.transaction and is_of_system_table(g, arg(a, 0)):
        return 5
    e = g.store.delete_range_rows(
        arg(a, 0), g.mem, arg(a, 1), prefix_n, arg(a, 3),
        g.mem, arg(a, 4), arg(a, 5), g.mem, arg(a, 6), arg(a, 7),
    )  # fmt: skip
    return give_count(g, e, arg(a, 8))


def is_of_system_table(g: Guest, index_id: cython.uint) -> cython.bint:
    index: cython.p_void = g.store.index_map.get(index_id)
    return not is_nothing(index) and cython.cast(Index, index).table_id < FIRST_USER_TABLE


def give_count(g: Guest, e: cython.int, out: cython.size_t) -> cython.longlong:
    """Writes how many rows went, unless that failed with `e`."""
    if e == 0:
        e = g.bad(out, 4)
    if e != 0:
        return e
    st32(g.mem, out, g.store.result)
    return 0


def clear(g: Guest, a: rawp) -> cython.longlong:
    """table, out *u64 deleted"""
    out: cython.size_t = arg(a, 1)
    e: cython.int
    if not g.transaction:
        return 2
    if arg(a, 0) < FIRST_USER_TABLE:
        return 4
    e = g.store.clear_rows(arg(a, 0))
    if e == 0:
        e = g.bad(out, 8)
    if e != 0:
        return e
    st64(g.mem, out, g.store.result)
    return 0
