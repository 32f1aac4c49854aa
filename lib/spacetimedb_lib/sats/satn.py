"""SATN: values as text for people, in error messages and plans.

`1`, `"text"` (not escaped), `0x01ff` for bytes, `[1, 2]`, `(x = 1, y = 2)`, `(some = 5)`, `()`.
"""

from __future__ import annotations

from typing import Any

from spacetimedb_lib.sats.display import float_plain
from spacetimedb_lib.sats.resolve import skip_refs
from spacetimedb_lib.sats.types import U8, AlgebraicType, Array, Kind, Primitive, Product, Ref, Sum, Typespace


def satn(type_: AlgebraicType, value: Any, typespace: Typespace = ()) -> str:
    """The text of a value, on one line (apart from line breaks inside strings)."""
    match skip_refs(type_, typespace):
        case Primitive(kind):
            return scalar_text(kind, value)
        case Array(element):
            if is_byte(element, typespace):
                return bytes_text(value)
            return f"[{', '.join(satn(element, item, typespace) for item in value)}]"
        case Product() as product:
            members = _members(product, value)
            return f"({', '.join(f'{name} = {satn(t, v, typespace)}' for name, t, v in members)})"
        case Sum(variants):
            tag, payload = value
            variant = variants[tag]
            return f"({variant.name or ''} = {satn(variant.type, payload, typespace)})"
        case Ref(index):
            raise ValueError(f"type &{index} refers to nothing but itself")


def satn_pretty(type_: AlgebraicType, value: Any, typespace: Typespace = (), indent: int = 0) -> str:
    """The text of a value, each element, field and variant on a line of its own."""
    pad = " " * (indent + 4)
    match skip_refs(type_, typespace):
        case Array(element) if value and not is_byte(element, typespace):
            items = (f"{pad}{satn_pretty(element, item, typespace, indent + 4)},\n" for item in value)
            return f"[\n{''.join(items)}{' ' * indent}]"
        case Product() as product if product.elements:
            lines = [
                f"{pad}{name} = {satn_pretty(t, v, typespace, indent + 4)},\n"
                for name, t, v in _members(product, value)
            ]
            return f"(\n{''.join(lines)}{' ' * indent})"
        case Sum(variants):
            tag, payload = value
            variant = variants[tag]
            inner = satn_pretty(variant.type, payload, typespace, indent + 4)
            return f"(\n{pad}{variant.name or ''} = {inner},\n{' ' * indent})"
        case flat:
            return satn(flat, value, typespace)


def scalar_text(kind: Kind, value: Any) -> str:
    """A primitive: quotes around strings, floats without exponent."""
    match kind:
        case Kind.STRING:
            return f'"{value}"'
        case Kind.BOOL:
            return "true" if value else "false"
        case Kind.F32 | Kind.F64:
            return float_plain(value, kind is Kind.F32)
    return str(value)


def bytes_text(value: bytes) -> str:
    return f"0x{value.hex()}"


def is_byte(element: AlgebraicType, typespace: Typespace) -> bool:
    """Is this the element type of an array that is written as bytes?"""
    return skip_refs(element, typespace) == U8


def _members(product: Product, value: Any) -> list[tuple[str, AlgebraicType, Any]]:
    """(name, type, value) of each element; an unnamed one is called by its position."""
    return [
        (str(i) if element.name is None else element.name, element.type, item)
        for i, (element, item) in enumerate(zip(product.elements, value, strict=True))
    ]
