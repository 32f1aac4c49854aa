"""One index of a table, whatever its kind.

A unique index is a hash table; its order is made when a range is first asked for (`sorted`) and kept from
then on, because most unique indexes only ever serve points. An index that is not unique, and one on floats,
whose equality is not that of bytes, is a tree from the start. A hash index answers no ranges, although it
could.

A tree beside a hash table may be given up at any time (no memory to change it): it is made again when wanted.
"""

from __future__ import annotations

import cython
from spacetimedb_engine.errors import SchemaError

if not cython.compiled:
    from spacetimedb_engine.hashindex_cy import HashIndex
    from spacetimedb_engine.keys_cy import Key
    from spacetimedb_engine.memory import ld32, same, u8p
    from spacetimedb_engine.order_cy import Order
    from spacetimedb_engine.ordered_cy import Ordered
    from spacetimedb_engine.rows_cy import Rows


class Index:
    """`kind`: 0 btree, 1 hash, 2 direct. `position`: its place among the indexes of its table."""

    def __init__(self, index_id: int, table_id: int, kind: int, unique: bool, rows: Rows, key: Key) -> None:
        if kind not in (0, 1, 2):
            raise SchemaError(f"index {index_id} is of kind {kind}: there are 0 btree, 1 hash, 2 direct")
        if not key.columns:
            raise SchemaError(f"index {index_id} has no columns")
        self.id = index_id
        self.table_id = table_id
        self.kind = kind
        self.unique = unique
        self.position = 0
        self.rows = rows
        self.key = key
        self.hash = HashIndex(rows, key)
        self.order = Order(key)
        self.tree = Ordered(rows, self.order)
        self.hashed = unique and not key.floats
        self.sorted = not self.hashed
        self.end_leaf = 0
        self.end_index = 0

    def add(self, slot: cython.uint) -> cython.int:
        """Enters a row that is in `rows` already; 0, or -4 without memory."""
        if self.hashed and self.hash.add(slot) != 0:
            return -4
        if self.sorted and self.tree.add(slot) != 0:
            if not self.hashed:
                return -4
            self.tree.clear()
            self.sorted = False
        return 0

    def remove(self, slot: cython.uint) -> cython.void:
        """Takes a row out that still has the content it was entered with."""
        if self.hashed:
            self.hash.remove(slot)
        if self.sorted:
            self.tree.remove(slot)

    # ---- points of a unique index

    def seek(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.longlong:
        """The slot of the row with the key of the point, or -1."""
        if self.hashed:
            return self.hash.seek(buf, off, end)
        self.between(buf, off, end, self.key.count, False, buf, off, end, self.key.count, True)
        return -1 if self.done() else self.tree.current()

    def seek_row(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.longlong:
        """The slot of a row with the same key as the row given, or -1."""
        if self.hashed:
            return self.hash.seek_row(buf, off, end)
        return self.tree.current() if self.tree_at_row(buf, off, end) else -1

    def seek_same(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.longlong:
        """The slot of a row that equals the row given in all columns, or -1. Also for an index that is not
        unique."""
        slot: cython.uint
        n: cython.size_t = end - off
        if self.hashed:
            return self.hash.seek_same(buf, off, end)
        if not self.tree_at_row(buf, off, end):
            return -1
        while self.tree.leaf < self.tree.n:
            slot = self.tree.current()
            self.rows.locate(slot)
            if self.rows.end - self.rows.o == n and same(self.rows.p, self.rows.o, buf, off, n):
                return slot
            if self.order.compare_rows(self.rows.p, self.rows.o, self.rows.end, buf, off, end) != 0:
                return -1
            self.tree.advance()
        return -1

    def tree_at_row(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.bint:
        """Goes to the first entry with the row's key; is there one?"""
        if self.tree.n == 0:
            return False
        self.tree.find(self.order.row_prefix(buf, off, end), -1, buf, off, end)
        if self.tree.index == ld32(self.tree.leaves[self.tree.leaf], 0):
            self.tree.leaf += 1
            self.tree.index = 0
        if self.tree.leaf >= self.tree.n:
            return False
        self.rows.locate(self.tree.current())
        return self.order.compare_rows(self.rows.p, self.rows.o, self.rows.end, buf, off, end) == 0

    # ---- ranges

    def sort(self) -> cython.int:
        """Makes the order if there is none; 0, or -4 without memory."""
        slot: cython.longlong
        if self.sorted:
            return 0
        self.rows.rewind()
        while True:
            slot = self.rows.following()
            if slot < 0:
                break
            if self.tree.add(slot) != 0:
                self.tree.clear()
                return -4
        self.sorted = True
        return 0

    def between(
        self,
        lo: u8p,
        lo_off: cython.size_t,
        lo_end: cython.size_t,
        lo_cols: cython.uint,
        lo_beyond: cython.bint,
        hi: u8p,
        hi_off: cython.size_t,
        hi_end: cython.size_t,
        hi_cols: cython.uint,
        hi_beyond: cython.bint,
    ) -> cython.void:
        """Goes to the start of a range of a sorted index; `done` then says when its end is reached.

        lo, hi: points of so many columns. The range begins at the first entry not before lo (behind it:
        `lo_beyond`) and ends in front of the first entry not before hi (behind it: `hi_beyond`). An end in
        front of the start is no range: nothing.
        """
        self.tree.lower(hi, hi_off, hi_end, hi_cols, hi_beyond)
        self.end_leaf = self.tree.leaf
        self.end_index = self.tree.index
        self.tree.lower(lo, lo_off, lo_end, lo_cols, lo_beyond)
        if self.end_leaf < self.tree.leaf or (
            self.end_leaf == self.tree.leaf and self.end_index < self.tree.index
        ):
            self.end_leaf = self.tree.leaf
            self.end_index = self.tree.index

    def done(self) -> cython.bint:
        return self.tree.is_at(self.end_leaf, self.end_index)

    # ---- between transactions

    def clear(self) -> cython.void:
        """Forgets all rows."""
        self.hash.clear()
        self.tree.clear()
        self.sorted = not self.hashed

    def settle(self) -> cython.void:
        """Gives memory back that is no longer needed."""
        if self.hashed:
            self.hash.settle()
        if self.sorted:
            self.tree.settle()

    def in_use(self) -> cython.size_t:
        """Bytes held."""
        return self.hash.in_use() + self.tree.in_use()
