"""From a command line of the version manager to its exit code."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from spacetimedb_paths import Platform, SpacetimePaths
from spacetimedb_paths.roots import NoHomeError
from spacetimedb_update.commands.grammar import HelpRequested, parser
from spacetimedb_update.commands.run import Run
from spacetimedb_update.errors import ArgumentError, HostError, UpdateError, disk_error, report
from spacetimedb_update.host import Host
from spacetimedb_update.installation.site import Site
from spacetimedb_update.ports.terminal import prepare_streams
from spacetimedb_update.proxy.advice import for_root
from spacetimedb_update.proxy.arguments import root_named


def run(arguments: Sequence[str], host: Host | None = None) -> int:
    """Run one command line to its end; returns the exit code: 0, 1, or 2 for wrong arguments."""
    if host is None:
        prepare_streams()
        host = Host()
    root = root_named(list(arguments))
    try:
        return _run(arguments, host)
    except ArgumentError as error:
        host.terminal.err(for_root(f"error: {error}", root))
        return error.exit_code
    except UpdateError as error:
        host.terminal.err(for_root(report(error), root))
        return error.exit_code
    except BrokenPipeError:  # the reader of our output has left, which ends us without a word
        return 1
    except OSError as error:
        trouble = disk_error(error)
        trouble.__cause__ = error
        host.terminal.err(for_root(report(trouble), root))
        return trouble.exit_code
    except KeyboardInterrupt:
        host.terminal.err("Interrupted. What was half-done is swept by the next command.")
        return 130


def _run(arguments: Sequence[str], host: Host) -> int:
    grammar = parser()
    try:
        parsed, surplus = grammar.parse_known_args(arguments)
    except HelpRequested as text:
        host.terminal.out(str(text))
        return 0
    if surplus:
        parsed.parser.error(f"unexpected argument '{surplus[0]}' found")
    if parsed.own_version:
        host.terminal.out(f"spacetimedb-update {host.version}")
        return 0
    if parsed.command is None:
        host.terminal.err(parsed.parser.format_help().rstrip())
        return 2
    roots = (getattr(parsed, "install_root", None), parsed.root_dir)
    if "" in roots:
        parsed.parser.error("a value is required for '--root-dir <root_dir>' but none was supplied")
    root = next(filter(None, roots), None)
    command = importlib.import_module(f"spacetimedb_update.commands.{parsed.command}")
    code: int = command.run(Run(host, site(host, root), root), parsed)
    return code


def site(host: Host, root: str | None) -> Site:
    """The installation below `root`, or at the defaults of the system."""
    platform = host.machine.platform
    try:
        return Site(_paths(platform, root), platform.is_windows)
    except NoHomeError as error:
        raise HostError(str(error)) from None


def _paths(platform: Platform, root: str | None) -> SpacetimePaths:
    if root is None:
        return SpacetimePaths.from_platform(platform)
    return SpacetimePaths.from_root_dir(root, platform)
