"""A value of a table as the text of its cell.

Values come as the server's untyped JSON (sums as ``[tag, payload]``, products as lists), which means
something only together with the type. The text is the one of the `psql` client's tradition:

===================  ==========================================================
value                text
===================  ==========================================================
String               ``"text"``, nothing escaped
bytes                ``0x0102``
Identity             ``0x`` and all 64 digits; ConnectionId 32
Timestamp            ``1970-01-01T00:00:00+00:00``
TimeDuration         ``+0.000001``
Uuid                 ``"00112233-4455-6677-8899-aabbccddeeff"``
product              ``(x = 1, y = 2)``, unit ``()``
sum                  ``(some = 5)``, ``(none = ())``
array                its elements, one after the other
===================  ==========================================================

A special type inside another value keeps its one field: ``(some = (__identity__ = 0x…))``.
"""

from __future__ import annotations

from typing import Any

from spacetimedb_lib.sats.display import float_plain
from spacetimedb_lib.sats.resolve import (
    is_connection_id,
    is_identity,
    is_special,
    is_time_duration,
    is_timestamp,
    is_uuid,
)
from spacetimedb_lib.sats.types import (
    BYTES,
    AlgebraicType,
    Array,
    Element,
    Kind,
    Primitive,
    Product,
    Sum,
    Variant,
)
from spacetimedb_lib.timestamp import TimeDuration, Timestamp, TimestampRangeError
from spacetimedb_lib.uuid import Uuid


def cell(type_: AlgebraicType, value: Any) -> str:
    """The text of a value in a column of its own."""
    if isinstance(type_, Product) and is_special(type_):
        return _special(type_, value[0])
    return _nested(type_, value)


def timestamp_text(micros: int) -> str:
    """RFC 3339 in UTC; a moment beyond all calendars is its number of microseconds."""
    try:
        return str(Timestamp(micros))
    except TimestampRangeError:
        return str(micros)


def _nested(type_: AlgebraicType, value: Any) -> str:
    match type_:
        case Primitive(kind):
            return _primitive(kind, value)
        case Array() if type_ == BYTES:
            return f"0x{value}" if isinstance(value, str) else f"0x{bytes(value).hex()}"
        case Array(element):
            return "".join(_nested(element, item) for item in value)
        case Product(elements):
            if is_special(type_):
                return f"({elements[0].name} = {_special(type_, value[0])})"
            fields = (_member(f, i, v) for i, (f, v) in enumerate(zip(elements, value, strict=True)))
            return f"({', '.join(fields)})"
        case Sum(variants):
            tag, payload = value
            return f"({_member(variants[tag], tag, payload)})"
    raise ValueError(f"a reference in the type of a result: {type_}")


def _member(member: Element | Variant, index: int, value: Any) -> str:
    name = f"col_{index}" if member.name is None else member.name
    return f"{name} = {_nested(member.type, value)}"


def _special(type_: Product, value: Any) -> str:
    if is_identity(type_):
        return f"0x{int(value, 16):064x}"
    if is_connection_id(type_):
        return f"0x{value:032x}"
    if is_timestamp(type_):
        return timestamp_text(value)
    if is_time_duration(type_):
        return str(TimeDuration(value))
    assert is_uuid(type_)
    return f'"{Uuid(value)}"'


def _primitive(kind: Kind, value: Any) -> str:
    if kind == Kind.STRING:
        return f'"{value}"'
    if kind == Kind.BOOL:
        return "true" if value else "false"
    if kind in (Kind.U256, Kind.I256):
        return str(int(value, 16))
    if kind in (Kind.F32, Kind.F64):
        return _float(value)
    return str(value)


def _float(value: float | None) -> str:
    """Never an exponent. JSON has only null for what is not finite; an F32 comes with its own digits."""
    return "NaN" if value is None else float_plain(float(value))
