"""The part of the state machine that works on rows: transactions, inserts, deletes, updates."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from spacetimedb_engine import IndexNotUnique, NoSuchRow, Store, UniqueViolation
from tests.engine.store.model import (
    DEFINED,
    FIRST_TABLE,
    ST_SEQUENCE,
    ST_SEQUENCE_INDEX,
    Model,
    Numbers,
)
from tests.engine.store.random_schemas import IndexSpec, Row, TableSpec

BUSY = precondition(lambda self: self.store.in_transaction)
IDLE = precondition(lambda self: not self.store.in_transaction)
CHANGED = precondition(lambda self: self.store.in_transaction and self.model.user_tables)
FILLED = precondition(lambda self: bool(self.model.user_tables))
INDEXED = precondition(lambda self: len(self.model.indexes) > 1)

Definition = tuple[str, list[tuple[int, list[bytes]]]]
"""What a replay tells of rows of system tables: section, groups."""


def new_store() -> Store:
    """A store with the tables that say what there is, without indexes."""
    store = Store(7)
    for table in (DEFINED, ST_SEQUENCE):
        store.create_table(table.id, table.row_type)
    return store


def index_arguments(index: IndexSpec) -> tuple[int, int, int, bool, list[int]]:
    return index.id, index.table_id, index.kind, index.unique, list(index.columns)


class RowMachine(RuleBasedStateMachine):
    """`store` does what `model` says; `replica` sees only the log, `log` is all of it so far."""

    steps = 0
    """Of all machines together."""

    def __init__(self) -> None:
        super().__init__()
        self.store, self.replica, self.model = new_store(), new_store(), Model()
        self.store.create_index(*index_arguments(ST_SEQUENCE_INDEX))
        self.known: dict[int, TableSpec] = {}
        self.numbers: dict[int, Numbers] = {}
        self.wrote: set[int] = set()
        self.ids = FIRST_TABLE
        self.log = b""
        self.committed = self.model.copy()

    def new_id(self) -> int:
        self.ids += 1
        return self.ids - 1

    def any_table(self, data: st.DataObject) -> TableSpec:
        return self.model.tables[data.draw(st.sampled_from(self.model.user_tables))]

    def any_index(self, data: st.DataObject) -> IndexSpec:
        others = sorted(self.model.indexes.keys() - {ST_SEQUENCE_INDEX.id})
        return self.model.indexes[data.draw(st.sampled_from(others))]

    def known_row(self, data: st.DataObject, table: TableSpec) -> Row:
        known = [row for _, row in sorted(self.model.rows[table.id].items())]
        return data.draw(st.sampled_from(known) if known and data.draw(st.booleans()) else table.rows())

    def define(self, store: Store, section: str, groups: list[tuple[int, list[bytes]]]) -> None:
        """Rows of definitions have come to a store, or gone."""
        for row in groups[0][1]:
            table = self.known[DEFINED.codec.decode_exact(row)[0]]
            if section == "inserts":
                store.create_table(table.id, table.row_type, table.flags)
            else:
                store.drop_table(table.id)

    # ---- transactions

    @IDLE
    @rule()
    def begin(self) -> None:
        self.store.begin()

    @BUSY
    @rule(inputs=st.none() | st.just(b"\1f"))
    def commit(self, inputs: bytes | None) -> None:
        expected, is_logged = [], False
        for table_id in sorted(self.model.tables.keys() | self.committed.tables.keys()):
            before = set(self.committed.rows.get(table_id, ()))
            after = set(self.model.rows.get(table_id, ()))
            if before != after and table_id in self.model.tables and table_id >= FIRST_TABLE:
                expected.append((table_id, after - before, before - after))
            table = self.model.tables.get(table_id) or self.committed.tables[table_id]
            is_logged |= before != after and table.is_logged
        offset = self.store.commit(inputs)
        assert (offset >= 0) == is_logged
        told = [each for each in self.store.take_delta() if each[0] in self.model.tables]
        assert [(table_id, set(made), set(gone)) for table_id, made, gone in told] == expected
        assert all(len(set(made)) == len(made) and len(set(gone)) == len(gone) for _, made, gone in told)
        self.model.end_of_transaction()
        self.committed = self.model.copy()
        self.wrote.clear()
        commits = self.store.take_log()
        self.log += commits
        self.replica.replay(commits, lambda *change: self.define(self.replica, *change), (DEFINED.id,))
        for table_id, table in self.model.tables.items():
            rows = self.model.rows[table_id] if table.is_logged else ()
            assert set(self.replica.scan(table_id)) == set(rows)

    @BUSY
    @rule()
    def rollback(self) -> None:
        self.store.rollback()
        self.model = self.committed.copy()
        for sequence_id in self.wrote:
            self.numbers[sequence_id].unsaved = True
        self.wrote.clear()

    # ---- rows

    @CHANGED
    @rule(data=st.data(), count=st.integers(1, 8))
    def insert(self, data: st.DataObject, count: int) -> None:
        for _ in range(count):
            table = self.any_table(data)
            self._insert(table, self._to_be_numbered(data, table, data.draw(table.rows())))

    @CHANGED
    @rule(data=st.data(), count=st.integers(2, 40))
    def insert_many(self, data: st.DataObject, count: int) -> None:
        table = self.any_table(data)
        template = data.draw(table.rows())
        for i in range(count):
            row = [
                i * 2 + 1 if column in table.integers() else value for column, value in enumerate(template)
            ]
            self._insert(table, tuple(row))

    def _to_be_numbered(self, data: st.DataObject, table: TableSpec, row: Row) -> Row:
        """Half of the time with zeros where a sequence has numbers."""
        numbered = [
            each.spec.column for each in self.model.sequences.values() if each.spec.table_id == table.id
        ]
        if not numbered or data.draw(st.booleans()):
            return row
        return tuple(0 if column in numbered else value for column, value in enumerate(row))

    def _insert(self, table: TableSpec, row: Row) -> None:
        filled, wrote = self.model.fill(table.id, row)
        self.wrote |= wrote
        encoded = table.codec.encode(filled)
        is_there = encoded in self.model.rows[table.id]
        clashes = not is_there and self.model.clashes(table.id, filled)
        try:
            assert self.store.insert(table.id, table.codec.encode(row)) == encoded
        except UniqueViolation:
            assert clashes
        else:
            assert not clashes
            self.model.put(table.id, filled)

    @CHANGED
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        table = self.any_table(data)
        encoded = table.codec.encode(self.known_row(data, table))
        assert self.store.delete(table.id, encoded) == (encoded in self.model.rows[table.id])
        self.model.rows[table.id].pop(encoded, None)

    @CHANGED
    @INDEXED
    @rule(data=st.data(), count=st.integers(1, 5))
    def update(self, data: st.DataObject, count: int) -> None:
        for _ in range(count):
            unique = [key for key, index in self.model.indexes.items() if index.unique and key >= FIRST_TABLE]
            if unique and data.draw(st.integers(0, 9)):
                index = self.model.indexes[data.draw(st.sampled_from(unique))]
            else:
                index = self.any_index(data)
            self._update(data, index, self.model.tables[index.table_id])

    @IDLE
    @INDEXED
    @rule(data=st.data())
    def change_and_take_back(self, data: st.DataObject) -> None:
        """Updates, and deletes and inserts around them, of which nothing remains."""
        self.begin()
        self.update(data, 4)
        self.insert(data, 2)
        self.delete(data)
        self.update(data, 2)
        self.rollback()

    def _update(self, data: st.DataObject, index: IndexSpec, table: TableSpec) -> None:
        row = data.draw(table.rows())
        known = [row for _, row in sorted(self.model.rows[table.id].items())]
        if known and data.draw(st.integers(0, 4)):  # a row that is there, with other values behind its key
            old_row = data.draw(st.sampled_from(known))
            row = tuple(old_row[i] if i in index.columns else value for i, value in enumerate(row))
        row = self._to_be_numbered(data, table, row)
        if not index.unique:
            try:
                self.store.update(table.id, index.id, table.codec.encode(row))
            except IndexNotUnique:
                return
            raise AssertionError("an update through an index that is not unique")
        filled, wrote = self.model.fill(table.id, row)
        self.wrote |= wrote
        rows, key = self.model.rows[table.id], self.model.key(index, filled)
        old = next((each for each, other in rows.items() if self.model.key(index, other) == key), None)
        clashes = old is not None and self.model.clashes(table.id, filled, old)
        try:
            encoded = self.store.update(table.id, index.id, table.codec.encode(row))
        except NoSuchRow:
            assert old is None
        except UniqueViolation:
            assert clashes
        else:
            assert old is not None and not clashes and encoded == table.codec.encode(filled)
            del rows[old]
            self.model.put(table.id, filled)

    @CHANGED
    @rule(data=st.data())
    def clear(self, data: st.DataObject) -> None:
        table = self.any_table(data)
        if data.draw(st.integers(0, 4)):  # seldom
            return
        assert self.store.clear(table.id) == len(self.model.rows[table.id])
        self.model.rows[table.id].clear()
