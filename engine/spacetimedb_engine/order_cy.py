"""The order of keys.

Integers go by size, strings, byte arrays and other arrays lexicographically, sums by tag and then payload,
products field by field. Of floats, -0 equals 0, and all NaNs are equal and greatest.

The *prefix* of a row is the first 8 bytes of an encoding of its key that sorts bytewise like the keys do: if
the prefixes of two rows differ, so their keys are ordered. When they are equal the keys are equal too if
`exact`; otherwise only `compare_rows` tells. `mask(m)` selects the bits of a prefix that the first m columns
decide.

`ca`, `cb`, `acc`, `room`, `clean` are registers of the functions that walk over a value.
"""

from __future__ import annotations

import struct

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.keys_cy import Key
    from spacetimedb_engine.layout_cy import ARRAY, BOOL, FLOAT, INT, PRODUCT, STRING, SUM, UINT
    from spacetimedb_engine.memory import be64, ld8, ld16, ld32, ld64, order, u8p

    u64 = int


def number(buf: u8p, at: cython.size_t, op: cython.uint, size: cython.uint) -> u64:
    """The integer or float of at most 8 bytes at `at`, as an unsigned number in the same order."""
    v: u64
    if size == 1:
        v = ld8(buf, at)
    elif size == 2:
        v = ld16(buf, at)
    elif size == 4:
        v = ld32(buf, at)
    else:
        v = ld64(buf, at)
    top: u64 = 1
    top = top << (size * 8 - 1)
    if op == INT:
        return v ^ top
    if op == FLOAT:
        nan: u64 = 0x7FF0000000000000
        if size == 4:
            nan = 0x7F800000
        full: u64 = top | (top - 1)
        if (v & (top - 1)) > nan:
            return full
        if v == top:
            v = 0
        return full ^ v if v & top else v | top
    return v


class Order:
    """How the keys of one index are ordered."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.program = key.program
        self.count = key.count
        self.columns = Buffer()
        self.masks = Buffer()
        self.acc = 0
        self.room = 8
        self.clean = True
        self.ca = self.cb = 0
        for column in key.columns:
            pc: cython.uint = key.program.column(column)
            self.columns.write(struct.pack("<I", pc))
            self.measure(pc)
            mask = 0xFFFFFFFFFFFFFFFF >> self.room * 8 << self.room * 8
            self.masks.write(struct.pack("<QQ", mask, self.clean))
        self.exact = self.clean
        self.lead = self.lead_size = 0
        if self.count == 1 and key.flat_off >= 0:
            self.find_lead(key.program.column(key.columns[0]))

    def find_lead(self, pc: cython.uint) -> None:
        """A key that is one integer at a known place (`lead`: its op + 1) has its prefix there."""
        while self.program.op(pc) == PRODUCT and self.program.arg(pc, 0) == 1:
            pc = self.program.arg(pc, 1)
        if self.program.op(pc) <= INT and self.program.arg(pc, 0) <= 8:
            self.lead = self.program.op(pc) + 1
            self.lead_size = self.program.arg(pc, 0)

    def column(self, k: cython.uint) -> cython.uint:
        """The type of key column k."""
        return ld32(self.columns.data, k * 4)

    # ---- prefixes

    def row_prefix(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> u64:
        k: cython.uint
        if self.lead:
            return number(buf, off + self.key.flat_off, self.lead - 1, self.lead_size) << (
                64 - 8 * self.lead_size
            )
        self.acc = 0
        self.room = 8
        for k in range(self.count):
            if self.room == 0:
                break
            self.contribute(self.column(k), buf, self.key.col_at(k, buf, off, end))
        return self.acc

    def point_prefix(self, buf: u8p, off: cython.size_t, end: cython.size_t, m: cython.uint) -> u64:
        """The prefix of a point of m columns; bits outside `mask(m)` are zero."""
        k: cython.uint
        self.acc = 0
        self.room = 8
        for k in range(m):
            if self.room == 0:
                break
            off = self.contribute(self.column(k), buf, off)
        return self.acc

    def mask(self, m: cython.uint) -> u64:
        return ld64(self.masks.data, (m - 1) * 16) if m else 0

    def exact_to(self, m: cython.uint) -> cython.bint:
        """Do equal masked prefixes mean equal values in the first m columns?"""
        return m == 0 or ld64(self.masks.data, (m - 1) * 16 + 8) != 0

    def push(self, v: u64, size: cython.uint) -> cython.void:
        """Appends the first min(size, room) bytes of v, a number of `size` bytes (at most 8)."""
        taken: cython.uint = size if size < self.room else self.room
        if taken:
            self.acc = self.acc | ((v >> (8 * (size - taken))) << (8 * (self.room - taken)))
            self.room -= taken

    def contribute(self, pc: cython.uint, buf: u8p, at: cython.size_t) -> cython.size_t:
        """Appends the value at `at` to the prefix; its end (undefined once there is no room left)."""
        op: cython.uint = self.program.op(pc)
        size: cython.uint
        i: cython.uint
        if op <= FLOAT:
            size = self.program.arg(pc, 0)
            if size <= 8:
                self.push(number(buf, at, op, size), size)
            else:
                self.push(number(buf, at + size - 8, op, 8), 8)
                self.room = 0
            return at + size
        if op == BOOL:
            self.push(ld8(buf, at), 1)
            return at + 1
        if op == PRODUCT:
            for i in range(self.program.arg(pc, 0)):
                if self.room == 0:
                    break
                at = self.contribute(self.program.arg(pc, 1 + i), buf, at)
            return at
        if op == SUM:
            self.push(ld8(buf, at), 1)
            if not self.is_enum(pc):
                self.room = 0
            return at + 1
        if self.is_bytes(pc) or op == STRING:
            size = ld32(buf, at) if ld32(buf, at) < self.room else self.room
            self.acc = self.acc | (be64(buf, at + 4, size) >> (8 * (8 - self.room)))
        self.room = 0
        return at

    # ---- order

    def compare_rows(
        self, a: u8p, ao: cython.size_t, ae: cython.size_t, b: u8p, bo: cython.size_t, be: cython.size_t
    ) -> cython.int:
        k: cython.uint
        c: cython.int
        for k in range(self.count):
            self.ca = self.key.col_at(k, a, ao, ae)
            self.cb = self.key.col_at(k, b, bo, be)
            c = self.compare(self.column(k), a, b)
            if c:
                return c
        return 0

    def compare_point(
        self,
        a: u8p,
        ao: cython.size_t,
        ae: cython.size_t,
        b: u8p,
        bo: cython.size_t,
        be: cython.size_t,
        m: cython.uint,
    ) -> cython.int:
        """The first m key columns of the row (a) against the point (b)."""
        k: cython.uint
        c: cython.int
        self.cb = bo
        for k in range(m):
            self.ca = self.key.col_at(k, a, ao, ae)
            c = self.compare(self.column(k), a, b)
            if c:
                return c
        return 0

    def compare(self, pc: cython.uint, a: u8p, b: u8p) -> cython.int:
        """-1, 0 or 1 for the values at ca in a and cb in b; when 0, both are moved behind them."""
        op: cython.uint = self.program.op(pc)
        size: cython.uint
        i: cython.uint
        c: cython.int
        x: u64
        y: u64
        if op <= BOOL:
            size = 1 if op == BOOL else self.program.arg(pc, 0)
            i = size
            while i > 0:
                i = i - 8 if i > 8 else 0
                x = number(a, self.ca + i, op, size - i if size < 8 else 8)
                y = number(b, self.cb + i, op, size - i if size < 8 else 8)
                if x != y:
                    return -1 if x < y else 1
                op = UINT
            self.ca += size
            self.cb += size
            return 0
        if op == PRODUCT:
            for i in range(self.program.arg(pc, 0)):
                c = self.compare(self.program.arg(pc, 1 + i), a, b)
                if c:
                    return c
            return 0
        if op == SUM:
            i = ld8(a, self.ca)
            if i != ld8(b, self.cb):
                return -1 if i < ld8(b, self.cb) else 1
            self.ca += 1
            self.cb += 1
            return self.compare(self.program.arg(pc, 1 + i), a, b)
        return self.compare_array(pc, a, b)

    def compare_array(self, pc: cython.uint, a: u8p, b: u8p) -> cython.int:
        n: cython.uint = ld32(a, self.ca)
        m: cython.uint = ld32(b, self.cb)
        i: cython.uint
        c: cython.int
        if self.program.op(pc) == STRING or self.is_bytes(pc):
            c = order(a, self.ca + 4, n, b, self.cb + 4, m)
            self.ca += 4 + n
            self.cb += 4 + m
            return c
        self.ca += 4
        self.cb += 4
        for i in range(n if n < m else m):
            c = self.compare(self.program.arg(pc, 0), a, b)
            if c:
                return c
        return -1 if n < m else (1 if n > m else 0)

    # ---- types

    def is_bytes(self, pc: cython.uint) -> cython.bint:
        """Is the node an array of U8?"""
        element: cython.uint = self.program.arg(pc, 0)
        return (
            self.program.op(pc) == ARRAY
            and self.program.op(element) == UINT
            and self.program.arg(element, 0) == 1
        )

    def is_enum(self, pc: cython.uint) -> cython.bint:
        """Is the node a sum whose variants carry nothing?"""
        i: cython.uint
        variant: cython.uint
        for i in range(self.program.arg(pc, 0)):
            variant = self.program.arg(pc, 1 + i)
            if self.program.op(variant) != PRODUCT or self.program.arg(variant, 0) != 0:
                return False
        return True

    def measure(self, pc: cython.uint) -> None:
        """Takes from `room` what values of the node contribute; clears `clean` if that is not all of them."""
        op: cython.uint = self.program.op(pc)
        size: cython.uint
        if op <= BOOL:
            size = 1 if op == BOOL else self.program.arg(pc, 0)
            self.clean = self.clean and size <= self.room
            self.room = self.room - size if size <= self.room else 0
        elif op == PRODUCT:
            for i in range(self.program.arg(pc, 0)):
                self.measure(self.program.arg(pc, 1 + i))
        elif op == SUM and self.is_enum(pc):
            self.clean = self.clean and self.room > 0
            self.room = self.room - 1 if self.room else 0
        else:
            self.clean = False
            self.room = 0
