"""Auto-increment columns: which numbers come, what is written down, and what the module is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacetimedb_engine import SchemaError, Store, UniqueViolation
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import (
    I8,
    I16,
    I32,
    I64,
    I128,
    I256,
    STRING,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    Primitive,
    product,
)

INTEGERS = [U8, I8, U16, I16, U32, I32, U64, I64, U128, I128, U256, I256]
I128_MAX = (1 << 127) - 1
ST_SEQUENCE = product(
    sequence_id=U32,
    sequence_name=STRING,
    table_id=U32,
    col_pos=U16,
    increment=I128,
    start=I128,
    min_value=I128,
    max_value=I128,
    allocated=I128,
)


def with_sequence(
    column: Primitive, start: int = 1, low: int = 1, high: int = I128_MAX, by: int = 1
) -> Store:
    """A table 4096 (id, n) whose id is drawn from sequence 1; a transaction is open."""
    store = Store()
    store.create_table(4096, encode_type(product(id=column, n=U8)))
    store.create_sequence(1, 4096, 0, start, low, high, by, start)
    store.begin()
    return store


def draw(store: Store, column: Primitive, count: int) -> list[int]:
    type_ = product(id=column, n=U8)
    drawn = []
    for _ in range(count):
        row = store.insert(4096, codec(type_).encode((0, 1)))
        drawn.append(codec(type_).decode(row)[0][0])
    return drawn


@pytest.mark.parametrize("column", INTEGERS, ids=lambda column: column.kind.name)
def test_zeros_become_numbers_for_every_integer_type(column: Primitive) -> None:
    store = with_sequence(column)
    assert draw(store, column, 5) == [1, 2, 3, 4, 5]
    width = len(codec(column).encode(0))
    assert store.generated_columns() == (5).to_bytes(width, "little")


def test_a_number_that_is_given_is_kept_and_does_not_move_the_sequence() -> None:
    store = with_sequence(U32)
    row = codec(product(id=U32, n=U8)).encode((7, 1))
    assert store.insert(4096, row) == row
    assert store.generated_columns() == b""
    assert draw(store, U32, 1) == [1]


def test_numbers_wrap_at_the_width_of_the_column() -> None:
    store = with_sequence(U8)
    assert draw(store, U8, 258) == [*range(1, 256), 0, 1, 2]


@pytest.mark.parametrize("column", [I128, I256], ids=["I128", "I256"])
def test_negative_numbers_keep_their_sign(column: Primitive) -> None:
    assert draw(with_sequence(column, -1, -100, 100, -3), column, 3) == [-1, -4, -7]


def test_several_sequences_fill_their_columns_in_order() -> None:
    type_ = product(a=STRING, b=U16, c=U8, d=U64)
    store = Store()
    store.create_table(4096, encode_type(type_))
    store.create_sequence(2, 4096, 3, 1000, 1, I128_MAX, 1, 1000)
    store.create_sequence(1, 4096, 1, 1, 1, I128_MAX, 1, 1)
    store.begin()
    row = store.insert(4096, codec(type_).encode(("text", 0, 5, 0)))
    assert codec(type_).decode(row)[0] == ("text", 1, 5, 1000)
    assert store.generated_columns() == (1).to_bytes(2, "little") + (1000).to_bytes(8, "little")
    row = store.insert(4096, codec(type_).encode(("text", 9, 5, 0)))
    assert store.generated_columns() == (1001).to_bytes(8, "little")


def test_an_update_draws_too() -> None:
    type_ = product(id=U32, n=U32)
    store = Store()
    store.create_table(4096, encode_type(type_))
    store.create_index(1, 4096, 0, True, [0])
    store.create_sequence(1, 4096, 1, 1, 1, I128_MAX, 1, 1)
    store.begin()
    store.insert(4096, codec(type_).encode((5, 77)))
    assert codec(type_).decode(store.update(4096, 1, codec(type_).encode((5, 0))))[0] == (5, 1)
    assert store.generated_columns() == b"\1\0\0\0"


def test_a_number_that_collides_is_used_up() -> None:
    store = with_sequence(U32)
    store.create_index(1, 4096, 0, True, [0])
    store.insert(4096, codec(product(id=U32, n=U8)).encode((1, 9)))
    with pytest.raises(UniqueViolation):
        draw(store, U32, 1)
    assert draw(store, U32, 1) == [2]


def test_numbers_do_not_return_after_a_rollback() -> None:
    store = with_sequence(U32)
    assert draw(store, U32, 3) == [1, 2, 3]
    store.rollback()
    store.begin()
    assert draw(store, U32, 1) == [4]


def test_what_a_rollback_takes_from_its_row_is_written_again() -> None:
    """It wraps round between writing that row and the rollback."""
    store = with_sequence(U32, start=9, low=2, high=9, by=2)
    store.create_table(3, encode_type(ST_SEQUENCE))
    store.create_index(4, 3, 0, True, [0])
    row = (1, "", 4096, 0, 2, 9, 2, 9, 9)
    store.insert(3, codec(ST_SEQUENCE).encode(row))
    store.commit()
    store.begin()
    assert draw(store, U32, 2) == [9, 3]
    store.rollback()
    store.begin()
    assert draw(store, U32, 1) == [5]
    assert store.scan(3) == [codec(ST_SEQUENCE).encode((*row[:-1], 7))]


@pytest.mark.parametrize(
    ("start", "low", "high", "by"),
    [(0, 1, 10, 1), (11, 1, 10, 1), (1, 1, 1, 1), (5, 1, 10, 0), (5, 1, 10, 9)],
)
def test_sequences_that_cannot_be(start: int, low: int, high: int, by: int) -> None:
    with pytest.raises(SchemaError):
        with_sequence(U32, start, low, high, by)


def test_only_integer_columns_have_sequences() -> None:
    store = Store()
    store.create_table(4096, encode_type(product(name=STRING)))
    for column in (0, 1):
        with pytest.raises(SchemaError, match="is no integer"):
            store.create_sequence(1, 4096, column, 1, 1, 10, 1, 1)


def follow(value: int, low: int, high: int, by: int) -> int:
    """The rule as it is written down: step, and wrap round at the far end."""
    value += by
    if by > 0 and value > high:
        return low + (value - high - 1) % (high - low + 1)
    if by < 0 and value < low:
        return high - (low - value - 1) % (high - low + 1)
    return value


@given(
    low=st.integers(-300, 300),
    span=st.integers(2, 9000),
    at=st.integers(0, 8999),
    by=st.integers(-500, 500).filter(bool),
)
def test_numbers_follow_the_rule(low: int, span: int, at: int, by: int) -> None:
    high, start = low + span, low + at % (span + 1)
    if abs(by) >= span:
        return
    store = with_sequence(I64, start, low, high, by)
    expected = [start]
    for _ in range(40):
        expected.append(follow(expected[-1], low, high, by))
    drawn = []
    for value in expected:
        before = store.sequence_state(1)[0]
        assert before == value
        drawn += draw(store, I64, 1)
    assert drawn == expected


class TestAllocation:
    """`allocated` is written before a number beyond it goes out."""

    def open(self, allocated: int = 1, high: int = I128_MAX) -> Store:
        store = Store()
        store.create_table(3, encode_type(ST_SEQUENCE))
        store.create_index(4, 3, 0, True, [0])
        store.create_table(4096, encode_type(product(id=U64, n=U8)))
        store.begin()
        store.insert(3, codec(ST_SEQUENCE).encode((77, "seq", 4096, 0, 1, 1, 1, high, allocated)))
        store.commit()
        store.create_sequence(77, 4096, 0, 1, 1, high, 1, allocated)
        store.begin()
        return store

    def allocated(self, store: Store) -> int:
        return int(codec(ST_SEQUENCE).decode(store.scan(3)[0])[0][8])

    def test_the_first_number_allocates(self) -> None:
        store = self.open()
        assert draw(store, U64, 1) == [1]
        assert self.allocated(store) == 4097
        store.commit()
        assert store.sequence_state(77) == (2, 4097)

    def test_the_next_step_comes_when_they_are_used_up(self) -> None:
        store = self.open()
        assert draw(store, U64, 4096)[-1] == 4096
        assert self.allocated(store) == 4097
        assert draw(store, U64, 1) == [4097]
        assert self.allocated(store) == 8193

    def test_it_goes_on_where_it_was_allocated(self) -> None:
        store = self.open(allocated=4097)
        assert draw(store, U64, 1) == [4097]
        assert self.allocated(store) == 8193

    def test_an_old_zero_means_the_start(self) -> None:
        assert draw(self.open(allocated=0), U64, 1) == [1]

    def test_a_rollback_takes_the_row_back_and_the_next_draw_writes_it_again(self) -> None:
        store = self.open()
        draw(store, U64, 3)
        store.rollback()
        assert self.allocated(store) == 1
        store.begin()
        assert draw(store, U64, 1) == [4]
        store.commit()
        assert self.allocated(store) == 4097

    def test_a_short_cycle_is_not_allocated_beyond_itself(self) -> None:
        store = self.open(high=3)
        assert draw(store, U64, 8) == [1, 2, 3, 1, 2, 3, 1, 2]
        assert 1 <= self.allocated(store) <= 3
