"""A database whose module changes again and again, between transactions, snapshots, restarts and power losses.

After every opening it is what it was: definitions, rows, and what its indexes find. Half of the openings begin with a
snapshot, half with the log alone, which then holds several versions of each table.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from spacetimedb_engine import UniqueViolation
from spacetimedb_lib.hashing import keccak256
from spacetimedb_lib.moduledef import ModuleDef
from spacetimedb_lib.moduledef.migrate import MigrationErrors, plan_migration
from spacetimedb_lib.sats.types import I32, I64, I128, I256, U32, U64, U128, U256
from spacetimedb_standalone.datastore.errors import UpdateError
from spacetimedb_standalone.datastore.program import Program, ProgramKind
from spacetimedb_standalone.datastore.schema import Schema, Table, TableKind
from spacetimedb_standalone.ports import MemoryFiles
from tests.examples import BASE, examples
from tests.standalone.datastore.busy import (
    State,
    every_row_is_found,
    initialize,
    open_database,
    random_value,
    snapshot,
    state,
)
from tests.standalone.datastore.evolving_modules import Evolution, Plans, module_of

pytestmark = pytest.mark.slow

STEPS = 40
WIDE = (U32, I32, U64, I64, U128, I128, U256, I256)
"""Sequences of these columns do not come round."""


class Run:
    """One database, by a seed."""

    def __init__(self, seed: int) -> None:
        self.choice = random.Random(seed)
        self.evolution = Evolution(self.choice)
        self.tables, self.module = self._some_module()
        self.with_snapshots = seed % 2 == 0
        self.files = MemoryFiles()
        self.datastore = open_database(self.files)
        initialize(self.datastore, self.module)
        self.drawn: set[tuple[int, int]] = set()
        """Numbers of sequences that are in committed rows, or were."""
        self.updates = self.openings = 0

    def _some_module(self) -> tuple[Plans, ModuleDef]:
        while True:
            tables = self.evolution.first()
            module = module_of(tables)
            if module is not None:
                return tables, module

    def step(self) -> None:
        what = self.choice.random()
        if what < 0.5:
            self.change()
        elif what < 0.75:
            self.update()
        elif what < 0.85:
            if self.with_snapshots:
                snapshot(self.datastore)
        else:
            self.open_again(cleanly=what < 0.95)
        every_row_is_found(self.datastore)

    # ---- rows

    def change(self) -> None:
        """One transaction, now and then rolled back."""
        store = self.datastore.store
        tables = [table for table in self.datastore.schema.tables.values() if table.kind is TableKind.USER]
        if not tables:
            return
        drawn: list[tuple[int, int]] = []
        self.datastore.begin()
        for _ in range(self.choice.randint(1, 6)):
            table = self.choice.choice(tables)
            rows, what = sorted(store.scan(table.id)), self.choice.random()
            if what < 0.05:
                store.clear(table.id)
            elif rows and what < 0.3:
                store.delete(table.id, self.choice.choice(rows))
            else:
                drawn += self._insert(table)
        if self.choice.random() < 0.25:
            self.datastore.rollback()
            return
        self.datastore.commit(self.choice.choice((None, b"\6change" + bytes(56))))
        assert self.drawn.isdisjoint(drawn), "a number was given out twice"
        self.drawn.update(drawn)

    def _insert(self, table: Table) -> list[tuple[int, int]]:
        values = [random_value(column.type, self.choice) for column in table.columns]
        for sequence in table.sequences:
            values[sequence.column] = 0
        try:
            row = self.datastore.store.insert(table.id, table.codec.encode(tuple(values)))
        except UniqueViolation:
            return []
        inserted = table.codec.decode_exact(row)
        return [
            (sequence.id, inserted[sequence.column])
            for sequence in table.sequences
            if table.columns[sequence.column].type in WIDE
        ]

    # ---- definitions

    def update(self) -> None:
        """Another version of the module, if there can be one; what is refused has changed nothing."""
        tables = self.evolution.next(self.tables)
        module = module_of(tables)
        if module is None:
            return
        data = str(self.choice.getrandbits(64)).encode()
        before = self._state()
        try:
            self.datastore.update_program(
                Program(ProgramKind.WASM, keccak256(data), data),
                plan_migration(self.module, module),
                system_log=lambda level, message: None,
                rule_target=lambda sql: 0,
            )
        except (MigrationErrors, UpdateError):
            assert self._state() == before
            return
        self.tables, self.module = tables, module
        self.updates += 1

    # ---- the directory

    def open_again(self, *, cleanly: bool) -> None:
        before = self._state()
        if cleanly:
            self.datastore.close()
        else:
            assert self.datastore.log.drain(60.0)
            self.files.crash(self.choice)
        self.datastore = open_database(self.files)
        assert self._state() == before
        self.openings += 1

    def _state(self) -> tuple[State, Schema]:
        return state(self.datastore), _without_bounds(self.datastore.schema)


def _without_bounds(schema: Schema) -> Schema:
    """How far numbers are allocated is in the rows: a schema is not made anew for that."""
    tables = {
        table_id: replace(
            table, sequences=tuple(replace(sequence, allocated=0) for sequence in table.sequences)
        )
        for table_id, table in schema.tables.items()
    }
    return replace(schema, tables=tables)


@pytest.mark.parametrize("seed", range(BASE, BASE + examples(24)))
def test_a_database_is_what_it_was_whatever_its_module_was_before(seed: int) -> None:
    run = Run(seed)
    for _ in range(STEPS):
        run.step()
    assert run.openings
