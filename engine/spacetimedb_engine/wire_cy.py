"""Client messages that the engine reads itself: calls of reducers (protocols 2 and 3).

CallReducer: u8 tag 3, u32 request id, u8 flags (0), name (u32 length, UTF-8), arguments (u32 length, BSATN). Anything
else, and whatever is wrong with one of these, goes to the host, which knows what to answer.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.habits_cy import Habits
    from spacetimedb_engine.layout_cy import Program
    from spacetimedb_engine.memory import bufp, hash_bytes, ld8, ld32, same, st32, u8p

NOBODY, OWNER, EVERYONE = 0, 1, 2
"""Who may call a reducer: lifecycle ones, private ones, the others."""
NO_PARAMETERS = b"\2\0\0\0\0"
"""BSATN of the type of an empty product."""


class Call:
    """The parts of a call, as offsets into the payload that `parse` was given; `end` is behind it."""

    def parse(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.bint:
        """Is there a whole, well-formed call at `off`? The name is not checked to be text."""
        left: cython.size_t
        if end - off < 14 or ld8(buf, off) != 3 or ld8(buf, off + 5) != 0:
            return False
        self.request_id = ld32(buf, off + 1)
        self.name = off + 10
        self.name_n = ld32(buf, off + 6)
        left = end - off - 14
        if self.name_n > left:
            return False
        left -= self.name_n
        self.args = self.name + self.name_n + 4
        self.args_n = ld32(buf, self.args - 4)
        if self.args_n > left:
            return False
        self.end = self.args + self.args_n
        return True


class Reducer:
    """`params`: the product of its parameters; surplus bytes behind the arguments are accepted."""

    def __init__(self, name: bytes, id: cython.uint, params: bytes, callable: cython.int) -> None:
        self.name = name
        self.name_n = len(name)
        self.id = id
        self.params = Program(params)
        self.callable = callable
        self.habits = Habits()


class Reducers:
    """The reducers of a module by name: a hash table of u32 (index + 1), open addressing, at most half full.

    `latest` was asked for last: most calls are of the same reducer as the one before.
    """

    def __init__(self, entries: list[Reducer]) -> None:
        entry: Reducer
        i: cython.ulonglong
        k: cython.uint
        self.entries = entries
        self.latest = entries[0] if entries else Reducer(b"", 0, NO_PARAMETERS, NOBODY)
        self.slots = Buffer()
        self.mask = 15
        while self.mask < 2 * cython.cast(cython.ulonglong, len(entries)):
            self.mask = self.mask * 2 + 1
        self.slots.write(bytes((self.mask + 1) * 4))
        for k in range(len(entries)):
            entry = entries[k]
            i = hash_bytes(bufp(entry.name), 0, len(entry.name), 0) & self.mask
            while ld32(self.slots.data, i * 4) != 0:
                i = (i + 1) & self.mask
            st32(self.slots.data, i * 4, k + 1)

    def find(self, buf: u8p, off: cython.size_t, n: cython.size_t) -> Reducer | None:
        entry: Reducer = self.latest
        slot: cython.uint
        i: cython.ulonglong
        if entry.name_n == n and same(bufp(entry.name), 0, buf, off, n):
            return entry
        i = hash_bytes(buf, off, n, 0) & self.mask
        while True:
            slot = ld32(self.slots.data, i * 4)
            if slot == 0:
                return None
            entry = self.entries[slot - 1]
            if entry.name_n == n and same(bufp(entry.name), 0, buf, off, n):
                self.latest = entry
                return entry
            i = (i + 1) & self.mask


def reducer_ok(request_id: int, timestamp: int, updates: bytes) -> bytes:
    """ReducerResult, uncompressed: ok, without a value, with the caller's Array<QuerySetUpdate>."""
    return b"".join(
        (b"\0\6", request_id.to_bytes(4, "little"), timestamp.to_bytes(8, "little"), bytes(5), updates)
    )


def call_inputs(name: bytes, identity: bytes, connection_id: bytes, timestamp: int, args: bytes) -> bytes:
    """What the log keeps of a call: see `Store.commit`."""
    kept = name[:255]
    return b"".join(
        (
            bytes([len(kept)]),
            kept,
            identity,
            connection_id,
            timestamp.to_bytes(8, "little", signed=True),
            args,
        )
    )
