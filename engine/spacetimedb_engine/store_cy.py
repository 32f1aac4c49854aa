"""The store: the tables of one database in memory, with transactions and the log they leave.

This is the engine's surface for Python: ints, bytes and lists of bytes. Rows are BSATN; ids are the caller's.
One thread, one transaction at a time; reads see what the open transaction has done. Definitions
(create_table, create_index, ...) are in `catalog_cy`, the same operations for host functions, by status code,
in `core_cy`.
"""

from __future__ import annotations

import cython
from spacetimedb_engine.errors import BY_ERRNO, EngineError, InternalError, NotInTransaction, UniqueViolation
from spacetimedb_engine.replay_cy import SystemRows

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.bulk_cy import Bulk
    from spacetimedb_engine.core_cy import Core
    from spacetimedb_engine.memory import bufp, get_bytes, keep_apart, ld32, ld64, trim
    from spacetimedb_engine.replay_cy import Replayer
    from spacetimedb_engine.table_cy import Table

Delta = list[tuple[int, list[bytes], list[bytes]]]


class Store(Core):
    """`seed` makes the hashing of keys unpredictable to whoever chooses them."""

    def __init__(self, seed: int = 0) -> None:
        Core.__init__(self, seed)
        self.rows_out = Buffer()
        self.ends_out = Buffer()
        self.replayer = Replayer(self)
        self.bulk = Bulk(self)

    # ---- transactions

    def begin(self) -> None:
        """Raises EngineError when a transaction is open already."""
        if self.begin_tx() != 0:
            raise EngineError("a transaction is open already: commit it or roll it back first")

    def commit(self, inputs: bytes | None = None, *, force: bool = False) -> int:
        """The transaction's offset, or -1 if it took none because nothing that is logged has changed.

        `inputs`: what the log says called for it: u8 length and name of the reducer, then its arguments.
        `force`: take an offset in any case. When it raises, the transaction is rolled back.
        """
        given = b"" if inputs is None else inputs
        offset: cython.longlong = self.commit_tx(bufp(given), 0, len(given), inputs is not None, force)
        if offset >= -1:
            return offset
        if not self.journal.open:
            raise NotInTransaction("there is no transaction to commit")
        self.rollback_tx()
        if offset == -4:
            raise MemoryError("no memory to commit the transaction: it was rolled back")
        raise InternalError("a transaction of more than 4 GiB cannot be logged: it was rolled back")

    def rollback(self) -> None:
        """Everything since `begin` did not happen, changes of definitions included. Numbers drawn are not
        drawn again."""
        if self.rollback_tx() != 0:
            raise NotInTransaction("there is no transaction to roll back")

    @property
    def in_transaction(self) -> bool:
        return self.journal.open

    @property
    def next_offset(self) -> int:
        """The offset of the next commit that takes one."""
        return self.committer.offset

    @next_offset.setter
    def next_offset(self, offset: int) -> None:
        self.committer.offset = offset

    @property
    def epoch(self) -> int:
        """What commits say as their epoch."""
        return self.committer.epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self.committer.epoch = epoch

    def take_log(self) -> bytes:
        """All commits since the last call, framed for the commit log, version 1."""
        log: Buffer = self.committer.recorder.log
        taken = log.take()
        log.shrink(1 << 20)
        return taken

    def take_delta(self) -> Delta:
        """(table id, inserts, deletes) of each watched table that the last commit changed, ascending; once."""
        delta: Buffer = self.committer.recorder.delta
        at: cython.size_t = 0
        i: cython.uint
        n: cython.uint
        taken = []
        while at < delta.n:
            table_id = ld32(delta.data, at)
            made = ld32(delta.data, at + 4)
            gone = ld32(delta.data, at + 8)
            at += 12
            rows = []
            for i in range(made + gone):
                n = ld32(delta.data, at)
                rows.append(get_bytes(delta.data, at + 4, n))
                at += 4 + n
            taken.append((table_id, rows[:made], rows[made:]))
        delta.n = 0
        delta.shrink(1 << 20)
        return taken

    def touched(self) -> list[int]:
        """The ids of the tables that the open transaction has written to so far."""
        i: cython.uint
        ids = []
        for i in range(self.journal.table_count):
            ids.append(cython.cast(Table, self.journal.tables[i]).id)
        return ids

    # ---- changes

    def insert(self, table_id: int, row: bytes) -> bytes:
        """The row as stored: zeros of auto-increment columns replaced. A row that is there already is no
        error."""
        self.check(self.insert_row(table_id, bufp(row), 0, len(row)), table_id, "insert into")
        return get_bytes(self.at, self.start, self.end - self.start)

    def update(self, table_id: int, index_id: int, row: bytes) -> bytes:
        """The row with the same key in a unique index becomes this one; the row as stored."""
        self.check(self.update_row(table_id, index_id, bufp(row), 0, len(row)), table_id, "update")
        return get_bytes(self.at, self.start, self.end - self.start)

    def generated_columns(self) -> bytes:
        """The auto-increment columns that the last insert or update has filled, one behind the other."""
        return get_bytes(self.generated.data, 0, self.generated.n) if self.generated.n else b""

    def delete(self, table_id: int, row: bytes) -> bool:
        """Deletes the row that equals this one; was there one?"""
        relation = b"\1\0\0\0" + row
        self.check(self.delete_equal(table_id, bufp(relation), 0, len(relation)), table_id, "delete from")
        return self.result > 0

    def clear(self, table_id: int) -> int:
        """Deletes all rows; how many there were."""
        self.check(self.clear_rows(table_id), table_id, "clear")
        return self.result

    def delete_seek(self, index_id: int, point: bytes) -> int:
        """Deletes the rows with that key; how many."""
        self.check_index(self.delete_seek_rows(index_id, bufp(point), 0, len(point)), index_id)
        return self.result

    def delete_range(self, index_id: int, prefix: bytes, prefix_elems: int, start: bytes, end: bytes) -> int:
        """Deletes the rows that `range` gives; how many."""
        answer = self.delete_range_rows(
            index_id,
            bufp(prefix),
            0,
            len(prefix),
            prefix_elems,
            bufp(start),
            0,
            len(start),
            bufp(end),
            0,
            len(end),
        )
        self.check_index(answer, index_id)
        return self.result

    def apply(self, table_id: int, inserts: list[bytes], deletes: list[bytes]) -> None:
        """Deletes, then inserts. Rows to delete that are not there are passed over."""
        for row in deletes:
            self.delete(table_id, row)
        for row in inserts:
            self.insert(table_id, row)

    # ---- reads

    def count(self, table_id: int) -> int:
        self.check(self.row_count(table_id), table_id, "count")
        return self.result

    def contains(self, table_id: int, row: bytes) -> bool:
        """Is there a row that equals this one in all columns?"""
        table: Table = self.table_of(table_id)
        self.check(self.check_row(table, bufp(row), 0, len(row)), table_id, "look into")
        return table.find(self.at, self.start, self.end) >= 0

    def scan(self, table_id: int) -> list[bytes]:
        """All rows, in no particular order."""
        self.empty_out()
        self.check(self.scan_rows(table_id, self.rows_out, self.ends_out), table_id, "scan")
        return self.rows_list()

    def seek(self, index_id: int, point: bytes) -> list[bytes]:
        """The rows with that key: the key columns one behind the other."""
        self.empty_out()
        self.check_index(
            self.seek_rows(index_id, bufp(point), 0, len(point), self.rows_out, self.ends_out), index_id
        )
        return self.rows_list()

    def range(self, index_id: int, prefix: bytes, prefix_elems: int, start: bytes, end: bytes) -> list[bytes]:
        """The rows whose first `prefix_elems` key columns are the prefix and whose next one is within the
        bounds, by key.

        A bound is a tag and a value: 0 included, 1 excluded, 2 unbounded (no value).
        """
        self.empty_out()
        answer = self.range_rows(
            index_id,
            bufp(prefix),
            0,
            len(prefix),
            prefix_elems,
            bufp(start),
            0,
            len(start),
            bufp(end),
            0,
            len(end),
            self.rows_out,
            self.ends_out,
        )
        self.check_index(answer, index_id)
        return self.rows_list()

    def empty_out(self) -> None:
        self.rows_out.n = 0
        self.ends_out.n = 0

    def rows_list(self) -> list[bytes]:
        """What a read has put out, row by row."""
        rows: list[bytes] = []
        at: cython.size_t = 0
        to: cython.size_t
        i: cython.size_t
        for i in range(self.ends_out.n // 8):
            to = ld64(self.ends_out.data, i * 8)
            rows.append(get_bytes(self.rows_out.data, at, to - at))
            at = to
        self.empty_out()
        self.rows_out.shrink(1 << 20)
        self.ends_out.shrink(1 << 20)
        return rows

    # ---- replay of a log

    def replay(
        self, commits: bytes, on_system: SystemRows | None = None, notify: tuple[int, ...] = ()
    ) -> int:
        """Applies whole commits; the offset after them. Raises ReplayError. See `Replayer`."""
        return self.replayer.commits(commits, on_system, notify)

    def replay_record(
        self, record: bytes, on_system: SystemRows | None = None, notify: tuple[int, ...] = ()
    ) -> int:
        """Applies one record that begins the bytes; its length. Raises ReplayError. See `Replayer`."""
        return self.replayer.record(record, on_system, notify)

    def check_unique(self) -> None:
        """After a replay, which asks no index: raises UniqueViolation when a unique index holds a key twice."""
        self.replayer.check_unique()

    # ---- copies of whole tables

    def export(self, table_id: int, slot: int, limit: int) -> tuple[bytes, int, int]:
        """Rows as they lie: (rows, how many, the slot to go on with or -1). Begin with slot 0. See `Bulk`."""
        return self.bulk.export(table_id, slot, limit)

    def load(self, table_id: int, rows: bytes, count: int) -> None:
        """So many rows go into a table that has no indexes yet. Raises ReplayError. See `Bulk`."""
        self.bulk.load(table_id, rows, count)

    def loaded(self) -> None:
        """All is loaded and the indexes are made. Raises ReplayError when a table holds a row twice."""
        self.bulk.complete()

    # ---- the rest

    def memory_in_use(self) -> int:
        """Bytes held by rows and indexes."""
        total = 0
        table: Table
        for table in self.tables.values():
            total += table.in_use()
        return total

    def give_back(self) -> None:
        """Memory that the process holds and nothing uses goes back to the machine. For after large work."""
        trim()

    def check(self, answer: int, table_id: int, verb: str) -> None:
        """Raises what a status code means."""
        if answer == 0:
            return
        self.fail(answer, f"{verb} table {table_id}")

    def check_index(self, answer: int, index_id: int) -> None:
        if answer == 0:
            return
        self.fail(answer, f"look into index {index_id}")

    def fail(self, answer: int, what: str) -> None:
        if answer == -4:
            raise MemoryError(f"no memory to {what}")
        if answer == 12:
            raise UniqueViolation(f"cannot {what}: index {self.conflict} has that key already", self.conflict)
        if answer in BY_ERRNO:
            kind = BY_ERRNO[answer]
            raise kind(f"cannot {what}: {kind.cause}")
        raise InternalError(f"cannot {what}: {self.fault.decode()}")


def prepare_memory() -> None:
    """Once, at the start of a process that is to hold databases: large blocks go back to the machine when freed."""
    keep_apart(1 << 20)


def is_compiled() -> bool:
    """Does the compiled form of the engine run?"""
    return bool(cython.compiled)
