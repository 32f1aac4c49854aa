"""The command line of the version manager: `spacetime version …` and its neighbours."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from spacetimedb_update.errors import ArgumentError
from spacetimedb_update.proxy.notice import CHECK_COMMAND
from spacetimedb_update.proxy.semver import NotAVersion, Version

VERSION_HELP = "Manage installed spacetime versions"
YES = "Run non-interactively, answering yes"


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Help with the capitals that users of the tool know."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=100)

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "Usage: " if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are raised, in the form of the rest of the tool."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=HelpFormatter, allow_abbrev=False, add_help=False, **settings)
        self.add_argument("-h", "--help", action="help", help="Print help")

    def error(self, message: str) -> NoReturn:
        usage = self.format_usage().strip()
        raise ArgumentError(f"{_in_our_words(message)}\n\n{usage}\n\nFor more information, try '--help'.")

    def parse_version(self, text: str) -> str:
        """A semantic version, or an error that says why not."""
        try:
            return str(Version(text))
        except NotAVersion as reason:
            return self.error(f"invalid value '{text}' for '<VERSION>': {reason}")


def _in_our_words(message: str) -> str:
    if "invalid choice" in message and message.startswith("argument COMMAND"):
        return f"unrecognized subcommand {message.split('invalid choice: ')[1].split(' (')[0]}"
    if message.startswith("unrecognized arguments: "):
        return f"unexpected argument '{message.split()[2]}' found"
    return message


def parser() -> Parser:
    """The whole grammar. What is parsed has `command`, the name of its module, and `parser`, its own parser."""
    top = Parser(prog="spacetime", description="Installs and selects versions of SpacetimeDB.")
    top.add_argument("--root-dir", metavar="<ROOT_DIR>", help="The directory to keep all files in")
    top.add_argument(
        "-V", "--version", action="store_true", dest="own_version", help="Print the version of this program"
    )
    commands = _subcommands(top)
    version = commands.add_parser("version", help=VERSION_HELP, description=VERSION_HELP)
    _add_version_commands(_subcommands(version))
    _add_self_install(commands)
    _add_self_uninstall(commands)
    check = commands.add_parser(CHECK_COMMAND)
    check.set_defaults(command="check_for_update")
    return top


def _subcommands(of: Parser) -> argparse._SubParsersAction[Parser]:
    of.set_defaults(command=None, parser=of)
    return of.add_subparsers(metavar="COMMAND", dest="COMMAND", parser_class=Parser, title="Commands")


def _add_version_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    def add(name: str, text: str, hidden: bool = False) -> Parser:
        # the list of commands shows those that have a `help`
        made = (
            commands.add_parser(name, description=text, help=text)
            if not hidden
            else commands.add_parser(name)
        )
        made.set_defaults(command=name, parser=made)
        return made

    for define in (
        _list,
        _use,
        _upgrade,
        _install,
        _uninstall,
        _link,
        _rollback,
        _verify,
        _gc,
        _doctor,
        _bundle,
    ):
        define(add)


Add = Callable[..., Parser]


def _version_argument(to: Parser, **settings: Any) -> None:
    to.add_argument("version", metavar="<VERSION>", **settings)


def _yes(to: Parser) -> None:
    to.add_argument("-y", "--yes", action="store_true", help=YES)


def _list(add: Add) -> None:
    made = add("list", "List the installed versions, the newest first")
    made.add_argument("--all", action="store_true", help="List all releases instead")
    made.add_argument("--json", action="store_true", help="Print JSON")


def _use(add: Add) -> None:
    _version_argument(add("use", "Select an installed version"), help="The version to select")


def _upgrade(add: Add) -> None:
    made = add("upgrade", "Install the latest version, select it, and update this program")
    made.add_argument(
        "--no-backup", action="store_true", help="Do not copy the data directory before a new format"
    )


def _install(add: Add) -> None:
    made = add("install", "Install a version")
    _version_argument(made, help="The version to install")
    made.add_argument(
        "--edition", metavar="<EDITION>", default="standalone", help="What to install, between commas"
    )
    made.add_argument("--use", action="store_true", help="Select it as well")
    made.add_argument("--artifact-name", metavar="<NAME>", help=argparse.SUPPRESS)
    made.add_argument("--plan", action="store_true", help="Print what would be done, and do nothing")
    _yes(made)


def _uninstall(add: Add) -> None:
    made = add("uninstall", "Remove an installed version")
    _version_argument(made, help="The version to remove")
    _yes(made)


def _link(add: Add) -> None:
    made = add("link", "Let a name stand for programs elsewhere", hidden=True)
    made.add_argument("name", metavar="<NAME>", help="What to call it")
    made.add_argument("path", metavar="<PATH>", help="The folder that holds spacetimedb-cli")
    made.add_argument("--use", action="store_true", help="Select it as well")


def _rollback(add: Add) -> None:
    made = add("rollback", "Select the version that was selected before")
    made.add_argument(
        "--restore-backup",
        action="store_true",
        help="Put back the data from before the upgrade where that is needed",
    )
    _yes(made)


def _verify(add: Add) -> None:
    made = add("verify", "Compare installed files with what was signed")
    _version_argument(made, nargs="?", help="The version to look at; all of them if none is named")


def _gc(add: Add) -> None:
    made = add("gc", "Remove the versions that nothing selects, old backups and downloads")
    made.add_argument("--dry-run", action="store_true", help="Only print what would be removed")
    _yes(made)


def _doctor(add: Add) -> None:
    made = add("doctor", "Look for what is wrong with the installation, and tell what mends it")
    made.add_argument("--json", action="store_true", help="Print JSON")


def _bundle(add: Add) -> None:
    made = add("bundle", "Carry a version to a machine without a network")
    commands = _subcommands(made)
    export = commands.add_parser(
        "export", help="Write a release into one file", description="Write a release into one file"
    )
    export.add_argument("file", metavar="<FILE>", help="The file to write")
    export.add_argument(
        "version", metavar="<VERSION>", nargs="?", help="The release; the latest if none is named"
    )
    export.add_argument(
        "--target", metavar="<TARGET>", action="append", help="For which machine; default: this one"
    )
    export.set_defaults(command="bundle_export", parser=export)
    text = "Install a version from such a file"
    install = commands.add_parser("install", help=text, description=text)
    install.add_argument("file", metavar="<FILE>", help="The file to read")
    install.add_argument("--use", action="store_true", help="Select it as well")
    install.add_argument(
        "--allow-expired", action="store_true", help="Accept a file whose timestamp has expired"
    )
    install.set_defaults(command="bundle_install", parser=install)


def _add_self_install(commands: argparse._SubParsersAction[Parser]) -> None:
    text = "Install the SpacetimeDB CLI"
    made = commands.add_parser("self-install", help=text, description=text)
    made.add_argument(
        "--root-dir", dest="install_root", metavar="<ROOT_DIR>", help="The directory to keep all files in"
    )
    _yes(made)
    made.add_argument(
        "--version", metavar="<VERSION>", help="The version to install; the latest if none is named"
    )
    made.add_argument(
        "--modify-path", action="store_true", help="Put the command on PATH by editing start-up files"
    )
    made.add_argument("--no-completions", action="store_true", help="Do not write shell completions")
    made.add_argument("--bundle", metavar="<FILE>", help="Install from a bundle instead of the network")
    made.add_argument(
        "--allow-expired", action="store_true", help="Accept a bundle whose timestamp has expired"
    )
    made.add_argument("--archive", metavar="<FILE>", help=argparse.SUPPRESS)
    made.set_defaults(command="self_install", parser=made)


def _add_self_uninstall(commands: argparse._SubParsersAction[Parser]) -> None:
    text = "Remove the installation, but not its data"
    made = commands.add_parser("self-uninstall", help=text, description=text)
    made.set_defaults(command="self_uninstall", parser=made)
    made.add_argument("--data", action="store_true", help="Remove databases, backups and keys as well")
    _yes(made)
