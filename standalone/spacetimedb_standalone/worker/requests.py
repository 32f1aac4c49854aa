"""What the front tells of a request's sender, in private headers."""

from __future__ import annotations

import base64

from aiohttp import web

from spacetimedb_lib.identity import ConnectionId, Identity
from spacetimedb_standalone.database.caller import Caller


def caller_of(request: web.Request) -> Caller:
    headers = request.headers
    return Caller(
        identity=Identity.from_hex(headers["x-stdb-identity"]),
        connection_id=ConnectionId.from_hex(headers["x-stdb-connection-id"]),
        claims=claims_text(headers["x-stdb-claims"]),
        is_owner=headers["x-stdb-owner"] == "1",
    )


def claims_text(payload: str) -> str:
    """The JSON text in the middle part of a token (base64url without padding)."""
    return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
