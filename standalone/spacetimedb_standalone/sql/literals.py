"""Values of literals. Only the text of a literal and the type that is wanted decide, not how it was quoted.

So `'5'` is a number where a number is wanted, `5` a string where a string is, and `0x10` is the number ten:
hexits are digits like others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.floats import round_to_f32
from spacetimedb_lib.sats.resolve import is_bytes, is_connection_id, is_identity, is_timestamp, is_uuid
from spacetimedb_lib.sats.type_forms import type_text
from spacetimedb_lib.sats.types import BOOL, BYTES, F32, F64, STRING, U64, AlgebraicType, Kind, Primitive
from spacetimedb_lib.timestamp import Timestamp, TimestampFormatError
from spacetimedb_lib.uuid import Uuid, UuidError

from .errors import bad_literal, unexpected_type
from .parsing.expression_tree import Literal, LiteralKind

_DECIMAL: Final = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?", re.ASCII)
_MAX_DIGITS: Final = 400
"""Digits an integer may have before it is out of every range; keeps `1e999999999` cheap."""

_INTEGERS: Final = {
    kind: (-(1 << bits - 1), (1 << bits - 1) - 1) if kind.name.startswith("I") else (0, (1 << bits) - 1)
    for kind in Kind
    if Kind.I8 <= kind <= Kind.U256 and (bits := int(kind.name[1:]))
}
_TOKEN_TYPES: Final[dict[LiteralKind, AlgebraicType]] = {
    LiteralKind.BOOL: BOOL,
    LiteralKind.STRING: STRING,
    LiteralKind.HEX: BYTES,
}
_WIDE: Final = (Kind.I256, Kind.U256)


def typed_literal(literal: Literal, wanted: AlgebraicType) -> bytes:
    """The BSATN of a literal in a condition. Raises SqlTypeError."""
    if literal.kind is LiteralKind.BOOL:
        if wanted != BOOL:
            raise unexpected_type("Bool", type_text(wanted))
        return b"\x01" if literal.value == "true" else b"\x00"
    return codec(wanted).encode(_value(literal.value, wanted))


def typed_value(literal: Literal, wanted: AlgebraicType) -> bytes:
    """The BSATN of a literal that is stored: quoted text is for strings only. Raises SqlTypeError."""
    if literal.kind is LiteralKind.STRING and wanted != STRING:
        raise unexpected_type("String", type_text(wanted))
    return typed_literal(literal, wanted)


def row_limit_value(literal: Literal) -> int:
    """The number that a system variable is set to: an unsigned number token. Raises SqlTypeError."""
    found = _TOKEN_TYPES.get(literal.kind)
    if found is not None:
        raise unexpected_type("U64", type_text(found))
    return limit_value(literal)


def limit_value(literal: Literal) -> int:
    number: int = _value(literal.value, U64)
    return number


def _value(text: str, wanted: AlgebraicType) -> Any:
    value = _parse(text, wanted)
    if value is None:
        raise bad_literal(text, type_text(wanted))
    return value


def _parse(text: str, wanted: AlgebraicType) -> Any:
    """The value, or None if the text is no literal of the type."""
    if wanted == STRING:
        return text
    if isinstance(wanted, Primitive):
        if wanted in (F32, F64):
            return _float(text, wanted)
        return _integer(text, wanted.kind) if wanted.kind in _INTEGERS else None
    if is_bytes(wanted):
        return _hexits(text)
    for is_type, parse in _SPECIAL:
        if is_type(wanted):
            number = parse(text)
            return None if number is None else (number,)
    return None


def _integer(text: str, kind: Kind) -> int | None:
    match = _DECIMAL.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        return None
    fraction = match[3] or ""
    digits = (match[2] + fraction).lstrip("0")
    scale = len(fraction) - int(match[4] or 0)
    if scale > 0:
        zeros = len(digits) - len(digits.rstrip("0"))
        if kind in _WIDE or (digits and scale > zeros):
            return None
        digits = digits[:-scale]
    if digits and len(digits) - min(scale, 0) > _MAX_DIGITS:
        return None
    number = int(match[1] + (digits or "0")) * 10 ** min(max(-scale, 0), _MAX_DIGITS)
    low, high = _INTEGERS[kind]
    return number if low <= number <= high else None


def _float(text: str, wanted: AlgebraicType) -> float | None:
    match = _DECIMAL.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        return None
    number = float(text)
    return number if wanted == F64 else round_to_f32(number)


def _hexits(text: str, count: int | None = None) -> bytes | None:
    """The bytes of hexits after an optional `0x`; exactly `count` bytes if given."""
    digits = text.removeprefix("0x")
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})*", digits) is None:
        return None
    return bytes.fromhex(digits) if count in (None, len(digits) // 2) else None


def _number_of_hexits(count: int) -> Callable[[str], int | None]:
    def parse(text: str) -> int | None:
        data = _hexits(text, count)
        return None if data is None else int.from_bytes(data)

    return parse


def _uuid(text: str) -> int | None:
    try:
        return Uuid.parse(text).number
    except UuidError:
        return None


def _timestamp(text: str) -> int | None:
    try:
        return Timestamp.parse(text).micros
    except TimestampFormatError:
        return None


_SPECIAL: Final = (
    (is_identity, _number_of_hexits(32)),
    (is_connection_id, _number_of_hexits(16)),
    (is_uuid, _uuid),
    (is_timestamp, _timestamp),
)
