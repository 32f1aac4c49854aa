"""Keys: some columns of a row, found and compared byte for byte.

A `Key` is made for the columns of one index. A *row* is the BSATN of a whole row; a *point* the BSATN of the
first m key columns one after another. Rows and points given here have been checked to be values of their
types.

Two rows *agree* when the bytes of their key columns are the same. That serves hash indexes; how keys are
ordered is another matter (`order_cy`). They differ for floats alone: a key that holds any (`floats`) has to
be found by order.
"""

from __future__ import annotations

import struct

import cython
from spacetimedb_engine.errors import SchemaError

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.layout_cy import ARRAY, BOOL, FLOAT, PRODUCT, STRING, SUM, Program
    from spacetimedb_engine.memory import hash_bytes, ld32, same, u8p

    u64 = int


class Key:
    """The key made of `columns` (positions, in key order) of rows of a type; no columns: the whole row."""

    def __init__(self, program: Program, columns: list[int], seed: int) -> None:
        self.program = program
        self.columns = columns
        self.count = len(columns)
        self.whole = not columns
        self.seed = seed
        self.places = Buffer()
        self.flat_off = -1
        self.flat_len = 0
        self.floats = False
        if any(not 0 <= column < program.columns for column in columns):
            raise SchemaError(f"key columns {columns} of a row with {program.columns} columns")
        lengths = [self.length_of(program.column(i)) for i in range(program.columns)]
        for column in columns:
            first = next((i for i in range(column) if lengths[i] < 0), column)
            place = (column, first, sum(lengths[:first]), max(lengths[column], 0), int(lengths[column] >= 0))
            self.places.write(struct.pack("<5I", *place))
            pc: cython.uint = program.column(column)
            self.floats = self.floats or self.has_float(pc)
        adjacent = all(columns[i] + 1 == columns[i + 1] for i in range(len(columns) - 1))
        if columns and adjacent and all(length >= 0 for length in lengths[: columns[len(columns) - 1] + 1]):
            self.flat_off = sum(lengths[: columns[0]])
            self.flat_len = sum(lengths[i] for i in columns)

    # ---- where the columns are

    def col_at(self, k: cython.uint, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.size_t:
        """Where key column k of the row begins."""
        p: u8p = self.places.data
        at: cython.size_t = off + ld32(p, k * 20 + 8)
        c: cython.uint
        for c in range(ld32(p, k * 20 + 4), ld32(p, k * 20)):
            at = self.program.step(self.program.column(c), buf, at, end)
        return at

    def col_end(self, k: cython.uint, buf: u8p, at: cython.size_t, end: cython.size_t) -> cython.size_t:
        """Where key column k ends if it begins at `at`."""
        p: u8p = self.places.data
        if ld32(p, k * 20 + 16):
            return at + ld32(p, k * 20 + 12)
        return self.program.step(self.program.column(ld32(p, k * 20)), buf, at, end)

    def check_point(
        self, buf: u8p, off: cython.size_t, end: cython.size_t, m: cython.uint
    ) -> cython.Py_ssize_t:
        """The end of the point of m columns that begins at `off`, or -1 when none does."""
        at: cython.Py_ssize_t = off
        k: cython.uint
        for k in range(m):
            at = self.check_column(k, buf, at, end)
            if at < 0:
                return -1
        return at

    def check_column(
        self, k: cython.uint, buf: u8p, off: cython.size_t, end: cython.size_t
    ) -> cython.Py_ssize_t:
        """The end of the value for key column k that begins at `off`, or -1 when none does."""
        return self.program.step(self.program.column(ld32(self.places.data, k * 20)), buf, off, end)

    # ---- agreement

    def hash_row(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> u64:
        h: u64 = self.seed
        at: cython.size_t
        to: cython.size_t
        k: cython.uint
        if self.flat_off >= 0:
            return hash_bytes(buf, off + self.flat_off, self.flat_len, h)
        if self.whole:
            return hash_bytes(buf, off, end - off, h)
        for k in range(self.count):
            at = self.col_at(k, buf, off, end)
            to = self.col_end(k, buf, at, end)
            h = hash_bytes(buf, at, to - at, h)
        return h

    def hash_point(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> u64:
        h: u64 = self.seed
        to: cython.size_t
        k: cython.uint
        if self.flat_off >= 0:
            return hash_bytes(buf, off, self.flat_len, h)
        if self.whole:
            return hash_bytes(buf, off, end - off, h)
        for k in range(self.count):
            to = self.col_end(k, buf, off, end)
            h = hash_bytes(buf, off, to - off, h)
            off = to
        return h

    def rows_agree(
        self, a: u8p, ao: cython.size_t, ae: cython.size_t, b: u8p, bo: cython.size_t, be: cython.size_t
    ) -> cython.bint:
        """Do two rows have the same key, byte for byte?"""
        k: cython.uint
        at: cython.size_t
        bt: cython.size_t
        n: cython.size_t
        if self.flat_off >= 0:
            return same(a, ao + self.flat_off, b, bo + self.flat_off, self.flat_len)
        if self.whole:
            return ae - ao == be - bo and same(a, ao, b, bo, ae - ao)
        for k in range(self.count):
            at = self.col_at(k, a, ao, ae)
            bt = self.col_at(k, b, bo, be)
            n = self.col_end(k, a, at, ae) - at
            if self.col_end(k, b, bt, be) - bt != n or not same(a, at, b, bt, n):
                return False
        return True

    def row_is_point(
        self, a: u8p, ao: cython.size_t, ae: cython.size_t, b: u8p, bo: cython.size_t, be: cython.size_t
    ) -> cython.bint:
        """Does the row (a) have the key that the point (b) says, byte for byte?"""
        k: cython.uint
        at: cython.size_t
        n: cython.size_t
        if self.flat_off >= 0:
            return same(a, ao + self.flat_off, b, bo, self.flat_len)
        if self.whole:
            return ae - ao == be - bo and same(a, ao, b, bo, ae - ao)
        for k in range(self.count):
            at = self.col_at(k, a, ao, ae)
            n = self.col_end(k, a, at, ae) - at
            if self.col_end(k, b, bo, be) - bo != n or not same(a, at, b, bo, n):
                return False
            bo = bo + n
        return True

    # ---- the type of a column

    def has_float(self, pc: cython.uint) -> cython.bint:
        op: cython.uint = self.program.op(pc)
        if op == ARRAY:
            return self.has_float(self.program.arg(pc, 0))
        if op == PRODUCT or op == SUM:
            return any([self.has_float(self.program.arg(pc, 1 + i)) for i in range(self.program.arg(pc, 0))])
        return op == FLOAT

    def length_of(self, pc: cython.uint) -> cython.longlong:
        """The length of every value of the node, or -1."""
        op: cython.uint = self.program.op(pc)
        if op <= BOOL:
            return 1 if op == BOOL else self.program.arg(pc, 0)
        if op == STRING or op == ARRAY:
            return -1
        n: cython.uint = self.program.arg(pc, 0)
        lengths = [self.length_of(self.program.arg(pc, 1 + i)) for i in range(n)]
        if op == PRODUCT:
            return -1 if -1 in lengths else sum(lengths)
        return 1 + lengths[0] if lengths and len(set(lengths)) == 1 and lengths[0] >= 0 else -1
