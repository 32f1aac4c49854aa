"""The command line of the version manager: `spacetime version …` and its neighbours."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from spacetimedb_update.errors import ArgumentError
from spacetimedb_update.proxy.notice import CHECK_COMMAND
from spacetimedb_update.proxy.semver import NotAVersion, Version

VERSION_HELP = "Manage installed spacetime versions"
YES = "Run non-interactively, answering yes"


class HelpRequested(Exception):
    """Somebody asked for help, which is the text; not an error."""


class HelpAction(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        raise HelpRequested(parser.format_help().rstrip())


class MisplacedRoot(argparse.Action):
    """`--root-dir` behind the command, where its value would pass for a command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        parser.error("unexpected argument '--root-dir' found: it comes before `version`")


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Help with the capitals that users of the tool know."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=100)

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "Usage: " if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are raised, in the form of the rest of the tool.

    What it has parsed has `command`, the name of a module, or None where a command is missing, and
    `parser`, the parser of that command.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=HelpFormatter, allow_abbrev=False, add_help=False, **settings)
        self._positionals.title, self._optionals.title = "Arguments", "Options"
        self.add_argument("-h", "--help", action=HelpAction, nargs=0, help="Print help")
        self._commands: argparse._SubParsersAction[Parser] | None = None
        self._listed: list[tuple[str, str]] = []

    def add_command(self, name: str, text: str, module: str | None = None, hidden: bool = False) -> Parser:
        """A command below this one. `module` does the work; without one it has commands itself."""
        if self._commands is None:
            self.set_defaults(command=None, parser=self)
            self._commands = self.add_subparsers(
                prog=self.prog,
                metavar="<COMMAND>",
                dest="given_command",
                parser_class=Parser,
                help=argparse.SUPPRESS,
            )
            self.usage = f"{self.prog} [OPTIONS] <COMMAND>"
        if not hidden:
            self._listed.append((name, text))
        made = self._commands.add_parser(name, description=text)
        made.set_defaults(command=module, parser=made)
        return made

    def format_help(self) -> str:
        text = super().format_help()
        if not self._listed:
            return text
        width = max(len(name) for name, _ in self._listed)
        lines = [f"  {name:{width}}  {line}" for name, line in self._listed]
        return "\n".join([text, "Commands:", *lines, ""])

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
    if "invalid choice: " in message:
        return f"unrecognized subcommand {message.split('invalid choice: ')[1].split(' (')[0]}"
    return message


def parser() -> Parser:
    """The whole grammar."""
    top = Parser(prog="spacetime", description="Installs and selects versions of SpacetimeDB.")
    top.add_argument("--root-dir", metavar="<ROOT_DIR>", help="The directory to keep all files in")
    top.add_argument(
        "-V", "--version", action="store_true", dest="own_version", help="Print the version of this program"
    )
    version = top.add_command("version", VERSION_HELP)
    version.add_argument("--root-dir", dest="misplaced_root", action=MisplacedRoot, help=argparse.SUPPRESS)
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
        define(version)
    _self_install(top)
    _self_uninstall(top)
    top.add_command(CHECK_COMMAND, "Look for a newer version", "check_for_update", hidden=True)
    return top


def _version_argument(to: Parser, **settings: Any) -> None:
    to.add_argument("version", metavar="<VERSION>", **settings)


def _yes(to: Parser) -> None:
    to.add_argument("-y", "--yes", action="store_true", help=YES)


def _list(of: Parser) -> None:
    made = of.add_command("list", "List the installed versions, the newest first", "list")
    made.add_argument("--all", action="store_true", help="List all releases instead")
    made.add_argument("--json", action="store_true", help="Print JSON")


def _use(of: Parser) -> None:
    made = of.add_command("use", "Select an installed version", "use")
    _version_argument(made, help="The version to select")


def _upgrade(of: Parser) -> None:
    text = "Install the latest version, select it, and update this program"
    made = of.add_command("upgrade", text, "upgrade")
    made.add_argument(
        "--no-backup", action="store_true", help="Do not copy the data directory before a new format"
    )


def _install(of: Parser) -> None:
    made = of.add_command("install", "Install a version", "install")
    _version_argument(made, help="The version to install")
    made.add_argument(
        "--edition", metavar="<EDITION>", default="standalone", help="What to install, between commas"
    )
    made.add_argument("--use", action="store_true", help="Select it as well")
    made.add_argument("--artifact-name", metavar="<NAME>", help=argparse.SUPPRESS)
    made.add_argument("--plan", action="store_true", help="Print what would be done, and do nothing")
    _yes(made)


def _uninstall(of: Parser) -> None:
    made = of.add_command("uninstall", "Remove an installed version", "uninstall")
    _version_argument(made, help="The version to remove")
    _yes(made)


def _link(of: Parser) -> None:
    made = of.add_command("link", "Let a name stand for programs elsewhere", "link", hidden=True)
    made.add_argument("name", metavar="<NAME>", help="What to call it")
    made.add_argument("path", metavar="<PATH>", help="The folder that holds spacetimedb-cli")
    made.add_argument("--use", action="store_true", help="Select it as well")


def _rollback(of: Parser) -> None:
    made = of.add_command("rollback", "Select the version that was selected before", "rollback")
    text = "Put back the data from before the upgrade where that is needed"
    made.add_argument("--restore-backup", action="store_true", help=text)
    text = "Ask nothing: without --restore-backup, refuse where data is in the way"
    made.add_argument("-y", "--yes", action="store_true", help=text)


def _verify(of: Parser) -> None:
    made = of.add_command("verify", "Compare installed files with what was signed", "verify")
    _version_argument(made, nargs="?", help="The version to look at; all of them if none is named")


def _gc(of: Parser) -> None:
    made = of.add_command("gc", "Remove the versions that nothing selects, old backups and downloads", "gc")
    made.add_argument("--dry-run", action="store_true", help="Only print what would be removed")
    _yes(made)


def _doctor(of: Parser) -> None:
    text = "Look for what is wrong with the installation, and tell what mends it"
    made = of.add_command("doctor", text, "doctor")
    made.add_argument("--json", action="store_true", help="Print JSON")


def _bundle(of: Parser) -> None:
    made = of.add_command("bundle", "Carry a version to a machine without a network")
    export = made.add_command("export", "Write a release into one file", "bundle_export")
    export.add_argument("file", metavar="<FILE>", help="The file to write")
    _version_argument(export, nargs="?", help="The release; the latest if none is named")
    export.add_argument(
        "--target", metavar="<TARGET>", action="append", help="For which machine; default: this one"
    )
    install = made.add_command("install", "Install a version from such a file", "bundle_install")
    install.add_argument("file", metavar="<FILE>", help="The file to read")
    install.add_argument("--use", action="store_true", help="Select it as well")
    install.add_argument(
        "--allow-expired", action="store_true", help="Accept a file whose timestamp has expired"
    )


def _own_root(to: Parser) -> None:
    """The option behind the command as well, where people look for it."""
    to.add_argument(
        "--root-dir", dest="install_root", metavar="<ROOT_DIR>", help="The directory to keep all files in"
    )


def _self_install(of: Parser) -> None:
    made = of.add_command("self-install", "Install the SpacetimeDB CLI", "self_install")
    _own_root(made)
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


def _self_uninstall(of: Parser) -> None:
    made = of.add_command("self-uninstall", "Remove the installation, but not its data", "self_uninstall")
    _own_root(made)
    made.add_argument("--data", action="store_true", help="Remove databases, backups and keys as well")
    _yes(made)
