"""Values as cells of a result table: as the command line prints them, and as texts of the Postgres protocol.

Unlike in SATN, the special records are shown as what they mean (an identity as `0x` and all its digits, a
timestamp as a date). As a column or a field of a record they stand alone; elsewhere they keep their field:
`(__identity__ = 0x…)`. Elements of an array follow one another without anything between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from spacetimedb_lib.sats.resolve import skip_refs
from spacetimedb_lib.sats.satn import bytes_text, is_byte, scalar_text
from spacetimedb_lib.sats.types import (
    CONNECTION_ID,
    IDENTITY,
    TIME_DURATION,
    TIMESTAMP,
    UUID,
    AlgebraicType,
    Array,
    Primitive,
    Product,
    Ref,
    Sum,
    Typespace,
)
from spacetimedb_lib.timestamp import TimeDuration, Timestamp
from spacetimedb_lib.uuid import Uuid


@dataclass(frozen=True, slots=True)
class CellStyle:
    """Brackets of records, what stands between name and value, and how special values are quoted."""

    opening: str
    closing: str
    equals: str
    quote_name: bool
    quote_special: bool
    duration: Callable[[TimeDuration], str]

    def member(self, name: str, text: str) -> str:
        return f'"{name}"{self.equals}{text}' if self.quote_name else f"{name}{self.equals}{text}"

    def special(self, text: str) -> str:
        return f'"{text}"' if self.quote_special else text


CLI: Final = CellStyle("(", ")", " = ", False, False, str)
POSTGRES: Final = CellStyle("{", "}", ": ", True, True, TimeDuration.iso8601)


def cell(style: CellStyle, type_: AlgebraicType, value: Any, typespace: Typespace = ()) -> str:
    """The text of one column of a row. Raises `TimestampRangeError` for a timestamp that has no date."""
    return _Cells(style, typespace).field(type_, value)


@dataclass(frozen=True, slots=True)
class _Cells:
    style: CellStyle
    typespace: Typespace

    def field(self, type_: AlgebraicType, value: Any) -> str:
        """A value that a name precedes: special records stand alone."""
        special = self._special(type_, value)
        return self._other(type_, value) if special is None else special

    def _bare(self, type_: AlgebraicType, value: Any) -> str:
        """An element of an array, or the payload of a variant."""
        special = self._special(type_, value)
        if special is None:
            return self._other(type_, value)
        record = skip_refs(type_, self.typespace)
        assert isinstance(record, Product)
        return self._enclosed([self.style.member(record.elements[0].name or "", special)])

    def _special(self, type_: AlgebraicType, value: Any) -> str | None:
        match skip_refs(type_, self.typespace):
            case record if record == IDENTITY:
                return self.style.special(f"0x{value[0]:064x}")
            case record if record == CONNECTION_ID:
                return self.style.special(f"0x{value[0]:032x}")
            case record if record == TIMESTAMP:
                return self.style.special(str(Timestamp(value[0])))
            case record if record == TIME_DURATION:
                return self.style.special(self.style.duration(TimeDuration(value[0])))
            case record if record == UUID:
                return f'"{Uuid(value[0])}"'
        return None

    def _other(self, type_: AlgebraicType, value: Any) -> str:
        match skip_refs(type_, self.typespace):
            case Primitive(kind):
                return scalar_text(kind, value)
            case Array(element):
                if is_byte(element, self.typespace):
                    return self.style.special(bytes_text(value))
                return "".join(self._bare(element, item) for item in value)
            case Product(elements):
                names = (
                    f"col_{i}" if element.name is None else element.name for i, element in enumerate(elements)
                )
                fields = (
                    self.field(element.type, item) for element, item in zip(elements, value, strict=True)
                )
                return self._enclosed(list(map(self.style.member, names, fields)))
            case Sum(variants):
                tag, payload = value
                name = variants[tag].name
                text = self._bare(variants[tag].type, payload)
                return self._enclosed([self.style.member(f"col_{tag}" if name is None else name, text)])
            case Ref(index):
                raise ValueError(f"type &{index} refers to nothing but itself")

    def _enclosed(self, members: list[str]) -> str:
        return f"{self.style.opening}{', '.join(members)}{self.style.closing}"
