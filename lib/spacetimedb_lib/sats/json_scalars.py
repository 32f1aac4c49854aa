"""Readers of single JSON values: numbers, strings, bytes; and the errors for values of another kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeAlias

from spacetimedb_lib.hex import loose_hex
from spacetimedb_lib.sats.display import float_json, quoted
from spacetimedb_lib.sats.floats import round_to_f32
from spacetimedb_lib.sats.json_scanner import Scanner
from spacetimedb_lib.sats.json_tokens import JsonError
from spacetimedb_lib.sats.layout import integer_range
from spacetimedb_lib.sats.types import Kind, Primitive

Reader: TypeAlias = Callable[[Scanner], Any]

_HEX_NUMBER: Final = re.compile(r"([+-]?)0x([0-9a-fA-F]+)")
_NUMBER_START: Final = tuple(bytes((byte,)) for byte in b"-0123456789")


def wrong_type(scanner: Scanner, expected: str) -> NoReturn:
    """The next value is no `expected` (containers are only looked at, other values consumed)."""
    scanner.fail(f"invalid type: {_unexpected(scanner, scanner.peek_value())}, expected {expected}")


def wrong_type_inside(scanner: Scanner, expected: str) -> NoReturn:
    """As `wrong_type`, but an array or object is entered first, which shows in the position."""
    bracket = {b"[": b"]", b"{": b"}"}.get(scanner.peek_value())
    if bracket is None:
        wrong_type(scanner, expected)
    what = "sequence" if bracket == b"]" else "map"
    scanner.open()
    error = JsonError(f"invalid type: {what}, expected {expected}")
    scanner.abandon(bracket, error)
    raise error


def _unexpected(scanner: Scanner, byte: bytes) -> str:
    match byte:
        case b"n" | b"t" | b"f":
            value = scanner.keyword(byte)
            return "null" if value is None else f"boolean `{'true' if value else 'false'}`"
        case b'"':
            return f"string {quoted(scanner.string())}"
        case b"[":
            return "sequence"
        case b"{":
            return "map"
    if byte in _NUMBER_START:
        return _number_text(scanner.number())
    scanner.fail_here("expected value")


def _number_text(number: int | float) -> str:
    return f"integer `{number}`" if isinstance(number, int) else f"floating point `{float_json(number)}`"


def read_bool(scanner: Scanner) -> bool:
    byte = scanner.peek_value()
    if byte not in (b"t", b"f"):
        wrong_type(scanner, "a boolean")
    return bool(scanner.keyword(byte))


def read_string(scanner: Scanner) -> str:
    if scanner.peek_value() != b'"':
        wrong_type(scanner, "a string")
    return scanner.string()


def integer_reader(kind: Kind) -> Reader:
    """For the integers of up to 64 bits."""
    limits = integer_range(Primitive(kind))
    assert limits is not None
    low, high = limits
    name = kind.name.lower()

    def read(scanner: Scanner) -> int:
        if scanner.peek_value() not in _NUMBER_START:
            wrong_type(scanner, name)
        number = scanner.number()
        if not isinstance(number, int):
            scanner.fail(f"invalid type: {_number_text(number)}, expected {name}")
        if not low <= number <= high:
            scanner.fail(f"invalid value: {_number_text(number)}, expected {name}")
        return number

    return read


def integer128_reader(kind: Kind) -> Reader:
    limits = integer_range(Primitive(kind))
    assert limits is not None
    low, high = limits
    return lambda scanner: scanner.big_integer(low, high)


def integer256_reader(kind: Kind) -> Reader:
    limits = integer_range(Primitive(kind))
    assert limits is not None
    low, high = limits

    def read(scanner: Scanner) -> int:
        if scanner.peek_value() != b'"':
            wrong_type(scanner, "a formatted 256-bit integer")
        text = scanner.string()
        match = _HEX_NUMBER.fullmatch(text)
        if not text:
            scanner.fail("cannot parse integer from empty string")
        if match is None or (match[1] == "-" and low == 0):
            scanner.fail("invalid digit found in string")
        number = int(match[1] + match[2], 16)
        if number > high:
            scanner.fail("number too large to fit in target type")
        if number < low:
            scanner.fail("number too small to fit in target type")
        return number

    return read


def read_f64(scanner: Scanner) -> float:
    if scanner.peek_value() not in _NUMBER_START:
        wrong_type(scanner, "f64")
    return float(scanner.number())


def read_f32(scanner: Scanner) -> float:
    if scanner.peek_value() not in _NUMBER_START:
        wrong_type(scanner, "f32")
    return round_to_f32(scanner.number())


_read_u8 = integer_reader(Kind.U8)


def read_bytes(scanner: Scanner) -> bytes:
    """A hex string, or an array of numbers."""
    expected = "a byte array or hex string"
    byte = scanner.peek_value()
    if byte == b"[":
        return bytes(read_elements(scanner, _read_u8))
    if byte != b'"':
        wrong_type_inside(scanner, expected)
    text = scanner.string()
    data = loose_hex(text)
    if data is None:
        scanner.fail(f"invalid value: string {quoted(text)}, expected {expected}")
    return data


def read_elements(scanner: Scanner, read: Reader) -> list[Any]:
    """All elements of an array, whose bracket was peeked."""
    scanner.open()
    values: list[Any] = []
    try:
        while scanner.next_element(not values):
            try:
                values.append(read(scanner))
            except JsonError as error:
                error.path.append(len(values))
                raise
    except JsonError as error:
        scanner.abandon(b"]", error)
        raise
    scanner.close(b"]")
    return values
