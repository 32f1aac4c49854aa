"""The WebSocket of a subscription."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from spacetimedb_cli.client.api import USER_AGENT, Api
from spacetimedb_cli.client.databases import DatabaseRef
from spacetimedb_cli.errors import HostError, PeerError
from spacetimedb_cli.subscribe.messages import PROTOCOLS

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection


class Socket:
    """An open connection to a database."""

    def __init__(self, connection: ClientConnection):
        self._connection = connection

    def send(self, message: bytes) -> None:
        self._connection.send(message)

    def receive(self, seconds: float | None) -> bytes | None:
        """The next payload; None once the server has closed. Raises `TimeoutError` after `seconds`."""
        from websockets.exceptions import ConnectionClosed

        try:
            payload = self._connection.recv(timeout=seconds)
        except ConnectionClosed:
            return None
        if isinstance(payload, str):
            raise PeerError("the server sent text on a binary connection: is it a SpacetimeDB server?")
        return payload


@contextmanager
def connected(api: Api, database: DatabaseRef, confirmed: str | None) -> Iterator[Socket]:
    """A connection for as long as the context lasts.

    Raises `HostError` where nobody is reached, `PeerError` where we are not let in.
    """
    with ExitStack() as stack:
        connection = _connect(api, database, confirmed, stack)
        if connection.subprotocol not in PROTOCOLS:
            raise PeerError(f"the server speaks none of {', '.join(PROTOCOLS)}: it is too old for this tool")
        yield Socket(connection)


def _connect(api: Api, database: DatabaseRef, confirmed: str | None, stack: ExitStack) -> ClientConnection:
    from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
    from websockets.sync.client import connect

    query = {"compression": "None"} | ({} if confirmed is None else {"confirmed": confirmed})
    url = f"ws{api.url.removeprefix('http')}{database.path}/subscribe?{urlencode(query)}"
    try:
        return stack.enter_context(
            connect(
                url,
                subprotocols=list(PROTOCOLS),  # type: ignore[arg-type]
                additional_headers={} if api.token is None else {"authorization": f"Bearer {api.token}"},
                compression=None,
                max_size=None,
                user_agent_header=USER_AGENT,
            )
        )
    except InvalidStatus as error:
        words = (error.response.body or b"").decode("utf-8", "replace").strip()
        status = error.response.status_code
        raise PeerError(f"the server refused to open {url}: {words or status}") from None
    except (InvalidHandshake, InvalidURI, OSError, EOFError) as error:
        raise HostError(f"could not connect to {url}: is the server running?") from error
