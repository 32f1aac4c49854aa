"""Options of the commands that care for a data directory, as frozen values."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from spacetimedb_lib.identity import Identity
from spacetimedb_lib.names import DatabaseNameError, check_database_name


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """`replay`: also see that each log makes a state."""

    data_dir: Path
    json: bool
    replay: bool


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """`to_offset`: the last transaction of the copy, None for all there are."""

    data_dir: Path
    database: str
    to_offset: int | None
    into: Path


@dataclass(frozen=True, slots=True)
class RepairOptions:
    """`yes`: do not ask."""

    data_dir: Path
    database: str
    yes: bool


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """`databases`: identities (hex) and the names that they get, None for no name; empty: all."""

    source: Path
    data_dir: Path
    databases: tuple[tuple[str, str | None], ...]


CareOptions = DoctorOptions | ReplayOptions | RepairOptions | ImportOptions


def add_care_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    doctor = _command(commands, "doctor", "check every checksum in a data directory; nothing is written")
    doctor.add_argument("--json", action="store_true", help="print what was found as JSON")
    doctor.add_argument("--replay", action="store_true", help="also replay each log in memory")
    replay = _command(
        commands, "replay", "copy a database, as it was behind a transaction, into a new directory"
    )
    _add_database(replay)
    replay.add_argument("--to-offset", type=_offset, metavar="N", help="the last transaction (default: all)")
    replay.add_argument("--into", type=Path, required=True, metavar="DIR", help="the directory to make")
    repair = _command(commands, "repair", "let a database with a damaged log go on with what is left")
    _add_database(repair)
    repair.add_argument("-y", "--yes", action="store_true", help="do not ask")
    imported = _command(commands, "import-data", "take over the databases of an official server")
    imported.add_argument("source", type=Path, metavar="DIR", help="the official server's data directory")
    imported.add_argument(
        "--database",
        dest="databases",
        action="append",
        default=[],
        type=_named,
        metavar="IDENTITY[=NAME]",
        help="take only this one, and give it a name; may be repeated",
    )


def care_options(given: argparse.Namespace) -> CareOptions | None:
    """None: another command was given."""
    match given.command:
        case "doctor":
            return DoctorOptions(given.data_dir, given.json, given.replay)
        case "replay":
            return ReplayOptions(given.data_dir, given.database, given.to_offset, given.into)
        case "repair":
            return RepairOptions(given.data_dir, given.database, given.yes)
        case "import-data":
            return ImportOptions(given.source, given.data_dir, tuple(given.databases))
    return None


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False
    )
    parser.add_argument("--data-dir", type=Path, required=True, metavar="DIR", help="where all data is kept")
    return parser


def _add_database(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database", required=True, metavar="NAME", help="the database's name or identity")


def _offset(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) >= 1 << 64:
        raise argparse.ArgumentTypeError(f"{text!r} is no transaction offset")
    return int(text)


def _named(text: str) -> tuple[str, str | None]:
    """`IDENTITY` or `IDENTITY=NAME`."""
    identity, mark, name = text.partition("=")
    try:
        identity = Identity.from_hex(identity).hex()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{identity!r} is no identity of 64 hex digits") from None
    if not mark:
        return identity, None
    try:
        check_database_name(name)
    except DatabaseNameError as error:
        raise argparse.ArgumentTypeError(f"{name!r} is no name for a database: {error}") from None
    return identity, name
