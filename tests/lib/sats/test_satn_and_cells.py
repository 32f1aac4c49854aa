"""Values as text: SATN, cells of a table, and the floats in them."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.cells import CLI, POSTGRES, cell
from spacetimedb_lib.sats.display import float_debug, float_json, float_plain, quoted, shortest_digits
from spacetimedb_lib.sats.floats import f32_from_bits, round_to_f32
from spacetimedb_lib.sats.satn import satn, satn_pretty
from spacetimedb_lib.sats.type_codec import type_from_json
from spacetimedb_lib.timestamp import TimestampRangeError

VECTORS = Path(__file__).parents[1] / "vectors"


def cases(name: str, *kinds: str | None) -> list[Any]:
    lines = map(json.loads, (VECTORS / name).read_text(encoding="utf-8").splitlines())
    return [pytest.param(case, id=case["id"]) for case in lines if case.get("kind") in kinds]


def value_of(case: dict[str, Any]) -> tuple[Any, Any, tuple[Any, ...]]:
    typespace = tuple(map(type_from_json, case.get("typespace", [])))
    type_ = type_from_json(case["type"])
    return type_, codec(type_, typespace).decode_exact(bytes.fromhex(case["bsatn"])), typespace


@pytest.mark.parametrize("case", cases("bsatn.jsonl", None))
def test_satn(case: dict[str, Any]) -> None:
    assert satn(*value_of(case)) == case["satn"]


@pytest.mark.parametrize("case", cases("format.jsonl", "cell"))
def test_satn_on_one_line_and_on_many(case: dict[str, Any]) -> None:
    assert satn(*value_of(case)) == case["satn"]
    assert satn_pretty(*value_of(case)) == case["satn_pretty"]


@pytest.mark.parametrize("case", cases("format.jsonl", "cell"))
@pytest.mark.parametrize(("style", "column"), [(CLI, "cli"), (POSTGRES, "postgres")], ids=["cli", "postgres"])
def test_cells(case: dict[str, Any], style: Any, column: str) -> None:
    if case.get(f"{column}_panics"):
        with pytest.raises(TimestampRangeError):
            cell(style, *value_of(case))
    else:
        assert cell(style, *value_of(case)) == case[column]


@pytest.mark.parametrize("case", cases("format.jsonl", "f32", "f64"))
def test_floats(case: dict[str, Any]) -> None:
    bits, f32 = int(case["bits"], 16), case["kind"] == "f32"
    value = f32_from_bits(bits) if f32 else struct.unpack("<d", struct.pack("<Q", bits))[0]
    texts = float_plain(value, f32), float_debug(value, f32), float_json(value, f32)
    assert texts == (case["display"], case["debug"], case["json"])


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_f32_texts_read_back_and_have_nine_digits_at_most(value: float) -> None:
    for form in (float_plain, float_debug, float_json):
        assert round_to_f32(float(form(value, True))) == value
    if value:
        assert len(shortest_digits(abs(value), True)[0]) <= 9


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_f64_texts_read_back(value: float) -> None:
    for form in (float_plain, float_debug, float_json):
        assert float(form(value)) == value


def test_f32_digits_are_no_more_than_needed_at_powers_of_two() -> None:
    assert float_json(2.0**-44, True) == "5.684342e-14"
    assert float_json(2.0**90, True) == "1.2379401e27"
    assert float_json(2.0**-149, True) == "1e-45"


def test_strings_in_errors_are_quoted() -> None:
    assert quoted("a\"b\\\n\0\x01é\u200b\u0301'") == '"a\\"b\\\\\\n\\0\\u{1}é\\u{200b}\\u{301}\'"'
