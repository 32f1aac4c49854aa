"""Records as SATS values: frozen dataclasses whose type hints say how they are encoded.

The raw module definitions are some fifty records. Each is declared once, as a dataclass; its SATS type and
the mapping between its instances and SATS values follow from the hints:

===============================  ==========================================
hint                             SATS type
===============================  ==========================================
``str``, ``bool``, ``bytes``     String, Bool, Array(U8)
``Annotated[int, U16]``          the SATS type in the annotation
``X | None``                     option(X)
``tuple[X, ...]``                Array(X)
a dataclass                      Product, fields in declared order
a `VariantEnum`                  Sum of unit variants, in declared order
``Annotated[Tagged, Choice()]``  Sum whose variants have payloads
``Annotated[X, Shape()]``        whatever the shape says
``Annotated[X, Slot(n)]``        Ref(n): a record that contains itself
===============================  ==========================================

Hints must be resolvable at run time in the module of the dataclass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum
from functools import cache
from operator import attrgetter
from types import NoneType
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from spacetimedb_lib.sats.types import (
    BOOL,
    BYTES,
    I128,
    STRING,
    U8,
    U16,
    U32,
    U256,
    UNIT,
    AlgebraicType,
    Array,
    Element,
    Product,
    Ref,
    Sum,
    SumValue,
    Variant,
    option,
)

Int8 = Annotated[int, U8]
Int16 = Annotated[int, U16]
Int32 = Annotated[int, U32]
Signed128 = Annotated[int, I128]
Int256 = Annotated[int, U256]
"""Integers of records, by their width in bits (unsigned unless it says otherwise)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A SATS type and the two directions between its values and the objects that stand for them."""

    type: AlgebraicType
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


class VariantEnum(Enum):
    """A sum of unit variants: members in the order of their tags, values are the variant names."""

    def __str__(self) -> str:
        return str(self.value)

    @property
    def tag(self) -> int:
        return list(type(self)).index(self)

    def __lt__(self, other: VariantEnum) -> bool:
        return self.tag < other.tag


class Tagged(NamedTuple):
    """A value of a sum with payloads: the name of the variant and its payload (`()` for unit)."""

    name: str
    content: Any = ()


class Choice:
    """The variants of a sum with payloads, in the order of their tags: name -> hint (None for unit)."""

    def __init__(self, variants: dict[str, Any]) -> None:
        self.variants = variants


@dataclass(frozen=True, slots=True)
class Slot:
    """The record's type lies in this slot of the typespace around, because it contains itself."""

    index: int


def shape_of(hint: Any) -> Shape:
    """The shape that a type hint stands for."""
    if get_origin(hint) is Annotated:
        return _annotated(*get_args(hint))
    arguments = get_args(hint)
    if get_origin(hint) is tuple:
        return _list(shape_of(arguments[0]))
    if NoneType in arguments:
        return _option(shape_of(next(argument for argument in arguments if argument is not NoneType)))
    if hint in _PLAIN:
        return _PLAIN[hint]
    if issubclass(hint, VariantEnum):
        return _enum(hint)
    if not hasattr(hint, "__dataclass_fields__"):
        raise TypeError(f"no SATS type is known for the hint {hint!r}")
    return _record(hint)


def _annotated(base: Any, note: Any) -> Shape:
    match note:
        case Shape():
            return note
        case Choice():
            return _choice(note)
        case Slot(index):
            return Shape(
                Ref(index), lambda item: shape_of(base).write(item), lambda value: shape_of(base).read(value)
            )
    return _as_is(note)


def _as_is(type_: AlgebraicType) -> Shape:
    return Shape(type_, lambda item: item, lambda value: value)


_PLAIN = {
    str: _as_is(STRING),
    bool: _as_is(BOOL),
    bytes: _as_is(BYTES),
    NoneType: _as_is(UNIT),
    None: _as_is(UNIT),
}


def _list(element: Shape) -> Shape:
    read, write = element.read, element.write
    return Shape(
        Array(element.type),
        lambda items: [write(i) for i in items],
        lambda values: tuple(read(v) for v in values),
    )


def _option(some: Shape) -> Shape:
    return Shape(
        option(some.type),
        lambda item: SumValue(1, ()) if item is None else SumValue(0, some.write(item)),
        lambda value: None if value[0] == 1 else some.read(value[1]),
    )


@cache
def _enum(members: type[VariantEnum]) -> Shape:
    in_order = list(members)
    return Shape(
        Sum(tuple(Variant(member.value, UNIT) for member in in_order)),
        lambda member: SumValue(in_order.index(member), ()),
        lambda value: in_order[value[0]],
    )


@cache
def _choice(choice: Choice) -> Shape:
    shapes = {name: shape_of(hint) for name, hint in choice.variants.items()}
    names = list(shapes)

    def write(item: Tagged) -> SumValue:
        return SumValue(names.index(item.name), shapes[item.name].write(item.content))

    def read(value: SumValue) -> Tagged:
        name = names[value[0]]
        return Tagged(name, shapes[name].read(value[1]))

    return Shape(Sum(tuple(Variant(name, shape.type) for name, shape in shapes.items())), write, read)


@cache
def _record(record: Any) -> Shape:
    hints = get_type_hints(record, include_extras=True)
    members = [(field.name, shape_of(hints[field.name])) for field in fields(record)]
    parts = [(attrgetter(name), shape.write) for name, shape in members]
    readers = [shape.read for _, shape in members]
    return Shape(
        Product(tuple(Element(name, shape.type) for name, shape in members)),
        lambda item: tuple(write(get(item)) for get, write in parts),
        lambda value: record(*(read(part) for read, part in zip(readers, value, strict=True))),
    )
