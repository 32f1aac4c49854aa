"""What the engine knows of a module's reducers: it carries out plain calls of them by itself."""

from __future__ import annotations

from spacetimedb_engine import Program, SchemaError
from spacetimedb_lib.moduledef import ModuleDef, ReducerDef, Visibility
from spacetimedb_lib.sats.errors import TypeRefError
from spacetimedb_lib.sats.resolve import resolve
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import Product, Typespace

NOBODY, THE_OWNER, EVERYONE = 0, 1, 2
"""Whose calls of a reducer the engine takes without asking."""


def reducer_table(definition: ModuleDef, *, by_engine: bool) -> list[tuple[bytes, int, bytes, int]]:
    """For `Turn.set_reducers`. Without `by_engine` all calls are handed over."""
    return [
        _entry(reducer, definition.module_of(reducer.namespace).typespace, by_engine)
        for reducer in definition.all_reducers
    ]


def _entry(reducer: ReducerDef, typespace: Typespace, by_engine: bool) -> tuple[bytes, int, bytes, int]:
    """Calls with arguments of types that the engine does not read are handed over: endless, large or deep ones."""
    try:
        parameters = encode_type(resolve(reducer.params, typespace))
        Program(parameters)
    except (TypeRefError, SchemaError):
        parameters, by_engine = encode_type(Product(())), False
    return reducer.full_name.encode(), reducer.id, parameters, _callable_by(reducer) if by_engine else NOBODY


def _callable_by(reducer: ReducerDef) -> int:
    if reducer.lifecycle is not None:
        return NOBODY
    return THE_OWNER if reducer.visibility is Visibility.PRIVATE else EVERYONE
