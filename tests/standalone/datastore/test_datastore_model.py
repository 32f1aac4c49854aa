"""Random work on a database and its directory, next to a model that is a dict of sets.

Transactions of all kinds, rolled back or committed; snapshots; clean restarts and power losses. After every opening
the database holds just what was durable, whatever part of it came from a snapshot and what from the log.
STDB_MODEL_STEPS=100000 makes a long run of it.
"""

from __future__ import annotations

import copy
import random

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from spacetimedb_engine import UniqueViolation, is_compiled
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.types import I32, I64, U32, U64
from spacetimedb_standalone.datastore.schema import Index, Table, TableKind
from spacetimedb_standalone.ports import MemoryFiles
from tests.examples import model_steps
from tests.standalone.datastore.busy import initialize as publish
from tests.standalone.datastore.busy import open_database, random_value, snapshot, story_module

pytestmark = pytest.mark.slow

STEPS = model_steps(400 if is_compiled() else 100)
PER_RUN = 40
RUNS = STEPS // 25 + 1
"""Runs end early now and then."""

Rows = dict[int, set[bytes]]
MODULE = story_module()
WIDE = (U32, I32, U64, I64)
"""Sequences of these columns do not come round."""
IDLE = precondition(lambda self: not self.datastore.store.in_transaction)
BUSY = precondition(lambda self: self.datastore.store.in_transaction)


class DatastoreMachine(RuleBasedStateMachine):
    """`rows`: of the user's tables, as the open transaction has them; `committed`: after each transaction that took
    an offset, by the offset of the next one."""

    steps = openings = 0
    """Of all machines together."""

    @initialize()
    def create(self) -> None:
        self.files = MemoryFiles()
        self.datastore = open_database(self.files)
        publish(self.datastore, MODULE)
        assert self.datastore.log.drain(60.0)
        self.rows: Rows = {table.id: set() for table in self.tables()}
        self.committed = {self.datastore.store.next_offset: copy.deepcopy(self.rows)}
        self.drawn: dict[tuple[int, int], int] = {}
        """Which transaction kept a number of a sequence."""
        self.drawing: list[tuple[int, int]] = []

    def tables(self) -> list[Table]:
        """Those that keep their rows."""
        tables = self.datastore.schema.tables.values()
        return [table for table in tables if table.kind is TableKind.USER and not table.is_event]

    # ---- transactions

    @IDLE
    @rule()
    def begin(self) -> None:
        self.datastore.begin()

    @BUSY
    @rule(inputs=st.sampled_from([None, b"\6change" + bytes(56)]))
    def commit(self, inputs: bytes | None) -> None:
        changed = self.rows != self._last()
        offset = self.datastore.commit(inputs)
        assert offset >= 0 or not changed
        for number in self.drawing:
            assert number not in self.drawn, "a number was given out twice"
            self.drawn[number] = self.datastore.store.next_offset
        self.drawing.clear()
        self.committed[self.datastore.store.next_offset] = copy.deepcopy(self.rows)

    @BUSY
    @rule()
    def rollback(self) -> None:
        self.datastore.rollback()
        self.drawing.clear()
        self.rows = copy.deepcopy(self._last())

    def _last(self) -> Rows:
        return self.committed[max(self.committed)]

    # ---- rows

    @BUSY
    @rule(data=st.data(), choice=st.randoms(use_true_random=False))
    def insert(self, data: st.DataObject, choice: random.Random) -> None:
        table = data.draw(st.sampled_from(self.tables()))
        values = [random_value(column.type, choice) for column in table.columns]
        for sequence in table.sequences:
            values[sequence.column] = 0
        try:
            row = self.datastore.store.insert(table.id, table.codec.encode(tuple(values)))
        except UniqueViolation:
            return
        self.rows[table.id].add(row)
        for sequence in table.sequences:
            if table.columns[sequence.column].type in WIDE:
                self.drawing.append((sequence.id, table.codec.decode_exact(row)[sequence.column]))

    @BUSY
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        table = data.draw(st.sampled_from(self.tables()))
        if self.rows[table.id]:
            row = data.draw(st.sampled_from(sorted(self.rows[table.id])))
            assert self.datastore.store.delete(table.id, row)
            self.rows[table.id].remove(row)

    @BUSY
    @rule(data=st.data())
    def clear(self, data: st.DataObject) -> None:
        table = data.draw(st.sampled_from(self.tables()))
        assert self.datastore.store.clear(table.id) == len(self.rows[table.id])
        self.rows[table.id].clear()

    # ---- the directory

    @IDLE
    @rule()
    def sync(self) -> None:
        assert self.datastore.log.drain(60.0)
        assert self.datastore.log.durable_offset == self.datastore.store.next_offset - 1

    @IDLE
    @rule()
    def take_snapshot(self) -> None:
        snapshot(self.datastore)

    @IDLE
    @rule()
    def restart(self) -> None:
        """What was committed is there: closing waits for the disk."""
        self.datastore.close()
        self._open()
        assert self.datastore.store.next_offset == max(self.committed)

    @rule(choice=st.randoms(use_true_random=False))
    def lose_power(self, choice: random.Random) -> None:
        """All that was durable is there, of the rest some, in order, and no transaction in part."""
        durable = self.datastore.log.durable_offset
        self.files.crash(choice)
        self._open()
        assert self.datastore.store.next_offset > durable

    def _open(self) -> None:
        schema = self.datastore.schema
        self.datastore = open_database(self.files)
        type(self).openings += 1
        assert self.datastore.schema.tables.keys() == schema.tables.keys()
        reached = self.datastore.store.next_offset
        self.committed = {offset: rows for offset, rows in self.committed.items() if offset <= reached}
        self.drawn = {number: offset for number, offset in self.drawn.items() if offset <= reached}
        self.rows = copy.deepcopy(self._last())
        self.drawing.clear()

    @invariant()
    def tables_agree(self) -> None:
        type(self).steps += 1
        for table in self.tables():
            found = self.datastore.store.scan(table.id)
            assert len(found) == len(self.rows[table.id])
            assert set(found) == self.rows[table.id]
            for index in table.indexes:
                assert all(
                    row in self.datastore.store.seek(index.id, self._key(table, index, row)) for row in found
                )

    @staticmethod
    def _key(table: Table, index: Index, row: bytes) -> bytes:
        values = table.codec.decode_exact(row)
        return b"".join(codec(table.columns[at].type).encode(values[at]) for at in index.columns)


def test_the_database_does_what_the_model_says(capsys: pytest.CaptureFixture[str]) -> None:
    run_state_machine_as_test(
        DatastoreMachine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=PER_RUN,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with capsys.disabled():
        print(f" [{DatastoreMachine.steps} steps, {DatastoreMachine.openings} openings] ", end="")
    assert DatastoreMachine.steps >= STEPS * 3 // 4
