"""Generated conditions, against the same conditions worked out value by value."""

from __future__ import annotations

import math
import operator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.floats import round_to_f32
from spacetimedb_lib.sats.types import (
    BOOL,
    BYTES,
    F32,
    F64,
    I8,
    I32,
    I64,
    I128,
    I256,
    IDENTITY,
    STRING,
    TIMESTAMP,
    U8,
    U16,
    U64,
    U256,
    AlgebraicType,
    Array,
    SumValue,
    option,
    product,
)
from spacetimedb_standalone.sql.binding import Binding
from spacetimedb_standalone.sql.functions import row_filter
from spacetimedb_standalone.sql.relation import Column, Compare, Constant, Every, Some, Typed, Variable
from tests.examples import examples

from .sample import table

COLUMNS: dict[str, AlgebraicType] = {
    "flag": BOOL,
    "u8": U8,
    "i8": I8,
    "u16": U16,
    "note": option(STRING),
    "i32": I32,
    "name": STRING,
    "i64": I64,
    "list": Array(STRING),
    "u64": U64,
    "data": BYTES,
    "f32": F32,
    "pair": product(a=U8, b=STRING),
    "f64": F64,
    "i128": I128,
    "maybe": option(U64),
    "i256": I256,
    "u256": U256,
    "who": IDENTITY,
    "at": TIMESTAMP,
    "numbers": Array(U16),
    "last": U8,
}
TABLE = table(1, "t", COLUMNS)
CODEC = codec(TABLE.row_type)
COMPARED = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def integers(bits: int, signed: bool) -> st.SearchStrategy[int]:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return st.one_of(st.sampled_from([low, high, 0, 1]), st.integers(low, high))


TEXTS = st.sampled_from(["", "a", "ab", "b", "é", "日本", "a\0"])
FLOATS = st.sampled_from([0.0, -0.0, 1.5, -1.5, 1e30, math.inf, -math.inf, math.nan])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "flag": st.booleans(),
    "u8": integers(8, False),
    "i8": integers(8, True),
    "u16": integers(16, False),
    "note": st.one_of(st.just(SumValue(1, ())), st.builds(SumValue, st.just(0), TEXTS)),
    "i32": integers(32, True),
    "name": TEXTS,
    "i64": integers(64, True),
    "list": st.lists(TEXTS, max_size=2),
    "u64": integers(64, False),
    "data": st.sampled_from([b"", b"\0", b"\1", b"\1\2", b"\xff"]),
    "f32": FLOATS.map(round_to_f32),
    "pair": st.tuples(integers(8, False), TEXTS),
    "f64": FLOATS,
    "i128": integers(128, True),
    "maybe": st.one_of(st.just(SumValue(1, ())), st.builds(SumValue, st.just(0), integers(64, False))),
    "i256": integers(256, True),
    "u256": integers(256, False),
    "who": st.tuples(integers(256, False)),
    "at": st.tuples(integers(64, True)),
    "numbers": st.lists(integers(16, False), max_size=2),
    "last": integers(8, False),
}
COMPARABLE = [name for name in COLUMNS if name not in ("note", "list", "pair", "maybe", "numbers")]


def column(name: str) -> Column:
    return Column("t", list(COLUMNS).index(name), COLUMNS[name])


@st.composite
def comparisons(draw: st.DrawFn) -> Typed:
    name, op = draw(st.sampled_from(COMPARABLE)), draw(st.sampled_from(list(COMPARED)))
    if draw(st.booleans()) and draw(st.booleans()):
        return Compare(column(name), op, column(name), COLUMNS[name])
    value = draw(VALUES[name].filter(lambda value: value == value))  # no literal is NaN
    constant = Constant(COLUMNS[name], codec(COLUMNS[name]).encode(value))
    return Compare(column(name), op, constant, COLUMNS[name])


CONDITIONS = st.recursive(
    st.one_of(comparisons(), st.just(column("flag"))),
    lambda inner: st.one_of(
        st.builds(lambda a, b: Every((a, b)), inner, inner),
        st.builds(lambda a, b: Some((a, b)), inner, inner),
        st.builds(
            lambda a, op: Compare(a, op, Constant(BOOL, b"\1"), BOOL), inner, st.sampled_from(["=", "<"])
        ),
    ),
    max_leaves=6,
)


def order(value: Any) -> Any:
    """A value that Python compares as SQL does."""
    match value:
        case float():
            return (1, 0.0) if value != value else (0, value)
        case str():
            return value.encode()
        case (number,):
            return number
        case _:
            return value


def holds(condition: Typed, row: tuple[Any, ...]) -> Any:
    match condition:
        case Column(_, position):
            return row[position]
        case Constant(type_, bytes(value)):
            return codec(type_).decode_exact(value)
        case Every(conditions):
            return all(holds(part, row) for part in conditions)
        case Some(conditions):
            return any(holds(part, row) for part in conditions)
        case Compare(left, op, right):
            return COMPARED[op](order(holds(left, row)), order(holds(right, row)))
    raise AssertionError(condition)


@settings(max_examples=examples(60))
@given(
    rows=st.lists(st.tuples(*(VALUES[name] for name in COLUMNS)), min_size=1, max_size=5),
    conditions=st.lists(CONDITIONS, min_size=1, max_size=3),
)
def test_generated_code_agrees(rows: list[tuple[Any, ...]], conditions: list[Typed]) -> None:
    keep = row_filter(Variable("t", TABLE), conditions, Binding(bytes(32)))
    assert keep is not None
    expected = [CODEC.encode(row) for row in rows if all(holds(c, row) for c in conditions)]
    assert keep([CODEC.encode(row) for row in rows]) == expected
