"""Databases of any schema: what is committed is there again after every restart, whatever led to it."""

from __future__ import annotations

import contextlib
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from spacetimedb_engine import NoSuchRow, UniqueViolation
from spacetimedb_lib.sats.types import AlgebraicType, Kind, Primitive
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.schema import Table, TableKind
from spacetimedb_standalone.ports import MemoryFiles
from tests.examples import examples
from tests.standalone.datastore.busy import (
    State,
    every_row_is_found,
    initialize,
    open_database,
    random_value,
    snapshot,
    state,
)
from tests.standalone.datastore.random_modules import random_module

ENDS = {
    Kind[f"{sign}{bits}"]: (-(1 << bits - 1), (1 << bits - 1) - 1) if sign == "I" else (0, (1 << bits) - 1)
    for bits in (8, 16, 32, 64, 128, 256)
    for sign in "IU"
}


@settings(max_examples=examples(10))
@given(choice=st.randoms(use_true_random=True), segment=st.sampled_from((500, 3000, 100_000)))
def test_it_comes_back(choice: random.Random, segment: int) -> None:
    files = MemoryFiles()
    options = CommitLogSettings(
        max_segment_size=segment, offset_index_interval_bytes=256, retention=choice.random() < 0.5
    )
    datastore = open_database(files, options)
    initialize(datastore, random_module(choice))
    for _ in range(choice.randint(5, 30)):
        what = choice.random()
        if what < 0.7:
            transaction(datastore, choice)
        elif what < 0.8:
            snapshot(datastore)
        else:
            here = state(datastore)
            if choice.random() < 0.5:
                datastore.close()
            else:
                assert datastore.log.drain(1.0)
                files.crash(choice)
            datastore = open_database(files, options)
            assert state(datastore) == here
            every_row_is_found(datastore)


def transaction(datastore: Datastore, choice: random.Random) -> None:
    before = rows_of_tables(datastore)
    datastore.begin()
    for _ in range(choice.choice((1, 2, 5, 30))):
        with contextlib.suppress(UniqueViolation, NoSuchRow):  # then it is one change less
            change(datastore, choice)
    if choice.random() < 0.25:
        datastore.rollback()
        assert rows_of_tables(datastore) == before
    else:
        datastore.commit(b"\x06change" + bytes(56) if choice.random() < 0.5 else None)


def change(datastore: Datastore, choice: random.Random) -> None:
    table = choice.choice(tables(datastore))
    rows, keys = datastore.store.scan(table.id), [index for index in table.indexes if index.unique]
    what = choice.random()
    if what < 0.06:
        datastore.store.clear(table.id)
    elif rows and what < 0.3:
        assert datastore.store.delete(table.id, choice.choice(rows))
    elif rows and keys and what < 0.45:
        key, values = choice.choice(keys), random_row(table, choice)
        old = table.codec.decode_exact(choice.choice(rows))
        for column in key.columns:
            values[column] = old[column]
        datastore.store.update(table.id, key.id, table.codec.encode(tuple(values)))
    else:
        datastore.store.insert(table.id, table.codec.encode(tuple(random_row(table, choice))))


def random_row(table: Table, choice: random.Random) -> list[Any]:
    values = [random_column(column.type, choice) for column in table.columns]
    for sequence in table.sequences:
        if choice.random() < 0.8:
            values[sequence.column] = 0
    return values


def random_column(type_: AlgebraicType, choice: random.Random) -> Any:
    """Now and then one of the largest and smallest numbers."""
    if isinstance(type_, Primitive) and type_.kind in ENDS and choice.random() < 0.2:
        return choice.choice(ENDS[type_.kind])
    return random_value(type_, choice)


def tables(datastore: Datastore) -> list[Table]:
    return [table for table in datastore.schema.tables.values() if table.kind is TableKind.USER]


def rows_of_tables(datastore: Datastore) -> State:
    return {table.id: sorted(datastore.store.scan(table.id)) for table in tables(datastore)}
