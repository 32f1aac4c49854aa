"""Values of literals. Only the text of a literal and the type that is wanted decide, not how it was quoted.

So `'5'` is a number where a number is wanted, `5` a string where a string is, and `0x10` is the number ten:
hexits are digits like others.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any, Final

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.resolve import is_bytes, is_connection_id, is_identity, is_timestamp, is_uuid
from spacetimedb_lib.sats.type_forms import type_text
from spacetimedb_lib.sats.types import BOOL, BYTES, F32, F64, STRING, U64, AlgebraicType, Kind, Primitive

from .errors import bad_literal, unexpected_type
from .parsing.tree import Literal, LiteralKind

_DECIMAL: Final = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?", re.ASCII)
_TIMESTAMP: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_UUID: Final = re.compile(
    r"(?P<open>\{|urn:uuid:)?[0-9a-f]{8}(?P<dash>-)?[0-9a-f]{4}(?(dash)-)[0-9a-f]{4}(?(dash)-)[0-9a-f]{4}"
    r"(?(dash)-)[0-9a-f]{12}(?P<close>\})?",
    re.ASCII | re.IGNORECASE,
)
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
    if wanted == F64:
        return number
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")
    return rounded


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
    match = _UUID.fullmatch(text)
    if match is None or (match["open"] == "{") != (match["close"] is not None):
        return None
    if match["open"] and not match["dash"]:
        return None
    return int(re.sub("[^0-9a-fA-F]", "", text.lower().removeprefix("urn:uuid:")), 16)


def _timestamp(text: str) -> int | None:
    """Whole microseconds since 1970 of an RFC 3339 text; a leap second is the second after it."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    days = _days(year, month, day)
    if days is None or hour > 23 or minute > 59 or second > 60:
        return None
    offset = 0
    if match[8]:
        if int(match[9]) > 23 or int(match[10]) > 59:
            return None
        offset = (int(match[9]) * 60 + int(match[10])) * (60 if match[8] == "+" else -60)
    seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
    return seconds * 1_000_000 + int(((match[7] or "") + "000000")[:6])


def _days(year: int, month: int, day: int) -> int | None:
    """Days since 1970 in the proleptic Gregorian calendar, year 0 included; None if there is no such day."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1]:
        return None
    before = year + 399  # years are counted from -400 so that year 0 divides like the others
    years = (year + 400) * 365 + before // 4 - before // 100 + before // 400
    return years + sum(lengths[: month - 1]) + day - 1 - _EPOCH


_EPOCH: Final = 2370 * 365 + 2369 // 4 - 2369 // 100 + 2369 // 400

_SPECIAL: Final = (
    (is_identity, _number_of_hexits(32)),
    (is_connection_id, _number_of_hexits(16)),
    (is_uuid, _uuid),
    (is_timestamp, _timestamp),
)
