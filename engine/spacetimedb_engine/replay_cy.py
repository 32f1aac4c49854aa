"""Applies a commit log: the records of another time become rows again.

A record is applied as it stands: inserts, then deletes, then truncates, group by group, without asking unique indexes
(within one record a key may be there twice for a moment). Inserting a row that is there, or deleting one that is not, is an
error: the log does not fit the state. Only rows of system tables that are there already are passed over, because old logs
repeat what every database begins with. Rows of event tables are read and forgotten.

Definitions change in the middle of a log: rows of system tables say so, and stand before the rows of user tables in the
same section (groups ascend by table id). So between the two the caller is asked to bring tables up to date: `on_system(section,
groups)` with section "inserts" or "deletes", and groups = [(table id, rows)] of those system tables that are in `notify`. It
may create, alter and drop tables, indexes and sequences. Groups and truncates of a table that it has dropped are read and
passed over until the record ends.
"""

from __future__ import annotations

from collections.abc import Callable

import cython
from spacetimedb_engine.errors import ReplayError, UniqueViolation

if not cython.compiled:
    from spacetimedb_engine.core_cy import Core
    from spacetimedb_engine.index_cy import Index
    from spacetimedb_engine.memory import bufp, crc32c, ld8, ld16, ld32, ld64, u8p
    from spacetimedb_engine.table_cy import Table


Groups = list[tuple[int, list[bytes]]]
SystemRows = Callable[[str, Groups], None]

FIRST_USER_TABLE = 4096
HEADER = 22


class Replayer:
    """`at` and `end` bound what of the record is still to be read."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.at = self.end = 0
        self.number = 0

    def commits(self, data: bytes, on_system: SystemRows | None, notify: tuple[int, ...]) -> int:
        """Applies whole commits, version 1; the offset after them."""
        buf: u8p = bufp(data)
        at: cython.size_t = 0
        size: cython.size_t
        if self.core.journal.open:
            raise ReplayError("a transaction is open: a log is replayed outside of any")
        while at < len(data):
            if len(data) - at < HEADER + 4 or len(data) - at < HEADER + 4 + ld32(buf, at + 18):
                raise ReplayError(f"the commit at byte {at} ends too early")
            size = ld32(buf, at + 18)
            if crc32c(buf, at, HEADER + size) != ld32(buf, at + HEADER + size):
                raise ReplayError(f"checksum mismatch in the commit at byte {at}")
            expected = self.core.committer.offset
            if ld64(buf, at) != expected:
                raise ReplayError(f"Expected tx offset {expected}, encountered {ld64(buf, at)}")
            self.at = at + HEADER
            self.end = self.at + size
            for _ in range(ld16(buf, at + 16)):
                self.apply(data, on_system, notify)
                self.core.committer.offset += 1
            if self.at != self.end:
                raise ReplayError(f"{self.end - self.at} bytes follow the records of the commit at byte {at}")
            at += HEADER + size + 4
        return self.core.committer.offset

    def record(self, data: bytes, on_system: SystemRows | None, notify: tuple[int, ...]) -> int:
        """Applies the record at the beginning of the bytes; its length. Offsets are the caller's."""
        if self.core.journal.open:
            raise ReplayError("a transaction is open: a log is replayed outside of any")
        self.at = 0
        self.end = len(data)
        self.apply(data, on_system, notify)
        return self.at

    def apply(self, data: bytes, on_system: SystemRows | None, notify: tuple[int, ...]) -> None:
        self.core.replaying = True
        try:
            flags = self.take(data, 1)
            if flags & 0x80:
                self.skip(self.take(data, 4))
            if flags & 0x40:
                self.skip(self.take(data, 1))
            if flags & 0x20:
                self.section(data, "inserts", on_system, notify)
                self.section(data, "deletes", on_system, notify)
                self.truncate(data)
        finally:
            self.core.replaying = False
            self.core.kept.clear()

    # ---- sections of a record

    def section(self, data: bytes, name: str, on_system: SystemRows | None, notify: tuple[int, ...]) -> None:
        """The groups of the inserts or the deletes."""
        told: Groups = []
        for _ in range(self.take_varint(data)):
            table_id = self.take(data, 4)
            if told and table_id >= FIRST_USER_TABLE:
                self.tell(name, told, on_system)
                told = []
            rows = self.group(data, name, table_id, self.take_varint(data), table_id in notify)
            if table_id in notify:
                told.append((table_id, rows))
        if told:
            self.tell(name, told, on_system)

    def tell(self, name: str, groups: Groups, on_system: SystemRows | None) -> None:
        if on_system is not None:
            at, end = self.at, self.end
            on_system(name, groups)
            self.at, self.end = at, end

    def group(self, data: bytes, name: str, table_id: int, count: int, wanted: bool) -> list[bytes]:
        """Applies one group; its rows if they are wanted."""
        buf: u8p = bufp(data)
        start: cython.size_t = self.at
        table: Table = self.known(table_id)
        answer: cython.int
        if table_id not in self.core.tables or (table.event and name == "inserts"):
            answer = self.skip_group(table, buf, count)
        elif name == "inserts":
            answer = self.insert_group(table, buf, count, table_id < FIRST_USER_TABLE)
        else:
            answer = self.delete_group(table, buf, count)
        if answer == 3:
            raise ReplayError(
                f"a row of table {table_id} at byte {self.at} of the log is no value of its type"
            )
        if answer == -4:
            raise MemoryError(f"no memory for the rows of table {table_id}")
        if answer == 1:
            raise ReplayError(f"a row of table {table_id} is inserted that is there already")
        if answer == 15:
            raise ReplayError(f"a row of table {table_id} is deleted that is not there")
        rows: list[bytes] = []
        while wanted and start < self.at:
            end: cython.Py_ssize_t = table.program.walk(buf, start, self.at)
            rows.append(data[start:end])
            start = end
        return rows

    def truncate(self, data: bytes) -> None:
        for _ in range(self.take_varint(data)):
            table_id = self.take(data, 4)
            table: Table = self.known(table_id)
            if table_id in self.core.tables:
                table.wipe()

    def known(self, table_id: int) -> Table:
        """The table with that id, also one that this record has dropped."""
        if table_id in self.core.tables:
            return self.core.tables[table_id]
        for kept in reversed(self.core.kept):
            if isinstance(kept, Table) and kept.id == table_id:
                return kept
        raise ReplayError(f"the log has rows of table {table_id}, which does not exist at that point")

    # ---- rows of a group, from `at` on: 0 done, 3 no such value, 1 there already, 15 not there, -4

    def insert_group(
        self, table: Table, buf: u8p, count: cython.ulonglong, lenient: cython.bint
    ) -> cython.int:
        i: cython.ulonglong
        end: cython.Py_ssize_t
        answer: cython.int
        for i in range(count):
            end = table.program.walk(buf, self.at, self.end)
            if end < 0:
                return 3
            answer = table.replay_insert(buf, self.at, end)
            if answer < 0 or (answer != 0 and not lenient):
                return answer
            self.at = end
        return 0

    def delete_group(self, table: Table, buf: u8p, count: cython.ulonglong) -> cython.int:
        i: cython.ulonglong
        end: cython.Py_ssize_t
        for i in range(count):
            end = table.program.walk(buf, self.at, self.end)
            if end < 0:
                return 3
            if not table.replay_delete(buf, self.at, end):
                return 15
            self.at = end
        table.settle()
        return 0

    def skip_group(self, table: Table, buf: u8p, count: cython.ulonglong) -> cython.int:
        i: cython.ulonglong
        end: cython.Py_ssize_t
        for i in range(count):
            end = table.program.walk(buf, self.at, self.end)
            if end < 0:
                return 3
            self.at = end
        return 0

    # ---- numbers of a record

    def take(self, data: bytes, n: int) -> int:
        at = self.at
        self.skip(n)
        return int.from_bytes(data[at : at + n], "little")

    def skip(self, n: int) -> None:
        if self.end - self.at < n:
            raise ReplayError(f"the record ends too early: {n} bytes are missing at byte {self.at}")
        self.at += n

    def take_varint(self, data: bytes) -> int:
        if not self.varint(bufp(data)):
            raise ReplayError(f"there is no number at byte {self.at} of the log where one should be")
        return self.number

    def varint(self, buf: u8p) -> cython.bint:
        """Reads an unsigned LEB128 of at most 64 bits into `number`."""
        shift: cython.uint = 0
        byte: cython.ulonglong
        self.number = 0
        while self.at < self.end and shift < 64:
            byte = ld8(buf, self.at)
            self.at += 1
            self.number = self.number | ((byte & 127) << shift)
            if byte < 128:
                return True
            shift += 7
        return False

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
