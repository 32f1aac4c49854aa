"""The rows of one table, by slot.

Rows of one length lie in cells; others are blobs, and the cell holds the locator. The byte in front of a cell
is the state of its row:

=========  =====================================================================================
FREE       no row
CLEAN      committed, untouched by the open transaction
MODIFIED   committed, changed by the open transaction: the old content is in the journal
INSERTED   made by the open transaction
CLAIMED    the same, and the commit in progress has counted it
DELETED    committed, deleted by the open transaction: out of all indexes, content kept for rollback
DEAD       made and deleted by the open transaction, kept because a change of definitions needs it
=========  =====================================================================================

Live rows are CLEAN to CLAIMED. `locate` puts the place of a row into the registers `p`, `o`, `end` (buffer,
offset of the first byte and of the one behind the last); the next `locate` overwrites them.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.arena_cy import Cells
    from spacetimedb_engine.blobs_cy import Blobs
    from spacetimedb_engine.memory import copy, is_null, ld8, ld64, null, st8, st64, u8p

    FREE, CLEAN, MODIFIED, INSERTED, CLAIMED, DELETED, DEAD = range(7)


class Rows:
    """`fixed`: the length of every row, or -1."""

    def __init__(self, fixed: int) -> None:
        self.fixed = fixed
        self.cells = Cells(fixed if fixed >= 0 else 8, 1)
        self.blobs = Blobs()
        self.o = self.end = 0
        self.next_page = self.next_index = 0
        if not cython.compiled:
            self.p = null()

    def locate(self, slot: cython.uint) -> cython.void:
        self.p = self.cells.pages[slot >> self.cells.shift]
        self.o = (slot & self.cells.mask) * self.cells.stride + 1
        if self.fixed >= 0:
            self.end = self.o + self.fixed
        else:
            self.locate_blob(ld64(self.p, self.o))

    def locate_blob(self, locator: cython.ulonglong) -> cython.void:
        self.p = self.blobs.page(locator)
        self.o = self.blobs.place(locator)
        self.end = self.o + self.blobs.size(locator)

    def state(self, slot: cython.uint) -> cython.uint:
        return ld8(self.cells.pages[slot >> self.cells.shift], (slot & self.cells.mask) * self.cells.stride)

    def state_now(self, slot: cython.uint) -> cython.uint:
        """As `state`, for a slot that may have been given back together with its page."""
        return FREE if is_null(self.cells.page(slot)) else self.state(slot)

    def mark(self, slot: cython.uint, state: cython.uint) -> cython.void:
        st8(self.cells.pages[slot >> self.cells.shift], (slot & self.cells.mask) * self.cells.stride, state)

    def put(self, buf: u8p, off: cython.size_t, n: cython.size_t, state: cython.uint) -> cython.longlong:
        """Keeps a copy of the row; its slot, or -1 when there is no memory."""
        slot: cython.longlong = self.cells.take()
        locator: cython.ulonglong
        if slot < 0:
            return -1
        if self.fixed >= 0:
            copy(self.cells.page(slot), self.cells.place(slot) + 1, buf, off, n)
        else:
            locator = self.blobs.put(buf, off, n)
            if locator == 0:
                self.mark(slot, FREE)
                self.cells.give(slot)
                return -1
            self.point_to(slot, locator)
        self.mark(slot, state)
        return slot

    def drop(self, slot: cython.uint) -> cython.void:
        """The row and its slot are free again."""
        if self.fixed < 0:
            self.blobs.give(self.locator(slot))
        self.mark(slot, FREE)
        self.cells.give(slot)

    def overwrite(self, slot: cython.uint, buf: u8p, off: cython.size_t) -> cython.void:
        """New content for a row of fixed length."""
        copy(self.cells.page(slot), self.cells.place(slot) + 1, buf, off, self.fixed)

    def locator(self, slot: cython.uint) -> cython.ulonglong:
        """The blob of a row of variable length."""
        return ld64(self.cells.page(slot), self.cells.place(slot) + 1)

    def point_to(self, slot: cython.uint, locator: cython.ulonglong) -> cython.void:
        st64(self.cells.page(slot), self.cells.place(slot) + 1, locator)

    def rewind(self) -> cython.void:
        """The next `following` gives the first live row."""
        self.next_page = self.next_index = 0

    def following(self) -> cython.longlong:
        """The slot of the next live row, or -1. Rows may be dropped meanwhile, not added."""
        slot: cython.uint
        while self.next_page < self.cells.page_count:
            while self.next_index < self.cells.used(self.next_page):
                slot = (self.next_page << self.cells.shift) | self.next_index
                self.next_index += 1
                if CLEAN <= self.state(slot) <= CLAIMED:
                    return slot
            self.next_page += 1
            self.next_index = 0
        return -1

    def in_use(self) -> cython.size_t:
        """Bytes held."""
        return self.cells.in_use() + (self.blobs.in_use() if self.fixed < 0 else 0)
