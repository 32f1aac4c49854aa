"""How single values of `config.toml` are taken in: one function per kind, each `value -> setting`.

Every reader raises `ConfigError` with what is wrong about the value; the caller adds which key it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from spacetimedb_standalone.config.durations import DurationError, parse_duration

KEY: Final = "key"
"""Metadata of a settings field: its names in the file."""
READ: Final = "read"
"""Metadata of a settings field: its reader."""

LEVELS: Final = ("off", "error", "warn", "info", "debug", "trace")


class ConfigError(ValueError):
    """The settings are wrong: the user's fault, to be mended in `config.toml` or the options."""


def number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 64:
        raise ConfigError(f"expected a whole number that is not negative, got {value!r}")
    return value


def positive(value: Any) -> int:
    if number(value) == 0:
        raise ConfigError("value must be greater than 0")
    return int(value)


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"expected true or false, got {value!r}")
    return value


def fraction(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0.0 <= value <= 1.0:
        raise ConfigError(f"expected a fraction between 0.0 and 1.0, got {value}")
    return float(value)


def duration(value: Any) -> float:
    """Seconds."""
    if not isinstance(value, str):
        raise ConfigError(f'expected a duration such as "15s", got {value!r}')
    try:
        return parse_duration(value)
    except DurationError as error:
        raise ConfigError(f'expected a duration such as "15s": {error}') from error


def long_duration(value: Any) -> float:
    """Seconds; a bare whole number counts seconds too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(number(value))
    return duration(value)


def level(value: Any) -> str:
    if not isinstance(value, str) or value.lower() not in LEVELS:
        raise ConfigError(f"expected one of {', '.join(LEVELS)}, got {value!r}")
    return value.lower()


def strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"expected a list of strings, got {value!r}")
    return tuple(value)


def path(value: Any) -> Path:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"expected a path, got {value!r}")
    return Path(value)
