"""Types as BSATN, JSON and text; what they are; how large their values lie in a row; resolving references."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.sats import resolve, types
from spacetimedb_lib.sats.errors import DecodeError, TypeRefError
from spacetimedb_lib.sats.json_write import untyped
from spacetimedb_lib.sats.layout import integer_range, layout, row_size, saturate
from spacetimedb_lib.sats.type_codec import (
    TypeFormError,
    decode_product,
    decode_type,
    decode_typespace,
    encode_product,
    encode_type,
    encode_typespace,
    product_from_json,
    product_to_json,
    type_from_json,
    type_text,
    type_to_json,
    typespace_from_json,
    typespace_to_json,
)
from spacetimedb_lib.sats.types import I64, STRING, U8, Array, Product, Ref, product

VECTORS = Path(__file__).parents[1] / "vectors"


def cases(name: str, kind: str | None = None) -> list[Any]:
    lines = map(json.loads, (VECTORS / name).read_text(encoding="utf-8").splitlines())
    return [pytest.param(case, id=case["id"]) for case in lines if kind in (None, case.get("kind"))]


PREDICATES = {
    "identity": resolve.is_identity,
    "connection_id": resolve.is_connection_id,
    "timestamp": resolve.is_timestamp,
    "time_duration": resolve.is_time_duration,
    "uuid": resolve.is_uuid,
    "schedule_at": resolve.is_schedule_at,
    "unit": resolve.is_unit,
    "never": resolve.is_never,
    "option": resolve.is_option,
    "result": resolve.is_result,
    "bytes": resolve.is_bytes,
    "special": resolve.is_special,
    "contains_refs": resolve.contains_refs,
    "valid_client_definition": resolve.valid_for_client_definition,
    "valid_client_use": resolve.valid_for_client_use,
}


@pytest.mark.parametrize("case", cases("typespace.jsonl", "type"))
def test_a_type_has_three_forms(case: dict[str, Any]) -> None:
    type_ = type_from_json(case["json"])
    data = bytes.fromhex(case["bsatn"])
    assert decode_type(data) == (type_, len(data))
    assert encode_type(type_) == data
    assert type_to_json(type_) == case["json"]
    assert type_text(type_) == case["text"]


@pytest.mark.parametrize("case", cases("typespace.jsonl", "type"))
def test_a_type_is_recognised_by_its_structure(case: dict[str, Any]) -> None:
    type_ = type_from_json(case["json"])
    assert {name for name, holds in PREDICATES.items() if holds(type_)} == set(case["is"])


@pytest.mark.parametrize("case", cases("typespace.jsonl", "type"))
def test_layout_and_limits(case: dict[str, Any]) -> None:
    type_ = type_from_json(case["json"])
    if "layout_size" in case:
        assert layout(type_) == (case["layout_size"], case["layout_align"])
    elif resolve.contains_refs(type_):
        with pytest.raises(TypeRefError):
            layout(type_)
    limits = integer_range(type_)
    if limits is not None:
        assert [untyped(type_, limit) for limit in limits] == [case["min"], case["max"]]


@pytest.mark.parametrize("case", cases("typespace.jsonl", "typespace"))
def test_a_typespace_is_resolved_slot_by_slot(case: dict[str, Any]) -> None:
    typespace = typespace_from_json(case["json"])
    data = bytes.fromhex(case["bsatn"])
    assert decode_typespace(data) == (typespace, len(data))
    assert encode_typespace(typespace) == data
    assert typespace_to_json(typespace) == case["json"]
    for type_, expected in zip(typespace, case["resolved"], strict=True):
        if expected["ok"]:
            assert type_to_json(resolve.resolve(type_, typespace)) == expected["type"]
        else:
            with pytest.raises(TypeRefError) as caught:
                resolve.resolve(type_, typespace)
            assert str(caught.value) == expected["error"]


@pytest.mark.parametrize("case", cases("typespace.jsonl", "well-known"))
def test_well_known_types(case: dict[str, Any]) -> None:
    known = {
        "Identity": types.IDENTITY,
        "ConnectionId": types.CONNECTION_ID,
        "Timestamp": types.TIMESTAMP,
        "TimeDuration": types.TIME_DURATION,
        "ScheduleAt": types.SCHEDULE_AT,
        "Uuid": types.UUID,
        "Hash": types.U256,
    }[case["note"]]
    assert encode_type(known).hex() == case["bsatn"]
    assert type_to_json(known) == case["json"]


@pytest.mark.parametrize("case", cases("bsatn-invalid-types.jsonl"))
def test_faulty_types_are_refused_with_the_public_texts(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bsatn"])
    if case["decodes"]:
        type_, end = decode_type(data)
        assert (type_to_json(type_), len(data) - end) == (case["type"], case["left_over"])
    else:
        with pytest.raises(DecodeError) as caught:
            decode_type(data)
        assert (caught.value.kind, str(caught.value)) == (case["kind"], case["error"])


def test_endlessly_nested_types_are_refused() -> None:
    with pytest.raises(DecodeError, match="nested too deeply"):
        decode_type(b"\x03" * 100_000)


def test_products_also_stand_without_their_tag() -> None:
    params = product(a=U8, b=STRING)
    data = encode_product(params)
    assert encode_type(params) == b"\x02" + data
    assert decode_product(b"\xff" + data, 1) == (params, 1 + len(data))
    assert product_from_json(product_to_json(params)) == params


@pytest.mark.parametrize(
    "value",
    [None, {}, {"U33": []}, {"Ref": -1}, {"Ref": "1"}, {"Product": {}}, {"Array": 5}, {"U8": [], "U16": []}],
)
def test_json_that_is_no_type_is_refused(value: object) -> None:
    with pytest.raises(TypeFormError, match="expected the JSON form of an algebraic type"):
        type_from_json(value)


def test_a_row_takes_at_least_two_bytes_and_an_even_number() -> None:
    assert row_size(Product(())) == 2
    assert row_size(product(a=U8, b=U8, c=U8)) == 4


def test_numbers_are_clamped_into_a_type() -> None:
    assert saturate(U8, -5) == 0
    assert saturate(U8, 256) == 255
    assert saturate(I64, -(1 << 70)) == -(1 << 63)
    with pytest.raises(ValueError, match="only integer types have limits"):
        saturate(STRING, 1)


def test_chains_of_references_are_followed_to_their_end() -> None:
    assert resolve.skip_refs(Ref(0), (Ref(1), Array(Ref(0)))) == Array(Ref(0))
    assert resolve.skip_refs(Ref(0), (Ref(0),)) == Ref(0)
    assert resolve.query_view_row(product(__query__=Ref(4))) == Ref(4)
    assert resolve.query_view_row(product(__query__=U8)) is None
    assert resolve.is_simple_enum(types.sum_of(a=types.UNIT))
    assert not resolve.is_simple_enum(types.NEVER)
