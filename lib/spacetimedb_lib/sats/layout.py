"""Size and alignment of values as the rows of the public system hold them, and the ranges of integers.

Only automatic migration asks for layouts: a change of column types is compatible only if it keeps them.
"""

from __future__ import annotations

from typing import Final

from spacetimedb_lib.sats.errors import TypeRefError
from spacetimedb_lib.sats.types import AlgebraicType, Array, Kind, Primitive, Product, Ref, Sum

_WIDTHS: Final = {
    Kind.BOOL: 1,
    Kind.I8: 1,
    Kind.U8: 1,
    Kind.I16: 2,
    Kind.U16: 2,
    Kind.I32: 4,
    Kind.U32: 4,
    Kind.I64: 8,
    Kind.U64: 8,
    Kind.I128: 16,
    Kind.U128: 16,
    Kind.I256: 32,
    Kind.U256: 32,
    Kind.F32: 4,
    Kind.F64: 8,
}


def layout(type_: AlgebraicType) -> tuple[int, int]:
    """(size, alignment) of a value as the rows of the public system hold it; migrations compare them.

    Strings and arrays are references of 4 bytes. The type must be resolved; raises `TypeRefError` if not.
    """
    match type_:
        case Primitive(Kind.STRING) | Array():
            return 4, 2
        case Primitive(kind):
            return _WIDTHS[kind], _WIDTHS[kind]
        case Product(elements):
            return _product_layout([layout(element.type) for element in elements])
        case Sum(variants):
            return _sum_layout([layout(variant.type) for variant in variants])
        case Ref(index):
            raise TypeRefError(f"Type reference &{index} has no layout before it is resolved")


def _product_layout(fields: list[tuple[int, int]]) -> tuple[int, int]:
    offset, align = 0, 1
    for field_size, field_align in fields:
        offset = _round_up(offset, field_align) + field_size
        align = max(align, field_align)
    return _round_up(offset, align), align


def _sum_layout(variants: list[tuple[int, int]]) -> tuple[int, int]:
    align = max((variant_align for _, variant_align in variants), default=1)
    payload = max((size for size, _ in variants), default=0)
    return align + _round_up(payload, align), align


def row_size(row_type: Product) -> int:
    """Bytes of a row's fixed part: its layout, at least 2 and even."""
    return _round_up(max(layout(row_type)[0], 2), 2)


def layout_size(type_: AlgebraicType) -> int:
    return layout(type_)[0]


def layout_align(type_: AlgebraicType) -> int:
    return layout(type_)[1]


def _round_up(number: int, align: int) -> int:
    return -(-number // align) * align


def integer_range(type_: AlgebraicType) -> tuple[int, int] | None:
    """(lowest, highest) value of an integer type, else None."""
    if not isinstance(type_, Primitive) or not Kind.I8 <= type_.kind <= Kind.U256:
        return None
    bits = 8 * _WIDTHS[type_.kind]
    signed = type_.kind.name.startswith("I")
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def saturate(type_: AlgebraicType, number: int) -> int:
    """`number`, clamped into an integer type. Raises `ValueError` for other types."""
    limits = integer_range(type_)
    if limits is None:
        raise ValueError(f"only integer types have limits, not {type_}")
    return min(max(number, limits[0]), limits[1])
