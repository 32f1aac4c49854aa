"""Energy balances, which a standalone server keeps for show: no call is ever refused for one."""

from __future__ import annotations

from spacetimedb_standalone.control.state import ControlState
from spacetimedb_standalone.front.caller import Doorkeeper
from spacetimedb_standalone.front.http import Refused, Response, empty, json_response
from spacetimedb_standalone.front.inputs import path_identity
from spacetimedb_standalone.front.query import QueryError, unsigned
from spacetimedb_standalone.front.router import Call, Resource

_read_amount = unsigned(128)


class EnergyRoutes:
    def __init__(self, control: ControlState, doorkeeper: Doorkeeper):
        self._control = control
        self._doorkeeper = doorkeeper

    def resources(self) -> list[Resource]:
        methods = {"GET": self.balance, "PUT": self.set_balance, "POST": self.add}
        return [Resource("/v1/energy/:identity", methods)]

    async def balance(self, call: Call) -> Response:
        identity = path_identity(call.parameters["identity"])
        return _balance(self._control.read.energy_of(identity))

    async def set_balance(self, call: Call) -> Response:
        """Nobody may."""
        path_identity(call.parameters["identity"])
        await self._doorkeeper.required(call.request)
        return empty(401)

    async def add(self, call: Call) -> Response:
        """To the caller's own balance, whoever the path names."""
        path_identity(call.parameters["identity"])
        caller = await self._doorkeeper.required(call.request)
        amount = _amount(dict(reversed(call.request.query())).get("amount"))
        balance = await self._control.change(lambda writer: writer.add_energy(caller.identity, amount))
        return _balance(balance)


def _amount(text: str | None) -> int:
    try:
        return 0 if text is None else _read_amount(text)
    except QueryError as error:
        raise Refused(empty(400)) from error


def _balance(balance: int) -> Response:
    return json_response({"balance": str(balance)})
