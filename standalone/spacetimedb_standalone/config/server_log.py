"""The server's own log: lines on standard output and in `logs/spacetime-standalone.log`.

A line is `2026-08-01T12:00:00.000000Z  INFO path/of/file.py:42: message`, in UTC, coloured only on a
terminal. The settings give a level for everything and directives `target=level`; of several directives the
longest target that a logger's name begins with decides. A target may be written with `::` between its
parts. Every process of the server writes whole lines to the same files in append mode, so lines of
different processes never mix.

A full disk or a closed console stops nobody: the lines are lost there, and the other place is told once.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from spacetimedb_standalone.config.settings import LogSettings

TRACE: Final = 5
_OFF: Final = logging.CRITICAL + 10
_NUMBERS: Final = {
    "off": _OFF,
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": TRACE,
}
_NAMES: Final = {
    logging.CRITICAL: "ERROR",
    logging.ERROR: "ERROR",
    logging.WARNING: "WARN",
    logging.INFO: "INFO",
    logging.DEBUG: "DEBUG",
    TRACE: "TRACE",
}
_COLOURS: Final = {"ERROR": "31", "WARN": "33", "INFO": "32", "DEBUG": "34", "TRACE": "35"}
_PACKAGE_ROOT: Final = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Levels:
    """Which records pass: `directives` maps logger-name prefixes to level numbers."""

    default: int
    directives: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, settings: LogSettings) -> Levels:
        """Directives that cannot be read are ignored."""
        default = _NUMBERS[settings.level]
        directives = {}
        for text in (part for item in settings.directives for part in item.split(",")):
            target, equals, level = text.strip().partition("=")
            if equals and level.lower() in _NUMBERS:
                directives[target.replace("::", ".")] = _NUMBERS[level.lower()]
            elif not equals and target.lower() in _NUMBERS:
                default = _NUMBERS[target.lower()]
        longest_first = sorted(directives.items(), key=lambda item: -len(item[0]))
        return cls(default, tuple(longest_first))

    def of_logger(self, name: str) -> int:
        return next((level for prefix, level in self.directives if name.startswith(prefix)), self.default)

    def lowest(self) -> int:
        return min([self.default, *(level for _, level in self.directives)])

    def filter(self, record: logging.LogRecord) -> bool:
        """As a `logging` filter."""
        return record.levelno >= self.of_logger(record.name)


class LineFormatter(logging.Formatter):
    """One record as one line (a traceback adds its own)."""

    def __init__(self, colour: bool):
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        stamp = f"{moment}.{int(record.created % 1 * 1e6):06}Z"
        level = f"{_level_name(record.levelno):>5}"
        place = f"{_short_path(record.pathname)}:{record.lineno}:"
        if self._colour:
            stamp, place = f"\x1b[2m{stamp}\x1b[0m", f"\x1b[2m{place}\x1b[0m"
            level = f"\x1b[{_COLOURS[level.strip()]}m{level}\x1b[0m"
        line = f"{stamp} {level} {place} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class Lines(logging.StreamHandler[IO[str]]):
    """Lines to one place. `owned`: the stream is closed with it."""

    def __init__(self, stream: IO[str], place: str, colour: bool, owned: bool = False):
        super().__init__(stream)
        self.setFormatter(LineFormatter(colour))
        self.other: Lines | None = None
        """Where it is said that this one cannot be written."""
        self._place = place
        self._owned = owned
        self._lost = 0
        """Lines in a row that could not be written."""

    def emit(self, record: logging.LogRecord) -> None:
        lost = self._lost
        super().emit(record)
        if lost == self._lost:
            self._lost = 0

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # a record that cannot be formatted: a mistake of ours
            super().handleError(record)
            return
        self._lost += 1
        if self._lost == 1 and self.other is not None:
            told = f"the log cannot be written to {self._place} for now: {error}"
            self.other.emit(logging.LogRecord(__name__, logging.WARNING, __file__, 0, told, None, None))

    def close(self) -> None:
        super().close()
        if self._owned:
            with contextlib.suppress(OSError):  # what is not written is lost, as `handleError` has said
                self.stream.close()


def configure_logging(
    settings: LogSettings, log_file: Path | None, console: IO[str], env: Mapping[str, str]
) -> None:
    """Make this process log as `settings` say, to `console` and, unless None, to `log_file` (its directory
    is made).

    Replaces what was configured before, so that a forked process can call it again.
    """
    levels = Levels.of(settings)
    colour = console.isatty() and not env.get("NO_COLOR")
    handlers = [Lines(console, "the console", colour)]
    if log_file is not None:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        file = log_file.open("a", encoding="utf-8")
        handlers.append(Lines(file, str(log_file), colour=False, owned=True))
        handlers[0].other, handlers[1].other = handlers[1], handlers[0]
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.addFilter(levels.filter)
        root.addHandler(handler)
    root.setLevel(levels.lowest())


def disk_logging_wanted(env: Mapping[str, str] = os.environ) -> bool:
    return "SPACETIMEDB_DISABLE_DISK_LOGGING" not in env


def _level_name(number: int) -> str:
    return next((name for level, name in _NAMES.items() if number >= level), "TRACE")


def _short_path(path: str) -> str:
    try:
        return str(Path(path).relative_to(_PACKAGE_ROOT))
    except ValueError:
        return Path(path).name
