"""Definitions: which tables, indexes and sequences there are, and how they change.

Every change may happen inside a transaction; then it is taken back with it. For this each change leaves a
function that undoes it, with the length of the journal at that moment, and from then on the journal is
`pinned`: rollback restores the rows as they were at the change, undoes the change, and goes on. What a change
takes out (an index, a table, an identity hash) is thereby just as it was, and can be put back without memory.
Such objects are `kept` until the transaction ends, because the journal only borrows them.
"""

from __future__ import annotations

from collections.abc import Callable

import cython
from spacetimedb_engine.errors import NoSuchIndex, NoSuchTable, SchemaError, UniqueViolation

if not cython.compiled:
    from spacetimedb_engine.commit_cy import Committer
    from spacetimedb_engine.committed_cy import enter
    from spacetimedb_engine.filling_cy import enter_all, enter_rows
    from spacetimedb_engine.hashindex_cy import HashIndex
    from spacetimedb_engine.idmap_cy import IdMap
    from spacetimedb_engine.index_cy import Index
    from spacetimedb_engine.journal_cy import Journal
    from spacetimedb_engine.keys_cy import Key
    from spacetimedb_engine.layout_cy import INT, Program
    from spacetimedb_engine.sequence_cy import Sequence
    from spacetimedb_engine.table_cy import Table

Undo = Callable[[], None]


class Catalog:
    """`seed` makes hashing unpredictable to whoever chooses the keys. `fault`: what broke, after an answer of -5."""

    def __init__(self, seed: int = 0) -> None:
        self.journal = Journal()
        self.committer = Committer(self.journal)
        self.seed = seed & 0xFFFFFFFFFFFFFFFF
        self.tables: dict[int, Table] = {}
        self.indexes: dict[int, Index] = {}
        self.sequences: dict[int, Sequence] = {}
        self.table_map = IdMap()
        self.index_map = IdMap()
        self.undone_by: list[tuple[int, Undo]] = []
        self.kept: list[object] = []
        self.watching: set[int] = set()
        self.replaying = False
        self.fault = b""

    # ---- tables

    def create_table(self, table_id: int, row_type: bytes, flags: int = 0) -> None:
        """`row_type`: BSATN of a resolved product type. `flags`: 1 event table, 2 never logged; others are
        the caller's."""
        if not 0 < table_id < 1 << 32:
            raise SchemaError(f"{table_id} is no table id: they are numbers from 1 to 2**32 - 1")
        if table_id in self.tables:
            raise SchemaError(f"there is a table {table_id} already")
        self.add_table(self.new_table(table_id, row_type, flags))
        self.record_change(lambda: self.remove_table(table_id))

    def new_table(self, table_id: int, row_type: bytes, flags: int) -> Table:
        program = Program(row_type)
        if row_type[:1] != b"\x02":
            raise SchemaError(f"the rows of table {table_id} are not of a product type")
        table = Table(table_id, program, flags, self.journal, self.seed)
        table.watched = table_id in self.watching
        return table

    def add_table(self, table: Table) -> None:
        self.table_map.put(table.id, table)
        self.tables[table.id] = table
        for index in table.indexes:
            self.index_map.put(index.id, index)
            self.indexes[index.id] = index
        for sequence in table.sequences:
            self.sequences[sequence.id] = sequence

    def remove_table(self, table_id: int) -> None:
        table = self.tables.pop(table_id)
        self.table_map.put(table_id, None)
        for index in table.indexes:
            self.index_map.put(index.id, None)
            self.indexes.pop(index.id)
        for sequence in table.sequences:
            self.sequences.pop(sequence.id)
        self.kept.append(table)

    def drop_table(self, table_id: int) -> None:
        """Its indexes and sequences go with it. Its rows are logged as truncated when the transaction
        commits."""
        table: Table = self.table_of(table_id)
        if self.journal.open and table.enlist() != 0:
            raise MemoryError("no memory to drop a table")
        table.dropped = True
        self.remove_table(table_id)

        def undo() -> None:
            table.dropped = False
            self.add_table(table)

        self.record_change(undo)

    def alter_table(self, table_id: int, row_type: bytes, flags: int | None = None) -> None:
        """Gives the table another row type, of which all its rows must be values as they stand (same bytes).

        Indexes and sequences stay. Not for a table whose rows the open transaction has changed.
        """
        old: Table = self.table_of(table_id)
        if self.journal.open and old.seen == self.journal.tx and old.first != 0:
            raise SchemaError(
                f"rows of table {table_id} have changed in this transaction: alter it in one of its own"
            )
        table: Table = self.new_table(table_id, row_type, old.flags if flags is None else flags)
        index: Index
        slot: cython.longlong
        old.rows.rewind()
        while True:
            slot = old.rows.following()
            if slot < 0:
                break
            old.rows.locate(slot)
            if table.program.walk(old.rows.p, old.rows.o, old.rows.end) != old.rows.end:
                raise SchemaError(f"a row of table {table_id} is no value of its new type")
            if enter(table, old.rows.p, old.rows.o, old.rows.end) == -4:
                raise MemoryError(f"no memory for the rows of table {table_id}")
        table.set_sequences(list(old.sequences))
        for index in old.indexes:
            self.attach(table, self.build_index(table, index.id, index.kind, index.unique, index.key.columns))
        self.replace_table(old, table)
        self.record_change(lambda: self.replace_table(table, old))

    def replace_table(self, old: Table, new: Table) -> None:
        self.remove_table(old.id)
        self.add_table(new)

    def watch(self, table_id: int, on: bool) -> None:
        """Does the delta of a commit tell of this table? Holds for the id, be there such a table or not."""
        if on:
            self.watching.add(table_id)
        else:
            self.watching.discard(table_id)
        if table_id in self.tables:
            table: Table = self.tables[table_id]
            table.watched = on

    # ---- indexes

    def create_index(self, index_id: int, table_id: int, kind: int, unique: bool, columns: list[int]) -> None:
        """`kind`: 0 btree, 1 hash, 2 direct. Raises UniqueViolation when rows there are do not allow it."""
        table: Table = self.table_of(table_id)
        if not 0 < index_id < 1 << 32:
            raise SchemaError(f"{index_id} is no index id: they are numbers from 1 to 2**32 - 1")
        if index_id in self.indexes:
            raise SchemaError(f"there is an index {index_id} already")
        index: Index = self.build_index(table, index_id, kind, unique, columns)
        self.index_map.put(index_id, None)
        before, identity = list(table.indexes), table.identity if table.identified else None
        self.attach(table, index)
        self.index_map.put(index_id, index)
        self.indexes[index_id] = index

        def undo() -> None:
            self.index_map.put(index_id, None)
            self.indexes.pop(index_id)
            table.set_indexes(before, identity)
            self.kept.append(index)

        self.record_change(undo)

    def build_index(self, table: Table, index_id: int, kind: int, unique: bool, columns: list[int]) -> Index:
        """An index that holds all rows of the table, not yet one of its indexes."""
        key = Key(table.program, list(columns), self.seed)
        index: Index = Index(index_id, table.id, kind, unique, table.rows, key)
        answer: cython.int = enter_rows(table, index)
        if answer == 12:
            raise UniqueViolation(f"two rows of table {table.id} have the same columns {columns}", index_id)
        if answer != 0:
            raise MemoryError(f"no memory for index {index_id}")
        return index

    def attach(self, table: Table, index: Index) -> None:
        stays: bool = table.identified and not index.unique
        table.set_indexes([*table.indexes, index], table.identity if stays else None)

    def drop_index(self, index_id: int) -> None:
        index: Index = self.index_of(index_id)
        table: Table = self.tables[index.table_id]
        before, identity = list(table.indexes), table.identity if table.identified else None
        after = [other for other in before if other is not index]
        if not any(other.unique for other in after) and identity is None:
            table.set_indexes(after, self.identify(table))
        else:
            table.set_indexes(after, identity)
        self.index_map.put(index_id, None)
        self.indexes.pop(index_id)
        self.kept.append(index)

        def undo() -> None:
            self.index_map.put(index_id, index)
            self.indexes[index_id] = index
            table.set_indexes(before, identity)

        self.record_change(undo)

    def identify(self, table: Table) -> HashIndex:
        """A hash of all whole rows of the table."""
        identity: HashIndex = table.blank_identity()
        if identity.reserve(table.count) != 0 or enter_all(identity, False) != 0:
            raise MemoryError(f"no memory for the rows of table {table.id}")
        return identity

    # ---- sequences

    def create_sequence(
        self,
        sequence_id: int,
        table_id: int,
        column: int,
        start: int,
        minimum: int,
        maximum: int,
        increment: int,
        allocated: int,
        value: int | None = None,
    ) -> None:
        """Numbers for the zeros of an integer column. `value`: the next one, by default `allocated`."""
        table: Table = self.table_of(table_id)
        if sequence_id in self.sequences:
            raise SchemaError(f"there is a sequence {sequence_id} already")
        if not 0 <= column < table.program.columns or table.program.op(table.program.column(column)) > INT:
            raise SchemaError(f"sequence {sequence_id}: column {column} of table {table_id} is no integer")
        sequence = Sequence(
            sequence_id,
            table_id,
            column,
            table.program.arg(table.program.column(column), 0),
            start,
            minimum,
            maximum,
            increment,
            allocated,
            value,
        )
        before = list(table.sequences)
        table.set_sequences(sorted([*before, sequence], key=lambda each: each.column))
        self.sequences[sequence_id] = sequence

        def undo() -> None:
            self.sequences.pop(sequence_id)
            table.set_sequences(before)

        self.record_change(undo)

    def drop_sequence(self, sequence_id: int) -> None:
        sequence: Sequence = self.sequence_of(sequence_id)
        table: Table = self.tables[sequence.table_id]
        before = list(table.sequences)
        table.set_sequences([other for other in before if other is not sequence])
        self.sequences.pop(sequence_id)

        def undo() -> None:
            self.sequences[sequence_id] = sequence
            table.set_sequences(before)

        self.record_change(undo)

    def sequence_state(self, sequence_id: int) -> tuple[int, int]:
        """(the next number, allocated)."""
        sequence: Sequence = self.sequence_of(sequence_id)
        return sequence.value(), sequence.allocated

    def sequence_of(self, sequence_id: int) -> Sequence:
        if sequence_id not in self.sequences:
            raise SchemaError(f"there is no sequence {sequence_id}")
        return self.sequences[sequence_id]

    # ---- finding, and taking back

    def table_of(self, table_id: int) -> Table:
        if table_id not in self.tables:
            raise NoSuchTable(f"there is no table {table_id}")
        return self.tables[table_id]

    def index_of(self, index_id: int) -> Index:
        if index_id not in self.indexes:
            raise NoSuchIndex(f"there is no index {index_id}")
        return self.indexes[index_id]

    def record_change(self, undo: Undo) -> None:
        """A change of definitions was made; that is how to take it back."""
        if self.journal.open:
            self.journal.pinned = True
            self.undone_by.append((self.journal.count(), undo))
        elif not self.replaying:
            self.kept.clear()
