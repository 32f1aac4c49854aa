"""The programmer's form of types that some errors show: `ProductType {"id": U64}`."""

from __future__ import annotations

from collections.abc import Iterable

from spacetimedb_lib.sats.display import quoted
from spacetimedb_lib.sats.type_forms import KIND_NAMES
from spacetimedb_lib.sats.types import AlgebraicType, Array, Element, Primitive, Product, Ref, Sum, Variant


def debug_product(product: Product) -> str:
    return f"ProductType {_members(product.elements)}"


def _debug(type_: AlgebraicType) -> str:
    match type_:
        case Primitive(kind):
            return KIND_NAMES[kind]
        case Ref(index):
            return f"Ref(AlgebraicTypeRef({index}))"
        case Array(element):
            return f"Array({_debug(element)})"
        case Product():
            return f"Product({debug_product(type_)})"
        case Sum(variants):
            return f"Sum(SumType {_members(variants)})"


def _members(members: Iterable[Element | Variant]) -> str:
    inside = (
        f"{quoted(str(i) if member.name is None else member.name)}: {_debug(member.type)}"
        for i, member in enumerate(members)
    )
    return "{" + ", ".join(inside) + "}"
