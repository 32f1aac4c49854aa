"""Row by key, ordered: a two-level B+tree of (key prefix, slot), 12 bytes an entry, leaves of 256.

Entries are ordered by key and, among equal keys, by slot; keys whose prefix does not tell them apart are
compared in the rows. `heads` holds a copy of the first entry of each leaf, so that the leaf is found without
touching others.

A leaf (3080 bytes): u32 count, u32 unused, 256 prefixes (u64), 256 slots (u32). A head: u64 prefix, u32 slot,
u32 unused. No leaf is empty: one that loses its last entry goes to the spares, which stand behind the others
in `leaves`.

Rollback puts entries back that the transaction took out, newest first, and must not need memory. It does not:
at that moment the entries around are those that were there when it was taken out; the leaf that held it has
room still, or was emptied and is a spare. For this leaves are merged and spares given back between
transactions only (`settle`), and an entry that belongs between two full leaves gets a leaf of its own.

`leaf`, `index` are a register: where `find` or `lower` stopped; (n, 0) is behind the last entry.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.memory import (
        alloc,
        copy,
        grow,
        grow_ptrs,
        is_no_ptrs,
        is_null,
        ld32,
        ld64,
        move,
        move_ptrs,
        no_ptrs,
        null,
        release,
        release_ptrs,
        st32,
        st64,
        u8p,
    )
    from spacetimedb_engine.order_cy import Order
    from spacetimedb_engine.rows_cy import Rows

    u64 = int

CAP = cython.declare(cython.uint, 256)
HALF = cython.declare(cython.uint, 128)
KEYS = cython.declare(cython.size_t, 8)
IDS = cython.declare(cython.size_t, 2056)
LEAF = cython.declare(cython.size_t, 3080)


class Ordered:
    def __init__(self, rows: Rows, order: Order) -> None:
        self.rows = rows
        self.order = order
        self.leaves = no_ptrs()
        self.heads = null()
        self.n = self.spares = self.room = 0
        self.count = 0
        self.leaf = 0
        self.index = 0

    def __dealloc__(self) -> None:
        self.clear()

    # ---- finding

    def against_row(
        self,
        k: u64,
        slot: cython.uint,
        prefix: u64,
        other: cython.longlong,
        p: u8p,
        o: cython.size_t,
        e: cython.size_t,
    ) -> cython.int:
        """Entry (k, slot) against the row at (p, o..e) with that prefix, in slot `other` or none (-1): -1, 0
        or 1."""
        c: cython.int
        if k != prefix:
            return -1 if k < prefix else 1
        if not self.order.exact and slot != other:
            self.rows.locate(slot)
            c = self.order.compare_rows(self.rows.p, self.rows.o, self.rows.end, p, o, e)
            if c:
                return c
        return -1 if slot < other else (1 if slot > other else 0)

    def against_point(
        self,
        k: u64,
        slot: cython.uint,
        prefix: u64,
        p: u8p,
        o: cython.size_t,
        e: cython.size_t,
        m: cython.uint,
    ) -> cython.int:
        """Entry (k, slot) against a point of m columns with that prefix: -1, 0 or 1."""
        k = k & self.order.mask(m)
        if k != prefix:
            return -1 if k < prefix else 1
        if self.order.exact_to(m):
            return 0
        self.rows.locate(slot)
        return self.order.compare_point(self.rows.p, self.rows.o, self.rows.end, p, o, e, m)

    def find(
        self, prefix: u64, slot: cython.longlong, p: u8p, o: cython.size_t, e: cython.size_t
    ) -> cython.void:
        """Goes to the first entry that is not before the row; if it is behind all of a leaf, to that leaf's
        end."""
        lo: cython.size_t = 0
        hi: cython.size_t = self.n
        mid: cython.size_t
        leaf: u8p
        h: u8p = self.heads
        while hi - lo > 1:
            mid = (lo + hi) >> 1
            if self.against_row(ld64(h, mid * 16), ld32(h, mid * 16 + 8), prefix, slot, p, o, e) > 0:
                hi = mid
            else:
                lo = mid
        self.leaf = lo
        leaf = self.leaves[lo]
        lo = 0
        hi = ld32(leaf, 0)
        while lo < hi:
            mid = (lo + hi) >> 1
            if (
                self.against_row(ld64(leaf, KEYS + mid * 8), ld32(leaf, IDS + mid * 4), prefix, slot, p, o, e)
                < 0
            ):
                lo = mid + 1
            else:
                hi = mid
        self.index = lo

    def lower(
        self, buf: u8p, off: cython.size_t, end: cython.size_t, m: cython.uint, beyond: cython.bint
    ) -> cython.void:
        """Goes to the first entry whose first m key columns are not before the point, or (`beyond`) are
        behind it."""
        prefix: u64 = self.order.point_prefix(buf, off, end, m)
        lo: cython.size_t = 0
        hi: cython.size_t = self.n
        mid: cython.size_t
        leaf: u8p
        h: u8p = self.heads
        limit: cython.int = 1 if beyond else 0
        while hi - lo > 1:
            mid = (lo + hi) >> 1
            if self.against_point(ld64(h, mid * 16), ld32(h, mid * 16 + 8), prefix, buf, off, end, m) < limit:
                lo = mid
            else:
                hi = mid
        self.leaf = lo
        self.index = 0
        if self.n == 0:
            return
        leaf = self.leaves[lo]
        lo = 0
        hi = ld32(leaf, 0)
        while lo < hi:
            mid = (lo + hi) >> 1
            if (
                self.against_point(
                    ld64(leaf, KEYS + mid * 8), ld32(leaf, IDS + mid * 4), prefix, buf, off, end, m
                )
                < limit
            ):
                lo = mid + 1
            else:
                hi = mid
        self.index = lo
        if lo == ld32(leaf, 0):
            self.leaf += 1
            self.index = 0

    def is_at(self, leaf: cython.size_t, index: cython.uint) -> cython.bint:
        return (self.leaf == leaf and self.index == index) or self.leaf >= self.n

    def current(self) -> cython.uint:
        """The slot of the entry here."""
        return ld32(self.leaves[self.leaf], IDS + self.index * 4)

    def advance(self) -> cython.void:
        self.index += 1
        if self.index == ld32(self.leaves[self.leaf], 0):
            self.leaf += 1
            self.index = 0

    # ---- changing

    def add(self, slot: cython.uint) -> cython.int:
        """Enters a row that is in `rows` already; 0, or -4 without memory."""
        p: u8p
        o: cython.size_t
        e: cython.size_t
        prefix: u64
        leaf: u8p
        n: cython.uint
        i: cython.uint
        self.rows.locate(slot)
        p = self.rows.p
        o = self.rows.o
        e = self.rows.end
        prefix = self.order.row_prefix(p, o, e)
        if self.n == 0:
            if self.new_leaf(0) != 0:
                return -4
            self.leaf = 0
            self.index = 0
        else:
            self.find(prefix, slot, p, o, e)
            if ld32(self.leaves[self.leaf], 0) == CAP and self.make_room() != 0:
                return -4
        leaf = self.leaves[self.leaf]
        n = ld32(leaf, 0)
        i = self.index
        move(leaf, KEYS + (i + 1) * 8, KEYS + i * 8, (n - i) * 8)
        move(leaf, IDS + (i + 1) * 4, IDS + i * 4, (n - i) * 4)
        st64(leaf, KEYS + i * 8, prefix)
        st32(leaf, IDS + i * 4, slot)
        st32(leaf, 0, n + 1)
        if i == 0:
            self.set_head(self.leaf)
        self.count += 1
        return 0

    def make_room(self) -> cython.int:
        """The leaf here is full: moves the register to an equivalent place with room; 0, or -4 without
        memory."""
        at: cython.size_t = self.leaf
        old: u8p
        new: u8p
        if self.index == 0:
            return self.new_leaf(at)
        if self.index == CAP:
            if at + 1 == self.n or ld32(self.leaves[at + 1], 0) == CAP:
                if self.new_leaf(at + 1) != 0:
                    return -4
            self.leaf = at + 1
            self.index = 0
            return 0
        if self.new_leaf(at + 1) != 0:
            return -4
        old = self.leaves[at]
        new = self.leaves[at + 1]
        copy(new, KEYS, old, KEYS + HALF * 8, HALF * 8)
        copy(new, IDS, old, IDS + HALF * 4, HALF * 4)
        st32(old, 0, HALF)
        st32(new, 0, HALF)
        self.set_head(at + 1)
        if self.index > HALF:
            self.leaf = at + 1
            self.index -= HALF
        return 0

    def new_leaf(self, at: cython.size_t) -> cython.int:
        """Puts an empty leaf, a spare if there is one, at that place; 0, or -4 without memory."""
        leaf: u8p
        room: cython.size_t
        heads: u8p
        total: cython.size_t = self.n + self.spares
        if self.spares:
            leaf = self.leaves[total - 1]
            self.spares -= 1
            total -= 1
        else:
            if total == self.room:
                room = self.room * 2 if self.room else 2
                heads = grow(self.heads, self.room * 16, room * 16)
                if is_null(heads):
                    return -4
                self.heads = heads
                leaves = grow_ptrs(self.leaves, self.room, room)
                if is_no_ptrs(leaves):
                    return -4
                self.leaves = leaves
                self.room = room
            leaf = alloc(LEAF)
            if is_null(leaf):
                return -4
        move_ptrs(self.leaves, at + 1, at, total - at)
        move(self.heads, (at + 1) * 16, at * 16, (self.n - at) * 16)
        st32(leaf, 0, 0)
        self.leaves[at] = leaf
        self.n += 1
        return 0

    def remove(self, slot: cython.uint) -> cython.bint:
        """Takes the row's entry out; the row must still have the content it was entered with."""
        p: u8p
        o: cython.size_t
        e: cython.size_t
        leaf: u8p
        n: cython.uint
        i: cython.uint
        if self.n == 0:
            return False
        self.rows.locate(slot)
        p = self.rows.p
        o = self.rows.o
        e = self.rows.end
        self.find(self.order.row_prefix(p, o, e), slot, p, o, e)
        leaf = self.leaves[self.leaf]
        n = ld32(leaf, 0)
        i = self.index
        if i == n or ld32(leaf, IDS + i * 4) != slot:
            return False
        move(leaf, KEYS + i * 8, KEYS + (i + 1) * 8, (n - i - 1) * 8)
        move(leaf, IDS + i * 4, IDS + (i + 1) * 4, (n - i - 1) * 4)
        st32(leaf, 0, n - 1)
        self.count -= 1
        if n == 1:
            self.drop_leaf(self.leaf)
        elif i == 0:
            self.set_head(self.leaf)
        return True

    def set_head(self, at: cython.size_t) -> cython.void:
        st64(self.heads, at * 16, ld64(self.leaves[at], KEYS))
        st32(self.heads, at * 16 + 8, ld32(self.leaves[at], IDS))

    def drop_leaf(self, at: cython.size_t) -> cython.void:
        """Makes a leaf a spare."""
        leaf: u8p = self.leaves[at]
        total: cython.size_t = self.n + self.spares
        move_ptrs(self.leaves, at, at + 1, total - at - 1)
        move(self.heads, at * 16, (at + 1) * 16, (self.n - at - 1) * 16)
        self.leaves[total - 1] = leaf
        self.n -= 1
        self.spares += 1

    # ---- between transactions

    def settle(self) -> cython.void:
        """Merges leaves when they are three quarters empty, and gives back all spares but one."""
        if self.n > 1 and self.count * 4 < self.n * CAP:
            self.merge()
        while self.spares > 1:
            self.spares -= 1
            release(self.leaves[self.n + self.spares])

    def merge(self) -> cython.void:
        """One pass: a leaf takes in the next one while both fill three quarters of a leaf at most."""
        to: cython.size_t = 0
        at: cython.size_t
        a: cython.uint
        b: cython.uint
        leaf: u8p
        for at in range(1, self.n):
            leaf = self.leaves[at]
            a = ld32(self.leaves[to], 0)
            b = ld32(leaf, 0)
            if a + b <= CAP - (HALF >> 1):
                copy(self.leaves[to], KEYS + a * 8, leaf, KEYS, b * 8)
                copy(self.leaves[to], IDS + a * 4, leaf, IDS, b * 4)
                st32(self.leaves[to], 0, a + b)
                continue
            to += 1
            self.leaves[at] = self.leaves[to]
            self.leaves[to] = leaf
            self.set_head(to)
        self.spares += self.n - to - 1
        self.n = to + 1

    def clear(self) -> cython.void:
        """Forgets all entries and gives all memory back."""
        i: cython.size_t
        for i in range(self.n + self.spares):
            release(self.leaves[i])
        if not is_no_ptrs(self.leaves):
            release_ptrs(self.leaves)
        release(self.heads)
        self.leaves = no_ptrs()
        self.heads = null()
        self.n = self.spares = self.room = 0
        self.count = 0

    def in_use(self) -> cython.size_t:
        """Bytes held."""
        return (self.n + self.spares) * LEAF + self.room * 24
