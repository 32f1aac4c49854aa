"""`spacetime list`: your databases."""

from __future__ import annotations

import typer

from spacetimedb_cli.auth.token import identity_of
from spacetimedb_cli.grammar import UnstableCommand, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.options import Server, Yes

app = new_app()


@app.command(cls=UnstableCommand)
def list_(ctx: typer.Context, server: Server = None, yes: Yes = False) -> None:
    """Lists the databases attached to an identity."""
    from spacetimedb_cli.client.databases import names_of
    from spacetimedb_cli.client.identities import databases_of
    from spacetimedb_cli.render.table import ruled

    invocation: Invocation = ctx.obj
    api = invocation.server(server, interactive=not yes)
    identity = identity_of(api.token or "")
    databases = databases_of(api, identity)
    if not databases:
        invocation.terminal.out(f"No databases found for {identity}.")
        return
    rows = [(", ".join(names_of(api, database)), database) for database in databases]
    invocation.terminal.out(f"Associated databases for user {identity}:\n")
    invocation.terminal.out(ruled(("Database Name(s)", "Identity"), rows))
