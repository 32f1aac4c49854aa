"""`spacetime sql`: ask a database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from spacetimedb_cli.errors import UserError
from spacetimedb_cli.grammar import UnstableCommand, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.options import Anonymous, Confirmed, NoConfig, Server, Yes

app = new_app()
HISTORY = ".stdb.history.txt"


@app.command(cls=UnstableCommand)
def sql(
    ctx: typer.Context,
    parts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DATABASE] <QUERY>",
            help="The database (not needed where spacetime.json names one) and the statement",
        ),
    ] = None,
    interactive: Annotated[
        bool, typer.Option("--interactive", help="Open a shell instead of running one statement")
    ] = False,
    confirmed: Confirmed = None,
    anonymous: Anonymous = False,
    server: Server = None,
    output: Annotated[Literal["text", "json"], typer.Option("--format", help="How to print rows")] = "text",
    yes: Yes = False,
    no_config: NoConfig = False,
) -> None:
    """Runs a SQL query on the database."""
    from spacetimedb_cli.client import databases
    from spacetimedb_cli.project.resolution import database_and_query, the_database
    from spacetimedb_cli.sql.results import read_results, tables

    invocation: Invocation = ctx.obj
    targets, words = invocation.project_databases(no_config), parts or []
    if interactive:
        if len(words) > 1:
            raise UserError(
                "Too many positional arguments for interactive mode. Give the database alone: the "
                "statements are typed into the shell."
            )
        target, query = the_database("sql --interactive", targets, words[0] if words else None), ""
    else:
        target, query = database_and_query(targets, words)
    api = invocation.server(server or target.server, anonymous, interactive=not yes)
    database = databases.resolve(api, target.database)
    if interactive:
        from spacetimedb_cli.sql.shell import shell

        home = invocation.host.environment.get("HOME")
        history = (Path(home) if home else Path.home()) / HISTORY
        shell(invocation.terminal, target.database, lambda line: databases.sql(api, database, line), history)
        return
    answer = databases.sql(api, database, query, confirmed)
    invocation.terminal.out(answer if output == "json" else tables(read_results(answer)))
