"""What `cli.toml` says, as immutable values, and the rules for finding a server in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from spacetimedb_cli.errors import UserError


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """A server the user knows by `nickname` or by `host`, which may end in a port."""

    host: str
    protocol: str
    nickname: str | None = None
    ecdsa_public_key: str | None = None

    @property
    def url(self) -> str:
        return f"{self.protocol}://{self.host}"

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self.nickname if self.nickname is not None else self.host

    def goes_by(self, name: str | None) -> bool:
        return name is not None and name in (self.nickname, self.host)


@dataclass(frozen=True, slots=True)
class Values:
    """The content of `cli.toml`. One login serves all servers."""

    default_server: str | None = None
    web_session_token: str | None = None
    spacetimedb_token: str | None = None
    listen_addr: str | None = None
    servers: tuple[ServerConfig, ...] = ()

    def find_server(self, name: str) -> ServerConfig:
        """The first server of this nickname or host. Raises `UserError` that says how to add one."""
        for server in self.servers:
            if server.goes_by(name):
                return server
        raise UserError(
            f"No such saved server configuration: {name}\n"
            f"Add a new server configuration with:\n"
            f"\tspacetime server add {name} --url <url>"
        )

    def find_default_server(self) -> ServerConfig:
        """The default server. Raises `UserError` where none is set or it is not known."""
        if self.default_server is None:
            raise UserError(
                "No default server configuration.\n"
                "Set an existing server as the default with:\n"
                "\tspacetime server set-default <server>\n"
                "Or add a new server which will become the default:\n"
                "\tspacetime server add {server} <url> --default"
            )
        try:
            return self.find_server(self.default_server)
        except UserError as error:
            raise UserError(
                f"Default server does not refer to a saved server configuration: {self.default_server}"
            ) from error

    def server_url(self, server: str | None) -> str:
        """The base URL of what `--server` named: a URL as it is, a known server, or the default."""
        if server is None:
            return self.find_default_server().url
        if "://" in server:
            protocol, host = split_url(server)
            return f"{protocol}://{host}"
        return self.find_server(server).url

    def with_server(self, old: ServerConfig, new: ServerConfig) -> Values:
        """The same with `new` in the place of `old`."""
        return replace(self, servers=tuple(new if server == old else server for server in self.servers))


def split_url(url: str) -> tuple[str, str]:
    """Protocol and host (with port and path, without a final slash) of a server's URL.

    Raises `UserError` for text without a protocol, or with one that is not http or https.
    """
    protocol, mark, host = url.partition("://")
    host = host.rstrip("/")
    if not mark or not host:
        raise UserError(f"Invalid url: {url}")
    if protocol not in ("http", "https"):
        raise UserError(f"Invalid protocol: {protocol}")
    return protocol, host
