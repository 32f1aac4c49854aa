"""F32 values as Python floats, to the last bit.

A Python float is an F64. Every F32 is one exactly, except that the conversion done by the processor
turns a signalling NaN into a quiet one; these functions do not.
"""

from __future__ import annotations

from struct import Struct

_F32, _U32 = Struct("<f"), Struct("<I")
_F64, _U64 = Struct("<d"), Struct("<Q")

_F32_QUIET_NAN = 0x7FC0_0000
_F32_INFINITY = 0x7F80_0000
_F32_MANTISSA = 0x007F_FFFF


def f32_bits(value: float) -> int:
    """The 32 bits of a float whose value is one of F32's. Raises `OverflowError` when it is out of range."""
    if value == value:
        bits: int = _U32.unpack(_F32.pack(value))[0]
        return bits
    wide: int = _U64.unpack(_F64.pack(value))[0]
    mantissa = (wide >> 29) & _F32_MANTISSA
    return (wide >> 63) << 31 | (_F32_INFINITY | mantissa if mantissa else _F32_QUIET_NAN)


def f32_from_bits(bits: int) -> float:
    """The float that has these 32 bits as F32; NaN payloads are kept."""
    mantissa = bits & _F32_MANTISSA
    if bits & _F32_INFINITY == _F32_INFINITY and mantissa:
        nan: float = _F64.unpack(_U64.pack((bits >> 31) << 63 | 0x7FF << 52 | mantissa << 29))[0]
        return nan
    value: float = _F32.unpack(_U32.pack(bits))[0]
    return value


def round_to_f32(value: float) -> float:
    """The nearest F32 of a float or int; too large becomes infinity."""
    if isinstance(value, int):
        value = _to_odd_f64(value)
    try:
        rounded: float = _F32.unpack(_F32.pack(value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return rounded


def _to_odd_f64(value: int) -> float:
    """An F64 near an integer that rounds to the same F32 as the integer itself would.

    Rounding twice goes wrong where the first rounding lands halfway between two F32; so the bits that an F64
    cannot hold are not rounded but kept as one sticky bit.
    """
    extra = abs(value).bit_length() - 53
    if extra <= 0:
        return float(value)
    kept = abs(value) >> extra
    sticky = 1 if abs(value) & ((1 << extra) - 1) else 0
    odd = float((kept | sticky) << extra)
    return odd if value > 0 else -odd
