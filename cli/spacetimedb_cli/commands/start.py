"""`spacetime start`: hands over to the server that came with this tool."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from spacetimedb_cli.errors import HostError
from spacetimedb_cli.grammar import Command, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_paths.typed import TypedDir

app = new_app()


@app.command(
    cls=Command,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
def start(
    ctx: typer.Context,
    edition: Annotated[
        Literal["standalone", "cloud"], typer.Option("--edition", help="The edition of the server")
    ] = "standalone",
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGS]...", help="What the server is told")
    ] = None,
) -> None:
    """Start a local SpacetimeDB instance"""
    invocation: Invocation = ctx.obj
    command = server_command(edition, invocation.host.program)
    listen = invocation.settings.values.listen_addr
    defaults = [
        *("--data-dir", str(invocation.paths.data_dir)),
        *("--jwt-key-dir", str(invocation.paths.cli_config_dir)),
        *(("--listen-addr", listen) if listen is not None else ()),
    ]
    try:
        invocation.host.replace_process([*command, "start", *defaults, *(arguments or [])])
    except OSError as error:
        raise HostError(f"could not run {command[0]}: install SpacetimeDB again") from error


def server_command(edition: str, program: Path) -> list[str]:
    """How to run a server: the program beside this one, else the package of this interpreter.

    Raises `HostError` where there is neither.
    """
    name = f"spacetimedb-{edition}"
    for directory in dict.fromkeys((program.parent, program.resolve().parent)):
        beside = Path(TypedDir(directory).executable(name))
        if beside.is_file():
            return [str(beside)]
    package = name.replace("-", "_")
    if importlib.util.find_spec(package) is not None:
        return [sys.executable, "-m", package]
    raise HostError(
        f"{name} is not part of this installation: put it beside {program}, or leave --edition out"
    )
