"""Type programs find where a value ends, and refuse what is no value."""

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_engine import Program, SchemaError
from spacetimedb_lib.sats.errors import TypeRefError
from spacetimedb_lib.sats.resolve import resolve
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.type_forms import type_from_json
from spacetimedb_lib.sats.types import (
    BOOL,
    I64,
    STRING,
    U8,
    U32,
    U256,
    UNIT,
    AlgebraicType,
    Array,
    option,
    product,
    sum_of,
)

VECTORS = Path(__file__).parents[1] / "vectors"


def resolved(case: dict[str, Any]) -> AlgebraicType | None:
    """The type of a case, or None when it is recursive: no column can be."""
    typespace = tuple(type_from_json(each) for each in case.get("typespace", ()))
    try:
        return resolve(type_from_json(case["type"]), typespace)
    except TypeRefError:
        return None


def lines(name: str) -> list[dict[str, Any]]:
    cases = [json.loads(line) for line in (VECTORS / name).read_text().splitlines()]
    return [case for case in cases if resolved(case) is not None]


def program(case: dict[str, Any]) -> Program:
    type_ = resolved(case)
    assert type_ is not None
    return Program(encode_type(type_))


@pytest.mark.parametrize("case", lines("bsatn.jsonl"), ids=lambda case: str(case["id"]))
def test_finds_the_end_of_every_value(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bsatn"])
    assert program(case).end_of(data) == len(data)
    assert program(case).end_of(b"\xff" + data + b"\xff", 1) == len(data) + 1
    assert program(case).end_of(data[:-1]) == -1 or not data


@pytest.mark.parametrize("case", lines("bsatn-invalid.jsonl"), ids=lambda case: str(case["id"]))
def test_refuses_what_is_no_value(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bsatn"])
    expected = len(data) - case["left_over"] if case["decodes"] else -1
    assert program(case).end_of(data) == expected


@pytest.mark.parametrize(
    ("type_", "fixed", "plain"),
    [
        (U256, 32, True),
        (product(a=U32, b=I64), 12, True),
        (product(a=U32, b=BOOL), 5, False),
        (product(), 0, True),
        (product(a=product(b=U8, c=product(d=U32))), 5, True),
        (STRING, -1, False),
        (Array(U8), -1, False),
        (option(U8), -1, False),
        (sum_of(a=UNIT, b=UNIT), 1, False),
        (sum_of(a=U32, b=product(c=U8, d=U8, e=U8, f=U8)), 5, False),
    ],
)
def test_knows_which_types_have_one_length(type_: Any, fixed: int, plain: bool) -> None:
    compiled = Program(encode_type(type_))
    assert (compiled.fixed, compiled.plain) == (fixed, plain)


def test_runs_of_numbers_are_one_step_and_the_rest_is_still_checked() -> None:
    row = Program(encode_type(product(a=U8, b=U32, ok=BOOL, c=U8, name=STRING, d=I64)))
    good = bytes(5) + b"\1" + b"\7" + b"\2\0\0\0hi" + bytes(8)
    assert row.end_of(good) == len(good)
    assert row.end_of(good[:5] + b"\2" + good[6:]) == -1
    assert row.end_of(good.replace(b"hi", b"\xc3\x28")) == -1
    assert row.end_of(good[:-1]) == -1


def test_a_count_of_empty_elements_is_no_work() -> None:
    assert Program(encode_type(Array(UNIT))).end_of(b"\xff\xff\xff\xff") == 4


@pytest.mark.parametrize(
    "type_bytes",
    [b"", b"\x02", b"\x14", b"\x00\0\0\0\0", b"\x04\x04", b"\x02\1\0\0\0\2", b"\x03" * 200 + b"\x07"],
    ids=["empty", "cut", "tag", "reference", "two", "name", "deep"],
)
def test_refuses_bytes_that_are_no_type(type_bytes: bytes) -> None:
    with pytest.raises(SchemaError):
        Program(type_bytes)
