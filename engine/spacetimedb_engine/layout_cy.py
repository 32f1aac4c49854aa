"""Types as programs: how long is the value that stands here, and is it one?

A `Program` is compiled from the BSATN of a resolved algebraic type (no references left). Its code is a run of
32-bit words; a node is an op word and its arguments, and is named by the index of its op word (`pc`):

=========  ======================  =======================================================
op         arguments               value
=========  ======================  =======================================================
UINT       size                    unsigned integer of that many bytes, little-endian
INT        size                    signed
FLOAT      size                    IEEE-754
BOOL                               one byte, 0 or 1
STRING                             u32 length, UTF-8
ARRAY      element pc, plain size  u32 count, elements; plain size: see below, or NONE
PRODUCT    n, n pcs                its elements one after another
SUM        n, n pcs                u8 tag, then that variant
SKIP       size                    that many bytes of any content (only in fused code)
=========  ======================  =======================================================

A type is *plain* when all its values have the same length and every byte string of that length is one:
integers, floats and products of them. Runs of plain columns are fused into one SKIP for `walk`, so that a row
of numbers is checked by comparing its length.
"""

from __future__ import annotations

import cython
from spacetimedb_engine.type_code import compile_type

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.memory import bufp, ld8, ld32, u8p, utf8_valid

    UINT, INT, FLOAT, BOOL, STRING, ARRAY, PRODUCT, SUM, SKIP = range(9)
    NONE = 0xFFFFFFFF


class Program:
    """The program of one type.

    `fixed` is the length of every value, or -1 when they differ; `plain` as above; `columns` the number of
    elements when the type is a product, else 0. Raises SchemaError when the bytes are no type, or an
    unresolved one.
    """

    def __init__(self, type_bytes: bytes) -> None:
        compiled = compile_type(type_bytes)
        self.type_bytes = type_bytes
        self.code = Buffer()
        self.code.write(b"".join(word.to_bytes(4, "little") for word in compiled.words))
        self.root = compiled.root
        self.fused = compiled.fused
        self.fixed = compiled.fixed
        self.plain = compiled.plain
        self.columns = compiled.columns

    def op(self, pc: cython.uint) -> cython.uint:
        return ld32(self.code.data, pc * 4)

    def arg(self, pc: cython.uint, i: cython.uint) -> cython.uint:
        return ld32(self.code.data, (pc + 1 + i) * 4)

    def column(self, i: cython.uint) -> cython.uint:
        """The node of element i of the product."""
        return self.arg(self.root, 1 + i)

    def walk(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.Py_ssize_t:
        """The end of the value that begins at `off`; -1 when none that ends by `end` does."""
        if self.plain:
            if cython.cast(cython.longlong, end - off) < self.fixed:
                return -1
            return off + self.fixed
        return self.step(self.fused, buf, off, end)

    def step(self, pc: cython.uint, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.Py_ssize_t:
        """As `walk`, for the node at `pc`. `off` is not beyond `end`."""
        op: cython.uint = self.op(pc)
        size: cython.size_t
        i: cython.uint
        at: cython.Py_ssize_t
        if op == UINT or op == INT or op == FLOAT or op == SKIP:
            size = self.arg(pc, 0)
            return -1 if end - off < size else off + size
        if op == BOOL:
            return -1 if end == off or ld8(buf, off) > 1 else off + 1
        if op == STRING:
            if end - off < 4:
                return -1
            size = ld32(buf, off)
            if end - off - 4 < size or not utf8_valid(buf, off + 4, size):
                return -1
            return off + 4 + size
        if op == ARRAY:
            return self.step_array(pc, buf, off, end)
        if op == PRODUCT:
            at = off
            for i in range(self.arg(pc, 0)):
                at = self.step(self.arg(pc, 1 + i), buf, at, end)
                if at < 0:
                    return -1
            return at
        if end == off or ld8(buf, off) >= self.arg(pc, 0):
            return -1
        return self.step(self.arg(pc, 1 + ld8(buf, off)), buf, off + 1, end)

    def step_array(
        self, pc: cython.uint, buf: u8p, off: cython.size_t, end: cython.size_t
    ) -> cython.Py_ssize_t:
        count: cython.ulonglong
        plain: cython.ulonglong = self.arg(pc, 1)
        at: cython.Py_ssize_t = off + 4
        i: cython.ulonglong
        if end - off < 4:
            return -1
        count = ld32(buf, off)
        if plain != NONE:
            return -1 if count * plain > end - off - 4 else off + 4 + count * plain
        for i in range(count):
            at = self.step(self.arg(pc, 0), buf, at, end)
            if at < 0:
                return -1
        return at

    def end_of(self, data: bytes, offset: int = 0) -> int:
        """`walk` for Python: the end of the value at `offset` of data, or -1."""
        if not 0 <= offset <= len(data):
            return -1
        return self.walk(bufp(data), offset, len(data))
