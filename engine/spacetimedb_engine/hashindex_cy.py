"""Row by key, unordered: open addressing over 32-bit slots, 5 to 11 bytes a row.

An entry is the slot of a row plus one, 0 an empty place; keys are read from the rows. Entries of one key normally do
not repeat; while a log is replayed they may for a moment, so nothing here relies on it. Collisions go to the
next place, and a removal closes the gap, so there are no tombstones.

`add` may need memory; `remove`, and an `add` that merely undoes a `remove` of the same transaction, never do: the table
is made smaller by `settle` only, between transactions.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.keys_cy import Key
    from spacetimedb_engine.memory import alloc, is_null, ld32, null, release, same, st32, u8p
    from spacetimedb_engine.rows_cy import Rows


class HashIndex:
    def __init__(self, rows: Rows, key: Key) -> None:
        self.rows = rows
        self.key = key
        self.slots = null()
        self.mask = 0
        self.count = 0

    def __dealloc__(self) -> None:
        release(self.slots)

    def seek(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.longlong:
        """The slot of a row with the key of the point, or -1."""
        i: cython.size_t
        s: cython.uint
        if self.count == 0:
            return -1
        i = self.key.hash_point(buf, off, end) & self.mask
        while True:
            s = ld32(self.slots, i * 4)
            if s == 0:
                return -1
            self.rows.locate(s - 1)
            if self.key.row_is_point(self.rows.p, self.rows.o, self.rows.end, buf, off, end):
                return s - 1
            i = (i + 1) & self.mask

    def seek_row(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.longlong:
        """The slot of a row with the same key as the row given, or -1."""
        i: cython.size_t
        s: cython.uint
        if self.count == 0:
            return -1
        i = self.key.hash_row(buf, off, end) & self.mask
        while True:
            s = ld32(self.slots, i * 4)
            if s == 0:
                return -1
            self.rows.locate(s - 1)
            if self.key.rows_agree(self.rows.p, self.rows.o, self.rows.end, buf, off, end):
                return s - 1
            i = (i + 1) & self.mask

    def seek_same(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.longlong:
        """The slot of a row that equals the row given in all columns, or -1."""
        i: cython.size_t
        s: cython.uint
        n: cython.size_t = end - off
        if self.count == 0:
            return -1
        i = self.key.hash_row(buf, off, end) & self.mask
        while True:
            s = ld32(self.slots, i * 4)
            if s == 0:
                return -1
            self.rows.locate(s - 1)
            if self.rows.end - self.rows.o == n and same(self.rows.p, self.rows.o, buf, off, n):
                return s - 1
            i = (i + 1) & self.mask

    def reserve(self, extra: cython.size_t) -> cython.int:
        """Makes room for so many more rows; 0, or -4 without memory."""
        cap: cython.size_t = self.mask + 1 if not is_null(self.slots) else 0
        if (self.count + extra) * 4 <= cap * 3:
            return 0
        if cap == 0:
            cap = 16
        while (self.count + extra) * 4 > cap * 3:
            cap *= 2
        return self.resize(cap)

    def resize(self, cap: cython.size_t) -> cython.int:
        """Moves all entries to a table of `cap` places, a power of two."""
        old: u8p = self.slots
        places: cython.size_t = self.mask + 1 if not is_null(old) else 0
        slots: u8p = alloc(cap * 4)
        i: cython.size_t
        if is_null(slots):
            return -4
        self.slots = slots
        self.mask = cap - 1
        for i in range(places):
            if ld32(old, i * 4) != 0:
                self.place(ld32(old, i * 4) - 1)
        release(old)
        return 0

    def home(self, slot: cython.uint) -> cython.size_t:
        """Where the row's entry would stand if there were no others."""
        self.rows.locate(slot)
        return self.key.hash_row(self.rows.p, self.rows.o, self.rows.end) & self.mask

    def place(self, slot: cython.uint) -> cython.void:
        i: cython.size_t = self.home(slot)
        while ld32(self.slots, i * 4) != 0:
            i = (i + 1) & self.mask
        st32(self.slots, i * 4, slot + 1)

    def add(self, slot: cython.uint) -> cython.int:
        """Enters a row that is in `rows` already; 0, or -4 without memory."""
        if self.reserve(1) != 0:
            return -4
        self.place(slot)
        self.count += 1
        return 0

    def remove(self, slot: cython.uint) -> cython.bint:
        """Takes the row's entry out; the row must still have the content it was entered with."""
        i: cython.size_t = self.home(slot)
        j: cython.size_t
        h: cython.size_t
        while ld32(self.slots, i * 4) != slot + 1:
            if ld32(self.slots, i * 4) == 0:
                return False
            i = (i + 1) & self.mask
        self.count -= 1
        j = i
        while True:  # close the gap: an entry behind it moves up unless that would put it before its home
            j = (j + 1) & self.mask
            if ld32(self.slots, j * 4) == 0:
                break
            h = self.home(ld32(self.slots, j * 4) - 1)
            if ((j - h) & self.mask) >= ((j - i) & self.mask):
                st32(self.slots, i * 4, ld32(self.slots, j * 4))
                i = j
        st32(self.slots, i * 4, 0)
        return True

    def clear(self) -> cython.void:
        """Forgets all rows and gives all memory back."""
        release(self.slots)
        self.slots = null()
        self.mask = 0
        self.count = 0

    def settle(self) -> cython.void:
        """Gives memory back when most places are empty; a failure to do so is no harm."""
        if is_null(self.slots):
            return
        if self.count == 0 and self.mask > 63:
            self.clear()
        elif self.mask > 63 and self.count * 8 < self.mask:
            self.resize((self.mask + 1) >> 1)

    def in_use(self) -> cython.size_t:
        """Bytes held."""
        return 0 if is_null(self.slots) else (self.mask + 1) * 4
