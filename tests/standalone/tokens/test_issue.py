"""Tokens that the server issues."""

import base64
import json
from typing import Any

import jwt

from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.tokens.claims import Claims
from spacetimedb_standalone.tokens.issue import (
    TokenIssuer,
    claims_of,
    claims_text,
    payload_segment,
)
from spacetimedb_standalone.tokens.keys import KeyPair

NOW = 1_700_000_000.0


def issuer(keys: KeyPair) -> TokenIssuer:
    return TokenIssuer(keys, lambda: NOW, lambda: "test-subject")


def header(token: str) -> dict[str, Any]:
    segment = token.split(".")[0]
    parsed: dict[str, Any] = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return parsed


def test_a_new_identity_gets_a_token_with_all_six_claims(keys: KeyPair) -> None:
    made = issuer(keys).new_identity()
    assert made.identity.hex() == "c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38"
    assert header(made.token) == {"typ": "JWT", "alg": "ES256"}
    assert "=" not in made.token
    assert claims_of(payload_segment(made.token)) == {
        "hex_identity": made.identity.hex(),
        "sub": "test-subject",
        "iss": "localhost",
        "aud": ["spacetimedb"],
        "iat": 1_700_000_000,
        "exp": None,
    }


def test_everybody_who_can_do_es256_can_verify_it(keys: KeyPair) -> None:
    made = issuer(keys).new_identity()
    jwt.decode(
        made.token,
        keys.public_pem,
        algorithms=["ES256"],
        audience="spacetimedb",
        options={"verify_exp": False},
    )


def test_subjects_are_never_the_same(keys: KeyPair) -> None:
    fresh = TokenIssuer(keys, lambda: NOW)
    assert fresh.new_identity().identity != fresh.new_identity().identity


def test_a_short_lived_token_is_the_same_person_for_a_minute(keys: KeyPair) -> None:
    identity = Identity.from_claims("https://example.org/", "ann")
    claims = Claims("https://example.org/", "ann", ("app",), 1, None, identity, {"email": "ann@example.org"})
    short = claims_of(payload_segment(issuer(keys).short_lived(claims)))
    assert (short["iss"], short["sub"], short["aud"]) == ("https://example.org/", "ann", ["app"])
    assert (short["iat"], short["exp"]) == (1_700_000_000, 1_700_000_060)
    assert (short["email"], short["hex_identity"]) == ("ann@example.org", identity.hex())


def test_the_text_of_the_claims_is_the_tokens_own(keys: KeyPair) -> None:
    segment = base64.urlsafe_b64encode('{ "sub": "ä" }'.encode()).decode().rstrip("=")
    assert claims_text(segment) == '{ "sub": "ä" }'
