"""What a guest holds by number: bytes to read, bytes to write to, rows to iterate over.

Sources and sinks count from 1 within a call and are gone at its end; 0 is no handle. A call inside a call (a view
that is computed while a procedure commits) takes the next numbers and gives back what is above its mark.
Row iterators live in a slab: a slot that was freed last is used first.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.memory import copy, ld32, ld64, null, st32, st64, u8p

    CHUNK = 32_768  # a chunk of rows ends with the row that makes it larger than this
    KEEP = 65_536  # buffers that hold more are given back once they are empty
    RECORD = 24  # of a source: u32 kind (0 free, 1 the call's arguments, 2 a copy), u64 position, u64 end


class Sources:
    """Bytes that a guest reads. The arguments of a call stay where they are; everything else is copied."""

    def __init__(self) -> None:
        self.table = Buffer()
        self.heap = Buffer()
        self.unread = 0
        if not cython.compiled:
            self.args = null()

    def open_args(self, buf: u8p, off: cython.size_t, n: cython.size_t) -> cython.uint:
        """The arguments of the outermost call: its first source, if there are any bytes at all. 0: there are none."""
        if n == 0 or self.table.n > 0 or self.table.reserve(RECORD) != 0:
            return 0
        self.args = buf
        st32(self.table.data, 0, 1)
        st64(self.table.data, 8, off)
        st64(self.table.data, 16, off + n)
        self.table.n = RECORD
        self.unread = 1
        return 1

    def open_copy(self, buf: u8p, off: cython.size_t, n: cython.size_t) -> cython.longlong:
        """A source of a copy of these bytes, even of none: its handle, -4 when out of memory."""
        at: cython.size_t = self.table.n
        begin: cython.size_t = self.heap.n
        if self.table.reserve(RECORD) != 0 or self.heap.append(buf, off, n) != 0:
            return -4
        st32(self.table.data, at, 2)
        st64(self.table.data, at + 8, begin)
        st64(self.table.data, at + 16, begin + n)
        self.table.n += RECORD
        self.unread += 1
        return at // RECORD + 1

    def remaining(self, handle: cython.uint) -> cython.longlong:
        """Bytes left; -1: no such source."""
        at: cython.size_t
        if handle == 0 or handle > self.table.n // RECORD:
            return -1
        at = (handle - 1) * RECORD
        if ld32(self.table.data, at) == 0:
            return -1
        return ld64(self.table.data, at + 16) - ld64(self.table.data, at + 8)

    def read(self, handle: cython.uint, dst: u8p, off: cython.size_t, room: cython.size_t) -> cython.size_t:
        """Copies up to `room` bytes of a source that exists; drained, it is gone. How many were copied."""
        at: cython.size_t = (handle - 1) * RECORD
        pos: cython.size_t = ld64(self.table.data, at + 8)
        n: cython.size_t = ld64(self.table.data, at + 16) - pos
        drained: cython.bint = n <= room
        if not drained:
            n = room
        if n > 0:
            if ld32(self.table.data, at) == 1:
                copy(dst, off, self.args, pos, n)
            else:
                copy(dst, off, self.heap.data, pos, n)
        st64(self.table.data, at + 8, pos + n)
        if drained:
            st32(self.table.data, at, 0)
            self.unread -= 1
        return n

    def cut(self, table_mark: cython.size_t, heap_mark: cython.size_t) -> None:
        """Drops the sources made since the marks."""
        at: cython.size_t = table_mark
        while at < self.table.n and self.unread > 0:
            if ld32(self.table.data, at) != 0:
                self.unread -= 1
            at += RECORD
        self.table.n = table_mark
        self.heap.n = heap_mark
        if self.heap.cap > KEEP:
            self.heap.shrink(KEEP)


class Sinks:
    """Bytes that a guest writes."""

    def __init__(self) -> None:
        self.buffers: list[Buffer] = []
        self.n = 0

    def open(self) -> cython.uint:
        """A fresh sink: its handle."""
        if self.n == len(self.buffers):
            self.buffers.append(Buffer())
        self.n += 1
        return self.n

    def get(self, handle: cython.uint) -> Buffer | None:
        """None: no such sink."""
        if handle == 0 or handle > self.n:
            return None
        buffer: Buffer = self.buffers[handle - 1]
        return buffer

    def taken(self, handle: cython.uint) -> bytes:
        """What is in a sink that exists; it is empty afterwards."""
        buffer: Buffer = self.buffers[handle - 1]
        return buffer.take()

    def cut(self, mark: cython.uint) -> None:
        """Drops the sinks above the mark, with what is in them."""
        while self.n > mark:
            self.n -= 1
            buffer: Buffer = self.buffers[self.n]
            buffer.n = 0
            if buffer.cap > KEEP:
                buffer.shrink(KEEP)


class RowIter:
    """Rows on their way to a guest: copied when the scan began, handed out in whole chunks."""

    def __init__(self, handle: cython.uint) -> None:
        self.rows = Buffer()
        self.ends = Buffer()
        self.pos = self.row = 0
        self.handle = handle
        self.following = 0
        self.live = False

    def chunk_end(self, begin: cython.size_t, row: cython.size_t) -> cython.size_t:
        """Index behind the last row of the chunk that begins at byte `begin` with row `row`."""
        count: cython.size_t = self.ends.n // 8
        while row < count:
            row += 1
            if ld64(self.ends.data, (row - 1) * 8) - begin > CHUNK:
                break
        return row

    def fitting(self, room: cython.size_t) -> cython.size_t:
        """Bytes of the whole chunks that fit into `room`, from here on; moves behind their rows, not bytes."""
        at: cython.size_t = self.pos
        row: cython.size_t
        end: cython.size_t
        while self.row < self.ends.n // 8:
            row = self.chunk_end(at, self.row)
            end = ld64(self.ends.data, (row - 1) * 8)
            if end - self.pos > room:
                break
            at = end
            self.row = row
        return at - self.pos

    def next_chunk(self) -> cython.size_t:
        """Length of the chunk that comes next."""
        return ld64(self.ends.data, (self.chunk_end(self.pos, self.row) - 1) * 8) - self.pos


class RowIters:
    """The iterators of a guest; handles are slot + 1. Free slots form a chain: `free`, then each one's `following`.

    `held`: bytes of rows in those that are open.
    """

    def __init__(self) -> None:
        self.slots: list[RowIter] = []
        self.free = 0
        self.held = 0
        self.live = 0

    def open(self) -> RowIter:
        it: RowIter
        if self.free != 0:
            it = self.slots[self.free - 1]
            self.free = it.following
        else:
            it = RowIter(len(self.slots) + 1)
            self.slots.append(it)
        it.live = True
        self.live += 1
        return it

    def get(self, handle: cython.uint) -> RowIter | None:
        """None: no such iterator."""
        if handle == 0 or handle > cython.cast(cython.size_t, len(self.slots)):
            return None
        it: RowIter = self.slots[handle - 1]
        return it if it.live else None

    def close(self, it: RowIter) -> None:
        self.held -= it.rows.n
        it.rows.n = it.ends.n = 0
        if it.rows.cap > KEEP:
            it.rows.shrink(KEEP)
        if it.ends.cap > KEEP:
            it.ends.shrink(KEEP)
        it.pos = it.row = 0
        it.live = False
        it.following = self.free
        self.free = it.handle
        self.live -= 1

    def close_all(self) -> None:
        """The guest's call is over: what it left open is dropped, and numbers start again at 1."""
        it: RowIter
        if self.live == 0:
            return
        self.free = 0
        for it in self.slots[::-1]:
            if it.live:
                self.close(it)
            else:
                it.following = self.free
                self.free = it.handle
