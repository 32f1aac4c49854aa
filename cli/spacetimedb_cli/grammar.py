"""What the command line allows beyond an ordinary option parser.

* Commands are imported when they are run, for the whole tool starts as fast as its slowest import.
* Some options take a value only with `=`: `--yes` alone and `--yes=remote,migrate` are both right, and
  the word after a lone `--yes` is not its value.
* Every group of commands has a `help [COMMAND]…` of its own.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

from spacetimedb_cli.errors import ArgumentError
from spacetimedb_cli.invocation import Invocation

WARNING = "WARNING: This command is UNSTABLE and subject to breaking changes."


class Command(TyperCommand):
    """A command that loads the settings before it runs.

    `bare` maps an option to the value that it has when it stands without one; `spellings` maps other
    names of options to the one that help shows.
    """

    bare: ClassVar[Mapping[str, str]] = {}
    spellings: ClassVar[Mapping[str, str]] = {}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(spelled_out(args, self.bare, self.spellings)))

    def invoke(self, ctx: Any) -> Any:
        invocation: Invocation = ctx.obj
        _ = invocation.settings  # a broken file is told of before anything is done
        self.announce(invocation)
        return super().invoke(ctx)

    def announce(self, invocation: Invocation) -> None:
        """What is said before the command runs."""


class UnstableCommand(Command):
    """A command whose arguments and output may still change."""

    def announce(self, invocation: Invocation) -> None:
        invocation.terminal.err(f"{WARNING}\n")


class Branch(TyperGroup):
    """A group of commands with its own `help`; alone it prints its help and fails."""

    needs_command: ClassVar[bool] = True

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if self.needs_command and not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help(), err=True)
            raise typer.Exit(2)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), "help"]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return _help_command() if cmd_name == "help" else super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None:
            raise ArgumentError(f"unrecognized subcommand '{name}'{_tip(name, self.list_commands(ctx))}")
        return name, command, args[1:]


class LazyBranch(Branch):
    """A group whose commands are modules, imported when they are run; `entries` describes them.

    An entry maps a command's name to a module that has its `app`, and to its line in the help.
    """

    entries: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        return [*self.entries, "help"]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.entries:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(self.entries[cmd_name][0])
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        rows = [(name, text) for name, (_, text) in self.entries.items()]
        with formatter.section("Commands"):
            formatter.write_dl([*rows, ("help", HELP_TEXT)])


HELP_TEXT = "Print this message or the help of the given command"


def spelled_out(args: list[str], bare: Mapping[str, str], spellings: Mapping[str, str]) -> Iterator[str]:
    """The arguments with every option under its first name and every lone option with its value."""
    words = iter(args)
    for word in words:
        if word == "--":
            yield word
            break
        name, mark, value = word.partition("=")
        name = spellings.get(name, name) if word.startswith("-") else name
        if name in bare:
            yield f"{name}={value if mark else bare[name]}"
        else:
            yield name + mark + value
    yield from words


def new_app(**settings: Any) -> typer.Typer:
    """An app with plain help: the decorated kind would import a library that most runs never need."""
    return typer.Typer(rich_markup_mode=None, add_completion=False, **settings)


def _help_command() -> Any:
    app = new_app()

    @app.command(help=HELP_TEXT)
    def help_(ctx: typer.Context, command: Annotated[list[str] | None, typer.Argument()] = None) -> None:
        """Walk down to the command that is meant, and print its help."""
        at: Any = ctx.parent
        for name in command or []:
            group = at.command
            found = group.get_command(at, name) if isinstance(group, TyperGroup) else None
            if found is None:
                raise ArgumentError(f"unrecognized subcommand '{name}'")
            at = found.make_context(name, [], parent=at, resilient_parsing=True)
        typer.echo(at.get_help())

    built = typer.main.get_command(app)
    built.name = "help"
    return built


def _tip(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    return f"\n\n  tip: a similar subcommand exists: '{close[0]}'" if close else ""
