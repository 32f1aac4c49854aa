"""The root of the command line: its global options and the table of its commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from spacetimedb_cli.errors import ArgumentError, CliError, report
from spacetimedb_cli.grammar import LazyBranch, new_app
from spacetimedb_cli.host import Host
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.program import started_program
from spacetimedb_cli.version import VERSION, version_text
from spacetimedb_paths import SpacetimePaths
from spacetimedb_paths.roots import NoHomeError

UNSTABLE = "\n\nWARNING: This command is UNSTABLE and subject to breaking changes."


def _entry(name: str, text: str) -> tuple[str, str]:
    return f"spacetimedb_cli.commands.{name}", text


class Root(LazyBranch):
    """All commands, in the order of the help."""

    entries: ClassVar[Mapping[str, tuple[str, str]]] = {
        "publish": _entry("publish", "Create and update a SpacetimeDB database"),
        "delete": _entry("delete", "Deletes a SpacetimeDB database"),
        "logs": _entry("logs", "Prints logs from a SpacetimeDB database"),
        "call": _entry("call", f"Invokes a function (reducer or procedure) in a database.{UNSTABLE}"),
        "describe": _entry(
            "describe", f"Describe the structure of a database or entities within it.{UNSTABLE}"
        ),
        "sql": _entry("sql", f"Runs a SQL query on the database.{UNSTABLE}"),
        "mcp": _entry("mcp", f"Serve SpacetimeDB to MCP-aware agents and editors over stdio.{UNSTABLE}"),
        "rename": _entry("rename", "Rename a database"),
        "list": _entry("list_", f"Lists the databases attached to an identity.{UNSTABLE}"),
        "login": _entry("login", "Manage your login to the SpacetimeDB CLI"),
        "logout": _entry("logout", "Forget the login that is saved on this machine"),
        "server": _entry("server", f"Manage the connection to the SpacetimeDB server.{UNSTABLE}"),
        "subscribe": _entry("subscribe", f"Subscribe to SQL queries on the database.{UNSTABLE}"),
        "start": _entry("start", "Start a local SpacetimeDB instance"),
        "doctor": _entry("doctor", "Check every checksum of a data directory"),
        "replay": _entry("replay", "Copy a database, as it was behind a transaction, into a new directory"),
        "repair": _entry("repair", "Let a database with a damaged log go on with what is left"),
        "import-data": _entry(
            "import_data", "Take over the databases of an official server's data directory"
        ),
        "lock": _entry("lock", "Lock a database to prevent accidental deletion"),
        "unlock": _entry("unlock", "Unlock a database to allow deletion"),
        "version": _entry("version", "Manage installed spacetime versions"),
    }


BUG = "\n\nThis is a fault of the tool itself: please report it, with what `python -X dev` shows in addition."

app = new_app()


def _short_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"spacetime {VERSION}")
        raise typer.Exit


def _long_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version_text(started_program()))
        raise typer.Exit


@app.callback(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
def root(
    ctx: typer.Context,
    root_dir: Annotated[
        Path | None,
        typer.Option("--root-dir", metavar="<ROOT_DIR>", help="The directory to keep all files in"),
    ] = None,
    config_path: Annotated[
        Path | None,
        typer.Option("--config-path", metavar="<CONFIG_PATH>", help="The path of cli.toml"),
    ] = None,
    short_version: Annotated[
        bool, typer.Option("-V", help="Print the version", is_eager=True, callback=_short_version)
    ] = False,
    long_version: Annotated[
        bool,
        typer.Option("--version", help="Print everything about the version", callback=_long_version),
    ] = False,
) -> None:
    """SpacetimeDB Command Line Tool: work with databases and the servers they are on."""
    host: Host = ctx.obj
    try:
        if root_dir is not None:
            paths = SpacetimePaths.from_root_dir(root_dir, host.platform)
        else:
            paths = SpacetimePaths.from_platform(host.platform)
    except NoHomeError as error:
        raise CliError(str(error)) from None
    ctx.obj = Invocation(host, paths, config_path)


def run(arguments: Sequence[str], host: Host | None = None) -> int:
    """Run one command line to its end; returns the exit code: 0, 1, or 2 for wrong arguments."""
    host = host or Host()
    command = typer.main.get_command(app)
    try:
        result = command.main(args=list(arguments), prog_name="spacetime", standalone_mode=False, obj=host)
    except (typer.TyperException, ArgumentError) as error:
        host.terminal.err(_usage_error(error))
        return error.exit_code
    except CliError as error:
        host.terminal.err(report(error))
        return error.exit_code
    except OSError as error:  # the host's fault; a reader that has left ends us without a word
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  # for the flush at exit
        if not isinstance(error, BrokenPipeError):
            host.terminal.err(report(error))
        return 1
    except typer.Abort:
        host.terminal.err("Aborted!")
        return 1
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        host.terminal.err(report(error) + BUG)
        return 1
    return result if isinstance(result, int) else 0


def _usage_error(error: Exception) -> str:
    """Wrong arguments as the tool's users know them: `error: …`, the usage, where to read more."""
    text = error.format_message() if isinstance(error, typer.TyperException) else str(error)
    if option := getattr(error, "option_name", None):
        text = f"unexpected argument '{option}' found" if text.startswith("No such option") else text
    context = getattr(error, "ctx", None)
    usage = f"{context.get_usage()}\n\n" if context is not None else ""
    return f"error: {text}\n\n{usage}For more information, try '--help'."
