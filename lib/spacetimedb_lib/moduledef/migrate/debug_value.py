"""The programmer's form of values, over several lines, in which plans show defaults of columns.

U32(
    5,
)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from spacetimedb_lib.sats.display import float_debug, quoted
from spacetimedb_lib.sats.type_forms import KIND_NAMES
from spacetimedb_lib.sats.types import AlgebraicType, Array, Kind, Primitive, Product, Ref, Sum

_INDENT = "    "
_PACKED = (Kind.I128, Kind.U128)


def debug_value(type_: AlgebraicType, value: Any) -> str:
    """The form of a value of a resolved type: wrapped in the name of its kind."""
    match type_:
        case Product():
            return _tuple("Product", _bare(type_, value))
        case Sum():
            return _tuple("Sum", _bare(type_, value))
        case Array():
            return _tuple("Array", _bare(type_, value))
        case Primitive(kind):
            bare = _bare(type_, value)
            return _tuple(KIND_NAMES[kind], _tuple("Packed", bare) if kind in _PACKED else bare)
        case Ref(index):
            raise ValueError(f"a value of type &{index} has no form before the type is resolved")


def _bare(type_: AlgebraicType, value: Any) -> str:
    """The form without the name of the kind, as elements of arrays have it."""
    match type_:
        case Product(elements):
            members = [debug_value(e.type, v) for e, v in zip(elements, value, strict=True)]
            return _block("ProductValue {", [f"elements: {_block('[', members, ']')}"], "}")
        case Sum(variants):
            tag, payload = value
            content = debug_value(variants[tag].type, payload)
            return _block("SumValue {", [f"tag: {tag}", f"value: {content}"], "}")
        case Array(element):
            return _block("[", (_bare(element, item) for item in value), "]")
        case Primitive(Kind.STRING):
            return quoted(value)
        case Primitive(Kind.BOOL):
            return "true" if value else "false"
        case Primitive(Kind.F32 | Kind.F64 as kind):
            return _tuple("Total", float_debug(value, f32=kind is Kind.F32))
    return str(value)


def _tuple(name: str, content: str) -> str:
    return _block(f"{name}(", [content], ")")


def _block(opening: str, contents: Iterable[str], closing: str) -> str:
    lines = [f"{content},".replace("\n", f"\n{_INDENT}") for content in contents]
    if not lines:
        return opening + closing
    return "\n".join([opening, *(_INDENT + line for line in lines), closing])
