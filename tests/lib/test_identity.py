"""Identities and connection ids: their forms, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.hex import HexError
from spacetimedb_lib.identity import ConnectionId, Identity

LINES = (Path(__file__).parent / "vectors" / "identity.jsonl").read_text(encoding="utf-8").splitlines()


def cases(*kinds: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in map(json.loads, LINES) if case["kind"] in kinds]


def check_forms(number: Identity | ConnectionId, case: dict[str, Any]) -> None:
    assert number.hex() == str(number) == case["hex"] == case["serde_json"]
    assert number.bsatn.hex() == bytes(number).hex() == case["bsatn"]
    assert number.abbreviated() == case["abbreviated"]
    assert number.sats_json() == case["sats_json"]
    assert repr(number) == case.get("debug", repr(number))
    assert type(number).from_json(case["serde_json"]) == number
    assert type(number).from_int(number.to_int()) == number


@pytest.mark.parametrize("case", cases("identity-from-claims"))
def test_an_identity_follows_from_issuer_and_subject(case: dict[str, Any]) -> None:
    identity = Identity.from_claims(case["issuer"], case["subject"])
    check_forms(identity, case)
    assert str(identity.to_int()) == case["u256_decimal"]


@pytest.mark.parametrize("case", cases("identity"))
def test_forms_of_an_identity(case: dict[str, Any]) -> None:
    check_forms(Identity(bytes.fromhex(case["bsatn"])), case)


@pytest.mark.parametrize("case", cases("connection-id"))
def test_forms_of_a_connection_id(case: dict[str, Any]) -> None:
    connection = ConnectionId(bytes.fromhex(case["bsatn"]))
    check_forms(connection, case)
    assert (connection.none_if_zero() is None) == case["none_if_zero"]
    assert str(connection.to_ipv6()) == case["ipv6"]


@pytest.mark.parametrize("case", cases("identity-parse", "connection-id-parse"))
def test_reading_the_text_of_urls(case: dict[str, Any]) -> None:
    cls = Identity if case["kind"].startswith("identity") else ConnectionId
    if case["ok"]:
        assert cls.from_hex(case["text"]).bsatn.hex() == case["bsatn"]
    else:
        with pytest.raises(HexError) as caught:
            cls.from_hex(case["text"])
        assert str(caught.value) == case["error"]


@pytest.mark.parametrize("case", cases("identity-parse-serde", "connection-id-parse-serde"))
def test_reading_the_json_of_http_bodies(case: dict[str, Any]) -> None:
    """The texts are those of the public server without the place, which parsed JSON no longer tells."""
    cls = Identity if case["kind"].startswith("identity") else ConnectionId
    if case["ok"]:
        assert cls.from_json(case["json"]).bsatn.hex() == case["bsatn"]
    else:
        with pytest.raises(HexError) as caught:
            cls.from_json(case["json"])
        assert str(caught.value) == case["error"].rsplit(" at line", 1)[0]


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ([256], "invalid value: integer `256`, expected u8"),
        ([True], "invalid type: boolean `true`, expected u8"),
        ([1.5], "invalid type: floating point `1.5`, expected u8"),
        ([None], "invalid type: null, expected u8"),
        ([[]], "invalid type: sequence, expected u8"),
        (["1"], 'invalid type: string "1", expected u8'),
    ],
)
def test_lists_must_hold_bytes(value: object, error: str) -> None:
    with pytest.raises(HexError) as caught:
        Identity.from_json(value)
    assert str(caught.value) == error


def test_identities_are_values() -> None:
    assert Identity.from_int(5) == Identity(b"\x05" + bytes(31))
    assert len({Identity.ZERO, Identity(bytes(32)), Identity.from_int(1)}) == 2
    assert Identity(bytes(32)) != ConnectionId(bytes(16))
    with pytest.raises(ValueError, match="Identity takes 32 bytes, not 16"):
        Identity(bytes(16))
