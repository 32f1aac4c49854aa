"""`spacetime version …`: hands over to the version manager."""

from __future__ import annotations

from typing import Annotated

import typer

from spacetimedb_cli.errors import HostError
from spacetimedb_cli.grammar import Command, new_app
from spacetimedb_cli.invocation import Invocation

app = new_app()


@app.command(
    cls=Command,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
def version(
    ctx: typer.Context,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGS]...", help="What the version manager is told")
    ] = None,
) -> None:
    """Manage installed spacetime versions"""
    invocation: Invocation = ctx.obj
    root = invocation.paths.to_root_dir()
    root_option = ["--root-dir", str(root)] if root else []
    program = invocation.paths.cli_bin_file
    try:
        invocation.host.replace_process(
            [str(program), *root_option, "version", *(arguments or [])], argv0="spacetimedb-update"
        )
    except OSError as error:
        raise HostError(
            f"the version manager is not installed at {program}: install SpacetimeDB, or update this "
            f"tool the way you installed it"
        ) from error
