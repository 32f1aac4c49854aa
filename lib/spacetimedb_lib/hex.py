"""Strict reading of hex digits, with the error texts of the public system."""

from __future__ import annotations

import re
from typing import Final

from spacetimedb_lib.sats.display import float_json, quoted

_PAIRS: Final = re.compile(r"(?:[0-9a-fA-F]{2})*")


class HexError(ValueError):
    """Text that is not the hex form of the expected number of bytes."""


def fixed_hex(text: str, length: int) -> bytes:
    """Exactly `length` bytes as hex digits of either case; nothing else, no prefix, no blanks.

    The checks come in the order of the public system: even number of digits, then their number, then each
    digit. Counts and positions are those of the UTF-8 bytes.
    """
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) % 2:
        raise HexError("Odd number of digits")
    if len(raw) != 2 * length:
        raise HexError("Invalid string length")
    for position, byte in enumerate(raw):
        if byte not in b"0123456789abcdefABCDEF":
            raise HexError(f"Invalid character {chr(byte)!r} at position {position}")
    return bytes.fromhex(text)


def prefixed_hex(text: str, length: int) -> bytes:
    """As `fixed_hex`, after dropping a leading `0x` or `X'` (whose closing quote is not accepted)."""
    for prefix in ("0x", "X'"):
        if text.startswith(prefix):
            return fixed_hex(text[len(prefix) :], length)
    return fixed_hex(text, length)


def loose_hex(text: str) -> bytes | None:
    """Any number of bytes as pairs of hex digits, no blanks or prefix; None if the text is something else."""
    return bytes.fromhex(text) if _PAIRS.fullmatch(text) else None


def hex_or_bytes_from_json(value: object) -> bytes:
    """Bytes from parsed JSON: hex digits without prefix, or a list of numbers. Raises `HexError`."""
    expected = "a byte array or hex string"
    if isinstance(value, str):
        data = loose_hex(value)
        if data is None:
            raise HexError(f"invalid value: string {quoted(value)}, expected {expected}")
        return data
    if isinstance(value, list):
        for item in value:
            if type(item) is not int:
                raise HexError(f"invalid type: {_kind_of_json(item)}, expected u8")
            if not 0 <= item <= 255:
                raise HexError(f"invalid value: integer `{item}`, expected u8")
        return bytes(value)
    raise HexError(f"invalid type: {_kind_of_json(value)}, expected {expected}")


def _kind_of_json(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return f"boolean `{'true' if value else 'false'}`"
        case int():
            return f"integer `{value}`"
        case float():
            return f"floating point `{float_json(value)}`"
        case str():
            return f"string {quoted(value)}"
        case list():
            return "sequence"
    return "map"
