"""What the generators of codecs need to know of a type before they write code for it."""

from __future__ import annotations

from typing import Final, NamedTuple

from spacetimedb_lib.sats.resolve import target
from spacetimedb_lib.sats.types import AlgebraicType, Array, Kind, Primitive, Product, Ref, Sum, Typespace

INLINE_LIMIT: Final = 64
"""References to types of more nodes than this become functions of their own, so that code stays small."""


class Scalar(NamedTuple):
    """A primitive of fixed size: how `struct` and error texts call it, and its size in bytes."""

    format: str
    name: str
    size: int


SCALARS: Final = {
    Kind.BOOL: Scalar("B", "bool", 1),
    Kind.I8: Scalar("b", "i8", 1),
    Kind.U8: Scalar("B", "u8", 1),
    Kind.I16: Scalar("h", "i16", 2),
    Kind.U16: Scalar("H", "u16", 2),
    Kind.I32: Scalar("i", "i32", 4),
    Kind.U32: Scalar("I", "u32", 4),
    Kind.I64: Scalar("q", "i64", 8),
    Kind.U64: Scalar("Q", "u64", 8),
    Kind.I128: Scalar("16s", "i128", 16),
    Kind.U128: Scalar("16s", "u128", 16),
    Kind.I256: Scalar("32s", "i256", 32),
    Kind.U256: Scalar("32s", "u256", 32),
    Kind.F32: Scalar("f", "u32", 4),
    Kind.F64: Scalar("d", "u64", 8),
}


class Shapes:
    """Answers about the types of one typespace. Raises `TypeRefError` for references out of bounds."""

    def __init__(self, typespace: Typespace) -> None:
        self._typespace = typespace
        self._inlined: dict[int, bool] = {}
        self._slot_sizes: dict[int, int | None] = {}

    def target(self, ref: Ref) -> AlgebraicType:
        return target(ref, self._typespace)

    def is_inlined(self, ref: Ref) -> bool:
        """Is the target neither recursive nor large, so that code for it can stand in place?"""
        if ref.index not in self._inlined:
            self._inlined[ref.index] = self._nodes(ref, INLINE_LIMIT, frozenset()) <= INLINE_LIMIT
        return self._inlined[ref.index]

    def _nodes(self, type_: AlgebraicType, limit: int, open_refs: frozenset[int]) -> int:
        """Nodes of the type with references inlined; counting stops above `limit`, at once when it recurs."""
        if isinstance(type_, Ref):
            if type_.index in open_refs:
                return limit + 1
            return self._nodes(self.target(type_), limit, open_refs | {type_.index})
        count = 1
        for part in parts(type_):
            count += self._nodes(part, limit - count, open_refs)
            if count > limit:
                break
        return count

    def without_refs(self, type_: AlgebraicType) -> AlgebraicType:
        """The type itself, or what a chain of references that may be inlined ends in."""
        while isinstance(type_, Ref) and self.is_inlined(type_):
            type_ = self.target(type_)
        return type_

    def is_enum(self, type_: Sum) -> bool:
        """No variant carries anything: a value is just its tag."""
        return all(self.without_refs(variant.type) == Product(()) for variant in type_.variants)

    def fixed_size(self, type_: AlgebraicType) -> int | None:
        """Bytes of every value of the type, or None when values differ in size."""
        match type_:
            case Primitive(kind):
                return SCALARS[kind].size if kind in SCALARS else None
            case Array():
                return None
            case Ref():
                return self._slot_size(type_)
        sizes = []
        for part in parts(type_):
            size = self.fixed_size(part)
            if size is None:
                return None
            sizes.append(size)
        if isinstance(type_, Product):
            return sum(sizes)
        return 1 + max(sizes, default=0) if len(set(sizes)) <= 1 else None

    def _slot_size(self, ref: Ref) -> int | None:
        """Each slot is looked into once; while it is, a reference back to it counts as of no fixed size."""
        if ref.index not in self._slot_sizes:
            self._slot_sizes[ref.index] = None
            self._slot_sizes[ref.index] = self.fixed_size(self.target(ref))
        return self._slot_sizes[ref.index]


def parts(type_: AlgebraicType) -> tuple[AlgebraicType, ...]:
    """The types directly inside a type that is no reference."""
    match type_:
        case Array(element):
            return (element,)
        case Product(elements):
            return tuple(element.type for element in elements)
        case Sum(variants):
            return tuple(variant.type for variant in variants)
    return ()
