"""Tables, indexes and sequences of all kinds, drawn at random, and values that often meet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st

from spacetimedb_lib.sats.bsatn import Codec, codec
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import (
    BOOL,
    BYTES,
    CONNECTION_ID,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    I128,
    I256,
    IDENTITY,
    SCHEDULE_AT,
    STRING,
    TIME_DURATION,
    TIMESTAMP,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    UNIT,
    UUID,
    AlgebraicType,
    Array,
    Element,
    Kind,
    Primitive,
    Product,
    Sum,
    SumValue,
    option,
    product,
    sum_of,
)

INTEGERS = (U8, I8, U16, I16, U32, I32, U64, I64, U128, I128, U256, I256)
DIRECT = (U8, U16, U32, U64)
COLUMNS: tuple[AlgebraicType, ...] = (
    *INTEGERS,
    *(BOOL, F32, F64, STRING, BYTES, UNIT),
    *(IDENTITY, CONNECTION_ID, TIMESTAMP, TIME_DURATION, UUID, SCHEDULE_AT),
    *(Array(I16), Array(STRING), Array(product(a=U8, b=BOOL)), option(U64), option(STRING)),
    *(product(x=I32, name=STRING), sum_of(dot=UNIT, line=U16, poly=Array(I16)), sum_of(on=UNIT, off=UNIT)),
)
WORDS = ("", "a", "b", "ab", "a\0", "abcdefgh", "abcdefghi", "abcdefghj", "é", "z" * 40, "q" * 300)
FLOATS = (0.0, -0.0, 1.5, -1.5, math.inf, -math.inf, math.nan, 2.0**100)
EVENT, EPHEMERAL = 1, 2
BTREE, HASH, DIRECT_INDEX = 0, 1, 2
I128_MAX = (1 << 127) - 1

Row = tuple[Any, ...]


def width(kind: Kind) -> int:
    """Bits of an integer type."""
    return int(kind.name[1:])


def is_signed(kind: Kind) -> bool:
    return kind.name[0] == "I"


def values(type_: AlgebraicType) -> st.SearchStrategy[Any]:
    """Few different values of a type, those among them that are easily got wrong."""
    match type_:
        case Product(elements):
            return st.tuples(*(values(element.type) for element in elements))
        case Sum(variants):
            return st.one_of(
                *(
                    st.builds(SumValue, st.just(tag), values(variant.type))
                    for tag, variant in enumerate(variants)
                )
            )
        case Array(Primitive(Kind.U8)):
            return st.sampled_from(WORDS).map(str.encode)
        case Array(element):
            return st.lists(values(element), max_size=3)
        case Primitive(Kind.STRING):
            return st.sampled_from(WORDS)
        case Primitive(Kind.BOOL):
            return st.booleans()
        case Primitive(Kind.F32 | Kind.F64):
            return st.sampled_from(FLOATS)
        case Primitive(kind):
            top = 1 << (width(kind) - is_signed(kind))
            low = (-top, -top + 1, -256, -1) if is_signed(kind) else ()
            return st.sampled_from(
                [n for n in (*low, 0, 1, 2, 3, 255, 256, top - 2, top - 1) if n < top and n >= -top]
            )
    raise AssertionError(f"no values of {type_}")


@dataclass(frozen=True)
class TableSpec:
    id: int
    type_: Product
    flags: int

    @property
    def codec(self) -> Codec:
        return codec(self.type_)

    @property
    def row_type(self) -> bytes:
        return encode_type(self.type_)

    @property
    def is_logged(self) -> bool:
        return self.flags != EPHEMERAL

    @property
    def types(self) -> tuple[AlgebraicType, ...]:
        return tuple(element.type for element in self.type_.elements)

    def rows(self) -> st.SearchStrategy[Row]:
        return st.tuples(*map(values, self.types))

    def integers(self) -> list[int]:
        """The columns that may have a sequence."""
        return [column for column, type_ in enumerate(self.types) if type_ in INTEGERS]


@dataclass(frozen=True)
class IndexSpec:
    id: int
    table_id: int
    kind: int
    unique: bool
    columns: tuple[int, ...]


@dataclass(frozen=True)
class SequenceSpec:
    id: int
    table_id: int
    column: int
    start: int
    minimum: int
    maximum: int
    increment: int


def tables(table_id: int) -> st.SearchStrategy[TableSpec]:
    """A table with that id; one in four is an event table or never logged."""
    types = st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4).map(
        lambda types: Product(tuple(Element(f"c{i}", type_) for i, type_ in enumerate(types)))
    )
    return st.builds(TableSpec, st.just(table_id), types, st.sampled_from((0,) * 6 + (EVENT, EPHEMERAL)))


def indexes(index_id: int, table: TableSpec) -> st.SearchStrategy[IndexSpec]:
    count = len(table.types)
    direct = [column for column, type_ in enumerate(table.types) if type_ in DIRECT]
    columns = st.lists(st.integers(0, count - 1), min_size=1, max_size=3, unique=True).map(tuple)
    kinds = st.sampled_from((BTREE, BTREE, HASH))
    any_kind = st.builds(IndexSpec, st.just(index_id), st.just(table.id), kinds, st.booleans(), columns)
    if not direct:
        return any_kind
    one = st.sampled_from(direct).map(lambda column: (column,))
    return any_kind | st.builds(
        IndexSpec, st.just(index_id), st.just(table.id), st.just(DIRECT_INDEX), st.booleans(), one
    )


def sequences(sequence_id: int, table_id: int, column: int, signed: bool) -> st.SearchStrategy[SequenceSpec]:
    """The usual one, and some that wrap round soon, go down, or leap."""
    shapes = [
        (1, 1, I128_MAX, 1),
        (5, 2, 9, 2),
        (90, 1, 100, -7),
        (1 << 64, 1, I128_MAX, 1 << 65),
        (3, 0, 5000, 1),
    ]
    if signed:
        shapes += [(-5, -128, 127, 11), (-1, -I128_MAX, I128_MAX, -1)]
    return st.sampled_from(shapes).map(lambda shape: SequenceSpec(sequence_id, table_id, column, *shape))


def widened(table: TableSpec) -> TableSpec | None:
    """The table with one more variant in its first sum; what was a row of it still is one. None: it has no sum."""
    elements = list(table.type_.elements)
    for at, element in enumerate(elements):
        if isinstance(element.type, Sum) and element.type != SCHEDULE_AT:
            more = sum_of(**{f"more{len(element.type.variants)}": I64}).variants
            elements[at] = Element(element.name, Sum(element.type.variants + more))
            return TableSpec(table.id, Product(tuple(elements)), table.flags)
    return None
