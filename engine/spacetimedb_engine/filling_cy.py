"""All rows of a table into a new index.

For a hash index rows are taken a batch at a time: first their hashes are worked out and the memory of their buckets is asked
for, then they are entered. So a batch waits for memory once, and not once a row.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.hashindex_cy import BY_ROW, HashIndex
    from spacetimedb_engine.index_cy import Index
    from spacetimedb_engine.memory import alloc, is_null, ld32, ld64, release, st32, st64, u8p
    from spacetimedb_engine.table_cy import Table

BATCH = cython.declare(cython.uint, 32)
ENTRY = cython.declare(cython.size_t, 12)
"""Of a batch: u64 hash, u32 slot."""


def enter_rows(table: Table, index: Index) -> cython.int:
    """Enters the table's rows into an empty index: 0; -4 without memory; 12 when a unique one meets a key
    twice."""
    slot: cython.longlong
    if index.hashed:
        return -4 if index.hash.reserve(table.count) != 0 else enter_all(index.hash, True)
    table.rows.rewind()
    while True:
        slot = table.rows.following()
        if slot < 0:
            return 0
        table.rows.locate(slot)
        if index.unique and index.seek_row(table.rows.p, table.rows.o, table.rows.end) >= 0:
            return 12
        if index.add(slot) != 0:
            return -4


def enter_all(index: HashIndex, distinct: cython.bint) -> cython.int:
    """Enters the rows there are into an empty index: 0; -4 without memory; 12 when keys are to be `distinct`
    and are not."""
    batch: u8p = alloc(BATCH * ENTRY)
    n: cython.uint = 0
    answer: cython.int = 0
    slot: cython.longlong = 0
    h: cython.ulonglong
    if is_null(batch):
        return -4
    index.rows.rewind()
    while slot >= 0 and answer == 0:
        slot = index.rows.following()
        if slot >= 0:
            h = index.hash_of(slot)
            index.expect(h)
            st64(batch, n * ENTRY, h)
            st32(batch, n * ENTRY + 8, slot)
            n += 1
        if n == BATCH or slot < 0:
            answer = enter_batch(index, batch, n, distinct)
            n = 0
    release(batch)
    return answer


def enter_batch(index: HashIndex, batch: u8p, n: cython.uint, distinct: cython.bint) -> cython.int:
    i: cython.uint
    h: cython.ulonglong
    slot: cython.uint
    p: u8p
    o: cython.size_t
    for i in range(n):
        h = ld64(batch, i * ENTRY)
        slot = ld32(batch, i * ENTRY + 8)
        if distinct and index.count > 0:
            index.rows.locate(slot)
            p = index.rows.p
            o = index.rows.o
            if index.probe(h, p, o, index.rows.end, BY_ROW) >= 0:
                return 12
        if index.add_hashed(slot, h) != 0:
            return -4
    return 0
