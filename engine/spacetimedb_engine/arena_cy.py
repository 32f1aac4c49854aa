"""Where rows lie: cells of one size in pages, and blobs of any size in cells of about that size.

`Cells` hands out cells named by a 32-bit slot (page number, index in the page). A cell is `head` bytes for its owner
and the content; it never moves while it is in use, but its page may, so keep slots, not pointers. Each page has its
own list of free cells, threaded through them, and the pages that have room are in a list too (`open`). A page
that becomes empty is given back, except one, which is kept so that a table that goes between no row and one row does
not ask the machine for memory each time. The first page of a table starts small and doubles up to a full one.

Directory entry of a page (u32 each): live cells, first free (index + 1), cells ever used, room, next and previous
open page (number + 1). `spare` lists the numbers of pages that were given back, by `next`.

`Blobs` keeps byte strings: below LARGE bytes in `Cells` of 56 size classes, at most one eighth too wide; the others
each in an allocation of their own. A locator is (class + 1) << 32 | slot, so 0 is none.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.memory import (
        alloc,
        borrow,
        copy,
        fill,
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


ENTRY = cython.declare(cython.uint, 24)
PAGE_BYTES = cython.declare(cython.uint, 32768)
FIRST_CELLS = cython.declare(cython.uint, 8)
CLASSES = cython.declare(cython.uint, 57)
LARGE = cython.declare(cython.size_t, 4096)
LOW32 = cython.declare(cython.ulonglong, 0xFFFFFFFF)


class Cells:
    """Cells of `head` + `content` bytes. Slots are below 2**32; memory that runs out is a slot of -1."""

    def __init__(self, content: int, head: int) -> None:
        self.head = head
        self.stride = head + max(content, 4)
        self.shift = 0
        while self.shift < 16 and (self.stride << (self.shift + 1)) <= PAGE_BYTES:
            self.shift += 1
        self.mask = (1 << self.shift) - 1
        self.pages = no_ptrs()
        self.directory = null()
        self.page_count = self.page_room = 0
        self.open = self.spare = self.empty = 0
        self.live = 0
        self.bytes_in_pages = 0

    def __dealloc__(self) -> None:
        i: cython.uint
        for i in range(self.page_count):
            if not is_null(self.pages[i]):
                release(self.pages[i])
        if not is_no_ptrs(self.pages):
            release_ptrs(self.pages)
        release(self.directory)

    def page(self, slot: cython.uint) -> u8p:
        """The page that holds the cell."""
        return self.pages[slot >> self.shift]

    def place(self, slot: cython.uint) -> cython.size_t:
        """Where in its page the cell begins."""
        return cython.cast(cython.size_t, slot & self.mask) * self.stride

    def used(self, page: cython.uint) -> cython.uint:
        """How many cells of the page were ever handed out; those behind hold nothing."""
        return 0 if is_null(self.pages[page]) else ld32(self.directory, page * ENTRY + 8)

    def take(self) -> cython.longlong:
        """A cell; its content is whatever was there. -1: no memory, or 2**32 cells."""
        page: cython.longlong
        e: cython.size_t
        index: cython.uint
        if self.open == 0:
            page = self.new_page()
            if page < 0:
                return -1
        page = self.open - 1
        e = cython.cast(cython.size_t, page) * ENTRY
        index = ld32(self.directory, e + 4)
        if index != 0:
            index -= 1
            st32(
                self.directory,
                e + 4,
                ld32(self.pages[page], cython.cast(cython.size_t, index) * self.stride + self.head),
            )
        else:
            index = ld32(self.directory, e + 8)
            if index == ld32(self.directory, e + 12) and not self.widen(page):
                return -1
            st32(self.directory, e + 8, index + 1)
        if ld32(self.directory, e) == 0:
            self.empty = 0
        st32(self.directory, e, ld32(self.directory, e) + 1)
        self.live += 1
        if ld32(self.directory, e + 4) == 0 and ld32(self.directory, e + 8) > self.mask:
            self.unlink(page)
        return (page << self.shift) | index

    def give(self, slot: cython.uint) -> cython.void:
        """The cell is free again."""
        page: cython.uint = slot >> self.shift
        e: cython.size_t = cython.cast(cython.size_t, page) * ENTRY
        if ld32(self.directory, e + 4) == 0 and ld32(self.directory, e + 8) > self.mask:
            self.link(page)
        st32(self.pages[page], self.place(slot) + self.head, ld32(self.directory, e + 4))
        st32(self.directory, e + 4, (slot & self.mask) + 1)
        st32(self.directory, e, ld32(self.directory, e) - 1)
        self.live -= 1
        if ld32(self.directory, e) == 0:
            st32(self.directory, e + 4, 0)
            st32(self.directory, e + 8, 0)
            if self.empty:
                self.drop_page(page)
            else:
                self.empty = page + 1

    # ---- pages

    def new_page(self) -> cython.longlong:
        """Adds an open page without cells; its number, or -1."""
        page: cython.uint
        e: cython.size_t
        cells: cython.uint = self.mask + 1
        memory: u8p
        room: cython.uint
        if self.spare == 0 and self.page_count == self.page_room:
            room = self.page_room * 2 if self.page_room else 4
            directory: u8p = grow(self.directory, self.page_room * ENTRY, room * ENTRY)
            if is_null(directory):
                return -1
            self.directory = directory
            pages = grow_ptrs(self.pages, self.page_room, room)
            if is_no_ptrs(pages):
                return -1
            self.pages = pages
            self.page_room = room
        if self.spare:
            page = self.spare - 1
        else:
            page = self.page_count
            if self.shift and page >> (32 - self.shift):
                return -1
            if page == 0 and cells > FIRST_CELLS:
                cells = FIRST_CELLS
        memory = alloc(cython.cast(cython.size_t, cells) * self.stride)
        if is_null(memory):
            return -1
        e = cython.cast(cython.size_t, page) * ENTRY
        if self.spare:
            self.spare = ld32(self.directory, e + 16)
        else:
            self.page_count += 1
        fill(self.directory, e, 0, ENTRY)
        st32(self.directory, e + 12, cells)
        self.pages[page] = memory
        self.bytes_in_pages += cython.cast(cython.size_t, cells) * self.stride
        self.link(page)
        return page

    def widen(self, page: cython.uint) -> cython.bint:
        """Doubles the room of a page that is not yet full size."""
        e: cython.size_t = cython.cast(cython.size_t, page) * ENTRY
        old: cython.size_t = cython.cast(cython.size_t, ld32(self.directory, e + 12)) * self.stride
        memory: u8p = grow(self.pages[page], old, old * 2)
        if is_null(memory):
            return False
        self.pages[page] = memory
        self.bytes_in_pages += old
        st32(self.directory, e + 12, ld32(self.directory, e + 12) * 2)
        return True

    def link(self, page: cython.uint) -> cython.void:
        """Puts the page at the head of the open ones."""
        e: cython.size_t = cython.cast(cython.size_t, page) * ENTRY
        st32(self.directory, e + 16, self.open)
        st32(self.directory, e + 20, 0)
        if self.open:
            st32(self.directory, cython.cast(cython.size_t, self.open - 1) * ENTRY + 20, page + 1)
        self.open = page + 1

    def unlink(self, page: cython.uint) -> cython.void:
        e: cython.size_t = cython.cast(cython.size_t, page) * ENTRY
        following: cython.uint = ld32(self.directory, e + 16)
        previous: cython.uint = ld32(self.directory, e + 20)
        if previous:
            st32(self.directory, cython.cast(cython.size_t, previous - 1) * ENTRY + 16, following)
        else:
            self.open = following
        if following:
            st32(self.directory, cython.cast(cython.size_t, following - 1) * ENTRY + 20, previous)

    def drop_page(self, page: cython.uint) -> cython.void:
        """Gives the memory of an empty page back."""
        e: cython.size_t = cython.cast(cython.size_t, page) * ENTRY
        self.unlink(page)
        self.bytes_in_pages -= cython.cast(cython.size_t, ld32(self.directory, e + 12)) * self.stride
        release(self.pages[page])
        self.pages[page] = null()
        st32(self.directory, e + 16, self.spare)
        self.spare = page + 1

    def in_use(self) -> cython.size_t:
        """Bytes held."""
        return self.bytes_in_pages + cython.cast(cython.size_t, self.page_room) * (ENTRY + 8)


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
    """Byte strings by locator. They never move in address terms: a locator stays good until it is given back."""

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
