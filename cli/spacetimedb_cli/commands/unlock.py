"""`spacetime unlock`: a locked database may be deleted again."""

from __future__ import annotations

import typer

from spacetimedb_cli.grammar import Command, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.options import Database, NoConfig, Server

app = new_app()


@app.command(cls=Command)
def unlock(
    ctx: typer.Context, database: Database = None, server: Server = None, no_config: NoConfig = False
) -> None:
    """Unlock a database to allow deletion"""
    from spacetimedb_cli.client.databases import set_locked

    invocation: Invocation = ctx.obj
    api, found = invocation.database("unlock", database, server, no_config)
    set_locked(api, found, False)
    invocation.terminal.out(f"Database {found.identity} is now unlocked.")
