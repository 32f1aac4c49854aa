"""Round trips of arbitrary values of arbitrary types, through BSATN, JSON and the forms of types."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.errors import DecodeError
from spacetimedb_lib.sats.json_read import json_reader
from spacetimedb_lib.sats.json_write import Style, json_writer
from spacetimedb_lib.sats.layout import integer_range
from spacetimedb_lib.sats.type_codec import decode_type, encode_type, type_from_json, type_to_json
from spacetimedb_lib.sats.types import (
    BYTES,
    U8,
    AlgebraicType,
    Array,
    Element,
    Kind,
    Primitive,
    Product,
    Sum,
    SumValue,
    Variant,
    option,
)
from tests.examples import examples

# Names of digits only are left out: in JSON they may mean a tag instead.
NAMES = st.text(st.characters(exclude_categories=["Cs", "Nd"]), min_size=1, max_size=5)
PRIMITIVES = st.sampled_from([kind for kind in Kind if kind >= Kind.STRING]).map(Primitive)


def compounds(inner: st.SearchStrategy[AlgebraicType]) -> st.SearchStrategy[AlgebraicType]:
    members = st.lists(st.tuples(NAMES, inner), max_size=4, unique_by=lambda member: member[0])
    return st.one_of(
        inner.map(Array),
        inner.map(option),
        members.map(lambda fields: Product(tuple(Element(*field) for field in fields))),
        members.filter(bool).map(lambda variants: Sum(tuple(Variant(*v) for v in variants))),
    )


TYPES = st.recursive(PRIMITIVES, compounds, max_leaves=8)


def values_of(type_: AlgebraicType) -> st.SearchStrategy[Any]:
    limits = integer_range(type_)
    if limits is not None:
        return st.integers(*limits)
    match type_:
        case Primitive(Kind.BOOL):
            return st.booleans()
        case Primitive(Kind.STRING):
            return st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
        case Primitive(Kind.F32):
            return st.floats(width=32)
        case Primitive(Kind.F64):
            return st.floats()
        case Array(element):
            return st.binary(max_size=8) if type_ == BYTES else st.lists(values_of(element), max_size=4)
        case Product(elements):
            return st.tuples(*(values_of(element.type) for element in elements))
        case Sum(variants):
            return st.one_of(
                values_of(variant.type).map(lambda payload, tag=tag: SumValue(tag, payload))
                for tag, variant in enumerate(variants)
            )
    raise AssertionError(type_)


TYPED_VALUES = TYPES.flatmap(lambda type_: st.tuples(st.just(type_), values_of(type_)))


def is_finite(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return all(map(is_finite, value)) if isinstance(value, (tuple, list)) else True


@given(TYPED_VALUES)
def test_bsatn_round_trip(typed_value: tuple[AlgebraicType, Any]) -> None:
    type_, value = typed_value
    data = codec(type_).encode(value)
    again, end = codec(type_).decode(data)
    assert end == len(data)
    assert codec(type_).encode(again) == data
    size = codec(type_).fixed_size
    assert size is None or size == len(data)


@given(TYPED_VALUES, st.integers(0, 100))
def test_a_cut_value_is_a_decode_error(typed_value: tuple[AlgebraicType, Any], cut: int) -> None:
    type_, value = typed_value
    data = codec(type_).encode(value)
    if cut < len(data):
        try:
            _, end = codec(type_).decode(data[:cut])
        except DecodeError:
            return
        assert end <= cut


@given(TYPES, st.binary(max_size=60))
def test_any_bytes_either_decode_or_raise_a_decode_error(type_: AlgebraicType, data: bytes) -> None:
    try:
        value, end = codec(type_).decode(data)
    except DecodeError:
        return
    assert codec(type_).encode(value) == data[:end]


@settings(max_examples=examples(60))
@given(TYPED_VALUES.filter(lambda typed_value: is_finite(typed_value[1])))
def test_json_round_trip_in_every_style_that_can_be_read(typed_value: tuple[AlgebraicType, Any]) -> None:
    type_, value = typed_value
    for style in (Style.UNTYPED, Style.TYPED, Style.DERIVED):
        text = json_writer(type_, (), style)(value)
        assert codec(type_).encode(json_reader(type_).read(text)) == codec(type_).encode(value)


@given(TYPES)
def test_types_round_trip(type_: AlgebraicType) -> None:
    data = encode_type(type_)
    assert decode_type(data) == (type_, len(data))
    assert type_from_json(type_to_json(type_)) == type_


def test_byte_arrays_are_bytes() -> None:
    assert codec(Array(U8)).decode(b"\x02\x00\x00\x00\x01\xff")[0] == b"\x01\xff"
