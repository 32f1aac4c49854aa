"""The end of a transaction: commit, or everything taken back.

A commit works out the net effect, appends the record to the log and the delta of the watched tables to
`recorder.delta`, and only then, when nothing can fail any more, makes the changes final. A commit that fails
has changed nothing: the transaction is still open and must be rolled back.

Which transactions get an offset and a record: those that insert, delete or truncate anything that is logged,
and those that are forced to. Others leave no trace.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.change_cy import undo
    from spacetimedb_engine.journal_cy import DELETE, FIRST, INSERT, NEXT, RECORD, Journal
    from spacetimedb_engine.memory import ld32, u8p
    from spacetimedb_engine.net_cy import Net
    from spacetimedb_engine.record_cy import Recorder, logged
    from spacetimedb_engine.rows_cy import CLAIMED, CLEAN, DEAD, DELETED, MODIFIED
    from spacetimedb_engine.table_cy import Table


class Committer:
    """`offset` is that of the next commit; `touched_watched`: the last commit left a delta."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.net = Net(journal)
        self.recorder = Recorder(journal, self.net)
        self.offset = self.epoch = 0
        self.touched_watched = False

    def commit(
        self,
        inputs: u8p,
        off: cython.size_t,
        n: cython.size_t,
        with_inputs: cython.bint,
        force: cython.bint,
    ) -> cython.longlong:
        """The offset of the commit, -1 if it took none, -4 or -5 if it failed."""
        i: cython.uint
        offset: cython.longlong = -1
        answer: cython.int = self.net.work_out()
        if answer == 0:
            answer = self.recorder.describe()
        if answer == 0 and (force or self.consumes()):
            answer = self.recorder.commit(self.offset, self.epoch, inputs, off, n, with_inputs)
            offset = self.offset
        if answer != 0:
            return answer
        if offset >= 0:
            self.offset += 1
        self.touched_watched = self.recorder.delta.n > 0
        for i in range(self.journal.table_count):
            self.finish(cython.cast(Table, self.journal.tables[i]))
        self.close()
        return offset

    def consumes(self) -> cython.bint:
        """Is there anything to log?"""
        i: cython.uint
        for i in range(self.journal.table_count):
            if logged(cython.cast(Table, self.journal.tables[i])):
                return True
        return False

    def finish(self, table: Table) -> cython.void:
        """Makes the changes of a table final."""
        r: cython.uint = table.first
        while r != 0:
            r -= 1
            self.finish_step(table, r)
            r = ld32(self.journal.records.data, cython.cast(cython.size_t, r) * RECORD + NEXT)
        table.first = table.last = 0
        if table.moved or table.event:
            table.settle()

    def finish_step(self, table: Table, r: cython.uint) -> cython.void:
        slot: cython.uint = self.journal.slot(r)
        kind: cython.uint = self.journal.kind(r) & ~FIRST
        state: cython.uint = table.rows.state_now(slot)
        if kind == INSERT:
            if state != CLAIMED:
                return
            if table.event:
                table.unlink(slot)
                table.count -= 1
                table.rows.drop(slot)
            else:
                table.rows.mark(slot, CLEAN)
        elif kind == DELETE:
            if state == DELETED or state == DEAD:
                table.rows.drop(slot)
        else:
            if state == MODIFIED:
                table.rows.mark(slot, CLEAN)
            if table.rows.fixed < 0:
                table.rows.blobs.give(self.journal.image(r))

    def undo_to(self, r: cython.uint) -> cython.void:
        """Takes the steps from the last one down to number r back."""
        i: cython.uint = self.journal.count()
        while i > r:
            i -= 1
            self.undo_step(cython.cast(Table, self.journal.tables[self.journal.table(i)]), i)
            self.journal.pop()

    def undo_step(self, table: Table, r: cython.uint) -> cython.void:
        undo(table, self.journal.kind(r), self.journal.slot(r), self.journal.image(r))

    def close(self) -> cython.void:
        """The transaction is over."""
        self.journal.end()
