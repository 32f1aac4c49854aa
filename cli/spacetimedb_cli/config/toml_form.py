"""`cli.toml` as text: reading it strictly, changing it without losing comments, order or unknown keys.

::

    default_server = "maincloud"          # a nickname or a host
    web_session_token = "…"               # session at the login site
    spacetimedb_token = "…"               # what servers are shown
    listen_addr = "127.0.0.1:4000"        # for `spacetime start`

    [[server_configs]]
    nickname = "local"                    # optional
    host = "127.0.0.1:3000"
    protocol = "http"
    ecdsa_public_key = "…"                # optional: the fingerprint, PEM
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import tomlkit
from tomlkit.items import AoT, Table

from spacetimedb_cli.config.values import ServerConfig, Values
from spacetimedb_cli.errors import UserError

TEXT_KEYS = ("default_server", "web_session_token", "spacetimedb_token", "listen_addr")
SERVERS = "server_configs"
SERVER_KEYS = ("nickname", "host", "protocol", "ecdsa_public_key")

DEFAULTS = Values(
    default_server="maincloud",
    servers=(
        ServerConfig("maincloud.spacetimedb.com", "https", "maincloud"),
        ServerConfig("127.0.0.1:3000", "http", "local"),
    ),
)


def default_text() -> str:
    """The settings that a first run writes, as text."""
    document = tomlkit.document()
    apply(document, DEFAULTS)
    return tomlkit.dumps(document)


def read(document: tomlkit.TOMLDocument) -> Values:
    """Raises `UserError` naming the key that is missing or of the wrong type."""
    servers = document.get(SERVERS, [])
    if not isinstance(servers, list) or not all(isinstance(server, dict) for server in servers):
        raise _wrong_type(SERVERS, "table array", servers)
    texts = {key: _text(document, key) for key in TEXT_KEYS}
    return Values(**texts, servers=tuple(_server(table) for table in servers))


def apply(document: tomlkit.TOMLDocument, values: Values) -> None:
    """Make `document` say `values`, touching only what differs."""
    before = read(document)
    for key in TEXT_KEYS:
        if getattr(values, key) != getattr(before, key):
            _set(document, key, getattr(values, key))
    if values.servers != before.servers:
        _apply_servers(document, values.servers)


def _server(table: dict[str, Any]) -> ServerConfig:
    host, protocol = _text(table, "host"), _text(table, "protocol")
    if host is None or protocol is None:
        missing = "host" if host is None else "protocol"
        raise UserError(f"Config error: The option `{missing}` not found")
    return ServerConfig(host, protocol, _text(table, "nickname"), _text(table, "ecdsa_public_key"))


def _text(table: dict[str, Any], key: str) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise _wrong_type(key, "string", value)
    return str(value) if value is not None else None


def _wrong_type(key: str, wanted: str, value: Any) -> UserError:
    kinds = {bool: "boolean", int: "integer", float: "float", str: "string", list: "array", dict: "table"}
    plain = value.unwrap() if hasattr(value, "unwrap") else value
    found = kinds.get(type(plain), type(plain).__name__)
    return UserError(f"Config error: The option `{key}` is not a `{wanted}`, found: `{found}: {plain}`")


def _set(table: tomlkit.TOMLDocument | Table, key: str, value: str | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


def _apply_servers(document: tomlkit.TOMLDocument, servers: tuple[ServerConfig, ...]) -> None:
    """Servers that keep their name keep their place; renamed and new ones come last; others go."""
    old: list[Table] = list(document.get(SERVERS, []))
    places = {server: _place(old, server) for server in servers}
    spare = [table for place, table in enumerate(old) if place not in places.values()]
    staying = sorted(
        ((place, server) for server, place in places.items() if place is not None), key=itemgetter(0)
    )
    tables = [_filled(old[place], server) for place, server in staying]
    for server in servers:
        if places[server] is None:
            renamed = next((table for table in spare if table.get("host") == server.host), None)
            tables.append(_filled(tomlkit.table() if renamed is None else renamed, server))
    document.pop(SERVERS, None)
    if tables:
        array: AoT = tomlkit.aot()
        for table in tables:
            array.append(table)
        document[SERVERS] = array


def _place(tables: list[Table], server: ServerConfig) -> int | None:
    """Where the table with the server's nickname is; without a nickname, the one with its host."""
    key = "host" if server.nickname is None else "nickname"
    wanted = server.name
    return next((place for place, table in enumerate(tables) if table.get(key) == wanted), None)


def _filled(table: Table, server: ServerConfig) -> Table:
    for key in SERVER_KEYS:
        if table.get(key) != getattr(server, key):
            _set(table, key, getattr(server, key))
    return table
