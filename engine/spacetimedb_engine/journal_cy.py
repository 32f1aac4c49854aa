"""What the open transaction has done, in order, so that it can be undone exactly and its net effect told.

A record (RECORD bytes; where in it: KIND and so on): u32 kind, u32 table (number in `tables`), u32 slot, u32
next record of the same table (number + 1, 0 none), u64 image, u32 verdict, u32 unused. Kinds: INSERT; UPDATE,
whose image is the old content (an offset in `images` for rows of fixed length, else the locator of the old
blob); DELETE. FIRST is added to the kind when the row was untouched before.

The first touch of a committed row writes its old content here; further updates of it, and everything that
happens to rows of the transaction's own, need no image. Only while `pinned` (definitions have changed in this
transaction) every step is written, because an index that was dropped comes back as it was at that step.

The verdict is set by the commit: GONE (the old content is a net delete), NEW (the current content is a net
insert).

`tables` are the tables touched, each once; `tx` numbers the transactions, so that a table knows whether it is
in.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.memory import (
        grow_objs,
        is_no_objs,
        ld32,
        ld64,
        no_objs,
        release_objs,
        st32,
        st64,
        u8p,
    )

    INSERT, UPDATE, DELETE = 1, 2, 3
    FIRST = 256
    RECORD, KIND, TABLE, SLOT, NEXT, IMAGE, VERDICT = 32, 0, 4, 8, 12, 16, 24
    GONE, NEW = 1, 2

MOST = cython.declare(cython.size_t, 0xFFFFFFF0)
KEEP = cython.declare(cython.size_t, 1 << 20)


class Journal:
    def __init__(self) -> None:
        self.records = Buffer()
        self.images = Buffer()
        self.tables = no_objs()
        self.table_count = self.table_room = 0
        self.tx = 0
        self.open = False
        self.pinned = False

    def __dealloc__(self) -> None:
        if not is_no_objs(self.tables):
            release_objs(self.tables)

    def begin(self) -> cython.void:
        self.tx = (self.tx + 1) & 0x7FFFFFFF
        self.open = True

    def end(self) -> cython.void:
        """Nothing is open any more; memory beyond a megabyte goes back."""
        self.records.n = 0
        self.images.n = 0
        if self.records.cap > KEEP:
            self.records.shrink(KEEP)
        if self.images.cap > KEEP:
            self.images.shrink(KEEP)
        self.table_count = 0
        self.pinned = False
        self.open = False

    def reserve(self, image: cython.size_t) -> cython.int:
        """Makes room for one more record and `image` bytes of old content; 0, or -4 without memory."""
        if self.records.n // RECORD >= MOST:
            return -4
        if self.records.cap - self.records.n < RECORD and self.records.reserve(RECORD) != 0:
            return -4
        if self.images.cap - self.images.n < image and self.images.reserve(image) != 0:
            return -4
        return 0

    def enlist(self, table: cython.p_void) -> cython.longlong:
        """Adds a table to those touched; its number, or -4 without memory."""
        room: cython.uint
        if self.table_count == self.table_room:
            room = self.table_room * 2 if self.table_room else 8
            tables = grow_objs(self.tables, self.table_room, room)
            if is_no_objs(tables):
                return -4
            self.tables = tables
            self.table_room = room
        self.tables[self.table_count] = table
        self.table_count += 1
        return self.table_count - 1

    def count(self) -> cython.uint:
        return self.records.n // RECORD

    def push(
        self, kind: cython.uint, table: cython.uint, slot: cython.uint, image: cython.ulonglong
    ) -> cython.uint:
        """Appends a record for which there is room; its number."""
        data: u8p = self.records.data
        at: cython.size_t = self.records.n
        st32(data, at + KIND, kind)
        st32(data, at + TABLE, table)
        st32(data, at + SLOT, slot)
        st32(data, at + NEXT, 0)
        st64(data, at + IMAGE, image)
        st64(data, at + VERDICT, 0)
        self.records.n = at + RECORD
        return at // RECORD

    def pop(self) -> cython.void:
        """Forgets the last record."""
        self.records.n -= RECORD

    def keep(self, buf: u8p, off: cython.size_t, n: cython.size_t) -> cython.ulonglong:
        """Copies old content, for which there is room; its offset in `images`."""
        self.images.append(buf, off, n)
        return self.images.n - n

    def kind(self, r: cython.uint) -> cython.uint:
        return ld32(self.records.data, cython.cast(cython.size_t, r) * RECORD + KIND)

    def table(self, r: cython.uint) -> cython.uint:
        return ld32(self.records.data, cython.cast(cython.size_t, r) * RECORD + TABLE)

    def slot(self, r: cython.uint) -> cython.uint:
        return ld32(self.records.data, cython.cast(cython.size_t, r) * RECORD + SLOT)

    def image(self, r: cython.uint) -> cython.ulonglong:
        return ld64(self.records.data, cython.cast(cython.size_t, r) * RECORD + IMAGE)

    def verdict(self, r: cython.uint) -> cython.uint:
        return ld32(self.records.data, cython.cast(cython.size_t, r) * RECORD + VERDICT)

    def chain(self, r: cython.uint, following: cython.uint) -> cython.void:
        st32(self.records.data, cython.cast(cython.size_t, r) * RECORD + NEXT, following)

    def judge(self, r: cython.uint, verdict: cython.uint) -> cython.void:
        st32(self.records.data, cython.cast(cython.size_t, r) * RECORD + VERDICT, verdict)
