"""What the calls that wait will look up, fetched before their turn.

Most of a small reducer is waiting for memory: for the bucket of an index, then for the row. But a turn has its
next calls in hand, and reducers mostly look rows up by values that stand in their arguments. So the first call
of a reducer, and one in PERIOD after it, is watched: a key that it looked up in a hash table and that stands in
its arguments is a habit. While calls of that reducer are worked off, what lies FAR calls ahead is taken for
another one, and the buckets of its keys are fetched; NEAR calls ahead, when these have arrived, the rows.

It only ever fetches. Nothing of what it reads has been verified, so it believes nothing: bytes that are something
else cost a few nanoseconds and a fetch in vain.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.core_cy import Core
    from spacetimedb_engine.frames_cy import FrameReader
    from spacetimedb_engine.index_cy import Index
    from spacetimedb_engine.memory import is_nothing, ld16, ld32, nothing, null, same, u8p, unmask

    PERIOD, MOST, LONGEST_KEY, LONGEST_ARGS = 256, 4, 32, 256
    MOST_NOTED = 1024  # bytes of lookups of a call that is watched
    FAR, NEAR = 6, 3
    HABIT = 12  # u32 index, u32 where in the arguments, u32 length of the key
    FRAME_HEAD = 6  # of a frame with less than 126 bytes of payload


def note(
    lookups: Buffer, index_id: cython.uint, buf: u8p, off: cython.size_t, n: cython.size_t
) -> cython.bint:
    """Adds a lookup to those of a call that is watched: u32 index, u32 length, key. Was there room?"""
    if n > LONGEST_KEY or lookups.n > MOST_NOTED or lookups.reserve(8 + n) != 0:
        return False
    lookups.put32(index_id)
    lookups.put32(n)
    lookups.append(buf, off, n)
    return True


def hashed_index(core: Core, index_id: cython.uint, n: cython.size_t) -> cython.p_void:
    """The index, if there is one that is a hash table with keys of n bytes."""
    index: cython.p_void = core.index_map.get(index_id)
    if is_nothing(index) or n == 0:
        return nothing()
    if not cython.cast(Index, index).hashed or cython.cast(Index, index).key.flat_len != n:
        return nothing()
    return index


class Habits:
    """What the calls of one reducer look up by their arguments."""

    def __init__(self) -> None:
        self.table = Buffer()
        self.calls = 0

    def watched(self, args_n: cython.size_t) -> cython.bint:
        """Counts a call; is it one to be watched?"""
        self.calls += 1
        return self.calls % PERIOD == 1 and args_n <= LONGEST_ARGS

    def learn(
        self, core: Core, lookups: Buffer, buf: u8p, args: cython.size_t, n: cython.size_t
    ) -> cython.int:
        """The habits, as the lookups of one call with these arguments show them; 0, or -4 without memory."""
        at: cython.size_t = 0
        size: cython.size_t
        place: cython.size_t
        self.table.n = 0
        while at < lookups.n and self.table.n < MOST * HABIT:
            size = ld32(lookups.data, at + 4)
            place = 0
            while place + size <= n and not same(lookups.data, at + 8, buf, args + place, size):
                place += 1
            if (
                place + size <= n
                and not is_nothing(hashed_index(core, ld32(lookups.data, at), size))
                and not self.known(ld32(lookups.data, at), place)
            ):
                if self.table.reserve(HABIT) != 0:
                    return -4
                self.table.put32(ld32(lookups.data, at))
                self.table.put32(place)
                self.table.put32(size)
            at += 8 + size
        return 0

    def known(self, index_id: cython.uint, place: cython.uint) -> cython.bint:
        at: cython.size_t = 0
        while at < self.table.n:
            if ld32(self.table.data, at) == index_id and ld32(self.table.data, at + 4) == place:
                return True
            at += HABIT
        return False

    def pairs(self) -> list[tuple[int, int]]:
        """(index, where its key stands in the arguments)"""
        found: list[tuple[int, int]] = []
        at: cython.size_t = 0
        while at < self.table.n:
            found.append((ld32(self.table.data, at), ld32(self.table.data, at + 4)))
            at += HABIT
        return found


class LookAhead:
    """The bytes at work: `buf` up to `end`, in which calls are `size` bytes each, with a frame's head or without
    (`framed`), their arguments `args` bytes into the message.

    `far`, `near`: where in them the next buckets, and the next rows, are to be fetched for.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.payload = Buffer()
        self.far = self.near = self.end = self.size = self.args = 0
        self.framed = False
        if not cython.compiled:
            self.buf = null()

    def restart(self) -> cython.void:
        """Other bytes are at work from now on."""
        self.far = self.near = 0

    def frames(self, habits: Habits, reader: FrameReader, args: cython.size_t) -> cython.void:
        """The frame just read held a call whose arguments begin `args` bytes into the payload."""
        if not reader.delivered and reader.length < 126:
            self.buf = reader.source
            self.end = reader.end
            self.size = reader.length + FRAME_HEAD
            self.args = args
            self.framed = True
            self.go(habits, reader.pos)

    def messages(
        self,
        habits: Habits,
        buf: u8p,
        off: cython.size_t,
        args: cython.size_t,
        at: cython.size_t,
        end: cython.size_t,
    ) -> cython.void:
        """There was such a call between `off` and `at`, its arguments at `args`; others follow without frames."""
        self.buf = buf
        self.end = end
        self.size = at - off
        self.args = args - off
        self.framed = False
        self.go(habits, at)

    def go(self, habits: Habits, at: cython.size_t) -> cython.void:
        """Goes on from where it is; the next call begins at `at`."""
        if self.far < at:
            self.far = at
        if self.near < at:
            self.near = at
        while self.far < at + FAR * self.size and self.call(habits, self.far, False):
            self.far += self.size
        while self.near < at + NEAR * self.size and self.call(habits, self.near, True):
            self.near += self.size

    def call(self, habits: Habits, at: cython.size_t, near: cython.bint) -> cython.bint:
        """Fetches for what lies there; False: it is no call of that size."""
        n: cython.size_t = self.size - FRAME_HEAD
        if self.end < at + self.size:
            return False
        if not self.framed:
            self.fetch(habits, self.buf, at + self.args, at + self.size, near)
            return True
        if ld16(self.buf, at) != ld16(self.buf, at - self.size):
            return False
        if self.payload.cap < n and self.payload.reserve(n) != 0:
            return False
        unmask(self.payload.data, 0, self.buf, at + FRAME_HEAD, n, at + 2)
        self.fetch(habits, self.payload.data, self.args, n, near)
        return True

    def fetch(
        self, habits: Habits, buf: u8p, args: cython.size_t, end: cython.size_t, near: cython.bint
    ) -> cython.void:
        """What a call with its arguments between `args` and `end` will look up: buckets, or (`near`) rows."""
        h: cython.ulonglong
        at: cython.size_t = 0
        begin: cython.size_t
        size: cython.size_t
        index: cython.p_void
        while at < habits.table.n:
            begin = args + ld32(habits.table.data, at + 4)
            size = ld32(habits.table.data, at + 8)
            index = hashed_index(self.core, ld32(habits.table.data, at), size)
            if begin + size <= end and not is_nothing(index):
                h = cython.cast(Index, index).key.hash_point(buf, begin, begin + size)
                if near:
                    cython.cast(Index, index).hash.expect_row(h)
                else:
                    cython.cast(Index, index).hash.expect(h)
            at += HABIT
