"""Committed rows, as a log has them: into tables and out of them, outside of transactions.

Whoever replays knows what comes next, and waiting for memory is most of what a replay does. So `look_ahead`
goes through a commit before its turn and fetches what applying it will touch: one commit ahead the buckets of
the hash tables, and just before its turn, when these have arrived, the rows in them. It only ever fetches; of
what it reads nothing has been verified yet, so it believes nothing and stops at whatever it does not expect.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.hashindex_cy import BY_ALL, HashIndex
    from spacetimedb_engine.idmap_cy import IdMap
    from spacetimedb_engine.index_cy import Index
    from spacetimedb_engine.memory import is_nothing, ld8, ld32, u8p
    from spacetimedb_engine.rows_cy import CLEAN
    from spacetimedb_engine.table_cy import NO_KEEPER, Table

FRAME = cython.declare(cython.size_t, 22)
CHECKSUM = cython.declare(cython.size_t, 4)


def enter(table: Table, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.int:
    """Enters a row: 0, 1 when it is there already, -4 without memory. Unique indexes are not asked."""
    slot: cython.longlong
    if table.index_count == 0:
        return enter_first(table, buf, off, end)
    if table.find(buf, off, end) >= 0:
        return 1
    slot = table.rows.put(buf, off, end - off, CLEAN)
    if slot < 0:
        return -4
    if table.link(slot) != 0:
        table.rows.drop(slot)
        return -4
    table.count += 1
    return 0


def enter_first(table: Table, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.int:
    """As `enter`, for a table without indexes: the hash of the row serves twice."""
    h: cython.ulonglong = table.identity.key.hash_row(buf, off, end)
    slot: cython.longlong
    if table.identity.count > 0 and table.identity.probe(h, buf, off, end, BY_ALL) >= 0:
        return 1
    slot = table.rows.put(buf, off, end - off, CLEAN)
    if slot < 0:
        return -4
    if table.identity.add_hashed(slot, h) != 0:
        table.rows.drop(slot)
        return -4
    table.count += 1
    return 0


def take_out(table: Table, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.bint:
    """Takes the row out that equals the one given; was there one?"""
    h: cython.ulonglong
    slot: cython.longlong
    if table.index_count == 0:
        if table.identity.count == 0:
            return False
        h = table.identity.key.hash_row(buf, off, end)
        slot = table.identity.probe(h, buf, off, end, BY_ALL)
        if slot < 0:
            return False
        table.identity.remove_hashed(slot, h)
    else:
        slot = table.find(buf, off, end)
        if slot < 0:
            return False
        table.unlink(slot)
    table.rows.drop(slot)
    table.count -= 1
    return True


# ---- ahead of time


def expect(table: Table, buf: u8p, off: cython.size_t, end: cython.size_t, near: cython.bint) -> cython.void:
    """This row will be looked for: fetches where it would be found, or (`near`) what is found there."""
    if table.keeper == NO_KEEPER:
        expect_in(table.identity, buf, off, end, near)
    else:
        expect_in(cython.cast(Index, table.index_objs[table.keeper]).hash, buf, off, end, near)


def expect_in(
    index: HashIndex, buf: u8p, off: cython.size_t, end: cython.size_t, near: cython.bint
) -> cython.void:
    h: cython.ulonglong = index.key.hash_row(buf, off, end)
    if near:
        index.expect_row(h)
    else:
        index.expect(h)


def look_ahead(
    tables: IdMap, buf: u8p, at: cython.size_t, size: cython.size_t, near: cython.bint
) -> cython.void:
    """Fetches what the first record of the commit at `at` will touch; `near`: that commit is next."""
    end: cython.size_t
    to: cython.Py_ssize_t
    section: cython.uint
    groups: cython.uint
    rows: cython.uint
    table: cython.p_void
    flags: cython.uint
    if size - at < FRAME + CHECKSUM or size - at - FRAME - CHECKSUM < ld32(buf, at + 18):
        return
    end = at + FRAME + ld32(buf, at + 18)
    at += FRAME
    if end - at < 5:
        return
    flags = ld8(buf, at)
    at += 1
    if flags & 0x80:
        if end - at - 4 < ld32(buf, at):
            return
        at += 4 + ld32(buf, at)
    if (flags & 0x60) != 0x20:
        return
    for section in range(2):
        if at == end:
            return
        groups = ld8(buf, at)
        at += 1
        if groups > 127:
            return
        while groups > 0:
            groups -= 1
            if end - at < 5:
                return
            table = tables.get(ld32(buf, at))
            rows = ld8(buf, at + 4)
            at += 5
            if rows > 127 or is_nothing(table):
                return
            while rows > 0:
                rows -= 1
                to = cython.cast(Table, table).program.walk(buf, at, end)
                if to < 0:
                    return
                if not near or section == 1:
                    expect(cython.cast(Table, table), buf, at, to, near)
                at = to
