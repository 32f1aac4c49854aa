"""A function's signature as text: `send_message(text: String)`."""

from __future__ import annotations

from collections.abc import Sequence

from spacetimedb_cli.schema.definition import Function
from spacetimedb_lib.sats.resolve import (
    is_connection_id,
    is_identity,
    is_schedule_at,
    option_inner,
    target,
)
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


def signature(function: Function) -> str:
    fields = _fields(function.params.elements, function.typespace, ())
    return f"{function.name}({fields})"


def _text(type_: AlgebraicType, typespace: Typespace, open_refs: tuple[int, ...]) -> str:
    """A type with its references written out; one that contains itself is cut short with `...`."""
    if is_identity(type_):
        return "Identity"
    if is_connection_id(type_):
        return "ConnectionId"
    if is_schedule_at(type_):
        return "ScheduleAt"
    if (some := option_inner(type_)) is not None:
        return f"Option<{_text(some, typespace, open_refs)}>"
    match type_:
        case Ref(index):
            if index in open_refs:
                return "..."
            return _text(target(type_, typespace), typespace, (*open_refs, index))
        case Primitive(Kind.STRING):
            return "String"
        case Primitive(kind):
            return kind.name.lower()
        case Array(element):
            return f"Vec<{_text(element, typespace, open_refs)}>"
        case Product(elements):
            return "{ " + _fields(elements, typespace, open_refs) + " }" if elements else "()"
        case Sum(variants):
            return "enum { " + _fields(variants, typespace, open_refs) + " }"


def _fields(members: Sequence[Element | Variant], typespace: Typespace, open_refs: tuple[int, ...]) -> str:
    return ", ".join(
        f"{index if member.name is None else member.name}: {_text(member.type, typespace, open_refs)}"
        for index, member in enumerate(members)
    )
