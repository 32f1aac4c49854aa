"""Random work on a store, next to a model of a few lines that does the same with Python sets.

After every step all that can be read must agree; after every commit also what the watchers are told, and a replica that
only ever sees the log.
"""

import math
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from spacetimedb_engine import (
    IndexNotUnique,
    NoSuchRow,
    Store,
    UniqueViolation,
    WrongIndexAlgorithm,
    is_compiled,
)
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import (
    BOOL,
    BYTES,
    F64,
    I16,
    I64,
    STRING,
    U8,
    U16,
    U32,
    U256,
    UNIT,
    Array,
    SumValue,
    option,
    product,
    sum_of,
)

WORDS = st.sampled_from(
    ["", "a", "b", "ab", "a\0", "abcdefgh", "abcdefghi", "abcdefghj", "é", "z" * 40, "q" * 300]
)
SMALL = st.integers(0, 6)
FLOATS = st.sampled_from([0.0, -0.0, 1.5, -1.5, math.inf, -math.inf, math.nan, 1e300])
SHAPE = sum_of(dot=UNIT, line=U16, poly=Array(I16))
SHAPES = st.one_of(
    st.just(SumValue(0, ())),
    SMALL.map(lambda n: SumValue(1, n)),
    st.lists(st.integers(-3, 3), max_size=3).map(lambda line: SumValue(2, line)),
)

TABLES: dict[int, tuple[Any, tuple[st.SearchStrategy[Any], ...]]] = {
    4096: (product(id=U32, balance=I64), (SMALL, st.integers(-3, 3))),
    4097: (product(name=STRING, id=U256, ok=BOOL), (WORDS, SMALL.map(lambda n: n << 200), st.booleans())),
    4098: (product(a=U8, b=U8, c=U8), (SMALL, SMALL, SMALL)),
    4099: (product(x=F64, shape=SHAPE, tags=BYTES), (FLOATS, SHAPES, WORDS.map(str.encode))),
    4100: (
        product(o=option(I16), text=STRING),
        (st.just(SumValue(1, ())) | SMALL.map(lambda n: SumValue(0, n)), WORDS),
    ),
}
INDEXES: dict[int, tuple[int, int, bool, tuple[int, ...]]] = {
    1: (4096, 0, True, (0,)),
    2: (4096, 0, False, (1,)),
    3: (4096, 1, False, (1, 0)),
    10: (4097, 1, True, (1,)),
    11: (4097, 0, False, (0, 2)),
    12: (4097, 0, True, (0, 1)),
    20: (4098, 0, True, (0, 1)),
    21: (4098, 2, False, (2,)),
    22: (4098, 0, False, (2, 0, 1)),
    30: (4099, 0, False, (0,)),
    31: (4099, 0, True, (0, 2)),
    32: (4099, 0, False, (1, 0)),
    40: (4100, 0, False, (0, 1)),
}
FIRST_INDEXES = {1, 2, 10, 20, 30}
Row = tuple[Any, ...]


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


class Model:
    """Tables as dicts from row bytes to values, and which indexes there are."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[bytes, Row]] = {table_id: {} for table_id in TABLES}
        self.indexes: set[int] = set()

    def copy(self) -> "Model":
        copied = Model()
        copied.rows = {table_id: dict(rows) for table_id, rows in self.rows.items()}
        copied.indexes = set(self.indexes)
        return copied

    def key(self, index_id: int, row: Row) -> Any:
        return [order(row[column]) for column in INDEXES[index_id][3]]

    def of_table(self, table_id: int) -> list[int]:
        return [index_id for index_id in sorted(self.indexes) if INDEXES[index_id][0] == table_id]

    def clashes(self, table_id: int, row: Row, but: bytes | None = None) -> bool:
        return any(
            self.key(index_id, row) == self.key(index_id, other)
            for index_id in self.of_table(table_id)
            if INDEXES[index_id][2]
            for data, other in self.rows[table_id].items()
            if data != but
        )

    def in_order(self, index_id: int) -> list[tuple[Any, bytes]]:
        return sorted(
            (self.key(index_id, row), data) for data, row in self.rows[INDEXES[index_id][0]].items()
        )


def same_keys(model: Model, index_id: int, rows: list[bytes]) -> list[tuple[Any, bytes]]:
    table_id = INDEXES[index_id][0]
    return [(model.key(index_id, model.rows[table_id][row]), row) for row in rows]


def bound(value: tuple[int, Any], type_: Any) -> bytes:
    tag, inner = value
    return bytes([tag]) if tag == 2 else bytes([tag]) + codec(type_).encode(inner)


class StoreMachine(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.store, self.replica, self.model = Store(7), Store(), Model()
        for table_id, (type_, _) in TABLES.items():
            self.store.create_table(table_id, encode_type(type_))
            self.replica.create_table(table_id, encode_type(type_))
            self.store.watch(table_id, True)
        for index_id in FIRST_INDEXES:
            self.add_index(index_id)
        self.committed = self.model.copy()

    def add_index(self, index_id: int) -> None:
        table_id, kind, unique, columns = INDEXES[index_id]
        self.store.create_index(index_id, table_id, kind, unique, list(columns))
        self.model.indexes.add(index_id)

    def any_row(self, data: st.DataObject, table_id: int) -> tuple[bytes, Row]:
        type_, columns = TABLES[table_id]
        row = tuple(data.draw(column) for column in columns)
        return codec(type_).encode(row), row

    def known_row(self, data: st.DataObject, table_id: int) -> tuple[bytes, Row]:
        known = sorted(self.model.rows[table_id].items())
        if known and data.draw(st.booleans()):
            return data.draw(st.sampled_from(known))
        return self.any_row(data, table_id)

    # ---- transactions

    @precondition(lambda self: not self.store.in_transaction)
    @rule()
    def begin(self) -> None:
        self.store.begin()

    @precondition(lambda self: self.store.in_transaction)
    @rule(inputs=st.none() | st.just(b"\1f"))
    def commit(self, inputs: bytes | None) -> None:
        expected = []
        for table_id in TABLES:
            before, after = set(self.committed.rows[table_id]), set(self.model.rows[table_id])
            if before != after:
                expected.append((table_id, after - before, before - after))
        offset = self.store.commit(inputs)
        assert (offset >= 0) == bool(expected)
        told = self.store.take_delta()
        assert [(table_id, set(made), set(gone)) for table_id, made, gone in told] == expected
        assert all(len(set(made)) == len(made) and len(set(gone)) == len(gone) for _, made, gone in told)
        self.replica.replay(self.store.take_log())
        self.committed = self.model.copy()
        for table_id in TABLES:
            assert set(self.replica.scan(table_id)) == set(self.model.rows[table_id])

    @precondition(lambda self: self.store.in_transaction)
    @rule()
    def rollback(self) -> None:
        self.store.rollback()
        self.model = self.committed.copy()

    # ---- rows

    @precondition(lambda self: self.store.in_transaction)
    @rule(data=st.data(), table_id=st.sampled_from(sorted(TABLES)))
    def insert(self, data: st.DataObject, table_id: int) -> None:
        encoded, row = self.any_row(data, table_id)
        try:
            assert self.store.insert(table_id, encoded) == encoded
        except UniqueViolation:
            assert encoded not in self.model.rows[table_id]
            assert self.model.clashes(table_id, row)
        else:
            assert encoded in self.model.rows[table_id] or not self.model.clashes(table_id, row)
            self.model.rows[table_id][encoded] = row

    @precondition(lambda self: self.store.in_transaction)
    @rule(data=st.data(), table_id=st.sampled_from(sorted(TABLES)))
    def delete(self, data: st.DataObject, table_id: int) -> None:
        encoded, _ = self.known_row(data, table_id)
        assert self.store.delete(table_id, encoded) == (encoded in self.model.rows[table_id])
        self.model.rows[table_id].pop(encoded, None)

    @precondition(lambda self: self.store.in_transaction)
    @rule(data=st.data(), index_id=st.sampled_from(sorted(INDEXES)))
    def update(self, data: st.DataObject, index_id: int) -> None:
        if index_id not in self.model.indexes:
            return
        table_id, _, unique, _ = INDEXES[index_id]
        encoded, row = self.any_row(data, table_id)
        key = self.model.key(index_id, row)
        rows = self.model.rows[table_id]
        old = next((each for each, other in rows.items() if self.model.key(index_id, other) == key), None)
        try:
            self.store.update(table_id, index_id, encoded)
        except IndexNotUnique:
            assert not unique
        except NoSuchRow:
            assert old is None
        except UniqueViolation:
            assert self.model.clashes(table_id, row, old)
        else:
            assert unique and old is not None and not self.model.clashes(table_id, row, old)
            del rows[old]
            rows[encoded] = row

    @precondition(lambda self: self.store.in_transaction)
    @rule(table_id=st.sampled_from(sorted(TABLES)))
    def clear(self, table_id: int) -> None:
        assert self.store.clear(table_id) == len(self.model.rows[table_id])
        self.model.rows[table_id].clear()

    @precondition(lambda self: self.store.in_transaction)
    @rule(data=st.data(), table_id=st.sampled_from(sorted(TABLES)), count=st.integers(1, 40))
    def insert_many(self, data: st.DataObject, table_id: int, count: int) -> None:
        type_ = TABLES[table_id][0]
        template = self.any_row(data, table_id)[1]
        for i in range(count):
            row = tuple(i * 3 + 10 if isinstance(v, int) and not isinstance(v, bool) else v for v in template)
            encoded = codec(type_).encode(row)
            if encoded in self.model.rows[table_id] or not self.model.clashes(table_id, row):
                self.store.insert(table_id, encoded)
                self.model.rows[table_id][encoded] = row

    # ---- definitions

    @rule(index_id=st.sampled_from(sorted(INDEXES)))
    def create_or_drop_index(self, index_id: int) -> None:
        table_id, kind, unique, columns = INDEXES[index_id]
        if index_id in self.model.indexes:
            self.store.drop_index(index_id)
            self.model.indexes.discard(index_id)
        else:
            keys = [repr(self.model.key(index_id, row)) for row in self.model.rows[table_id].values()]
            try:
                self.store.create_index(index_id, table_id, kind, unique, list(columns))
            except UniqueViolation:
                assert unique and len(set(keys)) < len(keys)
                return
            assert not unique or len(set(keys)) == len(keys)
            self.model.indexes.add(index_id)
        if not self.store.in_transaction:
            self.committed.indexes = set(self.model.indexes)

    # ---- reads

    @rule(data=st.data(), index_id=st.sampled_from(sorted(INDEXES)), delete=st.booleans())
    def read_range(self, data: st.DataObject, index_id: int, delete: bool) -> None:
        if index_id not in self.model.indexes:
            return
        table_id, kind, _, columns = INDEXES[index_id]
        types = [TABLES[table_id][0].elements[column].type for column in columns]
        values = [TABLES[table_id][1][column] for column in columns]
        elems = data.draw(st.integers(0, len(columns) - 1))
        prefix = [data.draw(value) for value in values[:elems]]
        bounds = [(data.draw(st.integers(0, 2)), data.draw(values[elems])) for _ in range(2)]
        encoded = b"".join(codec(type_).encode(value) for type_, value in zip(types, prefix, strict=False))
        arguments = (index_id, encoded, elems, bound(bounds[0], types[elems]), bound(bounds[1], types[elems]))

        def inside(key: list[Any]) -> bool:
            low, high = order(bounds[0][1]), order(bounds[1][1])
            above = [key[elems] >= low, key[elems] > low, True][bounds[0][0]]
            below = [key[elems] <= high, key[elems] < high, True][bounds[1][0]]
            return key[:elems] == [order(value) for value in prefix] and above and below

        expected = [(key, row) for key, row in self.model.in_order(index_id) if inside(key)]
        try:
            found = self.store.range(*arguments)
        except WrongIndexAlgorithm:
            assert kind == 1
            return
        assert kind != 1
        assert sorted(same_keys(self.model, index_id, found)) == expected
        assert [key for key, _ in same_keys(self.model, index_id, found)] == [key for key, _ in expected]
        if delete and self.store.in_transaction:
            assert self.store.delete_range(*arguments) == len(expected)
            for _, row in expected:
                del self.model.rows[table_id][row]

    @rule(data=st.data(), index_id=st.sampled_from(sorted(INDEXES)), delete=st.booleans())
    def read_point(self, data: st.DataObject, index_id: int, delete: bool) -> None:
        if index_id not in self.model.indexes:
            return
        table_id, _, _, columns = INDEXES[index_id]
        row = self.known_row(data, table_id)[1]
        point = b"".join(
            codec(TABLES[table_id][0].elements[column].type).encode(row[column]) for column in columns
        )
        key = self.model.key(index_id, row)
        expected = [data for each, data in self.model.in_order(index_id) if each == key]
        assert sorted(self.store.seek(index_id, point)) == sorted(expected)
        if delete and self.store.in_transaction:
            assert self.store.delete_seek(index_id, point) == len(expected)
            for each in expected:
                del self.model.rows[table_id][each]

    @invariant()
    def tables_agree(self) -> None:
        if not hasattr(self, "store"):
            return
        for table_id, rows in self.model.rows.items():
            assert self.store.count(table_id) == len(rows)
            found = self.store.scan(table_id)
            assert len(found) == len(rows)
            assert set(found) == set(rows)
        for index_id in self.model.indexes:
            if INDEXES[index_id][1] != 1:
                found = self.store.range(index_id, b"", 0, b"\2", b"\2")
                keys = [key for key, _ in same_keys(self.model, index_id, found)]
                assert keys == [key for key, _ in self.model.in_order(index_id)]


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=60 if is_compiled() else 10, stateful_step_count=50 if is_compiled() else 30, deadline=None
)
