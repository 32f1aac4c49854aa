"""The listening socket and the connections accepted on it."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from spacetimedb_standalone.config.port_check import ListenAddress
from spacetimedb_standalone.config.readers import ConfigError
from spacetimedb_standalone.front.connection import Application, HttpConnection

_BACKLOG: Final = 1024
_DRAIN_POLL: Final = 0.05


def bind(address: ListenAddress) -> socket.socket:
    """A listening TCP socket. Raises `ConfigError` if the address cannot be had."""
    failed: OSError | None = None
    try:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        found, failed = [], error
    for family, kind, protocol, _, place in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(place)
            sock.listen(_BACKLOG)
        except OSError as error:
            sock.close()
            failed = error
        else:
            return sock
    raise ConfigError(
        f"failed to bind the SpacetimeDB server to '{address}', "
        f"please check that the address is valid and not already in use: {failed}"
    )


class Listener:
    """Serves an application on a listening socket until it is closed."""

    def __init__(self, sock: socket.socket, application: Application):
        self._socket = sock
        self._application = application
        self._connections: set[HttpConnection] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Connections get TCP_NODELAY: an answer never waits for an acknowledgement."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: HttpConnection(self._application, self._connections), sock=self._socket
        )

    async def close(self, grace: float) -> None:
        """Accept no more, let requests under way finish within `grace` seconds, then drop what is left."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.drain()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        while self._connections and loop.time() < deadline:
            await asyncio.sleep(_DRAIN_POLL)
        for connection in list(self._connections):
            connection.abort()
