"""One table: its rows, its indexes, and how an open transaction changes them.

A table is a set: no two rows are equal in all columns. Equal rows are found through the first unique index (`keeper`), or,
in a table that has none, through a hash of whole rows (`identity`).

Every change is in place and goes with a record in the journal. What may need memory is done first, so that a change
that fails has changed nothing. Answers of the changing functions: 0 done, 1 nothing to do (the row is there already),
12 a unique index says no (`conflict` is its id), 15 no such row, -4 out of memory. `slot` is then the row concerned.

`first` and `last` are this transaction's records of the table (number + 1), `before` the rows it had at its first touch,
`moved` is set when content may have gone from one slot to another (a delete, an update of a keeper's key), so that the
commit must look for pairs that cancel out; `made` and `gone` are what the commit counts: net inserts and deletes.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.hashindex_cy import HashIndex
    from spacetimedb_engine.index_cy import Index
    from spacetimedb_engine.journal_cy import DELETE, FIRST, INSERT, UPDATE, Journal
    from spacetimedb_engine.keys_cy import Key
    from spacetimedb_engine.layout_cy import Program
    from spacetimedb_engine.memory import (
        borrow,
        grow_objs,
        is_no_objs,
        ld8,
        no_objs,
        release_objs,
        same,
        st8,
        u8p,
    )
    from spacetimedb_engine.rows_cy import CLEAN, DEAD, DELETED, INSERTED, MODIFIED, Rows
    from spacetimedb_engine.sequence_cy import Sequence


EVENT = 1
EPHEMERAL = 2
NO_KEEPER = cython.declare(cython.uint, 0xFFFFFFFF)


class Table:
    """`flags`: 1 event table, 2 never logged; other bits are the caller's."""

    def __init__(self, table_id: int, program: Program, flags: int, journal: Journal, seed: int) -> None:
        self.id = table_id
        self.flags = flags
        self.event = bool(flags & EVENT)
        self.ephemeral = bool(flags & EPHEMERAL)
        self.watched = False
        self.program = program
        self.journal = journal
        self.rows = Rows(program.fixed)
        self.me = borrow(self)
        self.indexes: list[Index] = []
        self.index_objs = no_objs()
        self.index_count = self.index_room = 0
        self.changed = Buffer()
        self.seed = seed
        self.identity = self.blank_identity()
        self.identified = True
        self.keeper = NO_KEEPER
        self.sequences: list[Sequence] = []
        self.sequence_objs = no_objs()
        self.sequence_count = self.sequence_room = 0
        self.count = 0
        self.slot = self.conflict = 0
        self.scratch = Buffer()
        self.seen = self.number = self.first = self.last = 0
        self.before = 0
        self.made = self.gone = 0
        self.moved = self.dropped = False

    def __dealloc__(self) -> None:
        if not is_no_objs(self.index_objs):
            release_objs(self.index_objs)
        if not is_no_objs(self.sequence_objs):
            release_objs(self.sequence_objs)

    # ---- the journal

    def enlist(self) -> cython.int:
        """This transaction is about to touch the table; 0, or -4 without memory."""
        number: cython.longlong
        if self.seen == self.journal.tx:
            return 0
        number = self.journal.enlist(self.me)
        if number < 0:
            return -4
        self.number = number
        self.seen = self.journal.tx
        self.first = self.last = 0
        self.before = self.count
        self.made = self.gone = 0
        self.moved = False
        return 0

    def note(self, kind: cython.uint, slot: cython.uint, image: cython.ulonglong) -> cython.void:
        """Writes a record for which there is room."""
        r: cython.uint = self.journal.push(kind, self.number, slot, image) + 1
        if self.last:
            self.journal.chain(self.last - 1, r)
        else:
            self.first = r
        self.last = r

    # ---- definitions

    def set_indexes(self, indexes: list[Index], identity: HashIndex | None) -> None:
        """The table has these indexes from now on; `identity` when none of them is unique.

        They must hold the rows there are. Needs memory only for more indexes than there ever were.
        """
        index: Index
        if len(indexes) > self.index_room:
            objs = grow_objs(self.index_objs, self.index_room, len(indexes))
            if is_no_objs(objs) or self.changed.reserve(len(indexes)) != 0:
                raise MemoryError("no memory for one more index")
            self.index_objs = objs
            self.index_room = len(indexes)
        self.indexes = indexes
        self.index_count = len(indexes)
        self.keeper = NO_KEEPER
        for i, index in enumerate(indexes):
            self.index_objs[i] = borrow(index)
            index.position = i
            if index.unique and self.keeper == NO_KEEPER:
                self.keeper = i
        self.identified = identity is not None
        self.identity = self.blank_identity() if identity is None else identity

    def blank_identity(self) -> HashIndex:
        """An empty hash of whole rows."""
        return HashIndex(self.rows, Key(self.program, [], self.seed))

    def set_sequences(self, sequences: list[Sequence]) -> None:
        """The table has these sequences, in the order of their columns."""
        if len(sequences) > self.sequence_room:
            objs = grow_objs(self.sequence_objs, self.sequence_room, len(sequences))
            if is_no_objs(objs):
                raise MemoryError("no memory for one more sequence")
            self.sequence_objs = objs
            self.sequence_room = len(sequences)
        self.sequences = sequences
        self.sequence_count = len(sequences)
        for i, sequence in enumerate(sequences):
            self.sequence_objs[i] = borrow(sequence)

    # ---- looking

    def find(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.longlong:
        """The slot of the row that equals the one given in all columns, or -1."""
        if self.keeper != NO_KEEPER:
            return cython.cast(Index, self.index_objs[self.keeper]).seek_same(buf, off, end)
        return self.identity.seek_same(buf, off, end)

    def clash(
        self, buf: u8p, off: cython.size_t, end: cython.size_t, itself: cython.longlong, asked: cython.uint
    ) -> cython.int:
        """May this row come in? 0, 1 or 12. It replaces the row in slot `itself`, found through index `asked`, or none (-1)."""
        i: cython.uint
        s: cython.longlong
        if self.keeper == NO_KEEPER:
            s = self.identity.seek_same(buf, off, end)
            self.slot = s if s >= 0 else 0
            return 1 if s >= 0 else 0
        for i in range(self.index_count):
            if i == asked or not cython.cast(Index, self.index_objs[i]).unique:
                continue
            s = cython.cast(Index, self.index_objs[i]).seek_row(buf, off, end)
            if s < 0 or s == itself:
                continue
            self.rows.locate(s)
            if self.rows.end - self.rows.o == end - off and same(
                self.rows.p, self.rows.o, buf, off, end - off
            ):
                self.slot = s
                return 1
            self.conflict = cython.cast(Index, self.index_objs[i]).id
            return 12
        return 0

    # ---- indexes of a row

    def link(self, slot: cython.uint) -> cython.int:
        """Enters the row into all indexes; 0, or -4 and into none."""
        i: cython.uint
        for i in range(self.index_count):
            if cython.cast(Index, self.index_objs[i]).add(slot) != 0:
                while i > 0:
                    i -= 1
                    cython.cast(Index, self.index_objs[i]).remove(slot)
                return -4
        if self.identified and self.identity.add(slot) != 0:
            for i in range(self.index_count):
                cython.cast(Index, self.index_objs[i]).remove(slot)
            return -4
        return 0

    def unlink(self, slot: cython.uint) -> cython.void:
        """Takes the row out of all indexes."""
        i: cython.uint
        for i in range(self.index_count):
            cython.cast(Index, self.index_objs[i]).remove(slot)
        if self.identified:
            self.identity.remove(slot)

    # ---- changes within a transaction

    def insert(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.int:
        slot: cython.longlong
        answer: cython.int = self.clash(buf, off, end, -1, NO_KEEPER)
        if answer != 0:
            return answer
        if self.enlist() != 0 or self.journal.reserve(0) != 0:
            return -4
        slot = self.rows.put(buf, off, end - off, INSERTED)
        if slot < 0:
            return -4
        if self.link(slot) != 0:
            self.rows.drop(slot)
            return -4
        self.note(INSERT | FIRST, slot, 0)
        self.slot = slot
        self.count += 1
        return 0

    def delete(self, slot: cython.uint) -> cython.int:
        state: cython.uint = self.rows.state(slot)
        if self.enlist() != 0 or self.journal.reserve(0) != 0:
            return -4
        self.unlink(slot)
        self.count -= 1
        if state == CLEAN or state == MODIFIED:
            self.rows.mark(slot, DELETED)
            self.note(DELETE | FIRST if state == CLEAN else DELETE, slot, 0)
            self.moved = True
        elif self.journal.pinned:
            self.rows.mark(slot, DEAD)
            self.note(DELETE, slot, 0)
        else:
            self.rows.drop(slot)
        return 0

    def update(self, index: cython.uint, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.int:
        """The row with the same key in that (unique) index becomes this one. Also 1 when it was that already."""
        answer: cython.int
        slot: cython.longlong = cython.cast(Index, self.index_objs[index]).seek_row(buf, off, end)
        if slot < 0:
            return 15
        self.rows.locate(slot)
        if self.rows.end - self.rows.o == end - off and same(self.rows.p, self.rows.o, buf, off, end - off):
            self.slot = slot
            return 1
        answer = self.clash(buf, off, end, slot, index)
        if answer != 0:
            return 12
        if self.enlist() != 0:
            return -4
        self.slot = slot
        return self.replace(slot, buf, off, end)

    def replace(self, slot: cython.uint, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.int:
        """New content for a live row of an enlisted table: 0 or -4."""
        state: cython.uint = self.rows.state(slot)
        kind: cython.uint = UPDATE | FIRST if state == CLEAN else UPDATE
        written: cython.bint = state == CLEAN or self.journal.pinned
        image: cython.ulonglong = 0
        self.rows.locate(slot)
        if self.journal.reserve(self.rows.fixed if self.rows.fixed >= 0 else 0) != 0:
            return -4
        self.mark_changed(self.rows.p, self.rows.o, self.rows.end, buf, off, end)
        if self.rows.fixed < 0:
            image = self.rows.locator(slot)
            if self.replace_blob(slot, buf, off, end) != 0:
                return -4
            if not written:
                self.rows.blobs.give(image)
        else:
            if written:
                image = self.journal.keep(self.rows.p, self.rows.o, self.rows.fixed)
            if self.replace_fixed(slot, buf, off) != 0:
                if written:
                    self.journal.images.n = image
                return -4
        if written:
            self.note(kind, slot, image)
        if state == CLEAN:
            self.rows.mark(slot, MODIFIED)
        return 0

    def replace_fixed(self, slot: cython.uint, buf: u8p, off: cython.size_t) -> cython.int:
        if self.changed.n == 0:
            self.rows.overwrite(slot, buf, off)
            return 0
        self.rows.locate(slot)
        self.scratch.n = 0
        if self.scratch.append(self.rows.p, self.rows.o, self.rows.fixed) != 0:
            return -4
        self.unlink_changed(slot)
        self.rows.overwrite(slot, buf, off)
        if self.link_changed(slot) != 0:
            self.rows.overwrite(slot, self.scratch.data, 0)
            self.link_changed(slot)
            return -4
        return 0

    def replace_blob(self, slot: cython.uint, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.int:
        old: cython.ulonglong = self.rows.locator(slot)
        new: cython.ulonglong = self.rows.blobs.put(buf, off, end - off)
        if new == 0:
            return -4
        self.unlink_changed(slot)
        self.rows.point_to(slot, new)
        if self.link_changed(slot) != 0:
            self.rows.point_to(slot, old)
            self.link_changed(slot)
            self.rows.blobs.give(new)
            return -4
        return 0

    def mark_changed(
        self, a: u8p, ao: cython.size_t, ae: cython.size_t, b: u8p, bo: cython.size_t, be: cython.size_t
    ) -> cython.uint:
        """Lists in `changed` (u8 an index) which indexes have different keys for two rows; empty when none has."""
        i: cython.uint
        n: cython.uint = 0
        self.changed.n = 0
        for i in range(self.index_count):
            if cython.cast(Index, self.index_objs[i]).key.rows_agree(a, ao, ae, b, bo, be):
                st8(self.changed.data, i, 0)
                continue
            st8(self.changed.data, i, 1)
            n += 1
            if i == self.keeper:
                self.moved = True
        if n:
            self.changed.n = self.index_count
        return n

    def unlink_changed(self, slot: cython.uint) -> cython.void:
        i: cython.uint
        for i in range(self.changed.n):
            if ld8(self.changed.data, i):
                cython.cast(Index, self.index_objs[i]).remove(slot)

    def link_changed(self, slot: cython.uint) -> cython.int:
        i: cython.uint
        for i in range(self.changed.n):
            if ld8(self.changed.data, i) and cython.cast(Index, self.index_objs[i]).add(slot) != 0:
                while i > 0:
                    i -= 1
                    if ld8(self.changed.data, i):
                        cython.cast(Index, self.index_objs[i]).remove(slot)
                return -4
        return 0

    def undo(self, kind: cython.uint, slot: cython.uint, image: cython.ulonglong) -> cython.void:
        """Takes the step of a record back; all later steps have been taken back already."""
        new: cython.ulonglong
        first: cython.bint = (kind & FIRST) != 0
        state: cython.uint = self.rows.state_now(slot)
        kind = kind & ~FIRST
        if kind == INSERT:
            if state >= INSERTED and state < DELETED:  # else: deleted again, and the slot given back
                self.unlink(slot)
                self.count -= 1
                self.rows.drop(slot)
        elif kind == DELETE:
            self.link(slot)
            self.count += 1
            self.rows.mark(slot, CLEAN if first else (INSERTED if state == DEAD else MODIFIED))
        elif self.rows.fixed >= 0:
            self.rows.locate(slot)
            self.mark_changed(
                self.rows.p,
                self.rows.o,
                self.rows.end,
                self.journal.images.data,
                image,
                image + self.rows.fixed,
            )
            self.unlink_changed(slot)
            self.rows.overwrite(slot, self.journal.images.data, image)
            self.link_changed(slot)
            if first:
                self.rows.mark(slot, CLEAN)
        else:
            new = self.rows.locator(slot)
            self.undo_blob(slot, new, image)
            if first:
                self.rows.mark(slot, CLEAN)

    def undo_blob(self, slot: cython.uint, new: cython.ulonglong, old: cython.ulonglong) -> cython.void:
        """The row's blob is `old` again."""
        p: u8p
        o: cython.size_t
        e: cython.size_t
        self.rows.locate_blob(old)
        p = self.rows.p
        o = self.rows.o
        e = self.rows.end
        self.rows.locate_blob(new)
        self.mark_changed(self.rows.p, self.rows.o, self.rows.end, p, o, e)
        self.unlink_changed(slot)
        self.rows.point_to(slot, old)
        self.link_changed(slot)
        self.rows.blobs.give(new)

    # ---- outside transactions

    def replay_insert(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.int:
        """Enters a committed row unless it is there (1); unique indexes are not asked."""
        slot: cython.longlong
        if self.find(buf, off, end) >= 0:
            return 1
        slot = self.rows.put(buf, off, end - off, CLEAN)
        if slot < 0:
            return -4
        if self.link(slot) != 0:
            self.rows.drop(slot)
            return -4
        self.count += 1
        return 0

    def replay_delete(self, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.bint:
        """Takes a committed row out; was it there?"""
        slot: cython.longlong = self.find(buf, off, end)
        if slot < 0:
            return False
        self.unlink(slot)
        self.rows.drop(slot)
        self.count -= 1
        return True

    def wipe(self) -> cython.void:
        """Takes all committed rows out."""
        slot: cython.longlong
        i: cython.uint
        for i in range(self.index_count):
            cython.cast(Index, self.index_objs[i]).clear()
        self.identity.clear()
        self.rows.rewind()
        while True:
            slot = self.rows.following()
            if slot < 0:
                break
            self.rows.drop(slot)
        self.count = 0

    def settle(self) -> cython.void:
        """Between transactions: gives memory back that is no longer needed."""
        i: cython.uint
        for i in range(self.index_count):
            cython.cast(Index, self.index_objs[i]).settle()
        if self.identified:
            self.identity.settle()

    def in_use(self) -> cython.size_t:
        """Bytes held by rows and indexes."""
        total: cython.size_t = self.rows.in_use() + self.identity.in_use()
        i: cython.uint
        for i in range(self.index_count):
            total += cython.cast(Index, self.index_objs[i]).in_use()
        return total
