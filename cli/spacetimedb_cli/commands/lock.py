"""`spacetime lock`: nobody deletes this database by accident."""

from __future__ import annotations

import typer

from spacetimedb_cli.grammar import Command, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.options import Database, NoConfig, Server

app = new_app()


@app.command(cls=Command)
def lock(
    ctx: typer.Context, database: Database = None, server: Server = None, no_config: NoConfig = False
) -> None:
    """Lock a database to prevent accidental deletion"""
    from spacetimedb_cli.client.databases import set_locked

    invocation: Invocation = ctx.obj
    api, found = invocation.database("lock", database, server, no_config)
    set_locked(api, found, True)
    invocation.terminal.out(f"Database {found.identity} is now locked. It cannot be deleted until unlocked.")
