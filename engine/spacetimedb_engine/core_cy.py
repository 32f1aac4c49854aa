"""Rows by number: everything that happens to rows, in a form that guests' host functions call without Python
objects.

Answers: 0 done; 2, 3, 4, 5, 10, 12, 14, 15 as the error numbers of the module ABI (no transaction, bytes that
are no such value, no table, no index, no range on a hash index, unique violation, index not unique, no such
row); 17 a transaction is open already; -4 out of memory; -5 something broke (`fault` may say what).
After anything negative the transaction must be rolled back. A count goes to `result`, the id of the index
that refused a row to `conflict`; `generated` holds the auto-increment columns that the last insert or update
has filled (see `numbers_cy`).

Reads need no transaction and see what the open one has done. Rows come out appended to a buffer, one behind
the other, and for each the offset of its end (u64) to a second one.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.catalog_cy import Catalog
    from spacetimedb_engine.change_cy import delete, insert, update
    from spacetimedb_engine.index_cy import Index
    from spacetimedb_engine.memory import is_nothing, ld8, ld32, null, same, trim, u8p
    from spacetimedb_engine.numbers_cy import Numbers
    from spacetimedb_engine.range_cy import Range
    from spacetimedb_engine.rows_cy import Rows
    from spacetimedb_engine.table_cy import Table

LARGE = cython.declare(cython.size_t, 1 << 20)
"""Bytes of journal from which a transaction may leave so much unused that the machine should have it."""


class Core(Catalog):
    def __init__(self, seed: int = 0) -> None:
        Catalog.__init__(self, seed)
        self.result = 0
        self.conflict = 0
        self.numbers = Numbers(self)
        self.generated = self.numbers.generated
        self.found = Buffer()
        self.span = Range()
        self.start = self.end = 0
        if not cython.compiled:
            self.at = null()

    # ---- transactions

    def begin_tx(self) -> cython.int:
        if self.journal.open:
            return 17
        self.journal.begin()
        return 0

    def commit_tx(
        self, buf: u8p, off: cython.size_t, n: cython.size_t, with_inputs: cython.bint, force: cython.bint
    ) -> cython.longlong:
        """The offset, or -1 when the transaction took none; below that: failed, and still open."""
        offset: cython.longlong
        changed: cython.bint = self.journal.pinned or self.numbers.drew
        large: cython.bint = self.journal.records.n >= LARGE
        if not self.journal.open:
            return -5
        offset = self.committer.commit(buf, off, n, with_inputs, force)
        if offset >= -1 and changed:
            self.settle_changes(True)
        if large:
            trim()
        return offset

    def rollback_tx(self) -> cython.int:
        """Takes back everything; 2 when nothing is open."""
        i: cython.uint
        changed: cython.bint = self.journal.pinned or self.numbers.drew
        large: cython.bint = self.journal.records.n >= LARGE
        if not self.journal.open:
            return 2
        if self.journal.pinned:
            self.undo_changes()
        self.committer.undo_to(0)
        for i in range(self.journal.table_count):
            cython.cast(Table, self.journal.tables[i]).settle()
        self.journal.end()
        if changed:
            self.settle_changes(False)
        if large:
            trim()
        return 0

    def undo_changes(self) -> cython.void:
        """Takes changes of definitions back, and the rows between them."""
        for count, undo in reversed(self.undone_by):
            self.committer.undo_to(count)
            undo()

    def settle_changes(self, committed: cython.bint) -> cython.void:
        """The transaction is over: what was kept for taking it back goes."""
        self.undone_by.clear()
        self.kept.clear()
        self.numbers.settle(committed)

    # ---- changes

    def insert_row(self, table_id: cython.uint, buf: u8p, off: cython.size_t, n: cython.size_t) -> cython.int:
        table: cython.p_void = self.table_map.get(table_id)
        self.generated.n = 0
        if not self.journal.open:
            return 2
        if is_nothing(table):
            return 4
        return self.insert_into(cython.cast(Table, table), buf, off, n)

    def insert_into(self, table: Table, buf: u8p, off: cython.size_t, n: cython.size_t) -> cython.int:
        answer: cython.int = self.check_row(table, buf, off, n)
        if answer == 0 and table.sequence_count:
            answer = self.fill_row(table)
        if answer == 0:
            answer = insert(table, self.at, self.start, self.end)
        if answer == 12:
            self.conflict = table.conflict
        return 0 if answer == 1 else answer

    def update_row(
        self, table_id: cython.uint, index_id: cython.uint, buf: u8p, off: cython.size_t, n: cython.size_t
    ) -> cython.int:
        """The row with the same key in that unique index becomes this one."""
        table: cython.p_void = self.table_map.get(table_id)
        index: cython.p_void = self.index_map.get(index_id)
        self.generated.n = 0
        if not self.journal.open:
            return 2
        if is_nothing(table):
            return 4
        if is_nothing(index) or cython.cast(Index, index).table_id != table_id:
            return 5
        if not cython.cast(Index, index).unique:
            return 14
        return self.update_in(cython.cast(Table, table), cython.cast(Index, index).position, buf, off, n)

    def update_in(
        self, table: Table, position: cython.uint, buf: u8p, off: cython.size_t, n: cython.size_t
    ) -> cython.int:
        answer: cython.int = self.check_row(table, buf, off, n)
        if answer == 0 and table.sequence_count:
            answer = self.fill_row(table)
        if answer == 0:
            answer = update(table, position, self.at, self.start, self.end)
        if answer == 12:
            self.conflict = table.conflict
        return 0 if answer == 1 else answer

    def delete_equal(
        self, table_id: cython.uint, buf: u8p, off: cython.size_t, n: cython.size_t
    ) -> cython.int:
        """Deletes the rows that equal one of a relation (u32 count, rows); `result`: how many."""
        table: cython.p_void = self.table_map.get(table_id)
        self.result = 0
        if not self.journal.open:
            return 2
        if is_nothing(table):
            return 4
        return self.delete_relation(cython.cast(Table, table), buf, off, off + n)

    def delete_relation(self, table: Table, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.int:
        count: cython.uint
        i: cython.uint
        at: cython.Py_ssize_t = off + 4
        to: cython.Py_ssize_t
        slot: cython.longlong
        if end - off < 4:
            return 3
        count = ld32(buf, off)
        if table.program.fixed == 0 and count > 1:  # rows without columns are all equal
            count = 1
        for i in range(count):
            at = table.program.walk(buf, at, end)
            if at < 0:
                return 3
        at = off + 4
        for i in range(count):
            to = table.program.walk(buf, at, end)
            slot = table.find(buf, at, to)
            at = to
            if slot >= 0:
                if delete(table, slot) != 0:
                    return -4
                self.result += 1
        return 0

    def clear_rows(self, table_id: cython.uint) -> cython.int:
        """Deletes all rows; `result`: how many."""
        table: cython.p_void = self.table_map.get(table_id)
        self.result = 0
        if not self.journal.open:
            return 2
        if is_nothing(table):
            return 4
        return self.clear_table(cython.cast(Table, table))

    def clear_table(self, table: Table) -> cython.int:
        slot: cython.longlong
        table.rows.rewind()
        while True:
            slot = table.rows.following()
            if slot < 0:
                return 0
            if delete(table, slot) != 0:
                return -4
            self.result += 1

    def delete_seek_rows(
        self, index_id: cython.uint, buf: u8p, off: cython.size_t, n: cython.size_t
    ) -> cython.int:
        """Deletes the rows with that key; `result`: how many."""
        index: cython.p_void = self.index_map.get(index_id)
        slot: cython.longlong
        answer: cython.int
        self.result = 0
        if not self.journal.open:
            return 2
        if is_nothing(index):
            return 5
        answer = self.span.set_point(cython.cast(Index, index), buf, off, n)
        if answer != 0:
            return answer
        self.found.n = 0
        if cython.cast(Index, index).hashed:
            slot = cython.cast(Index, index).seek(buf, off, self.span.end)
            if slot >= 0 and self.found.put32(slot) != 0:
                return -4
        elif self.collect_range(cython.cast(Index, index)) != 0:
            return -4
        return self.delete_found(cython.cast(Table, self.table_map.get(cython.cast(Index, index).table_id)))

    def delete_range_rows(
        self,
        index_id: cython.uint,
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
        """Deletes the rows of a range (see `range_rows`); `result`: how many."""
        index: cython.p_void = self.index_map.get(index_id)
        answer: cython.int
        self.result = 0
        if not self.journal.open:
            return 2
        if is_nothing(index):
            return 5
        answer = self.span.set_bounds(
            cython.cast(Index, index), pre, po, pn, prefix_elems, sb, so, sn, eb, eo, en
        )
        if answer != 0:
            return answer
        self.found.n = 0
        if self.collect_range(cython.cast(Index, index)) != 0:
            return -4
        return self.delete_found(cython.cast(Table, self.table_map.get(cython.cast(Index, index).table_id)))

    def delete_found(self, table: Table) -> cython.int:
        """Deletes the rows whose slots are in `found`."""
        i: cython.size_t
        for i in range(self.found.n // 4):
            if delete(table, ld32(self.found.data, i * 4)) != 0:
                return -4
            self.result += 1
        self.found.n = 0
        self.found.shrink(65536)
        return 0

    # ---- reads

    def row_count(self, table_id: cython.uint) -> cython.int:
        table: cython.p_void = self.table_map.get(table_id)
        if is_nothing(table):
            return 4
        self.result = cython.cast(Table, table).count
        return 0

    def scan_rows(self, table_id: cython.uint, rows: Buffer, ends: Buffer) -> cython.int:
        """All rows, in no particular order."""
        table: cython.p_void = self.table_map.get(table_id)
        if is_nothing(table):
            return 4
        return self.give_all(cython.cast(Table, table).rows, rows, ends)

    def give_all(self, source: Rows, rows: Buffer, ends: Buffer) -> cython.int:
        slot: cython.longlong
        source.rewind()
        while True:
            slot = source.following()
            if slot < 0:
                return 0
            if self.give(source, slot, rows, ends) != 0:
                return -4

    def seek_rows(
        self,
        index_id: cython.uint,
        buf: u8p,
        off: cython.size_t,
        n: cython.size_t,
        rows: Buffer,
        ends: Buffer,
    ) -> cython.int:
        """The rows with that key (the key columns one behind the other)."""
        index: cython.p_void = self.index_map.get(index_id)
        slot: cython.longlong
        answer: cython.int
        if is_nothing(index):
            return 5
        answer = self.span.set_point(cython.cast(Index, index), buf, off, n)
        if answer != 0:
            return answer
        if not cython.cast(Index, index).hashed:
            return self.give_range(cython.cast(Index, index), rows, ends)
        slot = cython.cast(Index, index).seek(buf, off, self.span.end)
        return 0 if slot < 0 else self.give(cython.cast(Index, index).rows, slot, rows, ends)

    def range_rows(
        self,
        index_id: cython.uint,
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
        rows: Buffer,
        ends: Buffer,
    ) -> cython.int:
        """The rows whose first `prefix_elems` key columns are the prefix and whose next one is within the
        bounds, by key.

        A bound is u8 tag and value: 0 included, 1 excluded, 2 unbounded (no value).
        """
        index: cython.p_void = self.index_map.get(index_id)
        answer: cython.int
        if is_nothing(index):
            return 5
        answer = self.span.set_bounds(
            cython.cast(Index, index), pre, po, pn, prefix_elems, sb, so, sn, eb, eo, en
        )
        if answer != 0:
            return answer
        return self.give_range(cython.cast(Index, index), rows, ends)

    def is_point(
        self,
        index_id: cython.uint,
        prefix_elems: cython.uint,
        sb: u8p,
        so: cython.size_t,
        sn: cython.size_t,
        eb: u8p,
        eo: cython.size_t,
        en: cython.size_t,
    ) -> cython.bint:
        """Does a range leave no key column open, and are both its bounds the same value, included?"""
        index: cython.p_void = self.index_map.get(index_id)
        if is_nothing(index) or prefix_elems + 1 != cython.cast(Index, index).key.count:
            return False
        return sn > 0 and sn == en and ld8(sb, so) == 0 and same(sb, so, eb, eo, sn)

    # ---- parts

    def check_row(self, table: Table, buf: u8p, off: cython.size_t, n: cython.size_t) -> cython.int:
        """Puts a row into `at`, `start`, `end`; 3 when it is none. Bytes behind a row of variable length are
        let go."""
        end: cython.Py_ssize_t = table.program.walk(buf, off, off + n)
        if end < 0 or (table.program.fixed >= 0 and cython.cast(cython.size_t, table.program.fixed) != n):
            return 3
        self.at = buf
        self.start = off
        self.end = end
        return 0

    def fill_row(self, table: Table) -> cython.int:
        """Numbers for the zeros of the row in `at`, `start`, `end`."""
        answer: cython.int = self.numbers.fill(table, self.at, self.start, self.end)
        self.at = self.numbers.at
        self.start = self.numbers.start
        self.end = self.numbers.end
        return answer

    def give(self, rows: Rows, slot: cython.uint, out: Buffer, ends: Buffer) -> cython.int:
        rows.locate(slot)
        if out.append(rows.p, rows.o, rows.end - rows.o) != 0 or ends.put64(out.n) != 0:
            return -4
        return 0

    def give_range(self, index: Index, out: Buffer, ends: Buffer) -> cython.int:
        if self.span.enter(index) != 0:
            return -4
        while not index.done():
            if self.give(index.rows, index.tree.current(), out, ends) != 0:
                return -4
            index.tree.advance()
        return 0

    def collect_range(self, index: Index) -> cython.int:
        """Appends the slots of the range to `found`."""
        if self.span.enter(index) != 0:
            return -4
        while not index.done():
            if self.found.put32(index.tree.current()) != 0:
                return -4
            index.tree.advance()
        return 0
