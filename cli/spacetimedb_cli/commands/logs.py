"""`spacetime logs`: what a module has to say."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from spacetimedb_cli.errors import ArgumentError
from spacetimedb_cli.grammar import Command, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.options import Database, NoConfig, Server, Yes

app = new_app()
Level = Literal["trace", "debug", "info", "warn", "error", "panic"]
FOLLOWED_LINES = 10


@app.command(cls=Command)
def logs(
    ctx: typer.Context,
    database: Database = None,
    server: Server = None,
    num_lines: Annotated[
        int | None,
        typer.Option("--num-lines", "-n", min=0, max=2**32 - 1, help="How many of the last lines to print"),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing as lines come in")] = False,
    output: Annotated[
        Literal["text", "json", "default", "txt"],
        typer.Option("--format", metavar="[text|json]", help="How to print records"),
    ] = "text",
    level: Annotated[
        Level | None, typer.Option("--level", "-l", help="The least severe level to print")
    ] = None,
    level_exact: Annotated[
        bool, typer.Option("--level-exact", help="Print the level given by --level and no other")
    ] = False,
    yes: Yes = False,
    no_config: NoConfig = False,
) -> None:
    """Prints logs from a SpacetimeDB database"""
    if level_exact and level is None:
        raise ArgumentError("the following required arguments were not provided:\n  --level <level>")
    from spacetimedb_cli.client.databases import logs
    from spacetimedb_cli.render.logs import LevelFilter, record_text, records

    invocation: Invocation = ctx.obj
    terminal = invocation.terminal
    api, found = invocation.database("logs", database, server, no_config, interactive=not yes)
    wanted = LevelFilter(level, level_exact) if level else None
    if follow and num_lines is None:
        num_lines = FOLLOWED_LINES
    with logs(api, found, num_lines, follow) as pieces:
        for line, record in records(pieces):
            if wanted is None or wanted.passes(record):
                terminal.out(line if output == "json" else record_text(record, terminal.shows_colors))
