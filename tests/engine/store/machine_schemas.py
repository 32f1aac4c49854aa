"""The part of the state machine that changes what tables, indexes and sequences there are."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import initialize, precondition, rule

from spacetimedb_engine import UniqueViolation
from tests.engine.store.machine_reads import ReadMachine
from tests.engine.store.machine_rows import BUSY, CHANGED, FILLED, IDLE, INDEXED, index_arguments
from tests.engine.store.model import DEFINED, ST_SEQUENCE, Numbers
from tests.engine.store.random_schemas import indexes, is_signed, sequences, tables, widened


class SchemaMachine(ReadMachine):
    @initialize(data=st.data())
    def start(self, data: st.DataObject) -> None:
        self.store.begin()
        for _ in range(data.draw(st.integers(1, 3))):
            self.create_table(data)
            for _ in range(data.draw(st.integers(1, 4))):
                self.create_index(data)
            if data.draw(st.booleans()):
                self.create_sequence(data)
        self.insert(data, 8)
        self.commit(None)

    @BUSY
    @rule(data=st.data())
    def create_table(self, data: st.DataObject) -> None:
        if len(self.model.user_tables) > 4:
            return
        table = data.draw(tables(self.new_id()))
        self.known[table.id] = table
        self.store.watch(table.id, True)
        self.store.create_table(table.id, table.row_type, table.flags)
        self.store.insert(DEFINED.id, DEFINED.codec.encode((table.id,)))
        self.model.add_table(table)
        self.model.put(DEFINED.id, (table.id,))

    @CHANGED
    @rule(data=st.data())
    def drop_table(self, data: st.DataObject) -> None:
        table = self.any_table(data)
        if data.draw(st.integers(0, 4)):  # seldom
            return
        for numbers in [each for each in self.model.sequences.values() if each.spec.table_id == table.id]:
            self._forget_sequence(numbers)
        self.store.drop_table(table.id)
        self.store.delete(DEFINED.id, DEFINED.codec.encode((table.id,)))
        self.model.remove_table(table.id)
        del self.model.rows[DEFINED.id][DEFINED.codec.encode((table.id,))]

    @IDLE
    @FILLED
    @rule(data=st.data())
    def widen(self, data: st.DataObject) -> None:
        """Another row type, of which all rows are values as they are."""
        wider = widened(self.any_table(data))
        if wider is None:
            return
        for store in (self.store, self.replica):
            store.alter_table(wider.id, wider.row_type)
        for model in (self.model, self.committed):
            model.tables[wider.id] = wider
        self.known[wider.id] = wider

    @FILLED
    @rule(data=st.data())
    def create_index(self, data: st.DataObject) -> None:
        index = data.draw(indexes(self.new_id(), self.any_table(data)))
        try:
            self.store.create_index(*index_arguments(index))
        except UniqueViolation:
            assert not self.model.index_fits(index)
            return
        assert self.model.index_fits(index)
        self.model.indexes[index.id] = index
        self._definitions_changed()

    @INDEXED
    @rule(data=st.data())
    def drop_index(self, data: st.DataObject) -> None:
        index = self.any_index(data)
        if data.draw(st.integers(0, 2)):  # seldom
            return
        self.store.drop_index(index.id)
        del self.model.indexes[index.id]
        self._definitions_changed()

    def _definitions_changed(self) -> None:
        """Outside of a transaction there is no way back."""
        if not self.store.in_transaction:
            self.committed.indexes = dict(self.model.indexes)

    @CHANGED
    @rule(data=st.data())
    def create_sequence(self, data: st.DataObject) -> None:
        table = self.any_table(data)
        taken = {each.spec.column for each in self.model.sequences.values() if each.spec.table_id == table.id}
        free = [column for column in table.integers() if column not in taken]
        if not free:
            return
        column = data.draw(st.sampled_from(free))
        kind = table.types[column].kind  # type: ignore[union-attr]  # it is an integer
        spec = data.draw(sequences(self.new_id(), table.id, column, is_signed(kind)))
        shape = (spec.start, spec.minimum, spec.maximum, spec.increment, spec.start)
        self.store.create_sequence(spec.id, table.id, column, *shape)
        self.numbers[spec.id] = self.model.sequences[spec.id] = Numbers(spec)
        self.store.insert(ST_SEQUENCE.id, self.model.put(ST_SEQUENCE.id, (spec.id, table.id, spec.start)))

    @BUSY
    @precondition(lambda self: bool(self.model.sequences))
    @rule(data=st.data())
    def drop_sequence(self, data: st.DataObject) -> None:
        numbers = self.model.sequences[data.draw(st.sampled_from(sorted(self.model.sequences)))]
        self._forget_sequence(numbers)
        self.store.drop_sequence(numbers.spec.id)
        del self.model.sequences[numbers.spec.id]

    def _forget_sequence(self, numbers: Numbers) -> None:
        rows = self.model.rows[ST_SEQUENCE.id]
        row = next(data for data, row in rows.items() if row[0] == numbers.spec.id)
        assert self.store.delete(ST_SEQUENCE.id, row)
        del rows[row]
