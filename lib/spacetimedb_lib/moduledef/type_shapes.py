"""Algebraic types as SATS values: what the records of a module definition contain wherever they name a type.

An algebraic type is itself a value of a recursive sum. `ALGEBRAIC_TYPE` is that sum; it refers to itself as
slot 0, so it must lie in slot 0 of any typespace it is used with.
"""

from __future__ import annotations

from typing import Annotated, Any

from spacetimedb_lib.moduledef.records import Shape
from spacetimedb_lib.sats.type_forms import KIND_NAMES
from spacetimedb_lib.sats.types import (
    STRING,
    U32,
    UNIT,
    AlgebraicType,
    Array,
    Element,
    Kind,
    Primitive,
    Product,
    Ref,
    Sum,
    SumValue,
    Typespace,
    Variant,
    option,
    product,
)

_MEMBERS = Array(product(name=option(STRING), algebraic_type=Ref(0)))
_PAYLOADS: dict[Kind, AlgebraicType] = {
    Kind.REF: U32,
    Kind.SUM: product(variants=_MEMBERS),
    Kind.PRODUCT: product(elements=_MEMBERS),
    Kind.ARRAY: Ref(0),
}

ALGEBRAIC_TYPE = Sum(tuple(Variant(KIND_NAMES[kind], _PAYLOADS.get(kind, UNIT)) for kind in Kind))
"""The type of types; belongs in slot 0."""


def type_to_value(type_: AlgebraicType) -> SumValue:
    """A type as a value of `ALGEBRAIC_TYPE`."""
    match type_:
        case Primitive(kind):
            return SumValue(kind, ())
        case Ref(index):
            return SumValue(Kind.REF, index)
        case Array(element):
            return SumValue(Kind.ARRAY, type_to_value(element))
        case Product():
            return SumValue(Kind.PRODUCT, _product_to_value(type_))
        case Sum(variants):
            return SumValue(Kind.SUM, (_members_to_value(variants),))


def type_from_value(value: SumValue) -> AlgebraicType:
    """The type that a value of `ALGEBRAIC_TYPE` describes."""
    tag, payload = value
    match tag:
        case Kind.REF:
            return Ref(payload)
        case Kind.ARRAY:
            return Array(type_from_value(payload))
        case Kind.PRODUCT:
            return _product_from_value(payload)
        case Kind.SUM:
            return Sum(tuple(Variant(*_member_from_value(member)) for member in payload[0]))
    return Primitive(Kind(tag))


def _members_to_value(members: tuple[Element, ...] | tuple[Variant, ...]) -> list[Any]:
    return [
        (SumValue(1, ()) if member.name is None else SumValue(0, member.name), type_to_value(member.type))
        for member in members
    ]


def _member_from_value(member: Any) -> tuple[str | None, AlgebraicType]:
    (tag, name), type_ = member
    return (name if tag == 0 else None), type_from_value(type_)


def _product_to_value(type_: Product) -> tuple[list[Any]]:
    return (_members_to_value(type_.elements),)


def _product_from_value(value: Any) -> Product:
    return Product(tuple(Element(*_member_from_value(member)) for member in value[0]))


AnyType = Annotated[AlgebraicType, Shape(Ref(0), type_to_value, type_from_value)]
"""A field that holds a type."""

ProductType = Annotated[Product, Shape(_PAYLOADS[Kind.PRODUCT], _product_to_value, _product_from_value)]
"""A field that holds a product type, without the tag that says so (parameters of functions)."""

Members = Annotated[
    tuple[Element, ...],
    Shape(
        _MEMBERS,
        _members_to_value,
        lambda value: tuple(Element(*_member_from_value(member)) for member in value),
    ),
]
"""A field that holds the elements of a product without the product around them."""

Types = Annotated[
    Typespace,
    Shape(
        product(types=Array(Ref(0))),
        lambda types: ([type_to_value(type_) for type_ in types],),
        lambda value: tuple(type_from_value(type_) for type_ in value[0]),
    ),
]
"""A field that holds a typespace."""
