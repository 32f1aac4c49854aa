"""Keeping what was compiled for a type, and bearing types that are nested beyond reason."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Final, ParamSpec, TypeVar, cast

from spacetimedb_lib.sats.errors import TypeDepthError

P = ParamSpec("P")
T = TypeVar("T")

_KEPT: Final = 4096


def compiled_once(compile_: Callable[P, T]) -> Callable[P, T]:
    """Remember the results of a pure function of types; `TypeDepthError` where they are nested too deeply."""
    cached = cast(Callable[P, T], lru_cache(maxsize=_KEPT)(compile_))

    @wraps(compile_)
    def look_up(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return cached(*args, **kwargs)
        except RecursionError:
            raise TypeDepthError from None

    return look_up
