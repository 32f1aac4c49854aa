"""Reading the parameters of a query string into values, with the error texts of the public system.

Parameters are looked at in the order in which they stand; the first bad one is reported, then the first
missing one. Unknown parameters are ignored, a known one given twice is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from spacetimedb_lib.hashing import hash_from_json
from spacetimedb_lib.hex import HexError
from spacetimedb_lib.identity import ConnectionId
from spacetimedb_standalone.config.durations import DurationError, parse_duration
from spacetimedb_standalone.front.http import refuse


class QueryError(ValueError):
    """A parameter is bad, doubled or missing."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """`read` turns the text into a value or raises `QueryError`; `aliases` are other names for the same."""

    name: str
    read: Callable[[str], Any]
    default: Any = None
    required: bool = False
    aliases: tuple[str, ...] = ()


def read_query(pairs: Sequence[tuple[str, str]], parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Values by parameter name. Refuses the request with 400 if they cannot be read."""
    try:
        return _read(pairs, parameters)
    except QueryError as error:
        raise refuse(f"Failed to deserialize query string: {error}", 400) from error


def _read(pairs: Sequence[tuple[str, str]], parameters: Sequence[Parameter]) -> dict[str, Any]:
    known = {name: parameter for parameter in parameters for name in (parameter.name, *parameter.aliases)}
    values: dict[str, Any] = {}
    for name, text in pairs:
        parameter = known.get(name)
        if parameter is None:
            continue
        if parameter.name in values:
            raise QueryError(f"duplicate field `{parameter.name}`")
        values[parameter.name] = parameter.read(text)
    for parameter in parameters:
        if parameter.name not in values:
            if parameter.required:
                raise QueryError(f"missing field `{parameter.name}`")
            values[parameter.name] = parameter.default
    return values


def boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise QueryError("provided string was not `true` or `false`")
    return text == "true"


def unsigned(bits: int) -> Callable[[str], int]:
    """A whole number that fits so many bits."""

    def read(text: str) -> int:
        digits = text.removeprefix("+")
        if not text:
            raise QueryError("cannot parse integer from empty string")
        if not (digits.isascii() and digits.isdigit()):
            raise QueryError("invalid digit found in string")
        if len(digits.lstrip("0")) > 40 or int(digits) >= 1 << bits:
            raise QueryError("number too large to fit in target type")
        return int(digits)

    return read


def variant(*names: str) -> Callable[[str], str]:
    """One of a few names, in exactly these letters."""
    quoted = [f"`{name}`" for name in names]
    expected = " or ".join(quoted) if len(names) <= 2 else f"one of {', '.join(quoted)}"

    def read(text: str) -> str:
        if text not in names:
            raise QueryError(f"unknown variant `{text}`, expected {expected}")
        return text

    return read


def duration(text: str) -> float:
    """Seconds."""
    try:
        return parse_duration(text)
    except DurationError as error:
        raise QueryError(str(error)) from error


def migration_token(text: str) -> bytes:
    """The hash of a migration plan in its JSON form."""
    try:
        return hash_from_json(text)
    except ValueError as error:
        raise QueryError("invalid digit found in string") from error


def connection_id(text: str) -> ConnectionId:
    """32 hex digits without a prefix; zero is let through here."""
    try:
        return ConnectionId.from_json(text)
    except HexError as error:
        raise QueryError(str(error)) from error
