"""Reading arguments from JSON: every lenient form, every error with its path, text and place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.json_read import ArgumentsError, JsonValueError, arguments_codec, json_reader
from spacetimedb_lib.sats.type_codec import product_from_json, type_from_json
from spacetimedb_lib.sats.types import (
    F32,
    F64,
    I64,
    STRING,
    U8,
    U32,
    AlgebraicType,
    Array,
    Ref,
    SumValue,
    option,
    product,
)

VECTORS = Path(__file__).parents[1] / "vectors"


def cases() -> list[Any]:
    lines = (VECTORS / "json-invalid.jsonl").read_text(encoding="utf-8").splitlines()
    return [pytest.param(case, id=f"{case['id']}-{case['note']}") for case in map(json.loads, lines)]


@pytest.mark.parametrize("case", cases())
def test_arguments_are_read_or_refused_as_by_the_public_server(case: dict[str, Any]) -> None:
    typespace = tuple(map(type_from_json, case.get("typespace", [])))
    arguments = arguments_codec(case["function"], product_from_json(case["params"]), typespace)
    if case["ok"]:
        assert arguments.read(case["args"]).hex() == case["bsatn"]
        return
    with pytest.raises(ArgumentsError) as caught:
        arguments.read(case["args"])
    assert (caught.value.path, str(caught.value)) == (case.get("path"), case["error"])


ADD = arguments_codec("add", product(name=STRING, count=U8))


def test_the_body_of_a_400_tells_all_causes() -> None:
    with pytest.raises(ArgumentsError) as caught:
        ADD.read('["a", 300]')
    assert caught.value.chain("reducer") == (
        "invalid arguments for reducer add: [1]: invalid arguments for function add: [1]: [1]: "
        "invalid value: integer `300`, expected u8 at line 1 column 9"
    )


def test_what_follows_the_arguments_has_no_path() -> None:
    with pytest.raises(ArgumentsError) as caught:
        ADD.read('["a", 3] x')
    assert caught.value.chain("procedure") == (
        "invalid arguments for procedure add: trailing characters at line 1 column 10: "
        "invalid arguments for function add: trailing characters at line 1 column 10: "
        "trailing characters at line 1 column 10"
    )


@pytest.mark.parametrize(
    ("text", "path", "error"),
    [
        ('["a" 3]', ".", "expected `,` or `]` at line 1 column 6"),
        ('["a", ]', ".", "trailing comma at line 1 column 7"),
        ('["a",', ".", "EOF while parsing a value at line 1 column 5"),
        ('["a', "[0]", "EOF while parsing a string at line 1 column 3"),
        ('["a\\u12', "[0]", "EOF while parsing a string at line 1 column 7"),
        ('["\\uZZZZ", 1]', "[0]", "invalid escape at line 1 column 8"),
        ('["\\udc00", 1]', "[0]", "lone leading surrogate in hex escape at line 1 column 8"),
        ('["\\ud800\\u0041", 1]', "[0]", "lone leading surrogate in hex escape at line 1 column 14"),
        ('["a", tru]', "[1]", "expected ident at line 1 column 10"),
        ('["a", nul', "[1]", "EOF while parsing a value at line 1 column 9"),
        ('["a", -]', "[1]", "invalid number at line 1 column 8"),
        ('["a", 1e]', "[1]", "invalid number at line 1 column 9"),
        ('["a", 1.', "[1]", "EOF while parsing a value at line 1 column 8"),
        ('{"name" "a"}', ".", "expected `:` at line 1 column 9"),
        ('{"name"', ".", "EOF while parsing an object at line 1 column 7"),
        ('{"name": "a" "count": 1}', "?", "expected `,` or `}` at line 1 column 14"),
        ('{"name": "a", }', "?", "trailing comma at line 1 column 15"),
        ('{"name": "a",', "?", "EOF while parsing a value at line 1 column 13"),
        ("{name: 1}", "?", "key must be a string at line 1 column 2"),
        ("{", "?", "EOF while parsing an object at line 1 column 1"),
        ('[\n  "a",\n  "b"]', "[1]", 'invalid type: string "b", expected u8 at line 3 column 5'),
        ('["é", "é"]', "[1]", 'invalid type: string "é", expected u8 at line 1 column 11'),
        (
            '["a", "\\u0007\\"\\n"]',
            "[1]",
            'invalid type: string "\\u{7}\\"\\n", expected u8 at line 1 column 18',
        ),
    ],
)
def test_malformed_text(text: str, path: str, error: str) -> None:
    with pytest.raises(ArgumentsError) as caught:
        ADD.read(text)
    assert (caught.value.path, str(caught.value)) == (path, error)


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        (STRING, '"\\ud83d\\ude00\\u00e9\\/"', "😀é/"),
        (option(U8), "null", SumValue(1, ())),
        (option(U8), '{"some": 5}', SumValue(0, 5)),
        (F64, "1e-400", 0.0),
        (F64, "123456789012345678901234567890", 1.2345678901234568e29),
        (F32, "16777217", 16777216.0),
        (F32, "9007199791611905", 9007200328482816.0),
        (I64, "-9223372036854775808", -(1 << 63)),
        (Array(U8), '"00fF"', b"\x00\xff"),
        (Array(U8), "[0, 255]", b"\x00\xff"),
        (Array(U32), " [ 1 ,\t2 ] ", [1, 2]),
    ],
)
def test_values_read_on_their_own(type_: AlgebraicType, text: str, value: object) -> None:
    assert json_reader(type_).read(text) == value
    assert json_reader(type_).read(text.encode()) == value


def test_an_array_of_references_to_bytes_is_bytes() -> None:
    assert json_reader(Array(Ref(0)), (U8,)).read('"01ff"') == b"\x01\xff"
    assert codec(Array(Ref(0)), (U8,)).encode(b"\x01\xff") == b"\x02\x00\x00\x00\x01\xff"


def test_text_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(JsonValueError, match="invalid unicode code point"):
        json_reader(STRING).read(b'"\xff"')


def test_nesting_beyond_the_limit_is_an_error_however_deep() -> None:
    nested = (product(inner=Array(Ref(0))),)
    with pytest.raises(JsonValueError, match="recursion limit exceeded at line 1 column 128"):
        json_reader(Ref(0), nested).read("[" * 100_000)


def test_a_variant_of_very_many_digits_is_unknown() -> None:
    digits = "9" * 10_000
    with pytest.raises(JsonValueError, match=f"unknown variant `{digits}`"):
        json_reader(option(U8)).read(f'{{"{digits}":1}}')
    assert json_reader(option(U8)).read(f'{{"{"0" * 10_000}":1}}') == SumValue(0, 1)


def test_a_type_that_is_only_a_reference_to_itself_cannot_be_read() -> None:
    with pytest.raises(JsonValueError, match="recursion limit exceeded"):
        json_reader(Ref(0), (Ref(0),)).read("1")
