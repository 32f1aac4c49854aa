"""Routes about people: new identities, whose a token is, short-lived tokens, what somebody owns."""

from __future__ import annotations

from spacetimedb_standalone.control.state import ControlState
from spacetimedb_standalone.front.caller import Doorkeeper
from spacetimedb_standalone.front.http import Response, empty, json_response
from spacetimedb_standalone.front.inputs import path_identity
from spacetimedb_standalone.front.router import Call, Resource
from spacetimedb_standalone.tokens.issue import TokenIssuer


class IdentityRoutes:
    """`public_pem` is the file with the key that verifies this server's tokens."""

    def __init__(self, control: ControlState, doorkeeper: Doorkeeper, issuer: TokenIssuer, public_pem: bytes):
        self._control = control
        self._doorkeeper = doorkeeper
        self._issuer = issuer
        self._public_pem = public_pem

    def resources(self) -> list[Resource]:
        return [
            Resource("/v1/identity", {"POST": self.create}),
            Resource("/v1/identity/public-key", {"GET": self.public_key}),
            Resource("/v1/identity/websocket-token", {"POST": self.websocket_token}),
            Resource("/v1/identity/:identity/verify", {"GET": self.verify}),
            Resource("/v1/identity/:identity/databases", {"GET": self.databases}),
        ]

    async def create(self, call: Call) -> Response:
        made = self._issuer.new_identity()
        return json_response({"identity": made.identity.hex(), "token": made.token})

    async def public_key(self, call: Call) -> Response:
        return Response(200, [("content-type", "application/pem-certificate-chain")], self._public_pem)

    async def websocket_token(self, call: Call) -> Response:
        caller = await self._doorkeeper.required(call.request)
        assert caller.claims is not None  # who presents a token has its claims
        return json_response({"token": self._issuer.short_lived(caller.claims)})

    async def verify(self, call: Call) -> Response:
        identity = path_identity(call.parameters["identity"])
        caller = await self._doorkeeper.required(call.request)
        return empty(204 if caller.identity == identity else 400)

    async def databases(self, call: Call) -> Response:
        owner = path_identity(call.parameters["identity"])
        owned = self._control.read.databases_of(owner)
        return json_response({"identities": [database.identity.hex() for database in owned]})
