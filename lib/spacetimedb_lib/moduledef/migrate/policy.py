"""Whether the publisher allows a plan.

A plan that breaks clients needs a token, which anyone can compute from the database and the two programs; it
proves no right, only that the publisher has seen this plan.
"""

from __future__ import annotations

from spacetimedb_lib.hashing import migration_token
from spacetimedb_lib.identity import Identity
from spacetimedb_lib.moduledef.migrate.errors import MigrationPolicyError
from spacetimedb_lib.moduledef.migrate.steps import Plan


def check_policy(
    plan: Plan, token: bytes | None, database: Identity, old_program: bytes, new_program: bytes
) -> None:
    """Raises `MigrationPolicyError` unless the plan may be carried out.

    `token` is None for a publisher who wants a compatible update; else it acknowledges a breaking one (32
    bytes) and must be right even when the plan breaks nothing. Programs are given by their hashes.
    """
    if token is None:
        if plan.breaks_clients:
            raise MigrationPolicyError(
                "Migration plan contains a client-breaking change which is disallowed under current policy"
            )
    elif token != migration_token(database, old_program, new_program):
        raise MigrationPolicyError("Token provided is invalid or does not match expected hash")
