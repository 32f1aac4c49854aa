"""Changing the list of known servers: the rules, without any of the talking."""

from __future__ import annotations

from dataclasses import replace

from spacetimedb_cli.config.values import ServerConfig, Values, split_url
from spacetimedb_cli.errors import UserError


def add(values: Values, new: ServerConfig, default: bool) -> Values:
    """With one more server. Raises `UserError` where its nickname or host is taken."""
    check_free(values, new)
    servers = (*values.servers, new)
    return replace(values, servers=servers, default_server=new.host if default else values.default_server)


def check_free(values: Values, new: ServerConfig, instead_of: ServerConfig | None = None) -> None:
    """Raises `UserError` where nickname or host belongs to a server other than `instead_of`."""
    for server in values.servers:
        if server == instead_of:
            continue
        if new.nickname is not None and server.nickname == new.nickname:
            raise UserError(f"Server nickname {new.nickname} already in use: {server.url}")
        if server.host == new.host:
            raise UserError(f"Server already configured for host: {new.host}")
        if server.nickname == new.host:
            raise UserError(f"Server host name is ambiguous with existing server nickname: {new.host}")


def set_default(values: Values, name: str) -> Values:
    """With another default, named by nickname, host or URL. Raises `UserError` for an unknown one."""
    known = split_url(name)[1] if "://" in name else name
    try:
        values.find_server(known)
    except UserError as error:
        raise UserError(f"Cannot set default server to unknown server {name}") from error
    return replace(values, default_server=known)


def remove(values: Values, name: str) -> Values:
    """Without a server; if it was the default there is none any more."""
    gone = values.find_server(name)
    default = None if gone.goes_by(values.default_server) else values.default_server
    servers = tuple(server for server in values.servers if server != gone)
    return replace(values, servers=servers, default_server=default)


def edit(
    values: Values, name: str, new_name: str | None, url: str | None
) -> tuple[ServerConfig, ServerConfig]:
    """A server as it is and as it would be. A new address forgets the fingerprint of the old one.

    Raises `UserError` where the new nickname or host is taken.
    """
    old = values.find_server(name)
    new = old if new_name is None else replace(old, nickname=new_name)
    if url is not None:
        protocol, host = split_url(url)
        new = replace(new, protocol=protocol, host=host, ecdsa_public_key=None)
    check_free(values, new, instead_of=old)
    return old, new


def put(values: Values, old: ServerConfig, new: ServerConfig) -> Values:
    """With `new` in the place of `old`, as the default too if `old` was."""
    changed = values.with_server(old, new)
    return replace(changed, default_server=new.name) if old.goes_by(values.default_server) else changed
