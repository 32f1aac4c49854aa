"""`spacetime server …`: the list of servers that this machine knows."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from spacetimedb_cli.config import servers
from spacetimedb_cli.config.values import ServerConfig, split_url
from spacetimedb_cli.errors import CliError, HostError, UserError
from spacetimedb_cli.grammar import Branch, UnstableCommand, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.options import Yes
from spacetimedb_cli.render.table import plain

app = new_app(cls=Branch, help="Manage the connection to the SpacetimeDB server.")
Name = Annotated[str, typer.Argument(metavar="<server>", help="The nickname, host name or URL of the server")]
NoFingerprint = Annotated[bool, typer.Option("--no-fingerprint", help="Do not ask for the server's key")]


@app.command("list", cls=UnstableCommand)
def list_(ctx: typer.Context) -> None:
    """List the known servers."""
    invocation: Invocation = ctx.obj
    values = invocation.settings.values
    rows = [("DEFAULT", "HOSTNAME", "PROTOCOL", "NICKNAME")]
    for server in values.servers:
        mark = "***" if server.goes_by(values.default_server) else ""
        rows.append((mark, server.host, server.protocol, server.nickname or ""))
    invocation.terminal.out(plain(rows))


@app.command("set-default", cls=UnstableCommand)
def set_default(ctx: typer.Context, server: Name) -> None:
    """Choose the server that is used where none is named."""
    settings = ctx.obj.settings
    settings.save(servers.set_default(settings.values, server))


@app.command(cls=UnstableCommand)
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="<name>", help="A nickname for the server")],
    url: Annotated[str, typer.Option("--url", metavar="<URL>", help="The address, with http:// or https://")],
    default: Annotated[bool, typer.Option("--default", "-d", help="Make it the default server")] = False,
    no_fingerprint: NoFingerprint = False,
) -> None:
    """Add a server to the known ones."""
    invocation: Invocation = ctx.obj
    settings = invocation.settings
    protocol, host = split_url(url)
    new = ServerConfig(host, protocol, name)
    changed = servers.add(settings.values, new, default)
    if not no_fingerprint:
        key = _fingerprint_of_new(invocation, new.url)
        changed = changed.with_server(new, replace(new, ecdsa_public_key=key))
    invocation.terminal.out(f"Host: {host}\nProtocol: {protocol}")
    settings.save(changed)


@app.command(cls=UnstableCommand)
def remove(ctx: typer.Context, server: Name, yes: Yes = False) -> None:
    """Forget a server."""
    settings = ctx.obj.settings
    settings.save(servers.remove(settings.values, server))


@app.command(cls=UnstableCommand)
def fingerprint(ctx: typer.Context, server: Name, yes: Yes = False) -> None:
    """Show a server's key, and save it if it is not the one known."""
    invocation: Invocation = ctx.obj
    terminal, settings = invocation.terminal, invocation.settings
    known = settings.values.find_server(server)
    try:
        key = _public_key(invocation, known.url)
    except CliError as error:
        raise HostError("Error fetching server fingerprint") from error
    if key == known.ecdsa_public_key:
        terminal.out(f"Fingerprint is unchanged for server {server}:\n{key}")
        return
    if known.ecdsa_public_key is None:
        terminal.out(f"No saved fingerprint for server {server}. New fingerprint:\n{key}")
    else:
        terminal.out(f"Fingerprint has changed for server {server}.")
        terminal.out(f"Was:\n{known.ecdsa_public_key}\nNew:\n{key}")
    if not terminal.confirm("Continue?", yes):
        raise UserError("Aborted")
    settings.save(settings.values.with_server(known, replace(known, ecdsa_public_key=key)))


@app.command(cls=UnstableCommand)
def ping(ctx: typer.Context, server: Name) -> None:
    """Ask a server whether it is there."""
    from spacetimedb_cli.client.api import Api
    from spacetimedb_cli.client.identities import ping

    invocation: Invocation = ctx.obj
    url = invocation.settings.values.server_url(server)
    status = ping(Api.connect(url, invocation.host.transport))
    if status == 200:
        invocation.terminal.out(f"Server is online: {url}")
    elif status == 404:
        invocation.terminal.out(f"Server returned 404 (Not Found): {url}")
    else:
        invocation.terminal.out(f"Server could not be reached ({status}): {url}")


@app.command(cls=UnstableCommand)
def edit(
    ctx: typer.Context,
    server: Name,
    new_name: Annotated[str | None, typer.Option("--new-name", metavar="<NAME>", help="Its nickname")] = None,
    url: Annotated[str | None, typer.Option("--url", metavar="<URL>", help="Its new address")] = None,
    no_fingerprint: NoFingerprint = False,
    yes: Yes = False,
) -> None:
    """Change the nickname or the address of a known server."""
    invocation: Invocation = ctx.obj
    terminal, settings = invocation.terminal, invocation.settings
    old, new = servers.edit(settings.values, server, new_name, url)
    if new_name is not None:
        terminal.out(f"Changing nickname from {old.nickname or old.host} to {new_name}")
    if url is not None:
        terminal.out(f"Changing host from {old.host} to {new.host}")
        terminal.out(f"Changing protocol from {old.protocol} to {new.protocol}")
        if not no_fingerprint:
            new = replace(new, ecdsa_public_key=_fingerprint_of_new(invocation, new.url))
    if not terminal.confirm("Continue?", yes):
        raise UserError("Aborted")
    settings.save(servers.put(settings.values, old, new))


@app.command(cls=UnstableCommand)
def clear(
    ctx: typer.Context,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", metavar="<DIR>", help="The data directory of the local server"),
    ] = None,
    yes: Yes = False,
) -> None:
    """Delete all data of the local server."""
    invocation: Invocation = ctx.obj
    directory = data_dir or invocation.paths.data_dir.path
    if not directory.is_dir():
        invocation.terminal.out("Local database not found. Nothing has been deleted.")
        return
    invocation.terminal.out(f"Database path: {directory}")
    if not invocation.terminal.confirm(
        "Are you sure you want to delete all data from the local database?", yes
    ):
        invocation.terminal.out("Aborting")
        return
    try:
        shutil.rmtree(directory)
    except OSError as error:
        raise HostError(f"could not delete {directory}: stop the server and try again") from error
    invocation.terminal.out(f"Deleted database: {directory}")


def _public_key(invocation: Invocation, url: str) -> str:
    from spacetimedb_cli.client.api import Api
    from spacetimedb_cli.client.identities import public_key

    return public_key(Api.connect(url, invocation.host.transport))


def _fingerprint_of_new(invocation: Invocation, url: str) -> str:
    try:
        key = _public_key(invocation, url)
    except CliError as error:
        raise HostError(
            f"Unable to retrieve fingerprint for server: {url}\n"
            f"Is the server running?\n"
            f"Add a server without retrieving its fingerprint with:\n"
            f"\tspacetime server add --url {url} --no-fingerprint"
        ) from error
    invocation.terminal.out(f"For server {url}, got fingerprint:\n{key}")
    return key
