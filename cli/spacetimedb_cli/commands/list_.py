"""`spacetime list`: your databases."""

from __future__ import annotations

from typing import Annotated

import typer

from spacetimedb_cli.auth.token import identity_of
from spacetimedb_cli.grammar import UnstableCommand, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.options import Server, Yes

app = new_app()


@app.command(cls=UnstableCommand)
def list_(
    ctx: typer.Context,
    server: Server = None,
    sizes: Annotated[
        bool, typer.Option("--sizes", help="Also tell what each takes on the server's disk")
    ] = False,
    yes: Yes = False,
) -> None:
    """Lists the databases attached to an identity."""
    from spacetimedb_cli.client.databases import names_of, size_of
    from spacetimedb_cli.client.identities import databases_of
    from spacetimedb_cli.render.table import byte_size, ruled

    invocation: Invocation = ctx.obj
    api = invocation.server(server, interactive=not yes)
    identity = identity_of(api.token or "")
    databases = databases_of(api, identity)
    if not databases:
        invocation.terminal.out(f"No databases found for {identity}.")
        return
    headers = ["Database Name(s)", "Identity"]
    rows = [[", ".join(names_of(api, database)), database] for database in databases]
    if sizes:
        headers.append("Size")
        for row, database in zip(rows, databases, strict=True):
            size = size_of(api, database)
            row.append("unknown" if size is None else byte_size(size))
    invocation.terminal.out(f"Associated databases for user {identity}:\n")
    invocation.terminal.out(ruled(headers, rows))
