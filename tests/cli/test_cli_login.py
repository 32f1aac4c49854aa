"""Who the user is: logging in, showing it, logging out, and repairing a missing login."""

import base64
import json

import pytest

from spacetimedb_cli.auth.token import identity_of as identity_in
from spacetimedb_cli.errors import UserError

from .conftest import SAVING, SERVER, identity_of, token_of, unreachable

CLEARED = (
    "Warning: Failed to logout from auth server: No web session token\nLocal credentials have been cleared.\n"
)


def test_nobody_is_logged_in_at_first(cli):
    assert cli("login", "show").out == "You are not logged in. Run `spacetime login` to log in.\n"
    outcome = cli("logout")
    assert (outcome.exit, outcome.out) == (0, "You are not logged in.\n")


def test_with_a_token(cli):
    token = token_of("ann")
    outcome = cli("login", "--token", token)
    assert (outcome.exit, outcome.err) == (0, SAVING * 2)  # created, then changed
    assert outcome.out == f"Logged in with identity {identity_of('ann')}\n"
    assert cli("login", "show").out == f"You are logged in as {identity_of('ann')}\n"
    assert cli("login", "show", "--token").out == (
        f"You are logged in as {identity_of('ann')}\nYour auth token (don't share this!) is {token}\n"
    )


def test_another_login_ends_the_first(cli):
    cli("login", "--token", token_of("ann"))
    outcome = cli("login", "--token", token_of("bob"))
    assert outcome.out == (
        f"Logged out (identity {identity_of('ann')}).\nLogged in with identity {identity_of('bob')}\n"
    )
    assert outcome.err == CLEARED + SAVING * 2


def test_a_token_that_is_none_is_saved_but_cannot_be_shown(cli):
    assert cli("login", "--token", "nonsense").out == "Token saved.\n"
    outcome = cli("login", "show")
    assert (outcome.exit, outcome.err) == (
        1,
        "Error: Token does not look like a JSON web token: nonsense\n",
    )
    assert cli("logout").out == "Logged out.\n"


def test_an_identity_from_the_server(cli, server):
    server.on("POST /v1/identity", {"identity": identity_of("new"), "token": token_of("new")})
    outcome = cli("login", "--server-issued-login", SERVER)
    assert outcome.out == (
        "We have logged in directly to your target server.\n"
        "WARNING: This login will NOT work for any other servers.\n"
        f"Logged in with identity {identity_of('new')}\n"
    )
    assert cli("login", "show").out == f"You are logged in as {identity_of('new')}\n"


def test_an_identity_from_a_server_that_is_down(cli, server):
    server.on("POST /v1/identity", unreachable)
    outcome = cli("login", "--server-issued-login", SERVER)
    assert outcome.exit == 1
    assert f"error sending request for url ({SERVER}/v1/identity)" in outcome.err


def test_something_else_that_answers(cli, server):
    server.on("POST /v1/identity", "<html>")
    outcome = cli("login", "--server-issued-login", SERVER)
    assert outcome.exit == 1
    assert "is not JSON: is it a SpacetimeDB server?" in outcome.err


@pytest.fixture
def login_site(server):
    """A site that approves at the second question."""
    questions = []
    server.on("POST /api/auth/cli/login/request-token", {"success": True, "data": {"token": "r1"}})
    server.on("POST /api/spacetimedb-token", {"success": True, "data": {"token": token_of("web")}})
    server.on("POST /auth/cli/logout", "")

    def status(request):
        import httpx

        questions.append(dict(request.url.params))
        approved = len(questions) > 1
        data = {"approved": approved, **({"sessionToken": "session"} if approved else {})}
        return httpx.Response(200, json={"success": True, "data": data})

    server.on("GET /api/auth/cli/status", status)
    return questions


def test_web_login(cli, server, login_site):
    outcome = cli("login", "--auth-host", "https://site.example")
    assert outcome.exit == 0
    assert outcome.out == (
        "Opening https://site.example/login/cli?token=r1 in your browser.\n"
        "Waiting to hear response from the server...\n"
        "Login successful!\n"
        f"Logged in with identity {identity_of('web')}\n"
    )
    assert cli.opened == ["https://site.example/login/cli?token=r1"]
    assert login_site == [{"token": "r1"}] * 2
    assert server.last.headers["authorization"] == "Bearer session"
    assert cli("logout").err == SAVING
    assert server.last.url == "https://spacetimedb.com/auth/cli/logout"
    assert server.last.headers["authorization"] == "Bearer session"
    assert "session" not in cli.toml.read_text().replace("web_session_token", "")


def test_web_login_without_a_browser(cli, login_site):
    outcome = cli("login", "--no-browser")
    assert outcome.out.startswith(
        "Open https://spacetimedb.com/login/cli?token=r1 in your browser to finish logging in.\n"
    )
    assert cli.opened == []


def test_a_login_site_that_refuses(cli, server):
    server.on("POST /api/auth/cli/login/request-token", {"success": False, "error": "closed today"})
    outcome = cli("login")
    assert (outcome.exit, "refused: closed today; run `spacetime login` again" in outcome.err) == (1, True)


def test_a_missing_login_is_made_up_by_the_server_with_yes(cli, server):
    server.on("POST /v1/identity", {"identity": identity_of("new"), "token": token_of("new")})
    server.on(f"GET /v1/identity/{identity_of('new')}/databases", {"identities": []})
    outcome = cli("list", "-y", "-s", SERVER)
    assert outcome.exit == 0
    assert outcome.out.endswith(f"No databases found for {identity_of('new')}.\n")
    assert server.last.headers["authorization"] == f"Bearer {token_of('new')}"


def test_a_missing_login_is_asked_for(cli, server, login_site):
    server.on(f"GET /v1/identity/{identity_of('web')}/databases", {"identities": []})
    outcome = cli("list", "-s", SERVER, stdin="y\n")
    assert outcome.exit == 0
    assert outcome.out.startswith(
        "You are not logged in. Would you like to log in with spacetimedb.com? [y/N]Opening "
    )


# --- tokens ---


def test_the_identity_in_a_token():
    token = token_of("ann", hex_identity=identity_of("ann"))
    assert identity_in(token) == identity_of("ann")


def test_both_base64_alphabets_are_read():
    payload = json.dumps({"iss": "localhost", "sub": "ÿþýüûúùø?>"}, ensure_ascii=False).encode()
    standard, urlsafe = base64.b64encode(payload), base64.urlsafe_b64encode(payload)
    assert standard != urlsafe
    identities = {identity_in(f"a.{text.decode().rstrip('=')}.c") for text in (standard, urlsafe)}
    assert identities == {identity_of("ÿþýüûúùø?>")}


@pytest.mark.parametrize("token", ["", "a.b", "a.!!!.c", "a.e30.c", "a.W10.c"])
def test_tokens_that_cannot_be_read(token):
    with pytest.raises(UserError, match=r"Token (does not look like|has no readable claims)"):
        identity_in(token)


def test_a_token_that_claims_to_be_somebody_else():
    with pytest.raises(UserError, match=r"^Token claims the identity "):
        identity_in(token_of("ann", hex_identity=identity_of("bob")))
