"""Routes that put a program into a database, and the one that says beforehand what that would do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spacetimedb_cli.client.api import Api, failure, json_of, segment, status_text
from spacetimedb_cli.errors import PeerError


@dataclass(frozen=True, slots=True)
class AutoMigration:
    """The server can carry the data over. `plan` says how; `token` (hex) is the word for agreeing."""

    plan: str
    breaks_clients: bool
    token: str
    major_version_upgrade: bool


@dataclass(frozen=True, slots=True)
class ManualMigration:
    """The data would not fit, for `reason`."""

    reason: str
    major_version_upgrade: bool


@dataclass(frozen=True, slots=True)
class Published:
    """`domain` is the name it was published by; None where it was an identity or none."""

    domain: str | None
    identity: str
    created: bool


@dataclass(frozen=True, slots=True)
class PermissionDenied:
    """The name belongs to somebody else."""

    name: str


def pre_publish(
    api: Api, name: str, program: bytes, host_type: str, colors: bool
) -> AutoMigration | ManualMigration | None:
    """What publishing would do to the data that is there; None where there is no such database yet."""
    response = api.ask(
        "POST",
        f"/v1/database/{segment(name)}/pre_publish",
        query={"style": "AnsiColor" if colors else "NoColor", "host_type": host_type},
        body=program,
    )
    if response.status_code == 404:
        return None
    if not response.is_success:
        raise PeerError(
            f"Pre-publish check failed with status {status_text(response)}: {response.text.strip()}"
        )
    answer = json_of(response)
    try:
        ((kind, content),) = answer.items()
        upgrade = bool(content.get("major_version_upgrade", False))
        if kind == "ManualMigrate":
            return ManualMigration(str(content["reason"]), upgrade)
        plan, token = str(content["migrate_plan"]), str(content["token"])
        return AutoMigration(plan, bool(content["break_clients"]), token, upgrade)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unknown(answer) from error


def publish(
    api: Api, name: str | None, program: bytes, query: Mapping[str, str]
) -> Published | PermissionDenied:
    """Create a database or update the one of this name. `query` holds the options of the route.

    Raises `PeerError` with the server's words where it refuses the program.
    """
    method, path = ("POST", "/v1/database") if name is None else ("PUT", f"/v1/database/{segment(name)}")
    response = api.ask(method, path, query=query, body=program)
    answer = _object(response.content)
    if isinstance(denied := answer.get("PermissionDenied"), dict):
        return PermissionDenied(str(denied.get("name") or name))
    if not response.is_success:
        raise failure(response)
    done = answer.get("Success")
    if not isinstance(done, dict) or "database_identity" not in done:
        raise _unknown(answer)
    domain = done.get("domain")
    created = done.get("op") == "created"
    return Published(None if domain is None else str(domain), str(done["database_identity"]), created)


def _object(content: bytes) -> dict[str, Any]:
    """The JSON object that an answer is; an empty one for anything else, as plain words are."""
    try:
        answer = json.loads(content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _unknown(answer: Any) -> PeerError:
    return PeerError(
        f"the server answered in a form this tool does not know ({json.dumps(answer)[:200]}): "
        f"`spacetime version upgrade` brings a newer one"
    )
