"""How the public system prints floats and quotes strings.

Three forms of a float are in use: *plain* (never an exponent: SATN, table cells), *debug* (always a dot or an
exponent) and *JSON*. All three have the fewest digits that read back as the same F32 or F64.
"""

from __future__ import annotations

import math
import unicodedata
from decimal import Decimal
from functools import lru_cache
from typing import Final

from spacetimedb_lib.sats.floats import round_to_f32

_F32_SAFE_DIGITS: Final = 6
"""Different decimals of this many digits are different F32 (unless these are subnormal)."""

_F32_SMALLEST_NORMAL: Final = 2.0**-126


def shortest_digits(value: float, f32: bool = False) -> tuple[str, int]:
    """(digits, exponent) of a finite positive float, `0.digits * 10 ** exponent`; no zeros around."""
    digits, exponent = _split(_scientific(value))
    if f32 and (len(digits) > _F32_SAFE_DIGITS or value < _F32_SMALLEST_NORMAL):
        return _shortest_f32(value)
    return digits, exponent


def _split(scientific: str) -> tuple[str, int]:
    """`1.50e3` -> ("15", 4)."""
    mantissa, _, exponent = scientific.partition("e")
    return mantissa.replace(".", "").rstrip("0"), int(exponent) + 1


def _shortest_f32(value: float) -> tuple[str, int]:
    """Tries more and more digits until they read back as the same F32."""
    is_power_of_two = math.frexp(value)[0] == 0.5
    for precision in range(0 if value < _F32_SMALLEST_NORMAL else _F32_SAFE_DIGITS - 1, 8):
        nearest = f"{value:.{precision}e}"
        if round_to_f32(float(nearest)) == value:
            return _split(nearest)
        if is_power_of_two:
            # Above it F32 lie twice as far apart as below: a decimal that is not the nearest may do.
            above = Decimal(nearest) + Decimal(1).scaleb(Decimal(nearest).adjusted() - precision)
            if round_to_f32(float(above)) == value:
                return _split(f"{above:e}")
    return _split(f"{value:.8e}")


def _scientific(value: float) -> str:
    """The shortest digits of an F64, in scientific notation."""
    digits = repr(value)
    mantissa, _, exponent = digits.partition("e")
    whole, _, fraction = mantissa.partition(".")
    shift = len(whole) - 1
    all_digits = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(all_digits)
    return f"{all_digits[:1]}.{all_digits[1:] or '0'}e{int(exponent or 0) + shift - leading}"


def _special(value: float) -> str | None:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return None


def float_plain(value: float, f32: bool = False) -> str:
    """`1`, `0.1`, `-0`, `10000000000000000`, `inf`, `NaN`."""
    special = _special(value)
    if special is not None:
        return special
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if value == 0:
        return f"{sign}0"
    digits, exponent = shortest_digits(abs(value), f32)
    if exponent <= 0:
        return f"{sign}0.{'0' * -exponent}{digits}"
    if len(digits) <= exponent:
        return f"{sign}{digits}{'0' * (exponent - len(digits))}"
    return f"{sign}{digits[:exponent]}.{digits[exponent:]}"


def float_debug(value: float, f32: bool = False) -> str:
    """`1.0`, `1e16`, `1e-5`, `-0.0`, `inf`, `NaN`."""
    special = _special(value)
    return _with_exponent(value, f32, -3, 16) if special is None else special


def float_json(value: float, f32: bool = False) -> str:
    """`1.0`, `1e16`, `0.00001`, `1e-6`; `null` for what JSON has no number for."""
    if not math.isfinite(value):
        return "null"
    return _with_exponent(value, f32, -5, 13) if f32 else _with_exponent(value, f32, -4, 16)


def _with_exponent(value: float, f32: bool, low: int, high: int) -> str:
    """Plain from `0.1 * 10 ** low` up to below `10 ** high`, else in scientific notation."""
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if value == 0:
        return f"{sign}0.0"
    digits, exponent = shortest_digits(abs(value), f32)
    if low <= exponent <= high:
        text = float_plain(value, f32)
        return text if "." in text else f"{text}.0"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{exponent - 1}"


_SHORT_ESCAPES = {"\t": "\\t", "\r": "\\r", "\n": "\\n", '"': '\\"', "\\": "\\\\", "\0": "\\0"}
_ESCAPED_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs", "Mn", "Me"))


def quoted(text: str) -> str:
    """The text in double quotes with unprintable characters escaped, as error messages show strings."""
    return f'"{"".join(map(_escaped, text))}"'


@lru_cache(maxsize=1024)
def _escaped(char: str) -> str:
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    if char != " " and unicodedata.category(char) in _ESCAPED_CATEGORIES:
        return f"\\u{{{ord(char):x}}}"
    return char
