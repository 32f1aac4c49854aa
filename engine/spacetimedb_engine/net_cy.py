"""What a transaction comes to: the net inserts and deletes of each table.

Per row slot: an insert that was deleted again is nothing, an update to the same content is nothing, and of
several updates the first old and the last new content count. Across slots: a row deleted here and an equal
one inserted there cancel out. So the inserts and the deletes of a table are two sets without a common row.

The outcome is in the verdicts of the journal, in `made` and `gone` of the tables, and in `order`: the numbers
(u32) of the touched tables in ascending order of their ids. It may be worked out once per transaction, and
changes nothing but marks (INSERTED rows become CLAIMED), so the transaction can still be rolled back.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.journal_cy import (
        DELETE,
        FIRST,
        GONE,
        INSERT,
        KIND,
        NEW,
        NEXT,
        RECORD,
        SLOT,
        UPDATE,
        VERDICT,
        Journal,
    )
    from spacetimedb_engine.memory import alloc, hash_bytes, is_null, ld32, release, same, st32, u8p
    from spacetimedb_engine.rows_cy import CLAIMED, INSERTED, MODIFIED
    from spacetimedb_engine.table_cy import Table


class Net:
    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.order = Buffer()

    def work_out(self) -> cython.int:
        """0, or -4 without memory."""
        i: cython.uint
        if self.sort() != 0:
            return -4
        for i in range(self.journal.table_count):
            self.judge(cython.cast(Table, self.journal.tables[i]))
            if self.cancel(cython.cast(Table, self.journal.tables[i])) != 0:
                return -4
        return 0

    def sort(self) -> cython.int:
        """Fills `order`."""
        i: cython.uint
        j: cython.size_t
        number: cython.uint
        data: u8p
        self.order.n = 0
        for i in range(self.journal.table_count):
            if self.order.put32(i) != 0:
                return -4
            data = self.order.data
            j = i
            while j > 0:
                number = ld32(data, (j - 1) * 4)
                if (
                    cython.cast(Table, self.journal.tables[number]).id
                    < cython.cast(Table, self.journal.tables[i]).id
                ):
                    break
                st32(data, j * 4, number)
                j -= 1
            st32(data, j * 4, i)
        return 0

    def judge(self, table: Table) -> cython.void:
        """Verdicts and totals of a table, slot by slot."""
        records: u8p = self.journal.records.data
        at: cython.size_t
        r: cython.uint = table.first
        kind: cython.uint
        slot: cython.uint
        state: cython.uint
        verdict: cython.uint
        table.made = table.gone = 0
        if table.dropped:
            return
        while r != 0:
            r -= 1
            at = cython.cast(cython.size_t, r) * RECORD
            kind = ld32(records, at + KIND)
            slot = ld32(records, at + SLOT)
            state = table.rows.state_now(slot)
            verdict = 0
            if kind == INSERT | FIRST:
                if state == INSERTED:
                    table.rows.mark(slot, CLAIMED)
                    verdict = NEW
            elif kind == UPDATE | FIRST:
                if state != MODIFIED:
                    verdict = GONE
                elif self.differs(table, r):
                    verdict = GONE | NEW
            elif kind == DELETE | FIRST:
                verdict = GONE
            if verdict & NEW:
                table.made += 1
            if verdict & GONE:
                table.gone += 1
            st32(records, at + VERDICT, verdict)
            r = ld32(records, at + NEXT)

    def locate_old(self, table: Table, r: cython.uint) -> cython.void:
        """Locates the old content that a record of the table stands for."""
        if self.journal.kind(r) == DELETE | FIRST:
            table.rows.locate(self.journal.slot(r))
        elif table.rows.fixed < 0:
            table.rows.locate_blob(self.journal.image(r))
        else:
            table.rows.p = self.journal.images.data
            table.rows.o = self.journal.image(r)
            table.rows.end = table.rows.o + table.rows.fixed

    def differs(self, table: Table, r: cython.uint) -> cython.bint:
        """Is the content of an updated row other than it was?"""
        p: u8p
        o: cython.size_t
        n: cython.size_t
        self.locate_old(table, r)
        p = table.rows.p
        o = table.rows.o
        n = table.rows.end - o
        table.rows.locate(self.journal.slot(r))
        return table.rows.end - table.rows.o != n or not same(p, o, table.rows.p, table.rows.o, n)

    def cancel(self, table: Table) -> cython.int:
        """Takes pairs of equal inserts and deletes out of the verdicts; 0, or -4 without memory."""
        places: u8p
        mask: cython.size_t = 15
        i: cython.size_t
        r: cython.uint
        if not table.moved or table.made == 0 or table.gone == 0:
            return 0
        while mask < table.gone * 2:
            mask = mask * 2 + 1
        places = alloc((mask + 1) * 4)
        if is_null(places):
            return -4
        r = table.first
        while r != 0:
            r -= 1
            if self.journal.verdict(r) & GONE:
                self.locate_old(table, r)
                i = hash_bytes(table.rows.p, table.rows.o, table.rows.end - table.rows.o, 0) & mask
                while ld32(places, i * 4) != 0:
                    i = (i + 1) & mask
                st32(places, i * 4, r + 1)
            r = ld32(self.journal.records.data, cython.cast(cython.size_t, r) * RECORD + NEXT)
        r = table.first
        while r != 0:
            r -= 1
            if self.journal.verdict(r) & NEW:
                self.pair(table, places, mask, r)
            r = ld32(self.journal.records.data, cython.cast(cython.size_t, r) * RECORD + NEXT)
        release(places)
        return 0

    def pair(self, table: Table, places: u8p, mask: cython.size_t, r: cython.uint) -> cython.void:
        """Looks for the old row that equals the new one of record r; if there is one, both are nothing."""
        p: u8p
        o: cython.size_t
        n: cython.size_t
        i: cython.size_t
        other: cython.uint
        table.rows.locate(self.journal.slot(r))
        p = table.rows.p
        o = table.rows.o
        n = table.rows.end - o
        i = hash_bytes(p, o, n, 0) & mask
        while ld32(places, i * 4) != 0:
            other = ld32(places, i * 4) - 1
            i = (i + 1) & mask
            if not self.journal.verdict(other) & GONE:
                continue
            self.locate_old(table, other)
            if table.rows.end - table.rows.o != n or not same(p, o, table.rows.p, table.rows.o, n):
                continue
            self.journal.judge(other, self.journal.verdict(other) & ~GONE)
            self.journal.judge(r, self.journal.verdict(r) & ~NEW)
            table.made -= 1
            table.gone -= 1
            return
