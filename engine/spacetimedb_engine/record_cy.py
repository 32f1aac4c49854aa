"""How the net effect of a transaction is written down.

The commit log format, version 1: a commit is u64 offset, u64 epoch, u16 record count (1 here), u32 record
length, the record, and u32 CRC32C of all before it. A record is a flags byte (0x80 inputs, 0x20 mutations),
the inputs (u32 length, content), and the mutations: inserts, deletes (varint number of groups, each u32
table, varint count, rows), truncates (varint number, u32 tables); each in ascending order of tables. A table
whose deletes leave it empty and that gets no insert is truncated instead, as is a dropped one that had rows.
Ephemeral tables are left out; rows of event tables are written although the tables stay empty.

A delta tells the same to whoever watches tables, ephemeral ones too, with all deleted rows: for each table
u32 table, u32 inserts, u32 deletes, then the rows, inserts first, u32 length each.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.journal_cy import GONE, NEW, NEXT, RECORD, SLOT, VERDICT, Journal
    from spacetimedb_engine.memory import crc32c, ld32, st16, st32, st64, u8p
    from spacetimedb_engine.net_cy import Net
    from spacetimedb_engine.table_cy import Table


MOST = cython.declare(cython.size_t, 0xFFFFFFFF)
HEADER = cython.declare(cython.size_t, 22)


def truncated(table: Table) -> cython.bint:
    """Is the table listed as truncated, and its deletes left out?"""
    if table.ephemeral:
        return False
    if table.dropped:
        return table.before > 0
    return table.gone > 0 and table.made == 0 and table.count == 0


def listed(table: Table, which: cython.uint) -> cython.bint:
    """Does the table have a group among the inserts (NEW) or deletes (GONE)?"""
    if table.ephemeral:
        return False
    if which == NEW:
        return table.made > 0
    return table.gone > 0 and not truncated(table)


def logged(table: Table) -> cython.bint:
    """Is there anything of the table in the record?"""
    return listed(table, NEW) or listed(table, GONE) or truncated(table)


class Recorder:
    """Encodes what `net` has worked out; `log` and `delta` take the bytes. Answers are 0, -4 (memory) or -5
    (too large)."""

    def __init__(self, journal: Journal, net: Net) -> None:
        self.journal = journal
        self.net = net
        self.log = Buffer()
        self.delta = Buffer()

    def number(self, i: cython.size_t) -> cython.uint:
        """The journal's number of the i-th touched table by id."""
        return ld32(self.net.order.data, i * 4)

    def commit(
        self,
        offset: cython.ulonglong,
        epoch: cython.ulonglong,
        inputs: u8p,
        off: cython.size_t,
        n: cython.size_t,
        with_inputs: cython.bint,
    ) -> cython.int:
        """Appends one commit to the log; when it fails the log is as it was."""
        start: cython.size_t = self.log.n
        size: cython.size_t
        answer: cython.int = self.log.reserve(HEADER)
        if answer == 0:
            self.log.n += HEADER
            answer = self.record(inputs, off, n, with_inputs)
        size = self.log.n - start - HEADER
        if answer == 0 and size > MOST:
            answer = -5
        if answer == 0:
            st64(self.log.data, start, offset)
            st64(self.log.data, start + 8, epoch)
            st16(self.log.data, start + 16, 1)
            st32(self.log.data, start + 18, size)
            answer = self.log.put32(crc32c(self.log.data, start, self.log.n - start))
        if answer != 0:
            self.log.n = start
        return answer

    def record(
        self, inputs: u8p, off: cython.size_t, n: cython.size_t, with_inputs: cython.bint
    ) -> cython.int:
        if self.log.put8(0xA0 if with_inputs else 0x20) != 0:
            return -4
        if with_inputs and (self.log.put32(n) != 0 or self.log.append(inputs, off, n) != 0):
            return -4
        if self.groups(NEW) != 0 or self.groups(GONE) != 0:
            return -4
        return self.truncates()

    def groups(self, which: cython.uint) -> cython.int:
        """The inserts (NEW) or deletes (GONE) of all tables."""
        i: cython.uint
        number: cython.uint
        count: cython.uint = 0
        for i in range(self.journal.table_count):
            if listed(cython.cast(Table, self.journal.tables[i]), which):
                count += 1
        if self.log.put_varint(count) != 0:
            return -4
        if count == 0:
            return 0
        for i in range(self.journal.table_count):
            number = self.number(i)
            if not listed(cython.cast(Table, self.journal.tables[number]), which):
                continue
            if (
                self.log.put32(cython.cast(Table, self.journal.tables[number]).id) != 0
                or self.log.put_varint(
                    cython.cast(Table, self.journal.tables[number]).made
                    if which == NEW
                    else cython.cast(Table, self.journal.tables[number]).gone
                )
                != 0
                or self.group(cython.cast(Table, self.journal.tables[number]), which, self.log, False) != 0
            ):
                return -4
        return 0

    def truncates(self) -> cython.int:
        i: cython.uint
        count: cython.uint = 0
        for i in range(self.journal.table_count):
            if truncated(cython.cast(Table, self.journal.tables[i])):
                count += 1
        if self.log.put_varint(count) != 0:
            return -4
        for i in range(self.journal.table_count if count else 0):
            if truncated(cython.cast(Table, self.journal.tables[self.number(i)])):
                if self.log.put32(cython.cast(Table, self.journal.tables[self.number(i)]).id) != 0:
                    return -4
        return 0

    def group(self, table: Table, which: cython.uint, out: Buffer, lengths: cython.bint) -> cython.int:
        """The rows of a table with that verdict, each with its length in front or not."""
        records: u8p = self.journal.records.data
        at: cython.size_t
        r: cython.uint = table.first
        while r != 0:
            r -= 1
            at = cython.cast(cython.size_t, r) * RECORD
            if ld32(records, at + VERDICT) & which:
                if which == NEW:
                    table.rows.locate(ld32(records, at + SLOT))
                else:
                    self.net.locate_old(table, r)
                if lengths and out.put32(table.rows.end - table.rows.o) != 0:
                    return -4
                if out.append(table.rows.p, table.rows.o, table.rows.end - table.rows.o) != 0:
                    return -4
            r = ld32(records, at + NEXT)
        return 0

    def describe(self) -> cython.int:
        """The delta of all watched tables; the one before is gone."""
        i: cython.uint
        number: cython.uint
        self.delta.n = 0
        for i in range(self.journal.table_count):
            number = self.number(i)
            if not cython.cast(Table, self.journal.tables[number]).watched:
                continue
            if (
                cython.cast(Table, self.journal.tables[number]).made
                + cython.cast(Table, self.journal.tables[number]).gone
                == 0
            ):
                continue
            if (
                self.delta.put32(cython.cast(Table, self.journal.tables[number]).id) != 0
                or self.delta.put32(cython.cast(Table, self.journal.tables[number]).made) != 0
                or self.delta.put32(cython.cast(Table, self.journal.tables[number]).gone) != 0
                or self.group(cython.cast(Table, self.journal.tables[number]), NEW, self.delta, True) != 0
                or self.group(cython.cast(Table, self.journal.tables[number]), GONE, self.delta, True) != 0
            ):
                return -4
        return 0
