"""Rows by number: everything that happens to rows, in a form that guests' host functions call without Python objects.

Answers: 0 done; 2, 3, 4, 5, 10, 12, 14, 15 as the error numbers of the module ABI (no transaction, bytes that are no such
value, no table, no index, no range on a hash index, unique violation, index not unique, no such row); 17 a
transaction is open already; -4 out of memory; -5 something broke (`fault` says what). After anything negative the
transaction must be rolled back. A count goes to `result`, the id of the index that refused a row to `conflict`.

Reads need no transaction and see what the open one has done. Rows come out appended to a buffer, one behind the other, and
for each the offset of its end (u64) to a second one.

Auto-increment: columns that hold zero get the next number of their sequence before anything is checked; `generated`
then holds just these numbers, in column order.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.catalog_cy import Catalog
    from spacetimedb_engine.index_cy import Index
    from spacetimedb_engine.memory import bufp, get_bytes, is_nothing, ld8, ld32, null, same, st8, u8p
    from spacetimedb_engine.rows_cy import Rows
    from spacetimedb_engine.sequence_cy import Sequence
    from spacetimedb_engine.table_cy import Table


ST_SEQUENCE = 3
ST_SEQUENCE_ID_INDEX = 4


class Core(Catalog):
    def __init__(self, seed: int = 0) -> None:
        Catalog.__init__(self, seed)
        self.result = 0
        self.conflict = 0
        self.generated = Buffer()
        self.row = Buffer()
        self.low = Buffer()
        self.high = Buffer()
        self.found = Buffer()
        self.start = self.end = 0
        self.fault = b""
        self.refilled: list[Sequence] = []
        self.drew = False
        self.low_beyond = self.high_beyond = False
        self.low_cols = self.high_cols = 0
        if not cython.compiled:
            self.at = null()

    # ---- transactions

    def begin_tx(self) -> cython.int:
        if self.journal.open:
            return 17
        self.journal.begin()
        self.drew = False
        return 0

    def commit_tx(
        self, buf: u8p, off: cython.size_t, n: cython.size_t, with_inputs: cython.bint, force: cython.bint
    ) -> cython.longlong:
        """The offset, or -1 when the transaction took none; below that: failed, and still open."""
        offset: cython.longlong
        changed: cython.bint = self.journal.pinned or self.drew
        if not self.journal.open:
            return -5
        offset = self.committer.commit(buf, off, n, with_inputs, force)
        if offset >= -1 and changed:
            self.settle_changes(True)
        return offset

    def rollback_tx(self) -> cython.int:
        """Takes back everything; 2 when nothing is open."""
        i: cython.uint
        changed: cython.bint = self.journal.pinned or self.drew
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
        return 0

    def undo_changes(self) -> cython.void:
        """Takes changes of definitions back, and the rows between them."""
        for count, undo in reversed(self.undone_by):
            self.committer.undo_to(count)
            undo()

    def settle_changes(self, committed: cython.bint) -> cython.void:
        """The transaction is over: what was kept for taking it back goes."""
        sequence: Sequence
        self.undone_by.clear()
        self.kept.clear()
        for sequence in self.refilled:
            if committed:
                sequence.fresh = False
            else:
                sequence.forget()
        self.refilled.clear()

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
            answer = self.fill_sequences(table)
        if answer == 0:
            answer = table.insert(self.at, self.start, self.end)
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
            answer = self.fill_sequences(table)
        if answer == 0:
            answer = table.update(position, self.at, self.start, self.end)
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
                if table.delete(slot) != 0:
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
            if table.delete(slot) != 0:
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
        answer = self.set_point(cython.cast(Index, index), buf, off, n)
        if answer != 0:
            return answer
        self.found.n = 0
        if cython.cast(Index, index).hashed:
            slot = cython.cast(Index, index).seek(buf, off, self.end)
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
        answer = self.set_bounds(cython.cast(Index, index), pre, po, pn, prefix_elems, sb, so, sn, eb, eo, en)
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
            if table.delete(ld32(self.found.data, i * 4)) != 0:
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
        answer = self.set_point(cython.cast(Index, index), buf, off, n)
        if answer != 0:
            return answer
        if not cython.cast(Index, index).hashed:
            return self.give_range(cython.cast(Index, index), rows, ends)
        slot = cython.cast(Index, index).seek(buf, off, self.end)
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
        """The rows whose first `prefix_elems` key columns are the prefix and whose next one is within the bounds, by key.

        A bound is u8 tag and value: 0 included, 1 excluded, 2 unbounded (no value).
        """
        index: cython.p_void = self.index_map.get(index_id)
        answer: cython.int
        if is_nothing(index):
            return 5
        answer = self.set_bounds(cython.cast(Index, index), pre, po, pn, prefix_elems, sb, so, sn, eb, eo, en)
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
        """Puts a row into `at`, `start`, `end`; 3 when it is none. Bytes behind a row of variable length are let go."""
        end: cython.Py_ssize_t = table.program.walk(buf, off, off + n)
        if end < 0 or (table.program.fixed >= 0 and cython.cast(cython.size_t, table.program.fixed) != n):
            return 3
        self.at = buf
        self.start = off
        self.end = end
        return 0

    def fill_sequences(self, table: Table) -> cython.int:
        """Replaces zeros of the row by numbers of the table's sequences; the row is then a copy."""
        i: cython.uint
        at: cython.size_t
        copied: cython.bint = False
        answer: cython.int
        for i in range(table.sequence_count):
            at = self.column_at(table, cython.cast(Sequence, table.sequence_objs[i]).column)
            if not self.is_zero(at, cython.cast(Sequence, table.sequence_objs[i]).width):
                continue
            if not copied:
                copied = True
                self.row.n = 0
                if self.row.append(self.at, self.start, self.end - self.start) != 0:
                    return -4
                self.at = self.row.data
                at -= self.start
                self.end -= self.start
                self.start = 0
            answer = self.draw(cython.cast(Sequence, table.sequence_objs[i]))
            if answer != 0:
                return answer
            self.write_number(cython.cast(Sequence, table.sequence_objs[i]), at)
            if self.generated.append(self.at, at, cython.cast(Sequence, table.sequence_objs[i]).width) != 0:
                return -4
        return 0

    def column_at(self, table: Table, column: cython.uint) -> cython.size_t:
        """Where a column of the row begins."""
        at: cython.size_t = self.start
        i: cython.uint
        for i in range(column):
            at = table.program.step(table.program.column(i), self.at, at, self.end)
        return at

    def is_zero(self, at: cython.size_t, width: cython.uint) -> cython.bint:
        i: cython.uint
        for i in range(width):
            if ld8(self.at, at + i):
                return False
        return True

    def write_number(self, sequence: Sequence, at: cython.size_t) -> cython.void:
        """Puts the number drawn into the row, cut to the width of the column or with its sign extended."""
        i: cython.uint
        low: cython.ulonglong = sequence.drawn_lo
        high: cython.ulonglong = sequence.drawn_hi
        sign: cython.uint = 255 if high >> 63 else 0
        for i in range(sequence.width):
            if i < 8:
                st8(self.row.data, at + i, (low >> (8 * i)) & 255)
            elif i < 16:
                st8(self.row.data, at + i, (high >> (8 * (i - 8))) & 255)
            else:
                st8(self.row.data, at + i, sign)

    def draw(self, sequence: Sequence) -> cython.int:
        answer: cython.int
        while not sequence.draw():
            answer = self.refill(sequence)
            if answer != 0:
                return answer
        return 0

    def refill(self, sequence: Sequence) -> cython.int:
        """Allocates more numbers, and writes that into the sequence's row."""
        try:
            allocated = sequence.refill()
            self.refilled.append(sequence)
            self.drew = True
            if (
                allocated is None
                or ST_SEQUENCE not in self.tables
                or ST_SEQUENCE_ID_INDEX not in self.indexes
            ):
                return 0
            return self.save_allocated(sequence.id, allocated)
        except MemoryError:
            return -4
        except Exception as error:
            self.fault = f"sequence {sequence.id} has no next number: {error}".encode()
            return -5

    def save_allocated(self, sequence_id: int, allocated: int) -> int:
        """Rewrites the last column of the sequence's row of st_sequence, if it has one."""
        table: Table = self.tables[ST_SEQUENCE]
        index: Index = self.indexes[ST_SEQUENCE_ID_INDEX]
        point = sequence_id.to_bytes(4, "little")
        slot: cython.longlong = index.seek(bufp(point), 0, 4)
        if slot < 0:
            return 0
        table.rows.locate(slot)
        row = get_bytes(table.rows.p, table.rows.o, table.rows.end - table.rows.o)
        row = row[: len(row) - 16] + allocated.to_bytes(16, "little", signed=True)
        answer = table.update(index.position, bufp(row), 0, len(row))
        return 0 if answer == 1 else answer

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
        self.low_cols = prefix_elems + (0 if answer == 12 else 1)
        self.low_beyond = answer == 11
        answer = self.set_bound(index, self.high, eb, eo, en, prefix_elems)
        if answer < 0 or answer == 3:
            return answer
        self.high_cols = prefix_elems + (0 if answer == 12 else 1)
        self.high_beyond = answer != 11
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
        """Appends the value of a bound; 10 included, 11 excluded, 12 unbounded; 3 when it is none, -4."""
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
        return 10 + tag

    def give(self, rows: Rows, slot: cython.uint, out: Buffer, ends: Buffer) -> cython.int:
        rows.locate(slot)
        if out.append(rows.p, rows.o, rows.end - rows.o) != 0 or ends.put64(out.n) != 0:
            return -4
        return 0

    def enter_range(self, index: Index) -> cython.int:
        """Goes to the start of the range that was set."""
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

    def give_range(self, index: Index, out: Buffer, ends: Buffer) -> cython.int:
        if self.enter_range(index) != 0:
            return -4
        while not index.done():
            if self.give(index.rows, index.tree.current(), out, ends) != 0:
                return -4
            index.tree.advance()
        return 0

    def collect_range(self, index: Index) -> cython.int:
        """Appends the slots of the range to `found`."""
        if self.enter_range(index) != 0:
            return -4
        while not index.done():
            if self.found.put32(index.tree.current()) != 0:
                return -4
            index.tree.advance()
        return 0
