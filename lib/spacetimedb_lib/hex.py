"""Strict reading of hex digits, with the error texts of the public system."""

from __future__ import annotations


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
