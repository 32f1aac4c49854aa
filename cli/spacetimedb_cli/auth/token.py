"""What a token says about its owner, read without checking its signature: that is the server's affair."""

from __future__ import annotations

import base64
import binascii
import json

from spacetimedb_cli.errors import UserError
from spacetimedb_lib.identity import Identity


def identity_of(token: str) -> str:
    """The identity (64 hex digits) that a JSON web token stands for: a function of issuer and subject.

    Raises `UserError` where the token is none, or claims an identity that is not its own.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise UserError(f"Token does not look like a JSON web token: {token}")
    try:
        claims = json.loads(_decode(parts[1]))
        issuer, subject = claims["iss"], claims["sub"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            "Token has no readable claims `iss` and `sub`: log in again with `spacetime login`"
        ) from error
    identity = Identity.from_claims(str(issuer), str(subject)).hex()
    claimed = claims.get("hex_identity")
    if claimed is not None and claimed != identity:
        raise UserError(f"Token claims the identity {claimed}, but its issuer and subject make {identity}")
    return identity


def _decode(part: str) -> bytes:
    """Base64 without padding, in either alphabet."""
    try:
        return base64.b64decode(part.translate({ord("-"): "+", ord("_"): "/"}) + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise ValueError(str(error)) from error
