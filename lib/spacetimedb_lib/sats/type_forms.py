"""The JSON and text forms of types.

JSON is `{"U32": []}`, `{"Ref": 3}`, `{"Product": {"elements": [...]}}` and so on, with names as options
(`{"some": "id"}`). The text form, `(id: U32, tags: Array<String>)`, is what error messages and plans show.
"""

from __future__ import annotations

from typing import Any, Final

from spacetimedb_lib.sats.errors import SatsError
from spacetimedb_lib.sats.types import (
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

KIND_NAMES: Final = {
    Kind.REF: "Ref",
    Kind.SUM: "Sum",
    Kind.PRODUCT: "Product",
    Kind.ARRAY: "Array",
    Kind.STRING: "String",
    Kind.BOOL: "Bool",
} | {kind: kind.name for kind in Kind if kind >= Kind.I8}
"""The variant names of AlgebraicType, as JSON and the text form have them."""

_PRIMITIVES_BY_NAME: Final = {KIND_NAMES[kind]: Primitive(kind) for kind in Kind if kind >= Kind.STRING}


class TypeFormError(SatsError):
    """JSON that is not the form of a type."""

    def __init__(self, value: object) -> None:
        super().__init__(
            f'expected the JSON form of an algebraic type, such as {{"U32": []}}, but found {value!r:.200}'
        )


def type_to_json(type_: AlgebraicType) -> dict[str, Any]:
    """The JSON form of a type, as plain Python values."""
    match type_:
        case Primitive(kind):
            return {KIND_NAMES[kind]: []}
        case Ref(index):
            return {"Ref": index}
        case Array(element):
            return {"Array": type_to_json(element)}
        case Product():
            return {"Product": product_to_json(type_)}
        case Sum(variants):
            return {"Sum": {"variants": [_member_to_json(variant) for variant in variants]}}


def product_to_json(product: Product) -> dict[str, Any]:
    """The JSON form where the type is known to be a product (parameters of functions, for example)."""
    return {"elements": [_member_to_json(element) for element in product.elements]}


def typespace_to_json(types: Typespace) -> dict[str, Any]:
    return {"types": [type_to_json(type_) for type_ in types]}


def type_from_json(value: Any) -> AlgebraicType:
    """Read the JSON form of a type from plain Python values. Raises `TypeFormError`."""
    try:
        ((name, body),) = value.items()
        match name:
            case "Ref":
                return Ref(_index(body))
            case "Array":
                return Array(type_from_json(body))
            case "Product":
                return product_from_json(body)
            case "Sum":
                return Sum(tuple(Variant(*_member_from_json(member)) for member in body["variants"]))
        return _PRIMITIVES_BY_NAME[name]
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise TypeFormError(value) from error


def product_from_json(value: Any) -> Product:
    """Read the form that `product_to_json` writes. Raises `TypeFormError`."""
    try:
        return Product(tuple(Element(*_member_from_json(member)) for member in value["elements"]))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise TypeFormError(value) from error


def typespace_from_json(value: Any) -> Typespace:
    """Read the form that `typespace_to_json` writes. Raises `TypeFormError`."""
    try:
        return tuple(type_from_json(type_) for type_ in value["types"])
    except (KeyError, TypeError) as error:
        raise TypeFormError(value) from error


def _member_to_json(member: Element | Variant) -> dict[str, Any]:
    name: dict[str, Any] = {"none": []} if member.name is None else {"some": member.name}
    return {"name": name, "algebraic_type": type_to_json(member.type)}


def _member_from_json(value: Any) -> tuple[str | None, AlgebraicType]:
    ((tag, name),) = value["name"].items()
    if tag not in ("some", "none"):
        raise ValueError(tag)
    return (str(name) if tag == "some" else None), type_from_json(value["algebraic_type"])


def _index(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 32:
        raise ValueError(value)
    return value


def type_text(type_: AlgebraicType) -> str:
    """The text form of a type: `&3`, `Array<U8>`, `(a: U8, 1: Bool)`, `(some: U8 | none: ())`, `(|)`."""
    match type_:
        case Primitive(kind):
            return KIND_NAMES[kind]
        case Ref(index):
            return f"&{index}"
        case Array(element):
            return f"Array<{type_text(element)}>"
        case Product(elements):
            fields = (
                f"{i if field.name is None else field.name}: {type_text(field.type)}"
                for i, field in enumerate(elements)
            )
            return f"({', '.join(fields)})"
        case Sum(()):
            return "(|)"
        case Sum(variants):
            texts = (
                type_text(v.type) if v.name is None else f"{v.name}: {type_text(v.type)}" for v in variants
            )
            return f"({' | '.join(texts)})"
