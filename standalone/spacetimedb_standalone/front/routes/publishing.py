"""Routes that bring programs: publish under a name or without one, empty a database, ask what an update
would do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.control.records import Database, HostType, NameOfAnother, NameTaken
from spacetimedb_standalone.front.caller import Caller
from spacetimedb_standalone.front.databases import Databases
from spacetimedb_standalone.front.http import Refused, Response, json_response, refuse
from spacetimedb_standalone.front.inputs import (
    BODY_LIMIT,
    NameOrIdentity,
    body,
    name_or_identity,
    read_name_or_identity,
)
from spacetimedb_standalone.front.publisher import Publisher
from spacetimedb_standalone.front.query import (
    Parameter,
    boolean,
    duration,
    migration_token,
    read_query,
    unsigned,
    variant,
)
from spacetimedb_standalone.front.router import Call, Credentials, Resource
from spacetimedb_standalone.tokens.issue import TokenIssuer

_host_type: Final = variant("Wasm", "Js")
_PUBLISH_QUERY: Final = (
    Parameter("clear", boolean, default=False),
    Parameter("num_replicas", unsigned(64)),
    Parameter("token", migration_token),
    Parameter("policy", variant("Compatible", "BreakClients"), default="Compatible"),
    Parameter("host_type", _host_type, default="Wasm"),
    Parameter("parent", read_name_or_identity),
    Parameter("organization", read_name_or_identity, aliases=("org",)),
    Parameter("update_confirmation_timeout", duration, default=5.0),
)
_RESET_QUERY: Final = (
    Parameter("num_replicas", unsigned(64)),
    Parameter("host_type", _host_type, default="Wasm"),
)
_PRE_PUBLISH_QUERY: Final = (
    Parameter("style", variant("NoColor", "AnsiColor"), default="AnsiColor"),
    Parameter("host_type", _host_type, default="Wasm"),
)
_LONGEST_CONFIRMATION: Final = 300.0
_LOCKED: Final = "Database is locked and cannot be reset with --delete-data. Run `spacetime unlock` first."


@dataclass(frozen=True, slots=True)
class _Target:
    """Which database a publish is about; `domain` is the name it was called by."""

    identity: Identity
    domain: str | None

    def success(self, operation: str) -> Response:
        outcome = {"domain": self.domain, "database_identity": self.identity.hex(), "op": operation}
        return json_response({"Success": outcome})


class PublishRoutes:
    """`required_issuer` is who must have issued the token of somebody that makes a database, None for
    anybody.
    """

    def __init__(
        self, databases: Databases, publisher: Publisher, issuer: TokenIssuer, required_issuer: str | None
    ):
        self._databases = databases
        self._control = databases.control
        self._publisher = publisher
        self._issuer = issuer
        self._required_issuer = required_issuer

    def resources(self) -> list[Resource]:
        """PUT on a database's own path is `publish`, among the routes of databases."""
        paths = {
            "/v1/database": {"POST": self.publish},
            "/v1/database/:name/pre_publish": {"POST": self.pre_publish},
            "/v1/database/:name/reset": {"PUT": self.reset},
        }
        return [Resource(path, methods, Credentials.BEFORE_METHOD) for path, methods in paths.items()]

    # -- publish ----------------------------------------------------------------------------------

    async def publish(self, call: Call) -> Response:
        given = call.parameters.get("name")
        name = None if given is None else name_or_identity(given)
        query = read_query(call.request.query(), _PUBLISH_QUERY)
        program = await body(call.request, limit=None)
        caller = call.authenticated
        if query["clear"]:
            if name is None:
                raise refuse("Clear database requires database name or identity", 400)
            existing = self._existing(name)
            if existing is not None:
                if query["parent"] is not None:
                    raise refuse("Setting the parent of an existing database is not supported", 400)
                return await self._reset(caller, existing, name, query, program)
        if query["policy"] == "BreakClients" and query["token"] is None:
            raise refuse(
                "Migration policy is set to `BreakClients`, but no migration token was provided.", 400
            )
        if query["organization"] is not None:
            self._databases.find(query["organization"])
        target = await self._target(caller, name)
        if query["parent"] is not None:
            self._databases.identity_of(query["parent"])
        _check_replicas(query["num_replicas"])
        async with self._publisher.lock(target.identity):
            database = self._control.read.database(target.identity)
            if database is None:
                return await self._create(caller, target, query, program)
            return await self._update(caller, database, target, query, program)

    async def _create(
        self, caller: Caller, target: _Target, query: dict[str, Any], program: bytes
    ) -> Response:
        if self._required_issuer is not None and (caller.issuer or "").rstrip("/") != self._required_issuer:
            raise refuse("To create a database, you must be logged in with a SpacetimeDB account.", 401)
        host_type = HostType(query["host_type"])
        await self._publisher.create(target.identity, caller.identity, host_type, program)
        return target.success("created")

    async def _update(
        self, caller: Caller, database: Database, target: _Target, query: dict[str, Any], program: bytes
    ) -> Response:
        self._databases.authorize(caller, database, "update database")
        timeout = min(query["update_confirmation_timeout"], _LONGEST_CONFIRMATION)
        parameters = {"policy": query["policy"], "host_type": query["host_type"], "timeout": f"{timeout:g}"}
        if query["token"] is not None:
            parameters["token"] = query["token"].hex()
        refusal = await self._publisher.update(caller, database, parameters, program)
        return target.success("updated") if refusal is None else refusal

    async def _target(self, caller: Caller, name: NameOrIdentity | None) -> _Target:
        """The identity to publish to; a name that leads nowhere is given a new one."""
        if name is None:
            return _Target(self._issuer.new_identity().identity, None)
        if isinstance(name, Identity):
            return _Target(name, None)
        known = self._control.read.identity_of_name(name)
        if known is not None:
            return _Target(known, name)
        made = self._issuer.new_identity().identity
        try:
            await self._control.change(lambda writer: writer.add_name(name, caller.identity, made))
        except NameOfAnother as error:
            raise Refused(json_response({"PermissionDenied": {"name": error.name}}, 401)) from error
        except NameTaken:  # by somebody who published to it at the same time
            return _Target(self._databases.identity_of(name), name)
        return _Target(made, name)

    def _existing(self, name: NameOrIdentity) -> Database | None:
        identity = name if isinstance(name, Identity) else self._control.read.identity_of_name(name)
        return None if identity is None else self._control.read.database(identity)

    # -- reset and plan ---------------------------------------------------------------------------

    async def reset(self, call: Call) -> Response:
        name = name_or_identity(call.parameters["name"])
        query = read_query(call.request.query(), _RESET_QUERY)
        program = await body(call.request, BODY_LIMIT)
        database = self._databases.find(name)
        return await self._reset(call.authenticated, database, name, query, program)

    async def _reset(
        self,
        caller: Caller,
        database: Database,
        name: NameOrIdentity,
        query: dict[str, Any],
        program: bytes,
    ) -> Response:
        self._databases.authorize(caller, database, "reset database")
        _check_replicas(query["num_replicas"])
        async with self._publisher.lock(database.identity):
            if self._control.read.is_locked(database.identity):
                raise refuse(_LOCKED, 403)
            current = self._databases.find(database.identity)
            await self._publisher.reset(current, HostType(query["host_type"]), program)
        domain = None if isinstance(name, Identity) else name
        return _Target(database.identity, domain).success("updated")

    async def pre_publish(self, call: Call) -> Response:
        name = name_or_identity(call.parameters["name"])
        query = read_query(call.request.query(), _PRE_PUBLISH_QUERY)
        program = await body(call.request, limit=None)
        database = self._databases.find(name)
        self._databases.authorize(call.authenticated, database, "update database")
        parameters = {"style": query["style"], "host_type": query["host_type"]}
        return await self._databases.forward(
            call.authenticated, database, "POST", "/pre_publish", parameters, program
        )


def _check_replicas(count: int | None) -> None:
    """There is always one; the number asked for must only make sense."""
    if count is not None and count > 255:
        raise refuse(f"Replication factor {count} out of bounds", 400)
