"""Taking a JWT apart without trusting it: its three parts, the header's algorithm, the claims we read.

The texts of `TokenError` are what clients of the public system see, down to the names of its JSON reader's
complaints.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Final

from spacetimedb_lib.hex import HexError
from spacetimedb_lib.identity import Identity

ALGORITHMS: Final = (
    "HS256", "HS384", "HS512", "ES256", "ES384", "RS256", "RS384", "RS512",
    "PS256", "PS384", "PS512", "EdDSA",
)  # fmt: skip
LEEWAY: Final = 60
"""Seconds that a token outlives its expiry, for clocks that differ."""
_NAME_LIMIT: Final = 128


class TokenError(Exception):
    """The token is not accepted: the caller's fault. The text is for the caller and never holds the token."""


@dataclass(frozen=True, slots=True, repr=False)
class TokenParts:
    """A compact JWT taken apart. `payload_segment` is the middle part as it stood, base64url."""

    algorithm: str
    key_id: str | None
    signed: bytes
    signature: bytes
    payload_segment: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Claims:
    """What we read of a token. `extra` are the claims that mean nothing to us; `expires` is Unix seconds."""

    issuer: str
    subject: str
    audience: tuple[str, ...]
    issued_at: int
    expires: int | None
    identity: Identity
    extra: dict[str, Any]


def split_token(token: str) -> TokenParts:
    """Raises `TokenError` unless `token` has three parts, the first of them a header we understand."""
    parts = token.rsplit(".", 2)
    if len(parts) != 3:
        raise TokenError("Invalid token: InvalidToken")
    header_segment, payload_segment, signature_segment = parts
    header = _json_object(_base64(header_segment))
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise TokenError("Invalid token: JSON error: missing field `alg` at line 1 column 2")
    if algorithm not in ALGORITHMS:
        expected = ", ".join(f"`{name}`" for name in ALGORITHMS)
        raise TokenError(
            f"Invalid token: JSON error: unknown variant `{algorithm}`, expected one of {expected}"
        )
    key_id = header.get("kid")
    return TokenParts(
        algorithm,
        key_id if isinstance(key_id, str) else None,
        f"{header_segment}.{payload_segment}".encode(),
        _base64(signature_segment),
        payload_segment,
        _base64(payload_segment),
    )


def read_claims(payload: bytes, now: float) -> Claims:
    """The claims in a token's payload, whoever signed it; `now` is Unix seconds.

    Raises `TokenError` for missing or ill-typed claims, an expired token, and names out of bounds.
    """
    fields = _json_object(payload)
    end = len(payload)
    subject = _required(fields, "sub", str, "a string", end)
    issuer = _required(fields, "iss", str, "a string", end)
    issued_at = _required(fields, "iat", int, "i64", end)
    expires = fields.get("exp")
    if expires is not None and (not isinstance(expires, int | float) or isinstance(expires, bool)):
        raise TokenError(
            f"Invalid token: JSON error: invalid type for `exp`, expected i64 at line 1 column {end}"
        )
    if expires is not None and expires < now - LEEWAY:
        raise TokenError("Invalid token: ExpiredSignature")
    identity = Identity.from_claims(issuer, subject)
    known = {"sub", "iss", "aud", "iat", "exp", "hex_identity"}
    return Claims(
        issuer,
        subject,
        _audience(fields.get("aud"), end),
        issued_at,
        None if expires is None else int(expires),
        identity,
        {name: value for name, value in fields.items() if name not in known},
    )


def check_names(claims: Claims, payload: bytes) -> None:
    """The checks that come after the signature: lengths of the names, and the identity if the token states
    one.
    """
    for what, name in (("Issuer", claims.issuer), ("Subject", claims.subject)):
        if not name:
            raise TokenError(f"{what} empty")
        if len(name.encode()) > _NAME_LIMIT:
            raise TokenError(f"{what} too long: {json.dumps(name, ensure_ascii=False)}")
    stated = _json_object(payload).get("hex_identity")
    if stated is None:
        return
    try:
        matches = isinstance(stated, str) and Identity.from_json(stated) == claims.identity
    except HexError:
        matches = False
    if not matches:
        raise TokenError(
            f"Identity mismatch: token has identity {stated!r}, but its names give {claims.identity}"
        )


def _required(fields: dict[str, Any], name: str, kind: type, expected: str, end: int) -> Any:
    if name not in fields:
        raise TokenError(f"Invalid token: JSON error: missing field `{name}` at line 1 column {end}")
    value = fields[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        wrong = f"invalid type for `{name}`, expected {expected} at line 1 column {end}"
        raise TokenError(f"Invalid token: JSON error: {wrong}")
    return value


def _audience(value: Any, end: int) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise TokenError(
        f"Invalid token: JSON error: data did not match any variant for `aud` at line 1 column {end}"
    )


def _json_object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise TokenError(f"Invalid token: JSON error: {error}") from error
    if not isinstance(value, dict):
        raise TokenError("Invalid token: JSON error: invalid type, expected a map at line 1 column 0")
    return value


def _base64(segment: str) -> bytes:
    if not segment.isascii() or "=" in segment or "+" in segment or "/" in segment:
        raise TokenError("Invalid token: Base64 error: Invalid symbol in a part of the token")
    try:
        raw = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise TokenError(f"Invalid token: Base64 error: {error}") from error
    return raw
