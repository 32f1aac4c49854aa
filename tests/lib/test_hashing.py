"""Hashes, their forms, and the migration token."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.hashing import (
    blake3,
    hash_from_hex,
    hash_from_json,
    hash_to_hex,
    hash_to_json,
    keccak256,
    migration_token,
)
from spacetimedb_lib.hex import HexError
from spacetimedb_lib.identity import Identity

LINES = (Path(__file__).parent / "vectors" / "identity.jsonl").read_text(encoding="utf-8").splitlines()


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in map(json.loads, LINES) if case["kind"] == kind]


@pytest.mark.parametrize("case", cases("hash"))
def test_hashes(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["input"])
    digest = keccak256(data)
    assert hash_to_hex(digest) == case["keccak256_hex"] == case["bsatn"]
    assert hash_to_json(digest) == case["sats_json"]
    assert hash_from_json(case["sats_json"]) == hash_from_hex(case["keccak256_hex"]) == digest
    assert blake3(data).hex() == case["blake3_hex"]


@pytest.mark.parametrize("case", cases("hash-parse"))
def test_reading_a_hash(case: dict[str, Any]) -> None:
    if case["ok"]:
        assert hash_from_hex(case["text"]).hex() == case["bytes"]
    else:
        with pytest.raises(HexError) as caught:
            hash_from_hex(case["text"])
        assert str(caught.value) == case["error"]


@pytest.mark.parametrize("text", ["ff", "0x", "0xg", "0x" + "f" * 65, "0x-1"])
def test_json_that_is_no_hash(text: str) -> None:
    with pytest.raises(ValueError, match="hash"):
        hash_from_json(text)


@pytest.mark.parametrize("case", cases("migration-token"))
def test_a_migration_token_binds_database_and_both_programs(case: dict[str, Any]) -> None:
    database = Identity.from_hex(case["database_identity"])
    token = migration_token(database, hash_from_hex(case["old_hash"]), hash_from_hex(case["new_hash"]))
    assert hash_to_hex(token) == case["token_hex"]
    assert hash_to_json(token) == case["token_json"]
