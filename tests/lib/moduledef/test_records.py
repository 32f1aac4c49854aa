"""Records: dataclasses that are SATS values because of their type hints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from spacetimedb_lib.moduledef.records import Choice, Int16, Int32, Slot, Tagged, VariantEnum, shape_of
from spacetimedb_lib.moduledef.type_shapes import ALGEBRAIC_TYPE, AnyType, type_from_value, type_to_value
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import (
    BOOL,
    STRING,
    U16,
    U32,
    UNIT,
    Array,
    Element,
    Product,
    Ref,
    SumValue,
    Variant,
    option,
    product,
    sum_of,
)
from spacetimedb_lib.sats.types import Sum as SumType


class Colour(VariantEnum):
    RED = "Red"
    BLUE = "Blue"


@dataclass(frozen=True)
class Wheel:
    size: Int16
    spare: bool


@dataclass(frozen=True)
class Car:
    name: str | None
    colour: Colour
    wheels: tuple[Wheel, ...]
    extra: Annotated[Tagged, Choice({"Nothing": None, "Trailer": Int32})]


@dataclass(frozen=True)
class Tree:
    children: tuple[Annotated[Tree, Slot(0)], ...]


CAR = Car("Ü", Colour.BLUE, (Wheel(17, spare=False), Wheel(18, spare=True)), Tagged("Trailer", 3))


def test_the_type_follows_from_the_hints() -> None:
    assert shape_of(Car).type == product(
        name=option(STRING),
        colour=sum_of(Red=UNIT, Blue=UNIT),
        wheels=Array(product(size=U16, spare=BOOL)),
        extra=sum_of(Nothing=UNIT, Trailer=U32),
    )


def test_a_record_becomes_a_value_and_back() -> None:
    shape = shape_of(Car)
    value = shape.write(CAR)
    assert value == (
        SumValue(0, "Ü"),
        SumValue(1, ()),
        [(17, False), (18, True)],
        SumValue(1, 3),
    )
    assert shape.read(value) == CAR
    assert shape.read(shape.write(Car(None, Colour.RED, (), Tagged("Nothing")))).extra == Tagged("Nothing")


def test_a_record_may_contain_itself() -> None:
    shape = shape_of(Tree)
    assert shape.type == product(children=Array(Ref(0)))
    tree = Tree((Tree(()), Tree((Tree(()),))))
    data = codec(shape.type, (shape.type,)).encode(shape.write(tree))
    value, _ = codec(shape.type, (shape.type,)).decode(data)
    assert shape.read(value) == tree


def test_a_hint_without_a_type_is_refused() -> None:
    with pytest.raises(TypeError, match="no SATS type is known"):
        shape_of(complex)


@pytest.mark.parametrize(
    "type_",
    [
        U32,
        Ref(7),
        Array(Array(STRING)),
        UNIT,
        Product((Element(None, U16), Element("b", option(U32)))),
        SumType((Variant(None, U16), Variant("b", UNIT))),
    ],
)
def test_types_are_values_of_the_type_of_types(type_: Any) -> None:
    value = type_to_value(type_)
    assert type_from_value(value) == type_
    assert codec(ALGEBRAIC_TYPE, (ALGEBRAIC_TYPE,)).encode(value) == encode_type(type_)
    assert shape_of(AnyType).write(type_) == value
