"""Where rows lie: cells of one size in pages.

`Cells` hands out cells named by a 32-bit slot (page number, index in the page). A cell is `head` bytes for
its owner and the content; it never moves while it is in use, but its page may, so keep slots, not pointers.
Each page has its own list of free cells, threaded through them, and the pages that have room are in a list
too (`open`). A page that becomes empty is given back, except one, which is kept so that a table that goes
between no row and one row does not ask the machine for memory each time. The first page of a table starts
small and doubles up to a full one.

Directory entry of a page (u32 each): live cells, first free (index + 1), cells ever used, room, next and
previous open page (number + 1). `spare` lists the numbers of pages that were given back, by `next`.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.memory import (
        alloc,
        fill,
        grow,
        grow_ptrs,
        is_no_ptrs,
        is_null,
        ld32,
        no_ptrs,
        null,
        release,
        release_ptrs,
        st32,
        u8p,
    )


ENTRY = cython.declare(cython.uint, 24)
PAGE_BYTES = cython.declare(cython.uint, 32768)
FIRST_CELLS = cython.declare(cython.uint, 8)


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
