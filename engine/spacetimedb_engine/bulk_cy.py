"""Rows by the million: out of tables as they lie, and into empty ones.

For copies of a whole store. What goes out is rows one behind the other, in BSATN, without anything between them; what
comes in is the same, and is entered into no index: indexes are made afterwards, over all rows at once. Both happen
outside of transactions.
"""

from __future__ import annotations

import cython
from spacetimedb_engine.errors import EngineError, ReplayError, SchemaError

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.core_cy import Core
    from spacetimedb_engine.memory import bufp, u8p
    from spacetimedb_engine.rows_cy import CLEAN, Rows
    from spacetimedb_engine.table_cy import Table


class Bulk:
    """`end` is where the last row that was taken in ends."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.out = Buffer()
        self.taken = 0
        self.end = 0

    def export(self, table_id: int, slot: int, limit: int) -> tuple[bytes, int, int]:
        """Rows of the table from a slot on: (the rows, how many, the slot to go on with, or -1 behind the last).

        Begin with slot 0. Ends with the row that brings the bytes to `limit`.
        """
        table: Table = self.core.table_of(table_id)
        following: cython.longlong
        if self.core.journal.open:
            raise EngineError("a transaction is open: tables are copied outside of any")
        following = self.collect(table.rows, slot, limit)
        if following == -4:
            raise MemoryError(f"no memory for a copy of table {table_id}")
        rows = self.out.take()
        self.out.shrink(1 << 22)
        return rows, self.taken, following

    def load(self, table_id: int, rows: bytes, count: int) -> None:
        """Puts rows into a table without indexes. Until `complete` they can be counted and scanned, not found.

        Raises ReplayError when the bytes are not `count` rows.
        """
        table: Table = self.core.table_of(table_id)
        answer: cython.int
        if self.core.journal.open:
            raise EngineError("a transaction is open: tables are filled outside of any")
        if table.indexes:
            raise SchemaError(f"table {table_id} has indexes: fill it before they are made")
        answer = self.fill(table, bufp(rows), len(rows), count)
        if answer == -4:
            raise MemoryError(f"no memory for the rows of table {table_id}")
        if answer != 0 or self.end != len(rows):
            raise ReplayError(f"byte {self.end} of {count} rows for table {table_id} is no value of its type")

    def complete(self) -> None:
        """After the last `load`, when the indexes are made: tables that have no unique one find their rows from now on.

        Raises ReplayError when one holds a row twice.
        """
        table: Table
        for table in self.core.tables.values():
            if not table.identified or table.identity.count == table.count:
                continue
            identity = self.core.identify(table)
            table.set_indexes(table.indexes, identity)
            if self.repeats(table):
                raise ReplayError(f"table {table.id} holds a row twice")

    # ---- the loops

    def collect(self, rows: Rows, slot: cython.longlong, limit: cython.size_t) -> cython.longlong:
        """Puts live rows into `out`, their number into `taken`; the slot to go on with, -1 at the end, or -4."""
        self.taken = 0
        self.out.n = 0
        rows.next_page = slot >> rows.cells.shift
        rows.next_index = slot & rows.cells.mask
        while self.taken == 0 or self.out.n < limit:
            slot = rows.following()
            if slot < 0:
                return -1
            rows.locate(slot)
            if self.out.append(rows.p, rows.o, rows.end - rows.o) != 0:
                return -4
            self.taken += 1
        return slot + 1

    def fill(self, table: Table, buf: u8p, size: cython.size_t, count: cython.ulonglong) -> cython.int:
        """Enters rows up to `end`: 0, 3 when what stands there is no row, -4 without memory."""
        end: cython.Py_ssize_t
        self.end = 0
        while count > 0:
            count -= 1
            end = table.program.walk(buf, self.end, size)
            if end < 0:
                return 3
            if table.rows.put(buf, self.end, end - self.end, CLEAN) < 0:
                return -4
            table.count += 1
            self.end = end
        return 0

    def repeats(self, table: Table) -> cython.bint:
        """Is there a row that equals another one?"""
        slot: cython.longlong
        table.rows.rewind()
        while True:
            slot = table.rows.following()
            if slot < 0:
                return False
            table.rows.locate(slot)
            if table.identity.seek_same(table.rows.p, table.rows.o, table.rows.end) != slot:
                return True
