"""Logging in through a web site: the site asks the user in a browser, and we ask the site."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spacetimedb_cli.auth.login import save_token
from spacetimedb_cli.client.api import Api, json_of
from spacetimedb_cli.errors import PeerError, UserError

if TYPE_CHECKING:
    from spacetimedb_cli.invocation import Invocation

SECONDS_BETWEEN_QUESTIONS = 1.0
LOGOUT_SECONDS = 5.0


def web_login(invocation: Invocation, auth_host: str, use_browser: bool) -> str:
    """Log in at `auth_host`; saves the session and the token, and returns the token.

    A session that is saved already saves the user the way through the browser.
    """
    settings = invocation.settings
    api = Api.connect(auth_host.rstrip("/"), invocation.host.transport)
    session = settings.values.web_session_token
    if session is None:
        session = _browser_session(invocation, api, use_browser)
        settings.save(replace(settings.values, web_session_token=session))
    data = _data(api.with_token(session).fetch("POST", "/api/spacetimedb-token"))
    token = str(data["token"])
    save_token(invocation, token)
    return token


def end_session(invocation: Invocation, auth_host: str) -> None:
    """Tell the login site that the saved session is over. Raises `CliError` where that fails."""
    session = invocation.settings.values.web_session_token
    if session is None:
        raise UserError("No web session token")
    api = Api.connect(auth_host.rstrip("/"), invocation.host.transport).with_token(session)
    api.fetch("POST", "/auth/cli/logout", seconds=LOGOUT_SECONDS)


def _browser_session(invocation: Invocation, api: Api, use_browser: bool) -> str:
    terminal = invocation.terminal
    request = str(_data(api.fetch("POST", "/api/auth/cli/login/request-token"))["token"])
    page = f"{api.url}/login/cli?token={request}"
    if use_browser:
        terminal.out(f"Opening {page} in your browser.")
        if not invocation.host.open_browser(page):
            terminal.out("Unable to open your browser! Please open the URL above manually.")
    else:
        terminal.out(f"Open {page} in your browser to finish logging in.")
    terminal.out("Waiting to hear response from the server...")
    while True:
        data = _data(api.fetch("GET", "/api/auth/cli/status", query={"token": request}))
        if data.get("approved") and data.get("sessionToken"):
            terminal.out("Login successful!")
            return str(data["sessionToken"])
        invocation.host.sleep(SECONDS_BETWEEN_QUESTIONS)


def _data(response: Any) -> dict[str, Any]:
    """The payload of the site's envelope `{success, error?, data}`."""
    answer = json_of(response)
    fields: dict[str, Any] = answer if isinstance(answer, dict) else {}
    data = fields.get("data")
    if not fields.get("success") or not isinstance(data, dict):
        reason = fields.get("error")
        raise PeerError(
            f"the login site refused: {reason or 'it gave no reason'}; run `spacetime login` again"
        )
    return data
