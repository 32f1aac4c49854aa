"""`spacetime login`: who you are to servers."""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from spacetimedb_cli.auth.login import DEFAULT_AUTH_HOST, log_out, save_token, server_issued_login
from spacetimedb_cli.auth.token import identity_of
from spacetimedb_cli.errors import ArgumentError
from spacetimedb_cli.grammar import Branch, Command, new_app
from spacetimedb_cli.invocation import Invocation

AuthHost = Annotated[
    str | None, typer.Option("--auth-host", metavar="<URL>", help="The site to log in at or out of")
]


class LoginBranch(Branch):
    """`login` does something on its own."""

    needs_command: ClassVar[bool] = False


app = new_app(cls=LoginBranch, invoke_without_command=True)


@app.callback(invoke_without_command=True)
def login(
    ctx: typer.Context,
    auth_host: AuthHost = None,
    server_issued: Annotated[
        str | None, typer.Option("--server-issued-login", metavar="<SERVER>", hidden=True)
    ] = None,
    token: Annotated[
        str | None,
        typer.Option("--token", metavar="<TOKEN>", help="Do not log in, but use this token from now on"),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Show the address instead of opening a browser")
    ] = False,
) -> None:
    """Manage your login to the SpacetimeDB CLI"""
    given = [
        text
        for text, value in (
            ("--token <TOKEN>", token),
            ("--server-issued-login <SERVER>", server_issued),
            ("--auth-host <URL>", auth_host),
        )
        if value is not None
    ]
    if len(given) > 1:
        raise ArgumentError(f"the argument '{given[0]}' cannot be used with '{given[1]}'")
    if ctx.invoked_subcommand is not None:
        return
    invocation: Invocation = ctx.obj
    log_out(invocation, auth_host or DEFAULT_AUTH_HOST)
    if token is not None:
        save_token(invocation, token)
    elif server_issued is not None:
        from spacetimedb_cli.client.api import Api

        url = invocation.settings.values.server_url(server_issued)
        server_issued_login(invocation, Api.connect(url, invocation.host.transport))
    else:
        from spacetimedb_cli.auth.web import web_login

        web_login(invocation, auth_host or DEFAULT_AUTH_HOST, use_browser=not no_browser)


@app.command(cls=Command)
def show(
    ctx: typer.Context,
    token: Annotated[bool, typer.Option("--token", help="Also show the token")] = False,
) -> None:
    """Show who is logged in"""
    invocation: Invocation = ctx.obj
    saved = invocation.settings.values.spacetimedb_token
    if saved is None:
        invocation.terminal.out("You are not logged in. Run `spacetime login` to log in.")
        return
    invocation.terminal.out(f"You are logged in as {identity_of(saved)}")
    if token:
        invocation.terminal.out(f"Your auth token (don't share this!) is {saved}")
