"""`spacetime mcp`: a bridge between an agent's standard input and output and the server's MCP route."""

from __future__ import annotations

import typer

from spacetimedb_cli.grammar import UnstableCommand, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.options import Anonymous, Database, Server

app = new_app()


@app.command(cls=UnstableCommand)
def mcp(
    ctx: typer.Context, database: Database = None, server: Server = None, anonymous: Anonymous = False
) -> None:
    """Serve SpacetimeDB to MCP-aware agents and editors over stdio."""
    from spacetimedb_cli.client.api import failure, json_of
    from spacetimedb_cli.client.databases import resolve

    invocation: Invocation = ctx.obj
    terminal = invocation.terminal
    # Nobody is there to be asked: the input belongs to the agent.
    token = None if anonymous else invocation.settings.values.spacetimedb_token
    api = invocation.server(server, anonymous=True).with_token(token)
    name = database or invocation.host.environment.get("SPACETIMEDB_DB_NAME")
    path = "/v1/mcp" if name is None else f"{resolve(api, name).path}/mcp"
    terminal.err(f"Serving MCP over stdio, bridging to {api.url}{path}")
    for line in terminal.stdin:
        if not line.strip():
            continue
        response = api.ask("POST", path, body=line.strip().encode(), content_type="application/json")
        if response.status_code == 202:
            continue
        if not response.is_success:
            raise failure(response)
        json_of(response)  # what is passed on must be JSON
        terminal.out(response.text)
