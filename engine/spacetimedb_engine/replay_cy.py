"""Applies a commit log: the records of another time become rows again.

A record is applied as it stands: inserts, then deletes, then truncates, group by group, without asking unique
indexes (within one record a key may be there twice for a moment). Inserting a row that is there, or deleting
one that is not, is an error: the log does not fit the state. Only rows of system tables that are there
already are passed over, because old logs repeat what every database begins with. Rows of event tables are
read and forgotten.

Definitions change in the middle of a log: rows of system tables say so, and stand before the rows of user
tables in the same section (groups ascend by table id). So between the two the caller is asked to bring tables
up to date: `on_system(section, groups)` with section "inserts" or "deletes", and groups = [(table id, rows)]
of those system tables that are in `notify` (ids below 64). It may create, alter and drop tables, indexes and
sequences. Groups and truncates of a table that it has dropped are read and passed over until the record ends.

`advance` goes through the bytes without Python objects, `stage` by stage, and comes back when the caller has
to be asked, when something is wrong, or at the end; called again it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable

import cython
from spacetimedb_engine.errors import ReplayError, UniqueViolation

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.committed_cy import enter, expect, look_ahead, take_out
    from spacetimedb_engine.core_cy import Core
    from spacetimedb_engine.index_cy import Index
    from spacetimedb_engine.memory import (
        borrow,
        bufp,
        crc32c,
        is_nothing,
        ld8,
        ld16,
        ld32,
        ld64,
        nothing,
        u8p,
    )
    from spacetimedb_engine.table_cy import FIRST_USER_TABLE, Table

    COMMIT, RECORD, INSERTS, DELETES, TRUNCATES, CLOSE = range(6)

Groups = list[tuple[int, list[bytes]]]
SystemRows = Callable[[str, Groups], None]

HEADER = cython.declare(cython.size_t, 22)
TOLD = cython.declare(cython.size_t, 20)
FAR = cython.declare(cython.uint, 8)
"""Rows ahead, in a group of many rows of one length, whose place is fetched."""

DONE = cython.declare(cython.int, 100)
ASK = cython.declare(cython.int, 101)
SWEEP = cython.declare(cython.int, 102)
CUT_COMMIT = cython.declare(cython.int, 200)
BAD_CHECKSUM = cython.declare(cython.int, 201)
WRONG_OFFSET = cython.declare(cython.int, 202)
CUT_RECORD = cython.declare(cython.int, 203)
NO_NUMBER = cython.declare(cython.int, 204)
NO_TABLE = cython.declare(cython.int, 205)
SURPLUS = cython.declare(cython.int, 206)


class Replayer:
    """`at`, `end`, `size`: what of the record, and of all bytes, is still to be read. `table_id`: of the last
    group."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.told = Buffer()
        self.notify = 0
        self.at = self.end = self.size = 0
        self.stage = COMMIT
        self.single = self.counted = self.asked = False
        self.records = 0
        self.groups = self.number = 0
        self.table_id = 0

    def commits(self, data: bytes, on_system: SystemRows | None, notify: tuple[int, ...]) -> int:
        """Applies whole commits, version 1; the offset after them."""
        self.single = False
        self.stage = COMMIT
        self.run(data, on_system, notify)
        return self.core.committer.offset

    def record(self, data: bytes, on_system: SystemRows | None, notify: tuple[int, ...]) -> int:
        """Applies the record at the beginning of the bytes; its length. Offsets are the caller's."""
        self.single = True
        self.stage = RECORD
        self.end = len(data)
        self.run(data, on_system, notify)
        return self.at

    def run(self, data: bytes, on_system: SystemRows | None, notify: tuple[int, ...]) -> None:
        if self.core.journal.open:
            raise ReplayError("a transaction is open: a log is replayed outside of any")
        self.at = 0
        self.size = len(data)
        self.notify = sum(1 << table_id for table_id in set(notify) if table_id < 64)
        self.counted = self.asked = False
        self.told.n = 0
        self.core.replaying = True
        try:
            answer = self.advance(bufp(data))
            while answer != DONE:
                if answer == ASK:
                    self.ask(data, on_system)
                elif answer == SWEEP:
                    self.core.kept.clear()
                else:
                    self.fail(answer, data)
                answer = self.advance(bufp(data))
        finally:
            self.core.replaying = False
            self.core.kept.clear()

    def ask(self, data: bytes, on_system: SystemRows | None) -> None:
        """Tells the caller of the rows of system tables that this section has brought."""
        groups: Groups = []
        i: cython.size_t
        at: cython.Py_ssize_t
        end: cython.Py_ssize_t
        table: Table
        for i in range(self.told.n // TOLD):
            table = self.core.tables[ld32(self.told.data, i * TOLD)]
            at = ld64(self.told.data, i * TOLD + 4)
            rows = []
            while at < cython.cast(cython.Py_ssize_t, ld64(self.told.data, i * TOLD + 12)):
                end = table.program.walk(bufp(data), at, len(data))
                rows.append(data[at:end])
                at = end
            groups.append((table.id, rows))
        self.told.n = 0
        section = "inserts" if self.stage == INSERTS else "deletes"
        if on_system is not None:
            on_system(section, groups)

    def fail(self, answer: int, data: bytes) -> None:
        """Raises what is wrong with the log."""
        expected = self.core.committer.offset
        if answer == -4:
            raise MemoryError(f"no memory for the rows of table {self.table_id}")
        if answer == WRONG_OFFSET:
            found = int.from_bytes(data[self.at : self.at + 8], "little")
            raise ReplayError(f"Expected tx offset {expected}, encountered {found}")
        causes = {
            CUT_COMMIT: f"the commit at byte {self.at} ends too early",
            BAD_CHECKSUM: f"checksum mismatch in the commit at byte {self.at}",
            CUT_RECORD: f"the record ends too early, at byte {self.at}",
            NO_NUMBER: f"there is no number at byte {self.at}, where one should be",
            NO_TABLE: f"the log has rows of table {self.table_id}, which does not exist at that point",
            SURPLUS: f"bytes follow the records of a commit, from byte {self.at} on",
            1: f"a row of table {self.table_id} is inserted that is there already",
            3: f"a row of table {self.table_id} at byte {self.at} is no value of its type",
            15: f"a row of table {self.table_id} is deleted that is not there",
        }
        raise ReplayError(f"transaction {expected}: {causes[answer]}")

    # ---- stages

    def advance(self, buf: u8p) -> cython.int:
        """Goes on until something is to be told: DONE, ASK, SWEEP, or an error."""
        answer: cython.int = 0
        while answer == 0:
            if self.stage == COMMIT:
                if self.at == self.size:
                    return DONE
                answer = self.open_commit(buf)
            elif self.stage == RECORD:
                answer = self.open_record(buf)
            elif self.stage == TRUNCATES:
                answer = self.truncate(buf)
            elif self.stage == CLOSE:
                answer = self.close_record()
            else:
                answer = self.group(buf)
        return answer

    def open_commit(self, buf: u8p) -> cython.int:
        left: cython.size_t = self.size - self.at
        n: cython.size_t
        if left < HEADER + 4:
            return CUT_COMMIT
        n = ld32(buf, self.at + 18)
        if left - HEADER - 4 < n:
            return CUT_COMMIT
        if crc32c(buf, self.at, HEADER + n) != ld32(buf, self.at + HEADER + n):
            return BAD_CHECKSUM
        if ld64(buf, self.at) != self.core.committer.offset:
            return WRONG_OFFSET
        look_ahead(self.core.table_map, buf, self.at, self.size, True)
        look_ahead(self.core.table_map, buf, self.at + HEADER + n + 4, self.size, False)
        self.records = ld16(buf, self.at + 16)
        self.at += HEADER
        self.end = self.at + n
        self.stage = CLOSE if self.records == 0 else RECORD
        return 0

    def open_record(self, buf: u8p) -> cython.int:
        """Goes to the mutations of a record."""
        flags: cython.uint
        if self.at == self.end:
            return CUT_RECORD
        flags = ld8(buf, self.at)
        self.at += 1
        if flags & 0x80 and (self.end - self.at < 4 or self.skip(4 + ld32(buf, self.at)) != 0):
            return CUT_RECORD
        if flags & 0x40 and (self.end == self.at or self.skip(1 + ld8(buf, self.at)) != 0):
            return CUT_RECORD
        self.counted = False
        self.stage = INSERTS if flags & 0x20 else CLOSE
        return 0

    def skip(self, n: cython.size_t) -> cython.int:
        if self.end - self.at < n:
            return CUT_RECORD
        self.at += n
        return 0

    def group(self, buf: u8p) -> cython.int:
        """One group of the inserts or deletes; at their end the next stage."""
        answer: cython.int
        table: cython.p_void
        start: cython.size_t
        count: cython.ulonglong
        if not self.counted:
            answer = self.varint(buf)
            if answer != 0:
                return answer
            self.counted = True
            self.groups = self.number
        if self.told.n > 0 and (
            self.groups == 0 or self.end - self.at < 4 or ld32(buf, self.at) >= FIRST_USER_TABLE
        ):
            self.asked = True
            return ASK
        if self.groups == 0:
            self.counted = False
            self.stage += 1
            return 0
        if self.end - self.at < 4:
            return CUT_RECORD
        self.table_id = ld32(buf, self.at)
        self.at += 4
        answer = self.varint(buf)
        if answer != 0:
            return answer
        count = self.number
        table = self.core.table_map.get(self.table_id)
        if not is_nothing(table):
            start = self.at
            answer = self.apply_group(cython.cast(Table, table), buf, count, True)
            if answer == 0 and self.table_id < 64 and (self.notify >> self.table_id) & 1:
                if (
                    self.told.put32(self.table_id) != 0
                    or self.told.put64(start) != 0
                    or self.told.put64(self.at) != 0
                ):
                    return -4
        else:
            table = self.dropped(self.table_id)
            if is_nothing(table):
                return NO_TABLE
            answer = self.apply_group(cython.cast(Table, table), buf, count, False)
        self.groups -= 1
        return answer

    def apply_group(
        self, table: Table, buf: u8p, count: cython.ulonglong, present: cython.bint
    ) -> cython.int:
        if not present or (table.event and self.stage == INSERTS):
            return self.skip_group(table, buf, count)
        if self.stage == INSERTS:
            return self.insert_group(table, buf, count, table.id < FIRST_USER_TABLE)
        return self.delete_group(table, buf, count)

    def truncate(self, buf: u8p) -> cython.int:
        """All truncates."""
        table: cython.p_void
        answer: cython.int = self.varint(buf)
        if answer != 0:
            return answer
        self.groups = self.number
        while self.groups > 0:
            self.groups -= 1
            if self.end - self.at < 4:
                return CUT_RECORD
            self.table_id = ld32(buf, self.at)
            self.at += 4
            table = self.core.table_map.get(self.table_id)
            if not is_nothing(table):
                cython.cast(Table, table).wipe()
            elif is_nothing(self.dropped(self.table_id)):
                return NO_TABLE
        self.stage = CLOSE
        return 0

    def close_record(self) -> cython.int:
        """A record is done; when the caller was asked, what it dropped may go."""
        if self.asked:
            self.asked = False
            return SWEEP
        if self.single:
            return DONE
        if self.records > 0:
            self.core.committer.offset += 1
            self.records -= 1
        if self.records > 0:
            self.stage = RECORD
            return 0
        if self.at != self.end:
            return SURPLUS
        self.at += 4
        self.stage = COMMIT
        return 0

    # ---- rows of a group, from `at` on: 0 done, 3 no such value, 1 there already, 15 not there, -4

    def insert_group(
        self, table: Table, buf: u8p, count: cython.ulonglong, lenient: cython.bint
    ) -> cython.int:
        end: cython.Py_ssize_t
        answer: cython.int
        far: cython.size_t = 0 if table.program.fixed < 0 or count < FAR else table.program.fixed * FAR
        while count > 0:
            count -= 1
            if far and self.end - self.at >= far + table.program.fixed:
                expect(table, buf, self.at + far, self.at + far + table.program.fixed, False)
            end = table.program.walk(buf, self.at, self.end)
            if end < 0:
                return 3
            answer = enter(table, buf, self.at, end)
            if answer < 0 or (answer != 0 and not lenient):
                return answer
            self.at = end
        return 0

    def delete_group(self, table: Table, buf: u8p, count: cython.ulonglong) -> cython.int:
        end: cython.Py_ssize_t
        while count > 0:
            count -= 1
            end = table.program.walk(buf, self.at, self.end)
            if end < 0:
                return 3
            if not take_out(table, buf, self.at, end):
                return 15
            self.at = end
        table.settle()
        return 0

    def skip_group(self, table: Table, buf: u8p, count: cython.ulonglong) -> cython.int:
        end: cython.Py_ssize_t
        if table.program.fixed == 0:
            count = 0
        while count > 0:
            count -= 1
            end = table.program.walk(buf, self.at, self.end)
            if end < 0:
                return 3
            self.at = end
        return 0

    # ---- parts

    def varint(self, buf: u8p) -> cython.int:
        """Reads an unsigned LEB128 of at most 64 bits into `number`; 0 or NO_NUMBER."""
        shift: cython.uint = 0
        byte: cython.ulonglong
        self.number = 0
        while self.at < self.end and shift < 64:
            byte = ld8(buf, self.at)
            self.at += 1
            self.number = self.number | ((byte & 127) << shift)
            if byte < 128:
                return 0
            shift += 7
        return NO_NUMBER

    def dropped(self, table_id: cython.uint) -> cython.p_void:
        """The table with that id that was dropped in this record, or `nothing()`."""
        for kept in reversed(self.core.kept):
            if isinstance(kept, Table) and kept.id == table_id:
                return borrow(kept)
        return nothing()

    # ---- afterwards

    def check_unique(self) -> None:
        """Raises UniqueViolation when a unique index holds a key twice."""
        table: Table
        index: Index
        for table in self.core.tables.values():
            for index in table.indexes:
                if index.unique and self.repeats(table, index):
                    raise UniqueViolation(f"two rows of table {table.id} have the same key", index.id)

    def repeats(self, table: Table, index: Index) -> cython.bint:
        """Does a key of a unique index lead to another row than the one it was taken from?"""
        slot: cython.longlong
        table.rows.rewind()
        while True:
            slot = table.rows.following()
            if slot < 0:
                return False
            table.rows.locate(slot)
            if index.seek_row(table.rows.p, table.rows.o, table.rows.end) != slot:
                return True
