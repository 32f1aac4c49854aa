"""Objects by id, for code that may not touch Python objects.

Open addressing over ids from 1 on; 0 is an empty place. An id that was entered once keeps its place, so that
entering it again never needs memory. The objects are borrowed: whoever enters them keeps them alive.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.memory import (
        alloc,
        borrow,
        grow_objs,
        is_no_objs,
        is_null,
        ld32,
        no_objs,
        nothing,
        null,
        release,
        release_objs,
        st32,
    )

SPREAD = cython.declare(cython.ulonglong, 0x9E3779B1)


class IdMap:
    def __init__(self) -> None:
        self.keys = null()
        self.values = no_objs()
        self.mask = 0
        self.count = 0
        self.resize(16)

    def __dealloc__(self) -> None:
        release(self.keys)
        if not is_no_objs(self.values):
            release_objs(self.values)

    def get(self, key: cython.uint) -> cython.p_void:
        """The object with that id, or `nothing()`."""
        i: cython.size_t = self.place(key)
        return nothing() if ld32(self.keys, i * 4) == 0 else self.values[i]

    def place(self, key: cython.uint) -> cython.size_t:
        """Where the id stands, or would."""
        i: cython.size_t = (cython.cast(cython.ulonglong, key) * SPREAD >> 8) & self.mask
        while ld32(self.keys, i * 4) != 0 and ld32(self.keys, i * 4) != key:
            i = (i + 1) & self.mask
        return i

    def put(self, key: int, value: object) -> None:
        """Enters an object, or None, under an id from 1 on. MemoryError leaves all as it was."""
        if (self.count + 1) * 2 > self.mask and ld32(self.keys, self.place(key) * 4) == 0:
            self.resize((self.mask + 1) * 2)
        i: cython.size_t = self.place(key)
        if ld32(self.keys, i * 4) == 0:
            st32(self.keys, i * 4, key)
            self.count += 1
        self.values[i] = nothing() if value is None else borrow(value)

    def resize(self, cap: int) -> None:
        keys = alloc(cap * 4)
        values = grow_objs(no_objs(), 0, cap)
        if is_null(keys) or is_no_objs(values):
            raise MemoryError("no memory for one more definition")
        old_keys, old_values, old_cap = self.keys, self.values, self.mask + 1 if self.count else 0
        self.keys, self.values, self.mask = keys, values, cap - 1
        i: cython.size_t
        for i in range(old_cap):
            key: cython.uint = ld32(old_keys, i * 4)
            if key != 0:
                at: cython.size_t = self.place(key)
                st32(self.keys, at * 4, key)
                self.values[at] = old_values[i]
        release(old_keys)
        if not is_no_objs(old_values):
            release_objs(old_values)
