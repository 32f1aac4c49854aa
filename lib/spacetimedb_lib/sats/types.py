"""SATS algebraic types: the shape of every value that crosses a wire or lies in a table.

A type is structural and immutable. Names of product elements and sum variants belong to the type;
the name of a type itself does not (that is a type definition of a module, `spacetimedb_lib.moduledef`).

How values look in Python (every codec of this package speaks of these):

=============================  =====================================================
type                           value
=============================  =====================================================
Bool, integers, F32, F64       ``bool``, ``int``, ``float`` (F32: already rounded)
String                         ``str``
Array(U8)                      ``bytes``
other Array                    ``list``
Product                        ``tuple``, one item an element; unit is ``()``
Sum                            ``SumValue(tag, payload)``; an option is ``(0, v)`` or ``(1, ())``
=============================  =====================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple, TypeAlias


class Kind(IntEnum):
    """The tag of an algebraic type in its BSATN form."""

    REF = 0
    SUM = 1
    PRODUCT = 2
    ARRAY = 3
    STRING = 4
    BOOL = 5
    I8 = 6
    U8 = 7
    I16 = 8
    U16 = 9
    I32 = 10
    U32 = 11
    I64 = 12
    U64 = 13
    I128 = 14
    U128 = 15
    I256 = 16
    U256 = 17
    F32 = 18
    F64 = 19


class SumValue(NamedTuple):
    """A value of a sum type: which variant, and its payload."""

    tag: int
    value: Any


@dataclass(frozen=True, slots=True)
class Primitive:
    """String, Bool, an integer or a float."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Ref:
    """A slot of the typespace around."""

    index: int


@dataclass(frozen=True, slots=True)
class Array:
    element: AlgebraicType


@dataclass(frozen=True, slots=True)
class Element:
    """One field of a product."""

    name: str | None
    type: AlgebraicType


@dataclass(frozen=True, slots=True)
class Product:
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """One alternative of a sum."""

    name: str | None
    type: AlgebraicType


@dataclass(frozen=True, slots=True)
class Sum:
    variants: tuple[Variant, ...]


AlgebraicType: TypeAlias = Primitive | Ref | Array | Product | Sum
Typespace: TypeAlias = tuple[AlgebraicType, ...]

STRING = Primitive(Kind.STRING)
BOOL = Primitive(Kind.BOOL)
I8, U8 = Primitive(Kind.I8), Primitive(Kind.U8)
I16, U16 = Primitive(Kind.I16), Primitive(Kind.U16)
I32, U32 = Primitive(Kind.I32), Primitive(Kind.U32)
I64, U64 = Primitive(Kind.I64), Primitive(Kind.U64)
I128, U128 = Primitive(Kind.I128), Primitive(Kind.U128)
I256, U256 = Primitive(Kind.I256), Primitive(Kind.U256)
F32, F64 = Primitive(Kind.F32), Primitive(Kind.F64)

UNIT = Product(())
NEVER = Sum(())
BYTES = Array(U8)


def product(**fields: AlgebraicType) -> Product:
    """A product with named fields, in the order given."""
    return Product(tuple(Element(name, type_) for name, type_ in fields.items()))


def sum_of(**variants: AlgebraicType) -> Sum:
    """A sum with named variants, in the order given."""
    return Sum(tuple(Variant(name, type_) for name, type_ in variants.items()))


def option(some: AlgebraicType) -> Sum:
    """The structural option: `some` is tag 0, `none` tag 1."""
    return sum_of(some=some, none=UNIT)


def result(ok: AlgebraicType, err: AlgebraicType) -> Sum:
    return sum_of(ok=ok, err=err)


IDENTITY = product(__identity__=U256)
CONNECTION_ID = product(__connection_id__=U128)
TIMESTAMP = product(__timestamp_micros_since_unix_epoch__=I64)
TIME_DURATION = product(__time_duration_micros__=I64)
UUID = product(__uuid__=U128)
SCHEDULE_AT = sum_of(Interval=TIME_DURATION, Time=TIMESTAMP)
