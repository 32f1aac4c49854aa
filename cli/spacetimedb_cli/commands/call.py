"""`spacetime call`: run a reducer or procedure."""

from __future__ import annotations

from typing import Annotated

import typer

from spacetimedb_cli.grammar import UnstableCommand, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.options import Anonymous, NoConfig, Server, Yes

app = new_app()


@app.command(cls=UnstableCommand)
def call(
    ctx: typer.Context,
    parts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DATABASE] <FUNCTION_NAME> [ARGUMENTS]...",
            help="The database (not needed where spacetime.json names one), the function, and its "
            "arguments as JSON; put `--` before one that starts with `-`",
        ),
    ] = None,
    server: Server = None,
    anonymous: Anonymous = False,
    yes: Yes = False,
    no_config: NoConfig = False,
) -> None:
    """Invokes a function (reducer or procedure) in a database."""
    from spacetimedb_cli.call.invoke import call
    from spacetimedb_cli.client.databases import resolve
    from spacetimedb_cli.project.resolution import database_and_rest

    invocation: Invocation = ctx.obj
    target, (function, *words) = database_and_rest(
        "call", invocation.project_databases(no_config), parts or [], "function_name"
    )
    api = invocation.server(server or target.server, anonymous, interactive=not yes)
    result = call(api, resolve(api, target.database), function, words)
    if result:
        invocation.terminal.out(result)
