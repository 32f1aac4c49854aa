"""The command line of `spacetimedb-standalone`: options of its commands as frozen values.

A repeated option overrides the earlier one. Wrong usage ends the program with status 2, as argparse does it.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spacetimedb_standalone.config.care_options import CareOptions, add_care_commands, care_options
from spacetimedb_standalone.config.durations import DurationError, parse_duration
from spacetimedb_standalone.version import VERSION

DEFAULT_LISTEN: Final = "0.0.0.0:3000"
_SIZE: Final = re.compile(r"(\d+)\s*(?:([kmgt])i?b?|b)?", re.IGNORECASE)
_UNITS: Final = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


@dataclass(frozen=True, slots=True)
class StartOptions:
    """What `start` was told. Sizes are bytes, durations seconds; None means "not given"."""

    listen_addr: str
    data_dir: Path
    jwt_key_dir: Path | None
    jwt_pub_key_path: Path | None
    jwt_priv_key_path: Path | None
    in_memory: bool
    page_pool_max_size: int | None
    pg_port: int | None
    non_interactive: bool
    worker_memory_limit: int | None
    worker_hang_timeout: float


@dataclass(frozen=True, slots=True)
class ExtractSchemaOptions:
    """`host_type` is `wasm` or `js`, None to go by the file's extension."""

    module: Path
    host_type: str | None


def parse_command_line(arguments: list[str]) -> StartOptions | ExtractSchemaOptions | CareOptions:
    """Raises `SystemExit`: status 0 after help or version, 2 for wrong usage or none at all."""
    parser = _parser()
    if not arguments:
        parser.print_help()
        raise SystemExit(2)
    given = parser.parse_args(arguments)
    if given.command == "help":
        parser.print_help()
        raise SystemExit(0)
    if given.command == "extract-schema":
        return ExtractSchemaOptions(given.module, given.host_type)
    if (care := care_options(given)) is not None:
        return care
    if (given.jwt_pub_key_path is None) != (given.jwt_priv_key_path is None):
        parser.error("--jwt-pub-key-path and --jwt-priv-key-path require each other")
    values = {name: getattr(given, name) for name in StartOptions.__slots__}
    return StartOptions(**values)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="spacetimedb-standalone", description="The SpacetimeDB database server.", allow_abbrev=False
    )
    parser.add_argument("-V", "--version", action="version", version=version_line())
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_start(commands.add_parser("start", help="run the server", allow_abbrev=False))
    extract = commands.add_parser(
        "extract-schema", help="print the definition of a module as JSON", allow_abbrev=False
    )
    extract.add_argument("module", type=Path, metavar="MODULE", help="a .wasm file")
    extract.add_argument("--host-type", choices=("wasm", "js"), help="which kind of module it is")
    add_care_commands(commands)
    commands.add_parser("help", help="print this help")
    return parser


def version_line() -> str:
    return f"spacetimedb tool version {VERSION}; spacetimedb-lib version {VERSION};"


def _add_start(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-l", "--listen-addr", metavar="HOST:PORT", default=DEFAULT_LISTEN, help="where to listen")
    add("--data-dir", type=Path, required=True, metavar="DIR", help="where all data is kept")
    add("--enable-tracy", action="store_true", help="accepted and without effect")
    add("--jwt-key-dir", type=Path, metavar="DIR", help=argparse.SUPPRESS)
    add("--jwt-pub-key-path", type=Path, metavar="FILE", help="key that verifies tokens (PEM)")
    add("--jwt-priv-key-path", type=Path, metavar="FILE", help="key that signs tokens (PEM)")
    add(
        "--in-memory", action="store_true", help="keep databases in memory only: all rows end with the server"
    )
    add("--page_pool_max_size", type=_page_pool_size, metavar="SIZE", help="accepted and without effect")
    add(
        "--pg-port",
        type=_pg_port,
        metavar="PORT",
        help="refused: this server does not speak the PostgreSQL wire protocol",
    )
    add("--non-interactive", action="store_true", help="fail instead of asking when the port is taken")
    add("--worker-memory-limit", type=_size, metavar="SIZE", help="restart a database that takes more memory")
    add(
        "--worker-hang-timeout",
        type=_duration,
        default=300.0,
        metavar="DURATION",
        help="restart a database that does not react for so long (default: 5m)",
    )


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 512MiB")
    return int(match[1]) * _UNITS.get((match[2] or "").lower(), 1)


def _page_pool_size(text: str) -> int:
    try:
        return _size(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError("unrecognized format in `page_pool_max_size`") from None


def _pg_port(text: str) -> int:
    if not text.isdigit() or not 1024 <= int(text) <= 65534:
        raise argparse.ArgumentTypeError(f"{text!r} is not in 1024..65534")
    return int(text)


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except DurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
