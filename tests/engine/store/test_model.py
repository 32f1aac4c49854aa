"""Random work on a store of random tables, next to a model of a few lines that does the same with Python's dicts.

After every step all that can be read must agree; after every commit also what the watchers are told, and a replica
that only ever sees the log. Now and then the store is thrown away and made anew: from the log, or from a copy of its
tables and the log behind it. Schemas change in the middle of transactions, and are taken back with them.

STDB_MODEL_STEPS=100000 makes a long run of it; how many steps there were is printed.
"""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import rule, run_state_machine_as_test

from spacetimedb_engine import Store, is_compiled
from tests.engine.store.machine_rows import IDLE, RowMachine, index_arguments, new_store
from tests.engine.store.machine_schemas import SchemaMachine
from tests.engine.store.model import DEFINED
from tests.engine.store.random_schemas import EVENT, IndexSpec
from tests.examples import model_steps

pytestmark = pytest.mark.slow

STEPS = model_steps(2000 if is_compiled() else 300)
PER_RUN = 50
RUNS = STEPS // 30 + 1
"""Runs end early now and then."""


@dataclass(frozen=True)
class Copy:
    """What a snapshot keeps, what was defined then, and how long the log was."""

    pieces: list[tuple[int, bytes, int]]
    indexes: dict[int, IndexSpec]
    next_offset: int
    log_size: int


class StoreMachine(SchemaMachine):
    copied: Copy | None = None

    @IDLE
    @rule()
    def copy_tables(self) -> None:
        pieces = []
        for table in self.model.tables.values():
            slot = 0
            while slot >= 0 and table.is_logged and table.flags != EVENT:
                rows, count, slot = self.store.export(table.id, slot, 200)
                pieces.append((table.id, rows, count))
        self.copied = Copy(pieces, dict(self.model.indexes), self.store.next_offset, len(self.log))

    @IDLE
    @rule(from_copy=st.booleans())
    def restart(self, from_copy: bool) -> None:
        """Another store goes on where this one stops. Numbers that were allocated but not drawn are lost."""
        store, indexes = new_store(), dict[int, IndexSpec]()
        tail = self.log
        if from_copy and self.copied is not None:
            indexes, tail = self.copied.indexes, self.log[self.copied.log_size :]
            self._load(store, self.copied)
        store.replay(tail, lambda *change: self.define(store, *change), (DEFINED.id,))
        self._renew_indexes(store, indexes)
        store.check_unique()
        assert store.next_offset == self.store.next_offset
        self.store = store
        self.model.restart()
        self.committed = self.model.copy()
        for numbers in self.model.sequences.values():
            spec = numbers.spec
            shape = (spec.start, spec.minimum, spec.maximum, spec.increment, numbers.allocated)
            store.create_sequence(spec.id, spec.table_id, spec.column, *shape)
        for table_id in self.model.user_tables:
            store.watch(table_id, True)

    def _load(self, store: Store, copied: Copy) -> None:
        for table_id, rows, count in copied.pieces:
            store.load(table_id, rows, count)
            if table_id == DEFINED.id:
                ids = [DEFINED.codec.encode(row) for row in DEFINED.codec.decode_all(rows)]
                self.define(store, "inserts", [(DEFINED.id, ids)])
        for index in copied.indexes.values():
            store.create_index(*index_arguments(index))
        store.loaded()
        store.next_offset = copied.next_offset

    def _renew_indexes(self, store: Store, before: dict[int, IndexSpec]) -> None:
        """Indexes as they are now, for a store that has those of earlier."""
        for index in before.values():
            if index.id not in self.model.indexes and index.table_id in self.model.tables:
                store.drop_index(index.id)
        for index in self.model.indexes.values():
            if index.id not in before:
                store.create_index(*index_arguments(index))


def test_the_store_does_what_the_model_says(capsys: pytest.CaptureFixture[str]) -> None:
    RowMachine.steps = 0
    run_state_machine_as_test(
        StoreMachine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=PER_RUN,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with capsys.disabled():
        print(f" [{RowMachine.steps} steps of the model] ", end="")
    assert RowMachine.steps >= STEPS * 3 // 4
