"""What a store is to do, said with dicts and sets: no pages, no trees, no undo, only copies."""

from __future__ import annotations

import math
from typing import Any

from spacetimedb_lib.sats.types import I128, U32, Kind, Primitive, SumValue, product
from tests.engine.store.random_schemas import (
    EVENT,
    IndexSpec,
    Row,
    SequenceSpec,
    TableSpec,
    is_signed,
    width,
)

DEFINED = TableSpec(1, product(table_id=U32), 0)
"""Its rows say which tables there are, as st_table's do."""
ST_SEQUENCE = TableSpec(3, product(sequence_id=U32, table_id=U32, allocated=I128), 0)
ST_SEQUENCE_INDEX = IndexSpec(4, 3, 0, True, (0,))
FIRST_TABLE = 4096
STEP = 4096


def order(value: Any) -> Any:
    """A Python object that sorts like the value does in an index."""
    if isinstance(value, float):
        return (1, 0.0) if math.isnan(value) else (0, value + 0.0)
    if isinstance(value, SumValue):
        return (value.tag, order(value.value))
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list | tuple):
        return [order(each) for each in value]
    return value


class Numbers:
    """A sequence. What it has given out it never takes back; what it wrote of it may be rolled back."""

    def __init__(self, spec: SequenceSpec) -> None:
        self.spec = spec
        self.value = self.allocated = spec.start
        self.unsaved = False

    def reopen(self, allocated: int) -> None:
        """As after a restart: it goes on where nothing was allocated yet."""
        self.value = self.allocated = allocated or self.spec.start
        self.unsaved = False

    def step(self, value: int) -> int:
        spec, value = self.spec, value + self.spec.increment
        span = spec.maximum - spec.minimum + 1
        if spec.increment > 0 and value > spec.maximum:
            return spec.minimum + (value - spec.maximum - 1) % span
        if spec.increment < 0 and value < spec.minimum:
            return spec.maximum - (spec.minimum - value - 1) % span
        return value

    def draw(self) -> tuple[int, bool]:
        """The next number, and whether `allocated` has to be written first."""
        save = self.unsaved
        if self.value == self.allocated:
            end = self.value
            for _ in range(STEP):
                if self.step(end) == self.value:
                    break
                end = self.step(end)
            self.allocated, save = end, True
        drawn, self.value, self.unsaved = self.value, self.step(self.value), False
        return drawn, save


class Model:
    """Tables as dicts from the bytes of a row to its values."""

    def __init__(self) -> None:
        self.tables = {table.id: table for table in (DEFINED, ST_SEQUENCE)}
        self.rows: dict[int, dict[bytes, Row]] = {DEFINED.id: {}, ST_SEQUENCE.id: {}}
        self.indexes = {ST_SEQUENCE_INDEX.id: ST_SEQUENCE_INDEX}
        self.sequences: dict[int, Numbers] = {}

    def copy(self) -> Model:
        copied = Model()
        copied.tables = dict(self.tables)
        copied.rows = {table_id: dict(rows) for table_id, rows in self.rows.items()}
        copied.indexes = dict(self.indexes)
        copied.sequences = dict(self.sequences)
        return copied

    # ---- definitions

    @property
    def user_tables(self) -> list[int]:
        return sorted(table_id for table_id in self.tables if table_id >= FIRST_TABLE)

    def add_table(self, table: TableSpec) -> None:
        self.tables[table.id] = table
        self.rows[table.id] = {}

    def remove_table(self, table_id: int) -> None:
        del self.tables[table_id], self.rows[table_id]
        self.indexes = {key: index for key, index in self.indexes.items() if index.table_id != table_id}
        self.sequences = {
            key: numbers for key, numbers in self.sequences.items() if numbers.spec.table_id != table_id
        }

    def index_fits(self, index: IndexSpec) -> bool:
        """Do the rows there are allow it?"""
        keys = [repr(self.key(index, row)) for row in self.rows[index.table_id].values()]
        return not index.unique or len(set(keys)) == len(keys)

    # ---- rows

    def key(self, index: IndexSpec, row: Row) -> Any:
        return [order(row[column]) for column in index.columns]

    def put(self, table_id: int, row: Row) -> bytes:
        encoded = self.tables[table_id].codec.encode(row)
        self.rows[table_id][encoded] = row
        return encoded

    def clashes(self, table_id: int, row: Row, but: bytes | None = None) -> bool:
        """Has another row the same key in a unique index?"""
        return any(
            self.key(index, row) == self.key(index, other)
            for index in self.indexes.values()
            if index.unique and index.table_id == table_id
            for data, other in self.rows[table_id].items()
            if data != but
        )

    def in_order(self, index: IndexSpec) -> list[tuple[Any, bytes]]:
        return sorted((self.key(index, row), data) for data, row in self.rows[index.table_id].items())

    def fill(self, table_id: int, row: Row) -> tuple[Row, set[int]]:
        """The row with numbers for its zeros, and the sequences that had to write what they allocated."""
        filled, wrote = list(row), set()
        for numbers in sorted(self.sequences.values(), key=lambda numbers: numbers.spec.column):
            column = numbers.spec.column
            if numbers.spec.table_id != table_id or filled[column] != 0:
                continue
            drawn, save = numbers.draw()
            if save:
                self.save(numbers)
                wrote.add(numbers.spec.id)
            filled[column] = cut(drawn, self.tables[table_id].types[column])
        return tuple(filled), wrote

    def save(self, numbers: Numbers) -> None:
        rows = self.rows[ST_SEQUENCE.id]
        for data, row in list(rows.items()):
            if row[0] == numbers.spec.id:
                del rows[data]
                self.put(ST_SEQUENCE.id, (row[0], row[1], numbers.allocated))

    # ---- what happens to everything at once

    def end_of_transaction(self) -> None:
        """Rows of event tables are gone when it is over."""
        for table in self.tables.values():
            if table.flags == EVENT:
                self.rows[table.id].clear()

    def restart(self) -> None:
        for table in self.tables.values():
            if not table.is_logged:
                self.rows[table.id].clear()
        allocated = {row[0]: row[2] for row in self.rows[ST_SEQUENCE.id].values()}
        for key, numbers in self.sequences.items():
            numbers.reopen(allocated[key])


def cut(number: int, type_: Any) -> int:
    """As much of a number as an integer column takes."""
    assert isinstance(type_, Primitive)
    kind: Kind = type_.kind
    number &= (1 << width(kind)) - 1
    return number - (1 << width(kind)) if is_signed(kind) and number >> (width(kind) - 1) else number
