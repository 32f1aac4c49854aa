"""`spacetime describe`: what is in a database's module."""

from __future__ import annotations

from typing import Annotated

import typer

from spacetimedb_cli.errors import ArgumentError, UserError
from spacetimedb_cli.grammar import UnstableCommand, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.options import Anonymous, NoConfig, Server, Yes

app = new_app()
KINDS = ("reducer", "table")


@app.command(cls=UnstableCommand)
def describe(
    ctx: typer.Context,
    parts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DATABASE] [reducer|table NAME]",
            help="The database (not needed where spacetime.json names one), and what to show of it",
        ),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print the definition as JSON: needed, for it is the only form")
    ] = False,
    anonymous: Anonymous = False,
    server: Server = None,
    yes: Yes = False,
    no_config: NoConfig = False,
) -> None:
    """Describe the structure of a database or entities within it."""
    if not json_output:
        raise ArgumentError("the following required arguments were not provided:\n  --json")
    import json

    from spacetimedb_cli.client.databases import resolve, schema
    from spacetimedb_cli.project.resolution import database_and_optional
    from spacetimedb_cli.schema.definition import read_definition

    invocation: Invocation = ctx.obj
    target, entity = database_and_optional("describe", invocation.project_databases(no_config), parts or [])
    _check(entity)
    api = invocation.server(server or target.server, anonymous, interactive=not yes)
    version, shown = schema(api, resolve(api, target.database))
    if entity:
        kind, name = entity
        shown = read_definition(version, shown).entity(kind, name)
        if shown is None:
            raise UserError(f"no such {kind}")
    invocation.terminal.out(json.dumps(shown, indent=2, ensure_ascii=False))


def _check(entity: list[str]) -> None:
    if len(entity) not in (0, 2):
        raise UserError(
            "Invalid describe arguments. Give the database alone, or `reducer` or `table` and a name as well."
        )
    if entity and entity[0] not in KINDS:
        raise UserError(f"Invalid entity_type '{entity[0]}'. Expected one of: {', '.join(KINDS)}.")
