"""A module's log records as lines of text.

A record is a JSON object ``{"level", "ts", "target"?, "filename"?, "line_number"?, "function"?,
"message", "trace"?: [{"module_name"?, "func_name"?}]}``; `ts` is in microseconds since 1970.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from spacetimedb_cli.errors import PeerError
from spacetimedb_cli.render.cells import timestamp_text

LEVELS = ("trace", "debug", "info", "warn", "error", "panic")
COLORS = {
    "error": "\x1b[31m",
    "warn": "\x1b[33m",
    "info": "\x1b[34m",
    "debug": "\x1b[2m\x1b[1m",
    "trace": "\x1b[2m",
    "panic": "\x1b[1m\x1b[91m",
}
DIM, PLAIN = "\x1b[2m", "\x1b[0m"
HOST = "__spacetimedb__"


@dataclass(frozen=True, slots=True)
class LevelFilter:
    """Lets records of `level` pass, and more severe ones unless `exact`."""

    level: str
    exact: bool = False

    def passes(self, record: dict[str, Any]) -> bool:
        rank = LEVELS.index(_level(record))
        wanted = LEVELS.index(self.level)
        return rank == wanted if self.exact else rank >= wanted


def records(pieces: Iterable[bytes]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The lines of a log and what they hold, from pieces cut anywhere.

    Raises `PeerError` for a line that is no record.
    """
    for line in _lines(pieces):
        try:
            record = json.loads(line)
            known = isinstance(record, dict) and _level(record) in LEVELS
        except ValueError:
            known = False
        if not known:
            raise PeerError(
                f"the server sent a log record that cannot be read: {line[:200]}; try --format json"
            )
        yield line, record


def record_text(record: dict[str, Any], colors: bool = False) -> str:
    """A record as a line, and a line more for each frame of its trace."""

    def dimmed(text: str) -> str:
        return f"{DIM}{text}{PLAIN}" if colors else text

    level = _level(record)
    name = f"{level.upper():>5}"
    place = _place(record)
    text = f"{dimmed(_time(record))} {COLORS[level] + name + PLAIN if colors else name}: "
    text += f"{dimmed(place)}: " if place else ""
    text += str(record.get("message", ""))
    for frame in record.get("trace") or ():
        text += (
            f"\n    in {frame.get('module_name') or '<unknown>'} :: {frame.get('func_name') or '<unknown>'}"
        )
    return text


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in lines if line.strip())
    if rest.strip():
        yield rest.decode("utf-8", "replace")


def _level(record: dict[str, Any]) -> str:
    return str(record.get("level", "")).lower()


def _time(record: dict[str, Any]) -> str:
    stamp = record.get("ts")
    return timestamp_text(stamp).replace("+00:00", "Z") if isinstance(stamp, int) else str(stamp)


def _place(record: dict[str, Any]) -> str:
    """Function and position in the source; the server's own are no news."""
    function, file, line = record.get("function"), record.get("filename"), record.get("line_number")
    words = [function] if function and function != HOST else []
    if file and file != HOST:
        words.append(file if line is None else f"{file}:{line}")
    return " ".join(words)
