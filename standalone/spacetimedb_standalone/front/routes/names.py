"""Routes about the names of a database: listing, adding one, replacing all."""

from __future__ import annotations

from typing import Any

from spacetimedb_lib.identity import Identity
from spacetimedb_lib.names import DatabaseNameError, check_database_name
from spacetimedb_standalone.control.records import NameOfAnother, NameTaken
from spacetimedb_standalone.front.databases import Databases
from spacetimedb_standalone.front.http import Refused, Response, json_response, refuse
from spacetimedb_standalone.front.inputs import json_body, name_or_identity, text_body, wrong_shape
from spacetimedb_standalone.front.router import Call, Credentials, Resource


class NameRoutes:
    def __init__(self, databases: Databases):
        self._databases = databases
        self._control = databases.control

    def resources(self) -> list[Resource]:
        methods = {"GET": self.list, "POST": self.add, "PUT": self.replace}
        return [Resource("/v1/database/:name/names", methods, Credentials.BEFORE_METHOD)]

    async def list(self, call: Call) -> Response:
        database = self._databases.find(name_or_identity(call.parameters["name"]))
        return json_response({"names": self._control.read.names_of(database.identity)})

    async def add(self, call: Call) -> Response:
        """Whoever owns the name, or takes a free one, may let it lead to any database."""
        target = name_or_identity(call.parameters["name"])
        name = await text_body(call.request)
        try:
            check_database_name(name)
        except DatabaseNameError as error:
            raise refuse(str(error), 400) from error
        identity = self._databases.identity_of(target)
        caller = call.authenticated.identity
        try:
            await self._control.change(lambda writer: writer.add_name(name, caller, identity))
        except NameTaken as error:
            raise refuse(str(error), 500) from error
        except NameOfAnother as error:
            raise _denied(error) from error
        return json_response({"Success": {"domain": name, "database_identity": identity.hex()}})

    async def replace(self, call: Call) -> Response:
        target = name_or_identity(call.parameters["name"])
        names = _names(await json_body(call.request))
        database = self._databases.find(target)
        caller = call.authenticated.identity
        if caller != database.owner:
            raise _refused({"NotYourDatabase": {"database": database.identity.hex()}}, 401)
        self._check_unused(names)
        try:
            await self._replace(names, caller, database.identity)
        except NameOfAnother as error:
            raise _denied(error) from error
        except NameTaken as error:  # between the check and the change, or twice in the list
            raise _in_use(error.name) from error
        return json_response("Success")

    def _check_unused(self, names: tuple[str, ...]) -> None:
        for name in names:
            if self._control.read.identity_of_name(name) is not None:
                raise _in_use(name)

    async def _replace(self, names: tuple[str, ...], caller: Identity, identity: Identity) -> None:
        await self._control.change(lambda writer: writer.replace_names(names, caller, identity))


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise wrong_shape("expected a sequence")
    if not all(isinstance(name, str) for name in value):
        raise wrong_shape("expected a string")
    for name in value:
        try:
            check_database_name(name)
        except DatabaseNameError as error:
            raise refuse(f"Error parsing `{name}`: {error}", 400) from error
    return tuple(value)


def _denied(error: NameOfAnother) -> Refused:
    return _refused({"PermissionDenied": {"domain": error.name}}, 401)


def _in_use(name: str) -> Refused:
    return _refused({"OtherError": f"Cannot rename to {name} because it already is in use."}, 400)


def _refused(value: Any, status: int) -> Refused:
    return Refused(json_response(value, status))
