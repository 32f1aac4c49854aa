"""Questions about types: inlining of references, recognition of the conventional types.

The conventional types are recognised by structure alone, without following references; names and order count.
"""

from __future__ import annotations

from dataclasses import dataclass

from spacetimedb_lib.sats.errors import TypeRefError
from spacetimedb_lib.sats.layout import layout_align, layout_size
from spacetimedb_lib.sats.types import (
    BYTES,
    CONNECTION_ID,
    IDENTITY,
    NEVER,
    SCHEDULE_AT,
    TIME_DURATION,
    TIMESTAMP,
    UNIT,
    UUID,
    AlgebraicType,
    Array,
    Element,
    Kind,
    Primitive,
    Product,
    Ref,
    Sum,
    Typespace,
    Variant,
)

# --- references ---


def target(ref: Ref, typespace: Typespace) -> AlgebraicType:
    """What a reference points at. Raises `TypeRefError` when there is no such slot."""
    if ref.index >= len(typespace):
        raise TypeRefError(f"Type reference &{ref.index} out of bounds")
    return typespace[ref.index]


def skip_refs(type_: AlgebraicType, typespace: Typespace) -> AlgebraicType:
    """What a chain of references ends in; an endless one stays a reference. Raises `TypeRefError`."""
    for _ in range(len(typespace) + 1):
        if not isinstance(type_, Ref):
            break
        type_ = target(type_, typespace)
    return type_


MOST_PARTS = 100_000
"""Types that a type may consist of once its references are replaced. Each slot may name another one twice, so few
bytes can stand for more than fits into memory."""


def resolve(type_: AlgebraicType, typespace: Typespace) -> AlgebraicType:
    """The type with every reference replaced by its target.

    Raises `TypeRefError` for a reference to a missing slot or one that leads back to itself, and for a type that
    gets larger than `MOST_PARTS` by it.
    """
    return _Inliner(typespace).inline(type_, ())


@dataclass(slots=True)
class _Inliner:
    typespace: Typespace
    left: int = MOST_PARTS

    def inline(self, type_: AlgebraicType, open_refs: tuple[int, ...]) -> AlgebraicType:
        self.left -= 1
        if self.left < 0:
            raise TypeRefError(f"a type without references would consist of more than {MOST_PARTS} types")
        match type_:
            case Primitive():
                return type_
            case Ref(index):
                if index in open_refs:
                    raise TypeRefError(f"Found recursive type reference &{index}")
                return self.inline(target(type_, self.typespace), (*open_refs, index))
            case Array(element):
                return Array(self.inline(element, open_refs))
            case Product(elements):
                return Product(tuple(Element(e.name, self.inline(e.type, open_refs)) for e in elements))
            case Sum(variants):
                return Sum(tuple(Variant(v.name, self.inline(v.type, open_refs)) for v in variants))


def contains_refs(type_: AlgebraicType) -> bool:
    match type_:
        case Primitive():
            return False
        case Ref():
            return True
        case Array(element):
            return contains_refs(element)
        case Product(elements):
            return any(contains_refs(element.type) for element in elements)
        case Sum(variants):
            return any(contains_refs(variant.type) for variant in variants)


# --- conventional types ---


def is_unit(type_: AlgebraicType) -> bool:
    return type_ == UNIT


def is_never(type_: AlgebraicType) -> bool:
    return type_ == NEVER


def is_bytes(type_: AlgebraicType) -> bool:
    return type_ == BYTES


def is_identity(type_: AlgebraicType) -> bool:
    return type_ == IDENTITY


def is_connection_id(type_: AlgebraicType) -> bool:
    return type_ == CONNECTION_ID


def is_timestamp(type_: AlgebraicType) -> bool:
    return type_ == TIMESTAMP


def is_time_duration(type_: AlgebraicType) -> bool:
    return type_ == TIME_DURATION


def is_uuid(type_: AlgebraicType) -> bool:
    return type_ == UUID


def is_schedule_at(type_: AlgebraicType) -> bool:
    return type_ == SCHEDULE_AT


def option_inner(type_: AlgebraicType) -> AlgebraicType | None:
    """`T` when the type is `option<T>`, else None."""
    match type_:
        case Sum((Variant("some", some), Variant("none", Product(())))):
            return some
    return None


def result_inner(type_: AlgebraicType) -> tuple[AlgebraicType, AlgebraicType] | None:
    """`(T, E)` when the type is `result<T, E>`, else None."""
    match type_:
        case Sum((Variant("ok", ok), Variant("err", err))):
            return ok, err
    return None


def is_option(type_: AlgebraicType) -> bool:
    return option_inner(type_) is not None


def is_result(type_: AlgebraicType) -> bool:
    return result_inner(type_) is not None


def is_special(type_: AlgebraicType) -> bool:
    """A conventional record or sum: it gets no type definition, and its inner names are never converted."""
    match type_:
        case Product():
            return type_ in (IDENTITY, CONNECTION_ID, TIMESTAMP, TIME_DURATION, UUID)
        case Sum():
            return is_option(type_) or is_result(type_) or type_ == SCHEDULE_AT
    return False


def is_integer(type_: AlgebraicType) -> bool:
    return isinstance(type_, Primitive) and Kind.I8 <= type_.kind <= Kind.U256


def is_simple_enum(type_: AlgebraicType) -> bool:
    """A sum with at least one variant, none of which carries anything."""
    return isinstance(type_, Sum) and bool(type_.variants) and all(v.type == UNIT for v in type_.variants)


def query_view_row(type_: AlgebraicType) -> Ref | None:
    """The row type when the type is `(__query__: &N)`, which a view returns in place of rows, else None."""
    match type_:
        case Product((Element("__query__", Ref() as row),)):
            return row
    return None


# --- what clients can be told about ---


def valid_for_client_use(type_: AlgebraicType) -> bool:
    """May the type stand inside another? Records and sums of the module's own must be behind a reference."""
    match type_:
        case Primitive() | Ref():
            return True
        case Array(element):
            return valid_for_client_use(element)
    if (some := option_inner(type_)) is not None:
        return valid_for_client_use(some)
    if (pair := result_inner(type_)) is not None:
        return all(map(valid_for_client_use, pair))
    return is_special(type_) or type_ in (UNIT, NEVER)


def valid_for_client_definition(type_: AlgebraicType) -> bool:
    """May the type be given a name? It must be a record or sum of the module's own, made of valid uses."""
    if is_special(type_):
        return False
    match type_:
        case Product(elements):
            return all(valid_for_client_use(element.type) for element in elements)
        case Sum(variants):
            return all(valid_for_client_use(variant.type) for variant in variants)
    return False


__all__ = [
    "contains_refs",
    "is_bytes",
    "is_connection_id",
    "is_identity",
    "is_integer",
    "is_never",
    "is_option",
    "is_result",
    "is_schedule_at",
    "is_simple_enum",
    "is_special",
    "is_time_duration",
    "is_timestamp",
    "is_unit",
    "is_uuid",
    "layout_align",
    "layout_size",
    "option_inner",
    "query_view_row",
    "resolve",
    "result_inner",
    "skip_refs",
    "target",
    "valid_for_client_definition",
    "valid_for_client_use",
]
