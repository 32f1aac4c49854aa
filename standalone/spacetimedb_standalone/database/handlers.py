"""HTTP handlers of a module: which one a request is for, the request as it sees it, its answer.

A handler is a procedure of another shape: it runs in the same pool, may wait, and opens transactions by
itself. Nobody is connected while it runs; its sender is a fresh identity for each request, so that a module
can tell requests apart but knows nobody.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from spacetimedb_engine import Status
from spacetimedb_lib.identity import Identity
from spacetimedb_lib.moduledef import HttpHandlerDef, HttpRouteDef, ModuleDef
from spacetimedb_lib.sats.errors import DecodeError
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.procedures import NO_BUDGET
from spacetimedb_standalone.database.waiting_pool import WaitingPool
from spacetimedb_standalone.host.http_messages import (
    METHODS,
    HttpRequest,
    HttpResponse,
    decode_response,
    encode_request,
)
from spacetimedb_standalone.host.wasm.instance import WasmInstance
from spacetimedb_standalone.ports.clock import Clock

LOWEST_STATUS, HIGHEST_STATUS = 100, 999
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class HandlerAnswer:
    """`response` None: the handler failed, and `text` is what the client may be told.

    `offset` is the last transaction that the handler has seen, -1 if it opened none.
    """

    response: HttpResponse | None
    body: bytes = b""
    text: str = ""
    offset: int = -1


class Handlers:
    """For the engine's thread."""

    def __init__(self, database: Database, pool: WaitingPool, clock: Clock) -> None:
        self._database, self._pool, self._clock = database, pool, clock

    def find(self, method: str, path: str) -> HttpHandlerDef | None:
        """The handler of the first route with exactly this path that takes this method."""
        return find_handler(self._database.definition, method, path)

    def start(
        self,
        handler: HttpHandlerDef,
        request: HttpRequest,
        body: bytes,
        done: Callable[[HandlerAnswer], None],
    ) -> None:
        """Returns at once; `done` gets the answer, later, on the engine's thread."""
        sender, claims = self._nobody()

        def work(instance: WasmInstance) -> HandlerAnswer:
            head = encode_request(request)
            outcome = instance.call_handler(
                handler.id, handler.full_name, bytes(sender), claims, self._clock.now(), head, body
            )
            if outcome.status is Status.OK:
                return _answer(handler.full_name, outcome.response, outcome.body)
            return HandlerAnswer(None, text=NO_BUDGET if outcome.status is Status.EXHAUSTED else outcome.text)

        self._pool.submit(
            handler.full_name,
            work,
            lambda text: HandlerAnswer(None, text=text),
            lambda answer, offset: done(HandlerAnswer(answer.response, answer.body, answer.text, offset)),
        )

    def _nobody(self) -> tuple[Identity, bytes]:
        """Somebody who has never been here, and what a token of theirs would say (JSON)."""
        subject = str(uuid.uuid4())
        identity = Identity.from_claims("localhost", subject)
        claims = {
            "hex_identity": identity.hex(),
            "sub": subject,
            "iss": "localhost",
            "aud": ["spacetimedb"],
            "iat": self._clock.now() // 1_000_000,
            "exp": None,
        }
        return identity, json.dumps(claims, separators=(",", ":")).encode()


def find_handler(definition: ModuleDef, method: str, path: str) -> HttpHandlerDef | None:
    for route in definition.http_routes:
        if route.path == path and _takes(route, method):
            return definition.http_handlers[route.handler]
    return None


def _takes(route: HttpRouteDef, method: str) -> bool:
    if route.method.name == "Any":
        return True
    wanted = route.method.content
    if wanted.name == "Extension":
        return bool(wanted.content == method)
    return method in METHODS and bool(wanted.name.upper() == method)


def _answer(handler: str, head: bytes, body: bytes) -> HandlerAnswer:
    """What the handler answered, if that can go out."""
    try:
        response = decode_response(head)
    except DecodeError as error:
        return HandlerAnswer(None, text=f"the response of {handler} can't be decoded: {error}")
    if not LOWEST_STATUS <= response.status <= HIGHEST_STATUS:
        return HandlerAnswer(None, text=f"the response of {handler} has the invalid status {response.status}")
    for name, value in response.headers:
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            return HandlerAnswer(None, text=f"the response of {handler} has the invalid header {name!r}")
    return HandlerAnswer(response, body)
