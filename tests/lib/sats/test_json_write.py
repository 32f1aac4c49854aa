"""Writing values as JSON, in all styles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.errors import EncodeError
from spacetimedb_lib.sats.json_read import JsonValueError, json_reader
from spacetimedb_lib.sats.json_write import Style, derived, json_writer, typed, untyped
from spacetimedb_lib.sats.type_codec import type_from_json
from spacetimedb_lib.sats.types import (
    BYTES,
    F32,
    F64,
    I256,
    IDENTITY,
    STRING,
    U8,
    U32,
    U128,
    UNIT,
    AlgebraicType,
    Array,
    Element,
    Product,
    Sum,
    SumValue,
    Variant,
    option,
    product,
)

VECTORS = Path(__file__).parents[1] / "vectors"


def cases() -> list[Any]:
    lines = (VECTORS / "bsatn.jsonl").read_text(encoding="utf-8").splitlines()
    return [pytest.param(line, json.loads(line), id=json.loads(line)["id"]) for line in lines]


def text_of(line: str, key: str) -> str:
    """The JSON text of one column, untouched."""
    start = line.index(f'"{key}": ') + len(key) + 4
    _, end = json.JSONDecoder().raw_decode(line, start)
    return line[start:end]


@pytest.mark.parametrize(("line", "case"), cases())
def test_values_are_written_to_the_letter(line: str, case: dict[str, Any]) -> None:
    typespace = tuple(map(type_from_json, case.get("typespace", [])))
    type_ = type_from_json(case["type"])
    data = bytes.fromhex(case["bsatn"])
    value, _ = codec(type_, typespace).decode(data)
    texts = {"untyped": json_writer(type_, typespace)(value)}
    if "value_error" in case:
        with pytest.raises(EncodeError, match=case["value_error"]):
            json_writer(type_, typespace, Style.TYPED)(value)
    else:
        texts["value"] = json_writer(type_, typespace, Style.TYPED)(value)
    for column, text in texts.items():
        assert text == text_of(line, column)
        assert reads_back(type_, typespace, text, data) == case[f"{column}_reads_back"]


def reads_back(type_: AlgebraicType, typespace: tuple[AlgebraicType, ...], text: str, data: bytes) -> bool:
    try:
        return codec(type_, typespace).encode(json_reader(type_, typespace).read(text)) == data
    except JsonValueError:
        return False


PLAYER = product(
    id=U32, name=STRING, best=option(U8), nothing=UNIT, at=product(x=U8), path=Array(product(x=U8))
)
VALUE = (1, 'a "b"\n', SumValue(1, ()), (), (2,), [(3,)])


@pytest.mark.parametrize(
    ("style", "text"),
    [
        (Style.UNTYPED, r'[1,"a \"b\"\n",[1,[]],[],[2],[[3]]]'),
        (
            Style.TYPED,
            r'{"id":1,"name":"a \"b\"\n","best":{"none":{}},"nothing":{},"at":{"x":2},"path":[{"x":3}]}',
        ),
        (
            Style.DERIVED,
            r'{"id":1,"name":"a \"b\"\n","best":{"none":[]},"nothing":[],"at":{"x":2},"path":[{"x":3}]}',
        ),
        (
            Style.ROW,
            r'{"id":1,"name":"a \"b\"\n","best":[1,{}],"nothing":{},"at":{"x":2},"path":[[3]]}',
        ),
    ],
)
def test_the_styles_differ_in_names_and_units(style: Style, text: str) -> None:
    assert json_writer(PLAYER, (), style)(VALUE) == text


def test_values_can_be_had_as_python_data() -> None:
    assert untyped(PLAYER, VALUE) == [1, 'a "b"\n', [1, []], [], [2], [[3]]]
    assert typed(PLAYER, VALUE)["best"] == {"none": {}}
    assert derived(PLAYER, VALUE)["best"] == {"none": []}


def test_unnamed_members() -> None:
    pair = Product((Element(None, U8), Element("b", U8)))
    either = Sum((Variant(None, U8), Variant("b", UNIT)))
    for style in (Style.UNTYPED, Style.DERIVED, Style.ROW):
        assert json_writer(pair, (), style)((1, 2)) == "[1,2]"
    with pytest.raises(EncodeError, match="tuple element has no name"):
        json_writer(pair, (), Style.TYPED)((1, 2))
    assert json_writer(either, (), Style.TYPED)(SumValue(0, 1)) == "[0,1]"
    assert json_writer(either, (), Style.TYPED)(SumValue(1, ())) == '{"b":{}}'


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        (U128, (1 << 128) - 1, "340282366920938463463374607431768211455"),
        (I256, -255, '"-0xff"'),
        (IDENTITY, (0xC2,), '["0xc2"]'),
        (BYTES, b"\x01\xff", '"01ff"'),
        (Array(U8), b"", '""'),
        (F64, 1e16, "1e16"),
        (F64, 0.00001, "0.00001"),
        (F64, 1e-6, "1e-6"),
        (F64, float("nan"), "null"),
        (F32, 0.10000000149011612, "0.1"),
        (F32, 3.4028234663852886e38, "3.4028235e38"),
        (STRING, "\x7f\x1fé\u2028", '"\x7f\\u001fé\u2028"'),
        (Array(STRING), ["a", "b"], '["a","b"]'),
    ],
)
def test_scalars(type_: AlgebraicType, value: object, text: str) -> None:
    assert json_writer(type_)(value) == text


def test_values_of_another_type_are_refused() -> None:
    for type_, value in ((PLAYER, (1, 2)), (STRING, 5), (BYTES, "text"), (option(U8), SumValue(2, 0))):
        with pytest.raises(EncodeError):
            json_writer(type_)(value)


def test_names_of_fields_never_become_code() -> None:
    hostile = "{1/0}'''\\"
    type_ = Product((Element(hostile, U8),))
    text = json_writer(type_, (), Style.TYPED)((1,))
    assert json.loads(text) == {hostile: 1}
