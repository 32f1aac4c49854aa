"""The grammar of database names and domains, checked before anything is sent."""

from __future__ import annotations

from spacetimedb_cli.client.databases import parse_identity
from spacetimedb_cli.errors import UserError

MAX_SEGMENT = 64
MAX_SUBSEGMENTS = 256


def check_database_name(name: str) -> None:
    """Raises `UserError` unless `name` is words of ``a-z0-9`` joined by single hyphens, and no identity."""
    if parse_identity(name):
        raise UserError("database names cannot be identities")
    if not name:
        raise UserError("database names cannot be empty")
    if not all(
        character.isascii() and (character.islower() or character in "0123456789-") for character in name
    ):
        raise UserError("invalid characters in database name")
    if not all(name.split("-")):
        raise UserError("invalid hyphen in database name")


def check_domain(name: str) -> None:
    """Raises `UserError` unless `name` is segments joined by slashes, the first of them no identity."""
    reason = _domain_fault(name)
    if reason is not None:
        raise UserError(f"Error when parsing a domain, reason: {reason}")


def _domain_fault(name: str) -> str | None:
    first, *others = name.split("/")
    if len(others) > MAX_SUBSEGMENTS:
        return f"`{name}` has more than {MAX_SUBSEGMENTS} parts below its first"
    if parse_identity(first):
        return f"`{first}` is an identity"
    for segment in (first, *others):
        if not segment:
            return f"`{name}` has an empty part"
        if len(segment) > MAX_SEGMENT:
            return f"`{segment}` is longer than {MAX_SEGMENT} characters"
        if any(character.isspace() for character in segment):
            return f"`{segment}` holds white space"
    return None
