"""Whether a request may become a WebSocket, and the answer that makes it one (RFC 6455, version 13, no
extensions).

The order of the checks is part of the protocol: clients see the first complaint.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from spacetimedb_lib.identity import ConnectionId
from spacetimedb_standalone.front.http import Refused, Request, refuse, text
from spacetimedb_standalone.front.query import Parameter, boolean, connection_id, read_query, variant

PROTOCOLS: Final = (
    "v3.bsatn.spacetimedb",
    "v2.bsatn.spacetimedb",
    "v1.bsatn.spacetimedb",
    "v1.json.spacetimedb",
)
"""In the order in which the server prefers them."""

_CONFIRMED_BY_DEFAULT: Final = PROTOCOLS[:2]
_GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_QUERY: Final = (
    Parameter("connection_id", connection_id),
    Parameter("compression", variant("None", "Brotli", "Gzip"), default="Brotli"),
    Parameter("light", boolean, default=False),
    Parameter("confirmed", boolean),
)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A good upgrade request, before its database has been looked at. `offered` are its subprotocols."""

    connection_id: ConnectionId | None
    compression: str
    light: bool
    confirmed: bool | None
    key: str
    offered: tuple[str, ...]

    def is_confirmed(self, protocol: str) -> bool:
        """Whether reads wait for durability: as asked, or by the protocol's default."""
        return protocol in _CONFIRMED_BY_DEFAULT if self.confirmed is None else self.confirmed


def read_upgrade(request: Request) -> Upgrade:
    """Check query and headers. Refuses with 400, 405 or 426."""
    query = read_query(request.query(), _QUERY)
    _check_headers(request)
    chosen: ConnectionId | None = query["connection_id"]
    if chosen is not None and chosen == ConnectionId.ZERO:
        raise refuse("Invalid connection ID: the all-zeros ConnectionId is reserved.", 400)
    return Upgrade(
        chosen,
        query["compression"],
        query["light"],
        query["confirmed"],
        request.header("sec-websocket-key") or "",
        tuple(_words(request, "sec-websocket-protocol")),
    )


def choose_protocol(upgrade: Upgrade) -> str:
    """The subprotocol that the server likes best of those offered. Refuses with 400 if there is none."""
    chosen = next((protocol for protocol in PROTOCOLS if protocol in upgrade.offered), None)
    if chosen is None:
        raise refuse("no valid protocol selected", 400)
    return chosen


def switching_protocols(key: str, protocol: str, headers: Sequence[tuple[str, str]]) -> bytes:
    """The complete 101 answer."""
    accept = base64.b64encode(hashlib.sha1((key + _GUID).encode("latin-1")).digest()).decode()
    lines = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-accept", accept),
        ("sec-websocket-protocol", protocol),
        *headers,
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in lines)
    return f"HTTP/1.1 101 Switching Protocols\r\n{head}\r\n".encode("latin-1")


def _check_headers(request: Request) -> None:
    if request.method != "GET":
        raise refuse("Request method must be `GET`", 405)
    connection = [word.lower() for word in _words(request, "connection")]
    if "upgrade" not in connection or request.header("upgrade") != "websocket":
        raise _not_websocket()
    if request.header("sec-websocket-version") != "13":
        raise refuse("`Sec-WebSocket-Version` header did not include '13'", 400)
    if request.header("sec-websocket-key") is None:
        raise refuse("`Sec-WebSocket-Key` header missing", 400)


def _words(request: Request, header: str) -> list[str]:
    """The comma-separated words of all headers of that name."""
    return [word.strip() for value in request.header_values(header) for word in value.split(",")]


def _not_websocket() -> Refused:
    headers: list[tuple[str, Any]] = [("connection", "upgrade"), ("upgrade", "websocket")]
    return Refused(text("This service requires use of the websocket protocol", 426, headers))
