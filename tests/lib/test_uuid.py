"""UUIDs: reading, writing, making."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.sats.json_write import typed
from spacetimedb_lib.sats.types import UUID
from spacetimedb_lib.uuid import Uuid, UuidError

LINES = (Path(__file__).parent / "vectors" / "identity.jsonl").read_text(encoding="utf-8").splitlines()


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in map(json.loads, LINES) if case["kind"] == kind]


@pytest.mark.parametrize("case", cases("uuid-parse"))
def test_reading_a_uuid(case: dict[str, Any]) -> None:
    if not case["ok"]:
        with pytest.raises(UuidError) as caught:
            Uuid.parse(case["text"])
        assert str(caught.value) == case["error"]
        return
    uuid = Uuid.parse(case["text"])
    assert str(uuid) == case["display"]
    assert uuid.bsatn().hex() == case["bsatn"]
    assert typed(UUID, (uuid.number,)) == case["sats_json"]
    version = uuid.version()
    assert (f"Some({version.capitalize()})" if version else "None") == case["version"]


@pytest.mark.parametrize("case", cases("uuid-v4"))
def test_version_4_marks_random_bytes(case: dict[str, Any]) -> None:
    uuid = Uuid.v4(bytes.fromhex(case["random"]))
    assert (str(uuid), uuid.bsatn().hex()) == (case["display"], case["bsatn"])
    assert uuid.version() == "v4"


@pytest.mark.parametrize("case", cases("uuid-v7"))
def test_version_7_is_made_of_time_counter_and_chance(case: dict[str, Any]) -> None:
    uuid, counter = Uuid.v7(case["counter"], case["micros"], bytes.fromhex(case["random"]))
    assert (str(uuid), counter) == (case["display"], case["counter_after"])


def test_version_7_sorts_by_time_and_then_by_counter() -> None:
    counter, made = 0, []
    for micros in (1_000, 1_000, 2_000):
        uuid, counter = Uuid.v7(counter, micros, b"\xff\xff\xff\xff")
        made.append(uuid)
    assert made == sorted(made)
    with pytest.raises(UuidError, match="after the Unix epoch"):
        Uuid.v7(0, -1, bytes(4))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("936da01f-9abd-4d9d-80c7-02af85c822a89", "invalid group length in group 4: expected 12, found 13"),
        ("936da01-f9abd-4d9d-80c7-02af85c822a8", "invalid group length in group 0: expected 8, found 7"),
        ("{936da01f9abd4d9d80c702af85c822a8}", "invalid group count: expected 5, found 1"),
        ("936da01f-9abd-4d9d-80c7-02af85c822aé", "found `é` at 36"),
    ],
)
def test_other_faults(text: str, error: str) -> None:
    with pytest.raises(UuidError) as caught:
        Uuid.parse(text)
    assert str(caught.value).endswith(error)
