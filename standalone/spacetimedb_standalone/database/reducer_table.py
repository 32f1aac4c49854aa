"""What the engine knows of a module's reducers: it carries out plain calls of them by itself."""

from __future__ import annotations

from spacetimedb_lib.moduledef import ModuleDef, ReducerDef, Visibility
from spacetimedb_lib.sats.resolve import resolve
from spacetimedb_lib.sats.type_codec import encode_type

NOBODY, THE_OWNER, EVERYONE = 0, 1, 2
"""Whose calls of a reducer the engine takes without asking."""


def reducer_table(definition: ModuleDef, *, by_engine: bool) -> list[tuple[bytes, int, bytes, int]]:
    """For `Turn.set_reducers`. Without `by_engine` all calls are handed over."""
    return [
        (
            reducer.full_name.encode(),
            reducer.id,
            encode_type(resolve(reducer.params, definition.module_of(reducer.namespace).typespace)),
            _callable_by(reducer) if by_engine else NOBODY,
        )
        for reducer in definition.all_reducers
    ]


def _callable_by(reducer: ReducerDef) -> int:
    if reducer.lifecycle is not None:
        return NOBODY
    return THE_OWNER if reducer.visibility is Visibility.PRIVATE else EVERYONE
