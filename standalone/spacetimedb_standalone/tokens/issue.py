"""Tokens that this server issues: ES256, issuer `localhost`, audience `spacetimedb`, the identity as a
claim.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import jwt

from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.tokens.claims import Claims
from spacetimedb_standalone.tokens.keys import KeyPair

LOCAL_ISSUER: Final = "localhost"
AUDIENCE: Final = "spacetimedb"
SHORT_LIFE: Final = 60
"""Seconds that a token for opening a WebSocket lives."""


@dataclass(frozen=True, slots=True, repr=False)
class IssuedToken:
    token: str
    identity: Identity


class TokenIssuer:
    """Signs with the server's own key. `now` gives Unix seconds."""

    def __init__(self, keys: KeyPair, now: Callable[[], float], new_subject: Callable[[], str] | None = None):
        self._keys = keys
        self._now = now
        self._new_subject = new_subject or (lambda: str(uuid.uuid4()))

    def new_identity(self) -> IssuedToken:
        """Somebody who has never been here, with a token that does not expire."""
        subject = self._new_subject()
        identity = Identity.from_claims(LOCAL_ISSUER, subject)
        return IssuedToken(self._sign(LOCAL_ISSUER, subject, (AUDIENCE,), None, identity, {}), identity)

    def short_lived(self, claims: Claims) -> str:
        """A token for the same person, whoever issued theirs, good for a minute."""
        expires = int(self._now()) + SHORT_LIFE
        return self._sign(
            claims.issuer, claims.subject, claims.audience, expires, claims.identity, claims.extra
        )

    def _sign(
        self,
        issuer: str,
        subject: str,
        audience: tuple[str, ...],
        expires: int | None,
        identity: Identity,
        extra: dict[str, Any],
    ) -> str:
        payload = {
            "hex_identity": identity.hex(),
            "sub": subject,
            "iss": issuer,
            "aud": list(audience),
            "iat": int(self._now()),
            "exp": expires,
            **extra,
        }
        return jwt.encode(payload, self._keys.private, algorithm="ES256")


def payload_segment(token: str) -> str:
    """The middle part of a token this server made or accepted: its claims, base64url."""
    return token.split(".")[1]


def claims_text(segment: str) -> str:
    """The claims in a payload segment as JSON text, as the token has them."""
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode()


def claims_of(segment: str) -> dict[str, Any]:
    """The claims in a payload segment, parsed."""
    parsed: dict[str, Any] = json.loads(claims_text(segment))
    return parsed
