"""Who sends a request: credentials to identity, for routes that ask for them and for routes that merely
look.
"""

from __future__ import annotations

from dataclasses import dataclass

from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.front.http import Request, refuse
from spacetimedb_standalone.tokens.claims import Claims, TokenError
from spacetimedb_standalone.tokens.credentials import MalformedCredentials, request_token
from spacetimedb_standalone.tokens.issue import TokenIssuer, payload_segment
from spacetimedb_standalone.tokens.validate import TokenValidator


@dataclass(frozen=True, slots=True, repr=False)
class Caller:
    """`token` is as presented, or made for this request; `claims` is None in the latter case."""

    identity: Identity
    token: str
    claims: Claims | None

    @property
    def issuer(self) -> str | None:
        return None if self.claims is None else self.claims.issuer

    def claims_segment(self) -> str:
        """The token's claims in base64url, as databases are told them."""
        return payload_segment(self.token)

    def headers(self) -> list[tuple[str, str]]:
        """What every answer on the routes of databases says about the caller."""
        return [("spacetime-identity", self.identity.hex()), ("spacetime-identity-token", self.token)]


class Doorkeeper:
    """Turns requests into callers; refuses bad credentials with 400 or 401."""

    def __init__(self, issuer: TokenIssuer, validator: TokenValidator):
        self._issuer = issuer
        self._validator = validator

    async def known(self, request: Request) -> Caller | None:
        """The caller whose token the request carries, None if it carries none."""
        try:
            token = request_token(request.header("authorization"), request.query())
            if token is None:
                return None
            claims = await self._validator.validate(token)
        except MalformedCredentials as error:
            raise refuse(str(error), 400) from error
        except TokenError as error:
            raise refuse(str(error), 401) from error
        return Caller(claims.identity, token, claims)

    async def required(self, request: Request) -> Caller:
        """The same, for routes where nobody may come without a token."""
        caller = await self.known(request)
        if caller is None:
            raise refuse("Authorization required", 401)
        return caller

    async def anybody(self, request: Request) -> Caller:
        """The caller; who brings no token is somebody new and is given one."""
        caller = await self.known(request)
        if caller is not None:
            return caller
        made = self._issuer.new_identity()
        return Caller(made.identity, made.token, None)
