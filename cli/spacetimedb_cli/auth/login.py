"""Logging in, logging out, and what happens when a command finds nobody logged in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spacetimedb_cli.auth.token import identity_of
from spacetimedb_cli.client.identities import new_login
from spacetimedb_cli.errors import CliError, UserError

if TYPE_CHECKING:
    from spacetimedb_cli.client.api import Api
    from spacetimedb_cli.invocation import Invocation

DEFAULT_AUTH_HOST = "https://spacetimedb.com"


def token_for(invocation: Invocation, api: Api, interactive: bool) -> str:
    """The saved token. Without one the user is asked for a web login (only if `interactive`);
    failing that, the server itself issues an identity. Either is saved."""
    token = invocation.settings.values.spacetimedb_token
    if token is not None:
        return token
    question = "You are not logged in. Would you like to log in with spacetimedb.com?"
    if interactive and invocation.terminal.confirm(question):
        from spacetimedb_cli.auth.web import web_login

        return web_login(invocation, DEFAULT_AUTH_HOST, use_browser=True)
    return server_issued_login(invocation, api)


def server_issued_login(invocation: Invocation, api: Api) -> str:
    """Take an identity that the server makes up, and save its token."""
    login = new_login(api)
    invocation.terminal.out("We have logged in directly to your target server.")
    invocation.terminal.out("WARNING: This login will NOT work for any other servers.")
    save_token(invocation, login.token)
    return login.token


def save_token(invocation: Invocation, token: str) -> None:
    """Save a token and say whose it is; one that cannot be read is saved all the same."""
    settings = invocation.settings
    settings.save(replace(settings.values, spacetimedb_token=token))
    try:
        invocation.terminal.out(f"Logged in with identity {identity_of(token)}")
    except UserError:
        invocation.terminal.out("Token saved.")


def log_out(invocation: Invocation, auth_host: str) -> bool:
    """End the session at the login site as well as may be, and forget both tokens.

    Returns whether anybody was logged in.
    """
    settings = invocation.settings
    token = settings.values.spacetimedb_token
    if token is None:
        return False
    from spacetimedb_cli.auth.web import end_session

    try:
        end_session(invocation, auth_host)
    except CliError as error:
        invocation.terminal.err(f"Warning: Failed to logout from auth server: {error}")
        invocation.terminal.err("Local credentials have been cleared.")
    settings.save(replace(settings.values, spacetimedb_token=None, web_session_token=None))
    try:
        invocation.terminal.out(f"Logged out (identity {identity_of(token)}).")
    except UserError:
        invocation.terminal.out("Logged out.")
    return True
