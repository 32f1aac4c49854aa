"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass

from spacetimedb_lib.identity import ConnectionId, Identity


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated person on one connection.

    `claims` is the JSON text of the token's payload: the module may read it.
    """

    identity: Identity
    connection_id: ConnectionId
    claims: str
    is_owner: bool
