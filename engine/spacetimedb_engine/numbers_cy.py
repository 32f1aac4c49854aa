"""Auto-increment: zeros of a row become the next numbers of their sequences.

Happens before anything else is checked, so a number is used up even if its row is then refused. `generated`
holds just the numbers that went into the row, in column order: what a module is told.

When a sequence has used up what was allocated to it, the new `allocated` goes into the sequence's row of the
system table st_sequence (its last column), if there is such a row, within the same transaction. `refilled`
are the sequences that did so: should the transaction be rolled back, they have to do it again.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.catalog_cy import Catalog
    from spacetimedb_engine.change_cy import update
    from spacetimedb_engine.index_cy import Index
    from spacetimedb_engine.memory import bufp, get_bytes, ld8, null, st8, u8p
    from spacetimedb_engine.sequence_cy import Sequence
    from spacetimedb_engine.table_cy import Table

ST_SEQUENCE = 3
ST_SEQUENCE_ID_INDEX = 4


class Numbers:
    """`at`, `start`, `end`: the row at work. `drew`: this transaction has refilled a sequence."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.generated = Buffer()
        self.row = Buffer()
        self.start = self.end = 0
        self.refilled: list[Sequence] = []
        self.drew = False
        if not cython.compiled:
            self.at = null()

    def fill(self, table: Table, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.int:
        """Puts the row, with numbers for its zeros, into `at`, `start`, `end`: 0, -4, -5. Copied if anything
        changes."""
        i: cython.uint
        at: cython.size_t
        copied: cython.bint = False
        answer: cython.int
        self.at = buf
        self.start = off
        self.end = end
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
                or ST_SEQUENCE not in self.catalog.tables
                or ST_SEQUENCE_ID_INDEX not in self.catalog.indexes
            ):
                return 0
            return self.save_allocated(sequence.id, allocated)
        except MemoryError:
            return -4
        except Exception as error:
            self.catalog.fault = f"sequence {sequence.id} has no next number: {error}".encode()
            return -5

    def save_allocated(self, sequence_id: int, allocated: int) -> int:
        """Rewrites the last column of the sequence's row of st_sequence, if it has one."""
        table: Table = self.catalog.tables[ST_SEQUENCE]
        index: Index = self.catalog.indexes[ST_SEQUENCE_ID_INDEX]
        point = sequence_id.to_bytes(4, "little")
        slot: cython.longlong = index.seek(bufp(point), 0, 4)
        if slot < 0:
            return 0
        table.rows.locate(slot)
        row = get_bytes(table.rows.p, table.rows.o, table.rows.end - table.rows.o)
        row = row[: len(row) - 16] + allocated.to_bytes(16, "little", signed=True)
        answer = update(table, index.position, bufp(row), 0, len(row))
        return 0 if answer == 1 else answer

    def settle(self, committed: cython.bint) -> cython.void:
        """The transaction is over."""
        sequence: Sequence
        for sequence in self.refilled:
            if committed:
                sequence.fresh = False
            else:
                sequence.forget()
        self.refilled.clear()
        self.drew = False
