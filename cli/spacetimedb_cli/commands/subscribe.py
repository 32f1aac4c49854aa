"""`spacetime subscribe`: watch the rows of queries."""

from __future__ import annotations

from typing import Annotated

import typer

from spacetimedb_cli.grammar import UnstableCommand, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.options import Anonymous, Confirmed, NoConfig, Server, Yes

app = new_app()


@app.command(cls=UnstableCommand)
def subscribe(
    ctx: typer.Context,
    parts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DATABASE] <QUERY> [QUERY]...",
            help="The database (not needed where spacetime.json names one) and the queries to watch",
        ),
    ] = None,
    num_updates: Annotated[
        int | None, typer.Option("--num-updates", "-n", min=0, help="Stop after this many updates")
    ] = None,
    timeout: Annotated[
        int | None, typer.Option("--timeout", "-t", min=0, help="Stop after this many seconds")
    ] = None,
    print_initial_update: Annotated[
        bool, typer.Option("--print-initial-update", help="Also print the rows that are there at first")
    ] = False,
    confirmed: Confirmed = None,
    anonymous: Anonymous = False,
    yes: Yes = False,
    server: Server = None,
    no_config: NoConfig = False,
) -> None:
    """Subscribe to SQL queries on the database."""
    from spacetimedb_cli.client.databases import resolve, schema
    from spacetimedb_cli.project.resolution import database_and_rest
    from spacetimedb_cli.schema.definition import read_definition
    from spacetimedb_cli.subscribe.socket import connected
    from spacetimedb_cli.subscribe.watch import Limits, Watcher

    invocation: Invocation = ctx.obj
    target, queries = database_and_rest(
        "subscribe", invocation.project_databases(no_config), parts or [], "query"
    )
    api = invocation.server(server or target.server, anonymous, interactive=not yes)
    database = resolve(api, target.database)
    row_types = read_definition(*schema(api, database)).row_types
    watcher = Watcher(invocation.terminal, row_types, Limits(num_updates, timeout), print_initial_update)
    with connected(api, database, confirmed) as socket:
        watcher.run(socket, queries)
