"""`spacetime delete`: a database and all its data."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from spacetimedb_cli.client.databases import DatabaseTree, delete
from spacetimedb_cli.grammar import Command, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.options import Database, NoConfig, Server, Yes

app = new_app()


@app.command("delete", cls=Command)
def delete_(
    ctx: typer.Context,
    database: Database = None,
    server: Server = None,
    yes: Yes = False,
    no_config: NoConfig = False,
) -> None:
    """Deletes a SpacetimeDB database"""
    invocation: Invocation = ctx.obj
    terminal = invocation.terminal
    api, found = invocation.database("delete", database, server, no_config, interactive=not yes)
    if not terminal.confirm(
        f"Are you sure you want to delete database {found}? This action cannot be undone.", yes
    ):
        terminal.out("Aborting")
        return
    wanted = delete(api, found)
    if wanted is None:
        return
    terminal.out(f"WARNING: Deleting the database {found.identity} will also delete its children!")
    if not yes:
        terminal.out("\n".join(drawn(wanted.tree)))
    if not terminal.confirm("Do you want to proceed deleting above databases?", yes):
        terminal.out("Aborting")
        return
    delete(api, found, wanted.token)


def drawn(tree: DatabaseTree, head: str = "", below: str = "") -> Iterator[str]:
    """A tree of databases, a line each, the last child first."""
    yield head + tree.identity + (f": {', '.join(tree.names)}" if tree.names else "")
    children = tree.children[::-1]
    for number, child in enumerate(children):
        last = number == len(children) - 1
        yield from drawn(child, below + ("└── " if last else "├── "), below + ("    " if last else "│   "))
