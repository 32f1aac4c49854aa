"""The entry point of `spacetime`, `spacetimedb-update` and `spacetime-install`."""

import os
import sys

from spacetimedb_update.proxy import applet, notice
from spacetimedb_update.proxy.arguments import ROOT_DIR, root_named, scan, split_version
from spacetimedb_update.proxy.failure import Failure, reason
from spacetimedb_update.proxy.handover import Damaged
from spacetimedb_update.proxy.places import Places, places
from spacetimedb_update.proxy.selection import missing, select
from spacetimedb_update.proxy.system import System

SELF_COMMANDS = ("self-install", "self-uninstall")
"""No command line has these; `version` it has, behind options, and hands it back."""


def main() -> None:
    """Run the command line of this process and exit."""
    sys.exit(run(System.current()))


def run(system: System) -> int:
    """Run one command line to its end, or become another program; returns the exit code."""
    try:
        return _dispatch(system)
    except Failure as failure:
        from spacetimedb_update.proxy.advice import for_root

        system.say(for_root(failure.report(), root_named(system.argv[1:])))
        return failure.exit_code
    except KeyboardInterrupt:
        return 130


def _dispatch(system: System) -> int:
    name = applet.applet(system.argv[0] if system.argv else "", system.env)
    arguments = system.argv[1:]
    if name == applet.INSTALL:
        return manage(["self-install", *arguments])
    if name == applet.UPDATE:
        root, at = scan(arguments)
        if at is None or arguments[at] != "cli":
            return manage(arguments)
        root_argument = [f"--root-dir={root}"] if root is not None else []
        return proxy(system, "spacetime", None, [*root_argument, *arguments[at + 1 :]])
    plus, arguments = split_version(arguments)
    at = scan(arguments)[1]
    if at is not None and arguments[at].startswith("+"):
        raise Failure(f"`{arguments[at]}` selects a version only as the first argument", exit_code=2)
    if at is not None and (arguments[at] in SELF_COMMANDS or (at == 0 and arguments[0] == "version")):
        return manage(arguments)
    return proxy(system, system.argv[0], plus, arguments)


def proxy(system: System, argv0: str, plus: str | None, arguments: list[str]) -> int:
    """Become the command line of the selected version. Raises `Failure` where that is not to be had."""
    root, at = scan(arguments)
    where = places(root, system.env, system.windows)
    wants_manager = at is not None and arguments[at] == "version"
    if wants_manager and arguments[:at] in _root_options(root) and _is_ours(system, where):
        return manage(arguments)
    try:
        selection = select(plus, system.env, system.working_directory())
    except Failure:
        if wants_manager:  # it does not depend on what is selected
            return manage(arguments)
        raise
    notice.tell(system, where, root)
    program = where.cli(selection.name)
    try:
        if system.is_beside(program):
            return system.go_on_as(program, [argv0, *arguments])
    except Damaged as damage:
        raise missing(selection, where, str(damage)) from None
    try:
        return system.become(program, [argv0, *arguments])
    except OSError as error:
        if wants_manager:
            return manage(arguments)
        raise missing(selection, where, f"exec failed for {program}", reason(error)) from None


def _root_options(root: str | None) -> list[list[str]]:
    """What may stand before a command: the other options are the command line's own, perhaps with a value."""
    return [[f"{ROOT_DIR}={root}"], [ROOT_DIR, str(root)]] if root is not None else []


def _is_ours(system: System, where: Places) -> bool:
    """Is this process a program of the installation? Then none of its versions has to work."""
    return os.path.dirname(system.program_folder()) == os.path.realpath(where.bin_dir)


def manage(arguments: list[str]) -> int:
    """The version manager, imported only now."""
    from spacetimedb_update.commands.app import run as run_manager

    return run_manager(arguments)
