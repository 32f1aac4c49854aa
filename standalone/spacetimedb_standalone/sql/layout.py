"""Where the columns of a row are: columns lie one after the other, most of them at a fixed place.

Behind the first column of variable length, places have to be found by walking. `skipper` compiles a function
that steps over one value of a type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import TypeAlias

from spacetimedb_lib.sats.bsatn_shape import Shapes
from spacetimedb_lib.sats.types import AlgebraicType, Array, Kind, Primitive, Product, Sum

Skip: TypeAlias = Callable[[bytes, int], int]
"""From a row and where a value begins in it to where the value ends."""

_SHAPES = Shapes(())
_U32 = Struct("<I").unpack_from


@dataclass(frozen=True, slots=True)
class Place:
    """`after` is the variable-length column it is counted from (None: the row's beginning), and how far."""

    after: int | None
    offset: int


@dataclass(frozen=True)
class Layout:
    """`sizes` has None for columns of variable length; `places` is one longer than there are columns."""

    types: tuple[AlgebraicType, ...]
    sizes: tuple[int | None, ...]
    places: tuple[Place, ...]

    @property
    def fixed_size(self) -> int | None:
        """Bytes of every row, if all are alike."""
        end = self.places[-1]
        return end.offset if end.after is None else None


@lru_cache(maxsize=1024)
def layout_of(types: tuple[AlgebraicType, ...]) -> Layout:
    sizes = tuple(_SHAPES.fixed_size(type_) for type_ in types)
    place = Place(None, 0)
    places = [place]
    for position, size in enumerate(sizes):
        place = Place(position, 0) if size is None else Place(place.after, place.offset + size)
        places.append(place)
    return Layout(types, sizes, tuple(places))


def counted_element_size(type_: AlgebraicType) -> int | None:
    """Bytes of an element, for values that are a u32 count and that many elements of one size."""
    if type_ == Primitive(Kind.STRING):
        return 1
    return _SHAPES.fixed_size(type_.element) if isinstance(type_, Array) else None


@lru_cache(maxsize=1024)
def skipper(type_: AlgebraicType) -> Skip:
    size = _SHAPES.fixed_size(type_)
    if size is not None:
        fixed = size
        return lambda row, at: at + fixed
    element_size = counted_element_size(type_)
    if element_size is not None:
        each = element_size
        return lambda row, at: at + 4 + _U32(row, at)[0] * each
    match type_:
        case Array(element):
            return _array_skipper(skipper(element))
        case Product(elements):
            return _product_skipper([skipper(element.type) for element in elements])
        case Sum(variants):
            return _sum_skipper([skipper(variant.type) for variant in variants])
        case _:
            raise ValueError(f"type {type_} has a reference; rows are described without any")


def _array_skipper(skip: Skip) -> Skip:
    def array(row: bytes, at: int) -> int:
        count = _U32(row, at)[0]
        at += 4
        for _ in range(count):
            at = skip(row, at)
        return at

    return array


def _product_skipper(skips: list[Skip]) -> Skip:
    def product(row: bytes, at: int) -> int:
        for skip in skips:
            at = skip(row, at)
        return at

    return product


def _sum_skipper(skips: list[Skip]) -> Skip:
    def sum_(row: bytes, at: int) -> int:
        return skips[row[at]](row, at + 1)

    return sum_
