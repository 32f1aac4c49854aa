"""Byte strings of any length, by locator.

Below LARGE bytes they lie in `Cells` of 56 size classes (steps of 8 up to 128, then eight steps to each
doubling, so that a cell is at most one eighth too wide); longer ones each in an allocation of their own. In
front of the bytes in a cell stands their number (u32). A locator is (class + 1) << 32 | slot, so 0 is none;
it stays good until it is given back.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.arena_cy import Cells
    from spacetimedb_engine.memory import (
        alloc,
        borrow,
        copy,
        grow,
        grow_objs,
        grow_ptrs,
        is_no_objs,
        is_no_ptrs,
        is_nothing,
        is_null,
        ld32,
        ld64,
        no_objs,
        no_ptrs,
        null,
        release,
        release_objs,
        release_ptrs,
        st32,
        st64,
        u8p,
    )

CLASSES = cython.declare(cython.uint, 57)
LARGE = cython.declare(cython.size_t, 4096)
LOW32 = cython.declare(cython.ulonglong, 0xFFFFFFFF)


def class_of(n: cython.size_t) -> cython.uint:
    """The size class of a cell of n bytes: steps of 8 up to 128, then eight steps to each doubling."""
    k: cython.uint = 7
    if n <= 128:
        return (n + 7) >> 3
    while n > (cython.cast(cython.size_t, 2) << k):
        k += 1
    return (
        16
        + (k - 7) * 8
        + cython.cast(cython.uint, (n - 1 - (cython.cast(cython.size_t, 1) << k)) >> (k - 3))
        + 1
    )


def class_size(c: cython.uint) -> cython.size_t:
    """How wide the cells of a class are."""
    k: cython.uint
    if c <= 16:
        return c * 8
    k = 7 + ((c - 17) >> 3)
    return (cython.cast(cython.size_t, 1) << k) + (cython.cast(cython.size_t, ((c - 17) & 7) + 1) << (k - 3))


class Blobs:
    """All byte strings of a table."""

    def __init__(self) -> None:
        self.kept: list[Cells | None] = [None] * CLASSES
        self.classes = grow_objs(no_objs(), 0, CLASSES)
        if is_no_objs(self.classes):
            raise MemoryError("no memory for the size classes of a table")
        self.large = no_ptrs()
        self.large_sizes = null()
        self.large_count = self.large_room = self.large_free = 0
        self.large_bytes = 0

    def __dealloc__(self) -> None:
        i: cython.uint
        for i in range(self.large_count):
            if not is_null(self.large[i]):
                release(self.large[i])
        if not is_no_ptrs(self.large):
            release_ptrs(self.large)
        release(self.large_sizes)
        release_objs(self.classes)

    def put(self, buf: u8p, off: cython.size_t, n: cython.size_t) -> cython.ulonglong:
        """Keeps n bytes (below 2**32); their locator, or 0 when there is no memory."""
        c: cython.uint
        slot: cython.longlong
        page: u8p
        at: cython.size_t
        if n + 4 > LARGE:
            return self.put_large(buf, off, n)
        c = class_of(n + 4)
        if is_nothing(self.classes[c]) and self.make_class(c) != 0:
            return 0
        slot = cython.cast(Cells, self.classes[c]).take()
        if slot < 0:
            return 0
        page = cython.cast(Cells, self.classes[c]).page(slot)
        at = cython.cast(Cells, self.classes[c]).place(slot)
        st32(page, at, n)
        copy(page, at + 4, buf, off, n)
        return (cython.cast(cython.ulonglong, c + 1) << 32) | slot

    def put_large(self, buf: u8p, off: cython.size_t, n: cython.size_t) -> cython.ulonglong:
        slot: cython.uint
        room: cython.uint
        memory: u8p
        if self.large_free == 0 and self.large_count == self.large_room:
            room = self.large_room * 2 if self.large_room else 4
            sizes: u8p = grow(self.large_sizes, self.large_room * 8, room * 8)
            if is_null(sizes):
                return 0
            self.large_sizes = sizes
            large = grow_ptrs(self.large, self.large_room, room)
            if is_no_ptrs(large):
                return 0
            self.large = large
            self.large_room = room
        memory = alloc(n)
        if is_null(memory):
            return 0
        if self.large_free:
            slot = self.large_free - 1
            self.large_free = ld64(self.large_sizes, slot * 8)
        else:
            slot = self.large_count
            self.large_count += 1
        copy(memory, 0, buf, off, n)
        self.large[slot] = memory
        st64(self.large_sizes, slot * 8, n)
        self.large_bytes += n
        return (cython.cast(cython.ulonglong, CLASSES + 1) << 32) | slot

    def give(self, locator: cython.ulonglong) -> cython.void:
        c: cython.uint = (locator >> 32) - 1
        slot: cython.uint = locator & LOW32
        if c < CLASSES:
            cython.cast(Cells, self.classes[c]).give(slot)
            return
        self.large_bytes -= ld64(self.large_sizes, slot * 8)
        release(self.large[slot])
        self.large[slot] = null()
        st64(self.large_sizes, slot * 8, self.large_free)
        self.large_free = slot + 1

    def page(self, locator: cython.ulonglong) -> u8p:
        """The memory that holds the bytes, from `place` on, `size` of them."""
        c: cython.uint = (locator >> 32) - 1
        if c < CLASSES:
            return cython.cast(Cells, self.classes[c]).page(locator & LOW32)
        return self.large[locator & LOW32]

    def place(self, locator: cython.ulonglong) -> cython.size_t:
        c: cython.uint = (locator >> 32) - 1
        if c < CLASSES:
            return cython.cast(Cells, self.classes[c]).place(locator & LOW32) + 4
        return 0

    def size(self, locator: cython.ulonglong) -> cython.size_t:
        c: cython.uint = (locator >> 32) - 1
        if c < CLASSES:
            return ld32(self.page(locator), self.place(locator) - 4)
        return ld64(self.large_sizes, (locator & LOW32) * 8)

    def make_class(self, c: cython.uint) -> cython.int:
        """The cells of a size class that had none so far; 0, or -1 without memory."""
        try:
            cells = Cells(class_size(c) - 4, 4)
        except MemoryError:
            return -1
        self.kept[c] = cells
        self.classes[c] = borrow(cells)
        return 0

    def in_use(self) -> cython.size_t:
        total: cython.size_t = self.large_bytes + cython.cast(cython.size_t, self.large_room) * 16
        c: cython.uint
        for c in range(CLASSES):
            if not is_nothing(self.classes[c]):
                total += cython.cast(Cells, self.classes[c]).in_use()
        return total
