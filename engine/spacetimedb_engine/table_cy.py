"""One table: its rows, its indexes, and what it must know of the open transaction.

A table is a set: no two rows are equal in all columns. Equal rows are found through the first unique index
(`keeper`), or, in a table that has none, through a hash of whole rows (`identity`).

`first` and `last` are this transaction's records of the table (number + 1), `before` the rows it had at its
first touch, `moved` is set when content may have gone from one slot to another (a delete, an update of a
keeper's key), so that the commit must look for pairs that cancel out; `made` and `gone` are what the commit
counts: net inserts and deletes.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.hashindex_cy import HashIndex
    from spacetimedb_engine.index_cy import Index
    from spacetimedb_engine.journal_cy import Journal
    from spacetimedb_engine.keys_cy import Key
    from spacetimedb_engine.layout_cy import Program
    from spacetimedb_engine.memory import (
        borrow,
        grow_objs,
        is_no_objs,
        no_objs,
        release_objs,
        same,
        u8p,
    )
    from spacetimedb_engine.rows_cy import Rows
    from spacetimedb_engine.sequence_cy import Sequence

    NO_KEEPER = 0xFFFFFFFF
    FIRST_USER_TABLE = 4096

EVENT = 1
EPHEMERAL = 2


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
        """May this row come in? 0, 1 or 12. It replaces the row in slot `itself`, found through index
        `asked`, or none (-1)."""
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

    # ---- outside transactions

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
