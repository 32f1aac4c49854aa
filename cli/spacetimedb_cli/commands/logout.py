"""`spacetime logout`: forget who you are."""

from __future__ import annotations

from typing import Annotated

import typer

from spacetimedb_cli.auth.login import DEFAULT_AUTH_HOST, log_out
from spacetimedb_cli.grammar import Command, new_app
from spacetimedb_cli.invocation import Invocation

app = new_app()


@app.command(cls=Command)
def logout(
    ctx: typer.Context,
    auth_host: Annotated[
        str, typer.Option("--auth-host", metavar="<URL>", help="The site to log out of")
    ] = DEFAULT_AUTH_HOST,
) -> None:
    """Forget the login that is saved on this machine"""
    invocation: Invocation = ctx.obj
    if not log_out(invocation, auth_host):
        invocation.terminal.out("You are not logged in.")
