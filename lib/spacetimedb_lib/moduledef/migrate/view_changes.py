"""Whether clients of a view can go on when it is replaced by another of the same name."""

from __future__ import annotations

from collections.abc import Mapping

from spacetimedb_lib.moduledef.functions import ViewDef
from spacetimedb_lib.moduledef.migrate.column_types import TypeComparison
from spacetimedb_lib.sats.errors import TypeRefError
from spacetimedb_lib.sats.types import AlgebraicType


def is_same_view(old: ViewDef, new: ViewDef) -> bool:
    """Same caller, key, parameters and columns; sums in them may have grown where rows of tables may grow."""
    if (old.is_anonymous, old.primary_key) != (new.is_anonymous, new.primary_key):
        return False
    try:
        return _same_members(_params(old), _params(new)) and _same_members(_columns(old), _columns(new))
    except TypeRefError:
        # A recursive type has no stored form that could be kept.
        return False


def _params(view: ViewDef) -> dict[str, tuple[int, AlgebraicType]]:
    types = view.resolved_params
    return {name: (position, types[position]) for position, name in enumerate(view.param_names)}


def _columns(view: ViewDef) -> dict[str, tuple[int, AlgebraicType]]:
    return {column.name: (column.position, column.resolved) for column in view.columns}


def _same_members(
    old: Mapping[str, tuple[int, AlgebraicType]], new: Mapping[str, tuple[int, AlgebraicType]]
) -> bool:
    """Same names at the same positions with types that fit."""
    if {name: place for name, (place, _) in old.items()} != {name: place for name, (place, _) in new.items()}:
        return False
    return not any(TypeComparison("", "", old[name][1], new[name][1]).errors for name in old)
