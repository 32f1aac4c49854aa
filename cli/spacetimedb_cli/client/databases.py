"""Routes below `/v1/database`: everything about one database but publishing it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from spacetimedb_cli.client.api import Api, failure, field_of, json_of, segment
from spacetimedb_cli.errors import CliError, PeerError, UserError
from spacetimedb_lib.identity import Identity


@dataclass(frozen=True, slots=True)
class DatabaseRef:
    """A database as the user wrote it, and the identity (64 hex digits) that it resolves to."""

    name: str
    identity: str

    @property
    def path(self) -> str:
        return f"/v1/database/{self.identity}"

    def __str__(self) -> str:
        """`name (identity)`, or the identity alone where that is how it was written."""
        return self.identity if self.name == self.identity else f"{self.name} ({self.identity})"


def parse_identity(text: str) -> str | None:
    """The 64 hex digits of an identity written with or without `0x`; None for anything else."""
    try:
        return Identity.from_hex(text).hex()
    except ValueError:
        return None


def resolve(api: Api, name: str) -> DatabaseRef:
    """The database of a name or identity. Raises `UserError` for a name that nobody has."""
    if identity := parse_identity(name):
        return DatabaseRef(name, identity)
    response = api.ask("GET", f"/v1/database/{segment(name)}/identity")
    if response.status_code == 404:
        raise UserError(f"failed to find database `{name}`.")
    if not response.is_success:
        raise failure(response)
    identity = parse_identity(response.text.strip())
    if identity is None:
        raise PeerError(f"{api.url} answered without an identity: is it a SpacetimeDB server?")
    return DatabaseRef(name, identity)


def names_of(api: Api, identity: str) -> list[str]:
    answer = api.fetch("GET", f"/v1/database/{identity}/names")
    return [str(name) for name in field_of(answer, "names")]


def size_of(api: Api, identity: str) -> int | None:
    """Bytes on the server's disk; None where the server does not tell."""
    response = api.ask("GET", f"/v1/database/{identity}/size")
    if response.status_code in (404, 405):
        return None
    if not response.is_success:
        raise failure(response)
    return sum(int(field_of(response, part)) for part in ("log", "snapshots", "module_logs"))


def schema(api: Api, database: DatabaseRef) -> tuple[int, Any]:
    """The module's definition as JSON and its version: 10, or 9 where the server knows no newer one."""
    response = api.ask("GET", f"{database.path}/schema", query={"version": "10"})
    if 400 <= response.status_code < 500:
        return 9, json_of(api.fetch("GET", f"{database.path}/schema", query={"version": "9"}))
    if not response.is_success:
        raise failure(response)
    return 10, json_of(response)


def sql(api: Api, database: DatabaseRef, query: str, confirmed: str | None = None) -> str:
    """The server's answer to a statement, as JSON text."""
    return api.fetch(
        "POST",
        f"{database.path}/sql",
        query={"confirmed": confirmed} if confirmed else None,
        body=query.encode(),
        content_type="text/plain; charset=utf-8",
    ).text


@contextmanager
def logs(api: Api, database: DatabaseRef, num_lines: int | None, follow: bool) -> Iterator[Iterator[bytes]]:
    """The log in pieces of any size: JSON records, one a line. `follow` goes on until left."""
    query = {} if num_lines is None else {"num_lines": str(num_lines)}
    with api.stream(f"{database.path}/logs", {**query, "follow": "true" if follow else "false"}) as pieces:
        yield pieces


def set_locked(api: Api, database: DatabaseRef, locked: bool) -> None:
    api.fetch("POST", f"{database.path}/{'lock' if locked else 'unlock'}")


@dataclass(frozen=True, slots=True)
class DatabaseTree:
    """A database with the databases that were published below it."""

    identity: str
    names: tuple[str, ...]
    children: tuple[DatabaseTree, ...]


@dataclass(frozen=True, slots=True)
class NeedsConfirmation:
    """Deleting takes other databases along; `token` says that they may go."""

    tree: DatabaseTree
    token: str


def delete(api: Api, database: DatabaseRef, token: str | None = None) -> NeedsConfirmation | None:
    """Delete a database, or learn what would go with it."""
    response = api.ask("DELETE", database.path, query={"token": token} if token else None)
    if response.status_code == 428:
        tree, token = field_of(response, "database_tree"), field_of(response, "confirmation_token")
        return NeedsConfirmation(_tree(tree["root"]), str(token))
    if not response.is_success:
        raise failure(response)
    return None


def rename(api: Api, database: str, name: str) -> None:
    """Give a database one name in place of all it had. Raises `PeerError` that says why not."""
    response = api.ask(
        "PUT",
        f"/v1/database/{segment(database)}/names",
        body=json.dumps([name]).encode(),
        content_type="application/json",
    )
    if not response.is_success:
        raise _renaming_failed(response, database)


def _renaming_failed(response: Any, database: str) -> CliError:
    try:
        answer = json.loads(response.content)
    except ValueError:
        return failure(response)
    kind, detail = next(iter(answer.items())) if isinstance(answer, dict) else (answer, {})
    texts = {
        "PermissionDenied": lambda: f"Permission denied for domain: {detail['domain']}",
        "PermissionDeniedOnAny": lambda: f"Permission denied for domains: {detail['domains']}",
        "DatabaseNotFound": lambda: f"Database {database} not found",
        "NotYourDatabase": lambda: f"You cannot rename {database} because it is owned by another identity.",
        "OtherError": lambda: str(detail),
    }
    return PeerError(texts[kind]()) if kind in texts else failure(response)


def _tree(node: Any) -> DatabaseTree:
    return DatabaseTree(
        str(node["database_identity"]),
        tuple(str(name) for name in node.get("database_names", ())),
        tuple(_tree(child) for child in node.get("children", ())),
    )
