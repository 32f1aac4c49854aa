"""Keys of foreign issuers, found by OpenID Connect discovery and kept for a while.

`<issuer>/.well-known/openid-configuration` names the key set. A set is used for two hours at most and
fetched anew in the background once it is five minutes old, so that a rotation is noticed and an outage of
the issuer is not.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import jwt
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from spacetimedb_standalone.tokens.claims import TokenError, TokenParts

REFRESH_AFTER: Final = 300.0
EXPIRE_AFTER: Final = 7200.0
_ISSUERS_KEPT: Final = 256
_FETCHES_AT_ONCE: Final = 16
_TIMEOUT: Final = 10.0
_ANSWER_LIMIT: Final = 1 << 20

_log = logging.getLogger(__name__)

FetchJson = Callable[[str], Awaitable[Any]]
"""GET a URL and parse the answer as JSON; raises any exception if that fails."""


class Key(Protocol):
    """A public key of an issuer; `key_id` is None where the set does not name it."""

    @property
    def key_id(self) -> str | None: ...

    def verifies(self, parts: TokenParts) -> bool: ...


@dataclass(frozen=True, slots=True)
class JwkKey:
    key_id: str | None
    algorithm: str
    key: Any

    @classmethod
    def read(cls, jwk: dict[str, Any]) -> JwkKey | None:
        """None for a key of a kind that tokens may not be signed with here."""
        try:
            parsed = jwt.PyJWK(jwk)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            return None
        if parsed.key_type not in ("EC", "RSA") or parsed.algorithm_name not in ("ES256", "RS256"):
            return None
        return cls(parsed.key_id, parsed.algorithm_name, parsed.key)

    def verifies(self, parts: TokenParts) -> bool:
        if parts.algorithm != self.algorithm:
            return False
        if self.algorithm == "ES256":
            return ECAlgorithm(ECAlgorithm.SHA256).verify(parts.signed, self.key, parts.signature)
        return RSAAlgorithm(RSAAlgorithm.SHA256).verify(parts.signed, self.key, parts.signature)


@dataclass(frozen=True, slots=True)
class _Entry:
    keys: tuple[Key, ...]
    fetched_at: float


class IssuerKeys:
    """The keys of issuers by their name. `clock` gives seconds that only grow."""

    def __init__(self, fetch: FetchJson, clock: Callable[[], float]):
        self._fetch = fetch
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._running: dict[str, asyncio.Task[tuple[Key, ...]]] = {}
        self._slots = asyncio.Semaphore(_FETCHES_AT_ONCE)

    async def of(self, issuer: str) -> tuple[Key, ...]:
        """Raises `TokenError` if the issuer does not answer with a key set."""
        entry = self._entries.get(issuer)
        age = self._clock() - entry.fetched_at if entry is not None else EXPIRE_AFTER
        if entry is None or age >= EXPIRE_AFTER:
            return await asyncio.shield(self._start(issuer))
        if age >= REFRESH_AFTER:
            self._start(issuer)
        self._entries.move_to_end(issuer)
        return entry.keys

    def _start(self, issuer: str) -> asyncio.Task[tuple[Key, ...]]:
        """One fetch per issuer at a time; whoever comes meanwhile waits for the same one."""
        running = self._running.get(issuer)
        if running is None:
            running = asyncio.get_running_loop().create_task(self._load(issuer))
            self._running[issuer] = running
            running.add_done_callback(lambda task: self._finished(issuer, task))
        return running

    def _finished(self, issuer: str, task: asyncio.Task[tuple[Key, ...]]) -> None:
        self._running.pop(issuer, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("cannot fetch the keys of issuer %s: %s", issuer, error.__cause__ or error)

    async def _load(self, issuer: str) -> tuple[Key, ...]:
        try:
            async with self._slots:
                url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
                document = await self._fetch(url)
                key_set = await self._fetch(str(document["jwks_uri"]))
                read = [JwkKey.read(jwk) for jwk in key_set["keys"]]
        except Exception as error:  # whatever a foreign server may do: it is the token that is not accepted
            raise TokenError(f"Error fetching public key for issuer {issuer}") from error
        keys = tuple(key for key in read if key is not None)
        self._entries[issuer] = _Entry(keys, self._clock())
        while len(self._entries) > _ISSUERS_KEPT:
            self._entries.popitem(last=False)
        return keys


async def fetch_json(url: str) -> Any:
    """GET `url` (http or https) and parse its JSON. Raises `ValueError` or an error of the HTTP client."""
    import json

    import httpx

    async with (
        httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=True, max_redirects=5) as client,
        client.stream("GET", url) as answer,
    ):
        answer.raise_for_status()
        body = b""
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > _ANSWER_LIMIT:
                raise ValueError(f"the answer of {url} is larger than {_ANSWER_LIMIT} bytes")
    return json.loads(body)
