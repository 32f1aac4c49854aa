"""Validation of the environment variables that a module declares (a section of 2.11 and later)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from spacetimedb_lib.moduledef.errors import ErrorKind, Invalid, invalid
from spacetimedb_lib.moduledef.raw_v10 import RawEnvironmentVariable
from spacetimedb_lib.moduledef.records import Tagged

MAX_VARIABLES = 256
MAX_NAME_BYTES = 256
MAX_LITERALS = 256
MAX_LITERAL_BYTES = 8192
MAX_DECLARED_BYTES = 2 << 20
"""Names and literals of all declarations together."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def environment(declared: Sequence[RawEnvironmentVariable]) -> tuple[RawEnvironmentVariable, ...]:
    """Check the declarations; unions come back sorted and without repetitions. The first error ends it."""
    if len(declared) > MAX_VARIABLES:
        raise _error("too many declarations")
    seen: set[str] = set()
    checked = []
    size = 0
    for variable in declared:
        if not _NAME.fullmatch(variable.name) or len(variable.name) > MAX_NAME_BYTES:
            raise _error("invalid name")
        if variable.name in seen:
            raise _error("duplicate declaration", variable)
        seen.add(variable.name)
        literals = _literals(variable)
        size += len(variable.name) + sum(map(_size, literals))
        if size > MAX_DECLARED_BYTES:
            raise _error("declaration schema exceeds size limit", variable)
        checked.append(_normalized(variable))
    return tuple(checked)


def _literals(variable: RawEnvironmentVariable) -> Iterable[str]:
    """The values that the variable may have, checked; nothing when it may have any."""
    match variable.ty:
        case Tagged("StringLiteral", literal):
            literals: tuple[str, ...] = (literal,)
        case Tagged("Union", literals):
            if not literals:
                raise _error("string union must not be empty", variable)
            if len(literals) > MAX_LITERALS:
                raise _error("string union has too many entries", variable)
        case _:
            literals = ()
    if any(_size(literal) > MAX_LITERAL_BYTES for literal in literals):
        raise _error("declared literal exceeds value size limit", variable)
    return literals


def _normalized(variable: RawEnvironmentVariable) -> RawEnvironmentVariable:
    if variable.ty.name != "Union":
        return variable
    return replace(variable, ty=Tagged("Union", tuple(sorted(set(variable.ty.content), key=str.encode))))


def _size(text: str) -> int:
    return len(text.encode())


def _error(reason: str, variable: RawEnvironmentVariable | None = None) -> Invalid:
    where = "" if variable is None else f'environment key "{variable.name}": '
    return invalid(ErrorKind.Environment, error=where + reason)
