"""Commands that the server program carries out: what is given to them is handed on, `--help` too."""

from __future__ import annotations

from typing import Annotated

import typer

from spacetimedb_cli.commands.start import server_command
from spacetimedb_cli.errors import HostError
from spacetimedb_cli.grammar import Command, new_app
from spacetimedb_cli.invocation import Invocation


def handed_over(name: str, text: str) -> typer.Typer:
    """The command `name` of the server, on the data directory of this installation unless another one is given."""
    app = new_app()

    @app.command(
        cls=Command,
        add_help_option=False,
        help=text,
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    )
    def command(
        ctx: typer.Context,
        arguments: Annotated[
            list[str] | None, typer.Argument(metavar="[ARGS]...", help="What the server is told")
        ] = None,
    ) -> None:
        invocation: Invocation = ctx.obj
        program = server_command("standalone", invocation.host.program)
        place = ["--data-dir", str(invocation.paths.data_dir)]
        try:
            invocation.host.replace_process([*program, name, *place, *(arguments or [])])
        except OSError as error:
            raise HostError(f"could not run {program[0]}: install SpacetimeDB again") from error

    return app
