"""`spacetime publish`: put a module into a database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import typer

from spacetimedb_cli.errors import ArgumentError
from spacetimedb_cli.grammar import Command, new_app
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.options import Anonymous, NoConfig, Server
from spacetimedb_cli.publish.requests import ClearMode

app = new_app()


class PublishCommand(Command):
    """`--yes` and `--delete-data` take their value only with `=`."""

    bare: ClassVar[Mapping[str, str]] = {"--yes": "all", "--delete-data": "always"}
    spellings: ClassVar[Mapping[str, str]] = {
        "-y": "--yes",
        "-c": "--delete-data",
        "--clear-database": "--delete-data",
        "--build-opts": "--build-options",
        "--org": "--organization",
    }


@app.command(cls=PublishCommand)
def publish(
    ctx: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[name|identity]", help="The database; without one a new database gets no name"
        ),
    ] = None,
    delete_data: Annotated[
        ClearMode,
        typer.Option(
            "--delete-data",
            "-c",
            metavar="[=always|on-conflict|never]",
            help="Whether to delete all data of the database: always, only where it cannot be kept, or never",
        ),
    ] = "never",
    build_options: Annotated[
        str | None, typer.Option("--build-options", metavar="<OPTIONS>", help="What the build is told")
    ] = None,
    module_path: Annotated[
        Path | None, typer.Option("--module-path", "-p", metavar="<DIR>", help="The folder of the module")
    ] = None,
    wasm_file: Annotated[
        Path | None,
        typer.Option("--bin-path", "-b", metavar="<WASM>", help="A program that is built already"),
    ] = None,
    js_file: Annotated[
        Path | None,
        typer.Option("--js-path", "-j", metavar="<JS>", help="A JavaScript bundle that is built already"),
    ] = None,
    num_replicas: Annotated[int | None, typer.Option("--num-replicas", min=0, max=255, hidden=True)] = None,
    break_clients: Annotated[
        bool, typer.Option("--break-clients", help="Do not ask before breaking the clients there are")
    ] = False,
    anon_identity: Anonymous = False,
    parent: Annotated[
        str | None, typer.Option("--parent", metavar="<DATABASE>", help="The database to put it below")
    ] = None,
    organization: Annotated[
        str | None, typer.Option("--organization", metavar="<NAME>", help="Whom it shall belong to")
    ] = None,
    server: Server = None,
    yes: Annotated[
        list[str] | None,
        typer.Option(
            "--yes",
            "-y",
            metavar="[=LIST]",
            help="Answer yes to the questions in the list, of all, remote, migrate, break-clients, "
            "skip-login and delete-data; all of them without a list",
        ),
    ] = None,
    no_config: NoConfig = False,
    env: Annotated[
        str | None, typer.Option("--env", metavar="<ENV>", help="Also read spacetime.<ENV>.json")
    ] = None,
    native_aot: Annotated[bool, typer.Option("--native-aot", help="Build C# ahead of time")] = False,
    dotnet_version: Annotated[
        Literal["8", "10"] | None, typer.Option("--dotnet-version", help="The .NET version for C#")
    ] = None,
) -> None:
    """Create and update a SpacetimeDB database

    The module goes in as a program built before (--bin-path, --js-path). If the database exists its data
    is carried over; you are asked before clients break or data goes.
    """
    from spacetimedb_cli.project.files import find
    from spacetimedb_cli.publish.consent import Consent, parse_yes
    from spacetimedb_cli.publish.flow import publish_one
    from spacetimedb_cli.publish.requests import of_project, without_project

    given = _given(
        database=name,
        server=server,
        module_path=module_path,
        wasm_file=wasm_file,
        js_file=js_file,
        build_options=build_options,
        num_replicas=num_replicas,
        parent=parent,
        organization=organization,
        dotnet_version=dotnet_version,
        break_clients=break_clients or None,
        anon_identity=anon_identity or None,
        native_aot=native_aot or None,
    )
    _check_conflicts(given)
    invocation: Invocation = ctx.obj
    terminal, directory = invocation.terminal, invocation.host.working_directory
    consent = Consent(terminal, parse_yes(yes or ()))
    project = (
        None if no_config else find(directory, env) or (module_path and find(directory / module_path, env))
    )
    if not project:
        publish_one(invocation, without_project(given, directory), delete_data, consent)
        return
    for file in project.files:
        terminal.out(f"Using configuration from {file}")
    for request in of_project(project, given, directory):
        what = "precompiled module" if request.source.program else f"module {request.source.folder}"
        terminal.out(f"Publishing {what} to database '{request.database}'")
        publish_one(invocation, request, delete_data, consent)


def _given(**values: Any) -> dict[str, Any]:
    """What the command line says, by config key; paths as text, as a config file has them."""
    texts = {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}
    return {key: value for key, value in texts.items() if value is not None}


def _check_conflicts(given: Mapping[str, Any]) -> None:
    """A program that is built leaves nothing to build, and there is only one."""
    names = {
        "wasm_file": "--bin-path <WASM>",
        "js_file": "--js-path <JS>",
        "module_path": "--module-path <DIR>",
        "build_options": "--build-options <OPTIONS>",
    }
    for program in ("wasm_file", "js_file"):
        for other in ("js_file", "wasm_file", "module_path", "build_options"):
            if other != program and program in given and other in given:
                raise ArgumentError(f"the argument '{names[program]}' cannot be used with '{names[other]}'")
