"""Module definitions that the public implementation judged: what it found wrong, and what it served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.moduledef import (
    Edition,
    ValidationErrors,
    decode,
    read_served_v9,
    read_served_v10,
    serve_v9,
    serve_v10,
    validate,
)
from spacetimedb_lib.moduledef.raw import decode_raw, encode_raw, raw_from_json, raw_to_json

VECTORS = Path(__file__).parents[1] / "vectors"

UNORDERED = {
    "Tables",
    "Types",
    "Schedules",
    "RowLevelSecurity",
    "row_level_security",
    "indexes",
    "constraints",
    "sequences",
}
"""Lists that the public system gives in the order of a hash map."""


def cases(name: str) -> list[dict[str, Any]]:
    lines = map(json.loads, (VECTORS / name).read_text(encoding="utf-8").splitlines())
    return [case for case in lines if case.get("kind", "moduledef") == "moduledef"]


ALL = [(Edition.V2_8, case) for case in cases("moduledef.jsonl")]
ALL += [(Edition.V2_14, case) for case in cases("newer-2.14.jsonl")]
EVERY = [pytest.param(edition, case, id=case["id"]) for edition, case in ALL]
SOUND = [pytest.param(edition, case, id=case["id"]) for edition, case in ALL if case["ok"]]
UNSOUND = [pytest.param(edition, case, id=case["id"]) for edition, case in ALL if "errors" in case]


def settled(value: Any, key: str = "") -> Any:
    """JSON with lists of no particular order sorted."""
    if isinstance(value, dict):
        return {name: settled(inner, name) for name, inner in value.items()}
    if not isinstance(value, list):
        return value
    items = [settled(item) for item in value]
    if key == "entries":
        return sorted(items, key=lambda item: json.dumps(item) if "Table" in item else "~")
    return sorted(items, key=json.dumps) if key in UNORDERED else items


@pytest.mark.parametrize(("edition", "case"), EVERY)
def test_bytes_and_json_of_a_raw_definition_are_the_same_thing(
    edition: Edition, case: dict[str, Any]
) -> None:
    data = bytes.fromhex(case["bsatn"])
    raw = decode_raw(data)
    assert encode_raw(raw) == data
    assert json.loads(raw_to_json(raw)) == case["raw"]
    assert raw_from_json(json.dumps(case["raw"])) == raw


@pytest.mark.parametrize(("edition", "case"), UNSOUND)
def test_everything_wrong_is_reported_in_order(edition: Edition, case: dict[str, Any]) -> None:
    with pytest.raises(ValidationErrors) as caught:
        decode(bytes.fromhex(case["bsatn"]), edition)
    found = [(error.kind.name, error.inner, error.text) for error in caught.value.errors]
    assert found == [(error["kind"], error.get("inner"), error["text"]) for error in case["errors"]]
    if "display" in case:
        assert str(caught.value) == case["display"]


@pytest.mark.parametrize(("edition", "case"), SOUND)
def test_a_sound_definition_is_served_in_both_versions(edition: Edition, case: dict[str, Any]) -> None:
    definition = decode(bytes.fromhex(case["bsatn"]), edition)
    assert list(definition.warnings) == case.get("warnings", [])
    assert settled(json.loads(serve_v10(definition))) == settled(case["as_v10"])
    if "as_v9" in case:
        served = json.loads(serve_v9(definition))
        assert settled(served) == settled(case["as_v9"])
        assert list(served) == list(case["as_v9"]), "keys come in the order of the record"


@pytest.mark.parametrize(("edition", "case"), SOUND)
def test_what_is_served_can_be_read_back(edition: Edition, case: dict[str, Any]) -> None:
    definition = decode(bytes.fromhex(case["bsatn"]), edition)
    from_v10 = read_served_v10(serve_v10(definition))
    assert set(from_v10.tables) == set(definition.tables)
    assert list(from_v10.reducers) == list(definition.reducers)
    assert list(from_v10.views) == list(definition.views)
    from_v9 = read_served_v9(serve_v9(definition))
    assert serve_v9(from_v9) == serve_v9(definition)


def test_an_index_without_a_source_name_is_an_error_and_no_crash() -> None:
    (case,) = (case for case in cases("moduledef.jsonl") if case["note"] == "index source name missing")
    with pytest.raises(ValidationErrors, match="an index of table `r` has no source name"):
        validate(raw_from_json(json.dumps(case["raw"])))
