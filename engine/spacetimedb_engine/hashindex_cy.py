"""Row by key, unordered: one cache line a bucket, 6 to 13 bytes a row.

A bucket (64 bytes) has 12 places: 12 tags (u8, 0 an empty place), u16 overflow, u16 unused, 12 row slots
(u32). A tag is eight bits of the key's hash, so that rows that only share the bucket are hardly ever looked
at; keys themselves are read from the rows. A row whose bucket is full goes to the next one with room, at a
stride that depends on its tag, and every full bucket it passed counts it in its overflow: where that is 0 a
search ends. So taking a row out leaves no trace. (An overflow that ever reached 65535 stays there.)

Keys normally do not repeat; while a log is replayed they may for a moment, so nothing here relies on it.

`add` may need memory; `remove`, and an `add` that merely undoes a `remove` of the same transaction, never do:
the table is made smaller by `settle` only, between transactions.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.keys_cy import Key
    from spacetimedb_engine.memory import (
        alloc,
        is_null,
        ld8,
        ld16,
        ld32,
        lowest,
        match12,
        null,
        prefetch,
        release,
        same,
        st8,
        st16,
        st32,
        to_line,
        u8p,
    )
    from spacetimedb_engine.rows_cy import Rows

    BY_POINT, BY_ROW, BY_ALL = range(3)

BUCKET = cython.declare(cython.size_t, 64)
OVERFLOW = cython.declare(cython.size_t, 12)
SLOTS = cython.declare(cython.size_t, 16)
FULL = cython.declare(cython.size_t, 10)
"""Rows a bucket, on average, before there must be more buckets."""
FOREVER = cython.declare(cython.uint, 0xFFFF)


def tag_of(h: cython.ulonglong) -> cython.uint:
    return (h >> 56) if h >> 56 else 1


class HashIndex:
    """`buckets` is a power of two, or 0; they begin `base` bytes into `memory`, on a cache line."""

    def __init__(self, rows: Rows, key: Key) -> None:
        self.rows = rows
        self.key = key
        self.memory = null()
        self.base = 0
        self.buckets = 0
        self.count = 0

    def __dealloc__(self) -> None:
        release(self.memory)

    # ---- finding: the slot of a row, or -1

    def seek(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.longlong:
        """A row with the key of the point."""
        if self.count == 0:
            return -1
        return self.probe(self.key.hash_point(buf, off, end), buf, off, end, BY_POINT)

    def seek_row(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.longlong:
        """A row with the same key as the row given."""
        if self.count == 0:
            return -1
        return self.probe(self.key.hash_row(buf, off, end), buf, off, end, BY_ROW)

    def seek_same(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.longlong:
        """A row that equals the row given in all columns."""
        if self.count == 0:
            return -1
        return self.probe(self.key.hash_row(buf, off, end), buf, off, end, BY_ALL)

    def probe(
        self, h: cython.ulonglong, buf: u8p, off: cython.size_t, end: cython.size_t, how: cython.uint
    ) -> cython.longlong:
        """A row with that hash that is what `how` says of the bytes."""
        tag: cython.uint = tag_of(h)
        b: cython.size_t = h & (self.buckets - 1)
        o: cython.size_t
        m: cython.uint
        slot: cython.uint
        _passed: cython.size_t
        for _passed in range(self.buckets):
            o = self.base + b * BUCKET
            m = match12(self.memory, o, tag)
            while m:
                slot = ld32(self.memory, o + SLOTS + lowest(m) * 4)
                self.rows.locate(slot)
                if self.is_it(buf, off, end, how):
                    return slot
                m = m & (m - 1)
            if ld16(self.memory, o + OVERFLOW) == 0:
                return -1
            b = (b + 2 * tag + 1) & (self.buckets - 1)
        return -1

    def is_it(self, buf: u8p, off: cython.size_t, end: cython.size_t, how: cython.uint) -> cython.bint:
        """Is the row located what `how` says of the bytes?"""
        if how == BY_ROW:
            return self.key.rows_agree(self.rows.p, self.rows.o, self.rows.end, buf, off, end)
        if how == BY_POINT:
            return self.key.row_is_point(self.rows.p, self.rows.o, self.rows.end, buf, off, end)
        return self.rows.end - self.rows.o == end - off and same(
            self.rows.p, self.rows.o, buf, off, end - off
        )

    # ---- changing

    def reserve(self, extra: cython.size_t) -> cython.int:
        """Makes room for so many more rows; 0, or -4 without memory."""
        buckets: cython.size_t = self.buckets if self.buckets else 1
        while self.count + extra > buckets * FULL:
            buckets *= 2
        return 0 if buckets == self.buckets else self.resize(buckets)

    def resize(self, buckets: cython.size_t) -> cython.int:
        """Moves all rows to so many buckets; 0, or -4 without memory."""
        old: u8p = self.memory
        base: cython.size_t = self.base
        count: cython.size_t = self.buckets
        memory: u8p = alloc((buckets + 1) * BUCKET)
        b: cython.size_t
        i: cython.size_t
        slot: cython.uint
        if is_null(memory):
            return -4
        self.memory = memory
        self.base = to_line(memory)
        self.buckets = buckets
        for b in range(count):
            for i in range(12):
                if ld8(old, base + b * BUCKET + i):
                    slot = ld32(old, base + b * BUCKET + SLOTS + i * 4)
                    self.place(slot, self.hash_of(slot))
        release(old)
        return 0

    def hash_of(self, slot: cython.uint) -> cython.ulonglong:
        self.rows.locate(slot)
        return self.key.hash_row(self.rows.p, self.rows.o, self.rows.end)

    def add(self, slot: cython.uint) -> cython.int:
        """Enters a row that is in `rows` already; 0, or -4 without memory."""
        return self.add_hashed(slot, self.hash_of(slot))

    def add_hashed(self, slot: cython.uint, h: cython.ulonglong) -> cython.int:
        """As `add`, for whoever knows the hash of the row's key."""
        if self.count >= self.buckets * FULL and self.reserve(1) != 0:
            return -4
        self.place(slot, h)
        self.count += 1
        return 0

    def place(self, slot: cython.uint, h: cython.ulonglong) -> cython.void:
        """Puts the row where there is room."""
        tag: cython.uint = tag_of(h)
        b: cython.size_t = h & (self.buckets - 1)
        o: cython.size_t = self.base + b * BUCKET
        room: cython.uint = match12(self.memory, o, 0)
        while room == 0:
            if ld16(self.memory, o + OVERFLOW) != FOREVER:
                st16(self.memory, o + OVERFLOW, ld16(self.memory, o + OVERFLOW) + 1)
            b = (b + 2 * tag + 1) & (self.buckets - 1)
            o = self.base + b * BUCKET
            room = match12(self.memory, o, 0)
        room = lowest(room)
        st8(self.memory, o + room, tag)
        st32(self.memory, o + SLOTS + room * 4, slot)

    def remove(self, slot: cython.uint) -> cython.bint:
        """Takes the row out; it must still have the content it was entered with. Was it there?"""
        return self.remove_hashed(slot, self.hash_of(slot))

    def remove_hashed(self, slot: cython.uint, h: cython.ulonglong) -> cython.bint:
        """As `remove`, for whoever knows the hash of the row's key."""
        tag: cython.uint = tag_of(h)
        b: cython.size_t = h & (self.buckets - 1)
        o: cython.size_t
        i: cython.uint
        passed: cython.size_t
        for passed in range(self.buckets):
            o = self.base + b * BUCKET
            i = self.place_of(o, tag, slot)
            if i < 12:
                st8(self.memory, o + i, 0)
                self.count -= 1
                self.forget(h, passed)
                return True
            if ld16(self.memory, o + OVERFLOW) == 0:
                return False
            b = (b + 2 * tag + 1) & (self.buckets - 1)
        return False

    def place_of(self, o: cython.size_t, tag: cython.uint, slot: cython.uint) -> cython.uint:
        """Which place of the bucket at o holds the slot; 12: none."""
        m: cython.uint = match12(self.memory, o, tag)
        while m:
            if ld32(self.memory, o + SLOTS + lowest(m) * 4) == slot:
                return lowest(m)
            m = m & (m - 1)
        return 12

    def forget(self, h: cython.ulonglong, passed: cython.size_t) -> cython.void:
        """A row with that hash had passed so many full buckets: they count it no more."""
        b: cython.size_t = h & (self.buckets - 1)
        i: cython.size_t
        o: cython.size_t
        for i in range(passed):
            o = self.base + b * BUCKET + OVERFLOW
            if ld16(self.memory, o) != FOREVER:
                st16(self.memory, o, ld16(self.memory, o) - 1)
            b = (b + 2 * tag_of(h) + 1) & (self.buckets - 1)

    # ---- ahead of time

    def expect(self, h: cython.ulonglong) -> cython.void:
        """Keys with that hash will be looked for soon: fetches their bucket."""
        if self.buckets:
            prefetch(self.memory, self.base + (h & (self.buckets - 1)) * BUCKET)

    def expect_row(self, h: cython.ulonglong) -> cython.void:
        """As `expect`, when the bucket has arrived: fetches the row that is probably meant."""
        m: cython.uint
        o: cython.size_t
        slot: cython.uint
        if self.buckets:
            o = self.base + (h & (self.buckets - 1)) * BUCKET
            m = match12(self.memory, o, tag_of(h))
            if m:
                slot = ld32(self.memory, o + SLOTS + lowest(m) * 4)
                prefetch(self.rows.cells.page(slot), self.rows.cells.place(slot))

    # ---- between transactions

    def clear(self) -> cython.void:
        """Forgets all rows and gives all memory back."""
        release(self.memory)
        self.memory = null()
        self.base = self.buckets = 0
        self.count = 0

    def settle(self) -> cython.void:
        """Gives memory back when most places are empty; a failure to do so is no harm."""
        if self.count == 0 and self.buckets > 4:
            self.clear()
        elif self.buckets > 4 and self.count * 8 < self.buckets * FULL:
            self.resize(self.buckets >> 1)

    def in_use(self) -> cython.size_t:
        """Bytes held."""
        return (self.buckets + 1) * BUCKET if self.buckets else 0
