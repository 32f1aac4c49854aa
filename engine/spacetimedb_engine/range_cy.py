"""What a scan of an index looks for: a point, or a range with bounds, read from the bytes a caller gives.

A range on an index of several columns fixes the first `prefix_elems` of them (the prefix) and bounds the next
one; the columns behind are open. A bound is u8 tag and value: 0 included, 1 excluded, 2 unbounded (no value).

`low` and `high` are points of `low_cols` and `high_cols` columns; the range begins at (`low_beyond`: behind)
`low`, and ends in front of (`high_beyond`: behind) `high`.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.index_cy import Index
    from spacetimedb_engine.memory import ld8, u8p

INCLUDED = cython.declare(cython.int, 20)
EXCLUDED = cython.declare(cython.int, 21)
UNBOUNDED = cython.declare(cython.int, 22)


class Range:
    """`end`: where the point that was set ends."""

    def __init__(self) -> None:
        self.low = Buffer()
        self.high = Buffer()
        self.low_cols = self.high_cols = 0
        self.low_beyond = self.high_beyond = False
        self.end = 0

    def set_point(self, index: Index, buf: u8p, off: cython.size_t, n: cython.size_t) -> cython.int:
        """Checks a point, ending at `end`, and makes it a range; 3 when it is none."""
        end: cython.Py_ssize_t = index.key.check_point(buf, off, off + n, index.key.count)
        if end < 0:
            return 3
        self.end = end
        if index.hashed:
            return 0
        self.low.n = self.high.n = 0
        if self.low.append(buf, off, end - off) != 0 or self.high.append(buf, off, end - off) != 0:
            return -4
        self.low_cols = self.high_cols = index.key.count
        self.low_beyond = False
        self.high_beyond = True
        return 0

    def set_bounds(
        self,
        index: Index,
        pre: u8p,
        po: cython.size_t,
        pn: cython.size_t,
        prefix_elems: cython.uint,
        sb: u8p,
        so: cython.size_t,
        sn: cython.size_t,
        eb: u8p,
        eo: cython.size_t,
        en: cython.size_t,
    ) -> cython.int:
        """Makes the range of an index; 10 or 3 when it cannot be."""
        end: cython.Py_ssize_t
        answer: cython.int
        if index.kind == 1:
            return 10
        if prefix_elems >= index.key.count:
            return 3
        self.low.n = self.high.n = 0
        if prefix_elems > 0:
            end = index.key.check_point(pre, po, po + pn, prefix_elems)
            if end < 0:
                return 3
            if self.low.append(pre, po, end - po) != 0 or self.high.append(pre, po, end - po) != 0:
                return -4
        answer = self.set_bound(index, self.low, sb, so, sn, prefix_elems)
        if answer < 0 or answer == 3:
            return answer
        self.low_cols = prefix_elems + (0 if answer == UNBOUNDED else 1)
        self.low_beyond = answer == EXCLUDED
        answer = self.set_bound(index, self.high, eb, eo, en, prefix_elems)
        if answer < 0 or answer == 3:
            return answer
        self.high_cols = prefix_elems + (0 if answer == UNBOUNDED else 1)
        self.high_beyond = answer != EXCLUDED
        return 0

    def set_bound(
        self,
        index: Index,
        out: Buffer,
        buf: u8p,
        off: cython.size_t,
        n: cython.size_t,
        elems: cython.uint,
    ) -> cython.int:
        """Appends the value of a bound; INCLUDED, EXCLUDED or UNBOUNDED; 3 when it is none, -4."""
        tag: cython.uint
        end: cython.Py_ssize_t
        if n == 0:
            return 3
        tag = ld8(buf, off)
        if tag > 2:
            return 3
        if tag < 2:
            end = index.key.check_column(elems, buf, off + 1, off + n)
            if end < 0:
                return 3
            if out.append(buf, off + 1, end - off - 1) != 0:
                return -4
        return INCLUDED + tag

    def enter(self, index: Index) -> cython.int:
        """Goes to the start of the range."""
        if index.sort() != 0:
            return -4
        index.between(
            self.low.data,
            0,
            self.low.n,
            self.low_cols,
            self.low_beyond,
            self.high.data,
            0,
            self.high.n,
            self.high_cols,
            self.high_beyond,
        )
        return 0
