"""Routes below `/v1/identity`, and the ones that are about the server as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from spacetimedb_cli.client.api import Api, field_of


@dataclass(frozen=True, slots=True)
class Login:
    """An identity (64 hex digits) and the token that proves it."""

    identity: str
    token: str


def new_login(api: Api) -> Login:
    """An identity that the server makes up; it is only worth something on that server."""
    answer = api.fetch("POST", "/v1/identity")
    return Login(str(field_of(answer, "identity")), str(field_of(answer, "token")))


def public_key(api: Api) -> str:
    """The key that verifies the server's tokens (PEM): its fingerprint."""
    return api.fetch("GET", "/v1/identity/public-key").text


def databases_of(api: Api, identity: str) -> list[str]:
    """The databases that an identity owns, as identities."""
    answer = api.fetch("GET", f"/v1/identity/{identity}/databases")
    return [str(database) for database in field_of(answer, "identities")]


def ping(api: Api) -> int:
    """The status of the server's answer to a ping; 200 is well."""
    return api.ask("GET", "/v1/ping").status_code
