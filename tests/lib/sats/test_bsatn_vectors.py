"""BSATN against values and faulty bytes that the public implementation wrote and judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.sats.bsatn import Codec, codec
from spacetimedb_lib.sats.errors import DecodeError
from spacetimedb_lib.sats.type_codec import type_from_json

VECTORS = Path(__file__).parents[1] / "vectors"


def cases(name: str) -> list[Any]:
    lines = (VECTORS / name).read_text(encoding="utf-8").splitlines()
    return [pytest.param(case, id=case["id"]) for case in map(json.loads, lines)]


def codec_of(case: dict[str, Any]) -> Codec:
    typespace = tuple(map(type_from_json, case.get("typespace", [])))
    return codec(type_from_json(case["type"]), typespace)


@pytest.mark.parametrize("case", cases("bsatn.jsonl"))
def test_a_value_survives_decoding_and_encoding_wherever_it_stands(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bsatn"])
    value, end = codec_of(case).decode(data)
    assert end == len(data)
    assert codec_of(case).encode(value) == data
    again, end = codec_of(case).decode(memoryview(b"\xaa" + data + b"\xbb"), 1)
    assert end == 1 + len(data)
    assert codec_of(case).encode(again) == data


@pytest.mark.parametrize("case", cases("bsatn-invalid.jsonl"))
def test_faulty_bytes_are_refused_with_the_public_texts(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bsatn"])
    if case["decodes"]:
        _, end = codec_of(case).decode(data)
        assert len(data) - end == case["left_over"]
    else:
        with pytest.raises(DecodeError) as caught:
            codec_of(case).decode(data)
        assert (caught.value.kind, str(caught.value)) == (case["kind"], case["error"])
