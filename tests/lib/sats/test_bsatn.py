"""What the BSATN codecs promise beyond single values: rows, limits, recursion, and errors of the caller."""

from __future__ import annotations

import struct

import pytest

from spacetimedb_lib.sats.bsatn import codec, generated_source
from spacetimedb_lib.sats.errors import DecodeError, EncodeError, TypeDepthError, TypeRefError
from spacetimedb_lib.sats.floats import f32_bits, f32_from_bits
from spacetimedb_lib.sats.types import (
    BOOL,
    BYTES,
    F32,
    I64,
    IDENTITY,
    NEVER,
    STRING,
    U8,
    U16,
    U32,
    U128,
    UNIT,
    AlgebraicType,
    Array,
    Product,
    Ref,
    SumValue,
    option,
    product,
    sum_of,
)

ROW = product(id=U32, owner=IDENTITY, online=BOOL, score=I64)


def test_a_row_of_numbers_is_packed_by_a_single_call() -> None:
    source = generated_source(ROW)
    assert source.count("= U") == 1
    assert codec(ROW).encode((1, (2,), True, -3)) == struct.pack("<I32s?q", 1, b"\x02", True, -3)


def test_fixed_size_is_known_where_every_value_has_the_same() -> None:
    assert codec(ROW).fixed_size == 4 + 32 + 1 + 8
    assert codec(sum_of(a=U32, b=F32)).fixed_size == 5
    assert codec(option(U8)).fixed_size is None
    assert codec(product(name=STRING)).fixed_size is None


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        (product(id=U32, score=I64), [(1, -1), (2, -2), (3, -3)]),
        (product(id=U32, name=STRING), [(1, "a"), (2, ""), (3, "ccc")]),
        (product(on=BOOL, ratio=F32), [(True, 0.5), (False, -0.0)]),
        (option(U8), [SumValue(1, ()), SumValue(0, 7)]),
    ],
)
def test_rows_one_after_another_are_decoded_together(type_: AlgebraicType, values: list[object]) -> None:
    data = b"".join(map(codec(type_).encode, values))
    assert codec(type_).decode_all(data) == values


def test_a_cut_last_row_is_an_error() -> None:
    with pytest.raises(DecodeError, match="data too short for i64: Expected 8, given 3"):
        codec(product(id=U32, score=I64)).decode_all(bytes(12 + 7))


def test_bytes_after_the_value_matter_only_to_decode_exact() -> None:
    assert codec(U8).decode(b"\x01\x02") == (1, 1)
    with pytest.raises(DecodeError, match="unexpected data length: Expected 1, given 2"):
        codec(U8).decode_exact(b"\x01\x02")


def test_of_two_faults_in_a_run_the_first_is_reported() -> None:
    two = product(first=BOOL, second=BOOL, number=U32)
    with pytest.raises(DecodeError, match="byte 7 not valid as `bool`"):
        codec(two).decode(b"\x00\x07\x00")
    with pytest.raises(DecodeError, match="data too short for u32: Expected 4, given 1"):
        codec(two).decode(b"\x00\x01\x00")


def test_an_array_cannot_make_us_allocate_more_than_its_data() -> None:
    for element in (U8, U32, STRING, product(a=U8, b=BOOL)):
        with pytest.raises(DecodeError, match="data too short"):
            codec(Array(element)).decode(b"\xff\xff\xff\xff")
    with pytest.raises(DecodeError, match="allocation of 4294967295 elements failed"):
        codec(Array(UNIT)).decode(b"\xff\xff\xff\xff")


LIST = (product(head=U8, tail=option(Ref(0))),)


def test_recursive_types_need_no_end_to_their_type() -> None:
    linked = codec(Ref(0), LIST)
    value = (1, SumValue(0, (2, SumValue(0, (3, SumValue(1, ()))))))
    assert linked.encode(value) == b"\x01\x00\x02\x00\x03\x01"
    assert linked.decode(b"\x01\x00\x02\x00\x03\x01") == (value, 6)


def test_endless_nesting_is_an_error_not_a_crash() -> None:
    with pytest.raises(DecodeError, match="nested too deeply"):
        codec(Ref(0), LIST).decode(b"\x01\x00" * 100_000)
    endless: object = None
    for _ in range(100_000):
        endless = (1, SumValue(0, endless))
    with pytest.raises(EncodeError):
        codec(Ref(0), LIST).encode(endless)


def test_a_type_that_is_only_a_reference_to_itself_has_no_values() -> None:
    with pytest.raises(DecodeError):
        codec(Ref(0), (Ref(0),)).decode(b"")


def test_references_outside_the_typespace_are_found_when_compiling() -> None:
    with pytest.raises(TypeRefError, match="Type reference &3 out of bounds"):
        codec(product(a=Ref(3)), (U8,))


def test_types_that_share_slots_do_not_blow_up_the_code() -> None:
    doubling = (*(product(left=Ref(i + 1), right=Ref(i + 1)) for i in range(60)), U8)
    assert len(generated_source(Ref(0), doubling)) < 100_000
    assert codec(Ref(56), doubling).decode(bytes(16))[1] == 16


def test_deep_types_compile() -> None:
    deep: AlgebraicType = U16
    for _ in range(200):
        deep = product(inner=deep)
    value: object = 7
    for _ in range(200):
        value = (value,)
    assert codec(deep).decode(codec(deep).encode(value)) == (value, 2)


def test_types_deeper_than_that_are_refused() -> None:
    deep: AlgebraicType = U16
    for _ in range(5_000):
        deep = option(deep)
    with pytest.raises(TypeDepthError, match="nested too deeply"):
        codec(deep)


def test_rows_without_bytes_can_only_be_none() -> None:
    assert codec(UNIT).decode_all(b"") == []
    with pytest.raises(DecodeError, match="unexpected data length: Expected 0, given 3"):
        codec(UNIT).decode_all(bytes(3))


def test_sums_of_many_variants() -> None:
    many = sum_of(**{f"v{i}": U8 if i % 2 else UNIT for i in range(200)})
    for value in (SumValue(0, ()), SumValue(199, 5)):
        assert codec(many).decode_exact(codec(many).encode(value)) == value
    with pytest.raises(DecodeError, match="unknown tag 0xc8 for sum type <unknown>"):
        codec(many).decode(b"\xc8\x00")
    with pytest.raises(EncodeError, match="tag 200"):
        codec(many).encode(SumValue(200, ()))


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (U8, 256),
        (U8, -1),
        (U8, "1"),
        (U128, 1 << 128),
        (STRING, b"bytes"),
        (STRING, "\ud800"),
        (BYTES, "text"),
        (product(a=U8), (1, 2)),
        (product(a=U8), 1),
        (option(U8), SumValue(2, 0)),
        (sum_of(a=UNIT, b=UNIT), SumValue(2, ())),
        (sum_of(a=UNIT, b=UNIT), SumValue(-1, ())),
        (NEVER, SumValue(0, ())),
        (Array(U8), 5),
        (Array(U32), [1, -1]),
        (F32, 1e39),
    ],
)
def test_values_of_another_type_are_refused_when_encoding(type_: AlgebraicType, value: object) -> None:
    with pytest.raises(EncodeError):
        codec(type_).encode(value)


@pytest.mark.parametrize("bits", [0x7F800001, 0xFFC00001, 0x7FC12345, 0x80000000, 0x00000001, 0x7F800000])
def test_f32_keeps_every_bit_wherever_it_stands(bits: int) -> None:
    raw = struct.pack("<I", bits)
    assert f32_bits(f32_from_bits(bits)) == bits
    for type_, data in (
        (F32, raw),
        (product(a=U8, x=F32, b=U8), b"\x01" + raw + b"\x02"),
        (Array(F32), b"\x02\x00\x00\x00" + raw + raw),
        (Array(product(x=F32)), b"\x01\x00\x00\x00" + raw),
    ):
        value, end = codec(type_).decode(data)
        assert end == len(data)
        assert codec(type_).encode(value) == data


def test_names_of_fields_never_become_code() -> None:
    hostile = "'''); import os; ('''\\"
    type_ = Product(product(a=STRING).elements * 0 + (product(**{hostile: STRING}).elements[0],))
    assert hostile not in generated_source(type_)
    assert codec(type_).decode_exact(codec(type_).encode((hostile,))) == (hostile,)
