"""Validation of type definitions: the names of slots."""

from __future__ import annotations

from spacetimedb_lib.moduledef.definition import TypeDef, TypeName
from spacetimedb_lib.moduledef.errors import ErrorKind, Ranked, invalid
from spacetimedb_lib.moduledef.raw_v10 import RawScopedTypeNameV10, RawTypeDefV10
from spacetimedb_lib.moduledef.validate.context import Context
from spacetimedb_lib.moduledef.validate.problems import Problems, each
from spacetimedb_lib.sats.display import quoted
from spacetimedb_lib.sats.type_forms import type_text
from spacetimedb_lib.sats.types import AlgebraicType, Product, Sum


def types(context: Context, raw: tuple[RawTypeDefV10, ...]) -> dict[TypeName, TypeDef]:
    """Check all type definitions; by name. Two names for one slot are allowed, two slots of one name not."""
    checked: dict[TypeName, TypeDef] = {}

    def check(definition: RawTypeDefV10) -> None:
        problems = Problems()
        with problems:
            name = context.naming.type_name(definition.source_name.scope, definition.source_name.source_name)
            if name in checked:
                raise invalid(ErrorKind.DuplicateTypeName, name=name)
            checked[name] = TypeDef(name, definition.ty, definition.custom_ordering)
        with problems:
            _check_slot(context, definition)
        problems.raise_any()

    each(raw, check)
    return checked


def _check_slot(context: Context, definition: RawTypeDefV10) -> None:
    if definition.ty >= len(context.types):
        raise invalid(
            ErrorKind.InvalidTypeRef, type_name=_debug_name(definition.source_name), ref=definition.ty
        )
    problems = Problems()
    with problems:
        type_ = context.types[definition.ty]
        if not definition.custom_ordering and not _has_default_ordering(type_):
            raise invalid(
                ErrorKind.TypeHasIncorrectOrdering,
                type_name=_debug_name(definition.source_name),
                bad_type=type_text(type_),
            )
    with problems:
        context.client_types.check_definition(definition.ty)
    problems.raise_any()


def _has_default_ordering(type_: AlgebraicType) -> bool:
    """Members without names come first, then those with names in the order of their bytes."""
    match type_:
        case Product(members) | Sum(members):
            keys = [(member.name is not None, (member.name or "").encode()) for member in members]
            return keys == sorted(keys)
    return True


def _debug_name(name: RawScopedTypeNameV10) -> Ranked:
    return Ranked((name.scope, name.source_name), quoted("::".join((*name.scope, name.source_name))))
