"""The program `spacetimedb-standalone`: reads its command line and keeps what it runs free of tracebacks."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from spacetimedb_standalone.supervisor.large_pages import begin_again

if TYPE_CHECKING:
    from spacetimedb_standalone.config.care_options import CareOptions
    from spacetimedb_standalone.config.options import ExtractSchemaOptions, StartOptions


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 after a clean stop, 1 when the server or the command failed, 2 for wrong usage, 3 when
    `doctor` has found damage.
    """
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from spacetimedb_paths.standard_streams import fill_standard_streams

        fill_standard_streams()
    is_program = arguments is None
    if is_program and "start" in sys.argv:  # before anything is loaded that would be loaded again
        begin_again(os.environ, sys.orig_argv)
    from spacetimedb_standalone.config.options import ExtractSchemaOptions, StartOptions, parse_command_line

    try:
        options = parse_command_line(sys.argv[1:] if arguments is None else arguments)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 1
    try:
        if isinstance(options, StartOptions):
            return _start(options, is_program)
        return _extract_schema(options) if isinstance(options, ExtractSchemaOptions) else _care(options)
    except KeyboardInterrupt:
        return 130


def _start(options: StartOptions, is_program: bool) -> int:
    """`is_program`: this process is the server's alone, to be replaced and copied as the server likes."""
    import sqlite3
    from pathlib import Path

    from spacetimedb_paths.metadata import MetadataError
    from spacetimedb_standalone.config.readers import ConfigError
    from spacetimedb_standalone.control.schema import ControlStateError
    from spacetimedb_standalone.start import start_server
    from spacetimedb_standalone.supervisor.launch import default_launcher

    try:
        start_server(options, os.environ, Path(sys.argv[0]).absolute(), default_launcher(fork_now=is_program))
    except (ConfigError, MetadataError, ControlStateError, sqlite3.Error, OSError) as error:
        print(f"Error: {_sentence(error)}", file=sys.stderr)
        return 1
    return 0


def _extract_schema(options: ExtractSchemaOptions) -> int:
    from spacetimedb_lib.moduledef import ModuleDefDecodeError, ValidationErrors
    from spacetimedb_standalone.config.readers import ConfigError
    from spacetimedb_standalone.extract_schema import extract_schema
    from spacetimedb_standalone.host.interface import ModuleError

    try:
        sys.stdout.write(extract_schema(options))
    except (ConfigError, ModuleError, ModuleDefDecodeError, ValidationErrors, OSError) as error:
        print(f"Error: {_sentence(error)}", file=sys.stderr)
        return 1
    return 0


def _care(options: CareOptions) -> int:
    import sqlite3

    from spacetimedb_engine import EngineError
    from spacetimedb_paths.metadata import MetadataError
    from spacetimedb_standalone.care.commands import run
    from spacetimedb_standalone.care.errors import CareError
    from spacetimedb_standalone.care.holders import InUse
    from spacetimedb_standalone.commitlog import LogError
    from spacetimedb_standalone.config.readers import ConfigError
    from spacetimedb_standalone.control.schema import ControlStateError
    from spacetimedb_standalone.datastore.errors import StorageError
    from spacetimedb_standalone.snapshots import SnapshotError

    own = (
        CareError,
        InUse,
        ConfigError,
        MetadataError,
        ControlStateError,
        StorageError,
        LogError,
        SnapshotError,
    )
    try:
        return run(options)
    except (*own, EngineError, sqlite3.Error, OSError) as error:
        print(f"Error: {_sentence(error)}", file=sys.stderr)
        return 1


def _sentence(error: Exception) -> str:
    """What went wrong, without the numbers that Python puts before an error of the system."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
