"""`spacetime rename`: another name for a database."""

from __future__ import annotations

from typing import Annotated

import typer

from spacetimedb_cli.errors import UserError
from spacetimedb_cli.grammar import Command, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.options import Server, Yes

app = new_app()


@app.command(cls=Command)
def rename(
    ctx: typer.Context,
    database: Annotated[
        str, typer.Argument(metavar="<database-identity>", help="The database that is meant")
    ],
    to: Annotated[str, typer.Option("--to", metavar="<new-name>", help="The name it shall have")],
    server: Server = None,
    yes: Yes = False,
) -> None:
    """Rename a database"""
    from spacetimedb_cli.client import databases
    from spacetimedb_lib.names import DomainNameError, split_domain

    invocation: Invocation = ctx.obj
    try:
        split_domain(to)
    except DomainNameError as error:
        raise UserError(str(error)) from None
    databases.rename(invocation.server(server, interactive=not yes), database, to)
    invocation.terminal.out(f"Name set to {to} for identity {database}.")
