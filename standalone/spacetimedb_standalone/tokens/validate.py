"""Whether a token is accepted, and whose it is.

1. The server's own key verifies it, whatever issuer it names: foreign tokens that we signed again are good.
2. Otherwise the claims are read unverified. A token that says we issued it fails with the local error.
3. Otherwise a key of the named issuer must verify it.

Accepted tokens are remembered by their hash for a few minutes, because the same one comes with every request.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from jwt.algorithms import ECAlgorithm

from spacetimedb_standalone.tokens.claims import (
    LEEWAY,
    Claims,
    TokenError,
    TokenParts,
    check_names,
    read_claims,
    split_token,
)
from spacetimedb_standalone.tokens.issue import LOCAL_ISSUER
from spacetimedb_standalone.tokens.keys import KeyPair
from spacetimedb_standalone.tokens.oidc import IssuerKeys

_REMEMBER_FOR: Final = 300.0
_REMEMBERED: Final = 4096
_ACCEPTED_ALGORITHMS: Final = ("ES256", "RS256", "HS256")
_ES256: Final = ECAlgorithm(ECAlgorithm.SHA256)


@dataclass(frozen=True, slots=True)
class _Accepted:
    claims: Claims
    until: float


class TokenValidator:
    """`now` gives Unix seconds."""

    def __init__(self, keys: KeyPair, foreign: IssuerKeys, now: Callable[[], float]):
        self._keys = keys
        self._foreign = foreign
        self._now = now
        self._accepted: OrderedDict[bytes, _Accepted] = OrderedDict()

    async def validate(self, token: str) -> Claims:
        """The claims of an acceptable token. Raises `TokenError` with the text for the client."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        known = self._accepted.get(digest)
        if known is not None and self._now() < known.until:
            return known.claims
        parts = split_token(token)
        claims = await self._verify(parts)
        check_names(claims, parts.payload)
        self._remember(digest, claims)
        return claims

    async def _verify(self, parts: TokenParts) -> Claims:
        local_error = self._local_error(parts)
        claims = read_claims(parts.payload, self._now())
        if local_error is None:
            return claims
        if claims.issuer == LOCAL_ISSUER:
            raise local_error
        if not await self._verified_by_issuer(parts, claims.issuer):
            raise TokenError("Invalid token: InvalidSignature")
        return claims

    def _local_error(self, parts: TokenParts) -> TokenError | None:
        """None if the server's own key verifies the token."""
        if parts.algorithm not in _ACCEPTED_ALGORITHMS:
            return TokenError("Invalid token: InvalidAlgorithm")
        if parts.algorithm == "ES256" and _ES256.verify(parts.signed, self._keys.public, parts.signature):
            return None
        return TokenError("Invalid token: InvalidSignature")

    async def _verified_by_issuer(self, parts: TokenParts, issuer: str) -> bool:
        keys = await self._foreign.of(issuer)
        if parts.key_id is None:
            return any(key.verifies(parts) for key in keys)
        named = [key for key in keys if key.key_id == parts.key_id]
        if not named:
            raise TokenError("Specified key ID not found in JWKs")
        return any(key.verifies(parts) for key in named)

    def _remember(self, digest: bytes, claims: Claims) -> None:
        until = self._now() + _REMEMBER_FOR
        if claims.expires is not None:
            until = min(until, claims.expires + LEEWAY)
        self._accepted[digest] = _Accepted(claims, until)
        self._accepted.move_to_end(digest)
        while len(self._accepted) > _REMEMBERED:
            self._accepted.popitem(last=False)
