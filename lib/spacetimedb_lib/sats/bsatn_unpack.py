"""What generated decoders call: reading of values that `struct` alone does not read right, and errors."""

from __future__ import annotations

from struct import error, unpack_from
from typing import Any, Final

from spacetimedb_lib.sats.errors import (
    bad_bool,
    bad_tag,
    bad_utf8,
    nested_too_deeply,
    raise_run_error,
    too_many,
    too_short,
    wrong_length,
)
from spacetimedb_lib.sats.floats import f32_from_bits
from spacetimedb_lib.sats.types import SumValue


def unpack_f32(data: bytes, offset: int) -> float:
    """One F32, NaN payload kept."""
    return f32_from_bits(unpack_from("<I", data, offset)[0])


def unpack_f32s(count: int, data: bytes, offset: int) -> list[float]:
    """Array elements; the bytes are known to be there."""
    values = unpack_from(f"<{count}f", data, offset)
    total = sum(values)
    if total == total:
        return list(values)
    return [f32_from_bits(bits) for bits in unpack_from(f"<{count}I", data, offset)]


def unpack_bools(count: int, data: bytes, offset: int) -> list[bool]:
    """Array elements; the bytes are known to be there."""
    raw = bytes(data[offset : offset + count])
    bad = raw.translate(None, b"\x00\x01")
    if bad:
        raise bad_bool(bad[0])
    return [byte == 1 for byte in raw]


def raise_bad_tag(tag: int) -> None:
    raise bad_tag(tag)


def raise_too_short(expected: int, given: int) -> None:
    raise too_short("[u8]", expected, given)


def raise_left_over(given: int) -> None:
    raise wrong_length(0, given)


def raise_too_many(count: int) -> None:
    raise too_many(count)


DECODER_NAMES: Final[dict[str, Any]] = {
    "StructError": error,
    "SumValue": SumValue,
    "bad_utf8": bad_utf8,
    "from_bytes": int.from_bytes,
    "nested_too_deeply": nested_too_deeply,
    "new": tuple.__new__,
    "raise_left_over": raise_left_over,
    "raise_bad_tag": raise_bad_tag,
    "raise_run_error": raise_run_error,
    "raise_too_many": raise_too_many,
    "raise_too_short": raise_too_short,
    "unpack_bools": unpack_bools,
    "unpack_f32": unpack_f32,
    "unpack_f32s": unpack_f32s,
    "unpack_from": unpack_from,
}
"""The names that generated code may use."""
